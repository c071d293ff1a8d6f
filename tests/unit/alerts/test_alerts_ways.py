"""Each alert goes one way, and none goes nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.alerts.ways import way_of_money
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.alert_way import way_of

INBOX = {"name": "inbox", "webhook": {"url": "https://inbox.example.com"}}


@pytest.mark.parametrize(
    ("alerts", "way", "money"),
    [
        (None, "Chart", "Chart"),
        ({"receivers": [INBOX]}, "Direct", "Direct"),
        ({"receivers": [INBOX], "routes": [{"receivers": ["inbox"], "alerts": ["OverBudget"]}]}, "Direct", "Direct"),
        ({"receivers": [INBOX], "routes": [{"receivers": ["inbox"], "alerts": ["Check"]}]}, "Direct", "Chart"),
        ({"receivers": [INBOX], "via": "Chart"}, "Chart", "Chart"),
        ({"via": "Policy"}, "Policy", "Policy"),
    ],
)
def test_money_is_told_by_the_chart_where_no_route_leads_it_to_a_receiver(
    alerts: dict[str, Any] | None, way: str, money: str
) -> None:
    spec = {"endpointSelector": {}, **({"alerts": alerts} if alerts else {})}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "p", "namespace": "n"}, "spec": spec})
    assert (way_of(policy), way_of_money(policy)) == (way, money)
