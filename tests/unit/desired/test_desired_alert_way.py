"""Each alert goes one way, and none goes nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.alert_way import way_of, way_of_money

INBOX = {"name": "inbox", "webhook": {"url": "https://inbox.example.com"}}


@pytest.mark.parametrize(
    ("alerts", "way", "money"),
    [
        (None, "Chart", "Chart"),
        ({"receivers": [INBOX]}, "Direct", "Chart"),
        ({"receivers": [INBOX], "via": "Chart"}, "Chart", "Chart"),
        ({"via": "Policy"}, "Policy", "Policy"),
    ],
)
def test_money_is_told_by_the_chart_where_receivers_are_not_told_of_it(
    alerts: dict[str, Any] | None, way: str, money: str
) -> None:
    spec = {"endpointSelector": {}, **({"alerts": alerts} if alerts else {})}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "p", "namespace": "n"}, "spec": spec})
    assert (way_of(policy), way_of_money(policy)) == (way, money)
