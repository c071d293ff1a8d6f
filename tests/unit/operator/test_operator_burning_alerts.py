"""A budget that burns is an alert of its own: critical where it goes fast, held while nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.alerts.routing import routing_of
from modelward.api.alerts import AlertsSpec
from modelward.api.base import ObjectMeta, Severity
from modelward.api.check_status import ErrorBudgetStatus
from modelward.api.llmendpoint import LLMEndpointStatus
from modelward.operator.endpoint.alerting import endpoint_alerts
from modelward.reasons.checks import CheckReason
from modelward.status.checks import Check

NOW_MS = 1_795_480_000_000
RECEIVERS = AlertsSpec.model_validate({"receivers": [{"name": "sre", "shared": "oncall"}]})


def alerts(burning: Any, before: LLMEndpointStatus | None = None, severity: Severity = "Warning") -> dict[str, Any]:
    row = ErrorBudgetStatus(policy="p", objective="errors", burning=burning, message="31% of 900 requests")
    check = Check("p", "errors", "Objectives", severity, "Passed", CheckReason.BELOW_LIMIT)
    found = endpoint_alerts(
        LLMEndpointStatus(budgets=(row,)),
        before or LLMEndpointStatus(),
        ObjectMeta(name="chat", namespace="retail"),
        (check,),
        {"p": routing_of("p", RECEIVERS)},
        (),
        NOW_MS,
    )
    return {one.name: one for one in found}


@pytest.mark.parametrize(("burning", "severity"), [("Fast", "Critical"), ("Slow", "Warning")])
def test_a_burning_budget_fires_with_its_evidence(burning: str, severity: str) -> None:
    one = alerts(burning)["BudgetBurn/errors"]
    assert (one.state, one.severity, one.message) == ("Firing", severity, "errors: 31% of 900 requests")


def test_one_that_does_not_burn_or_of_which_nothing_is_known_begins_no_alert() -> None:
    assert alerts("No") == {}
    assert alerts("Unknown") == {}


def test_silence_is_no_recovery() -> None:
    firing = tuple(alerts("Fast").values())
    held = alerts("Unknown", LLMEndpointStatus(alerts=firing))["BudgetBurn/errors"]
    assert (held.state, held.held) == ("Held", "TooFewSamples")


def test_an_objective_of_severity_info_alerts_about_no_budget() -> None:
    assert alerts("Fast", severity="Info") == {}
