"""What one reconcile finds becomes alerts of the policies that ask for them, and of no other."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.alerts.routing import Route, Routing
from modelward.api.alert_status import AlertStatus
from modelward.api.base import Condition, ObjectMeta, VerdictValue
from modelward.api.check_status import ErrorBudgetStatus
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.quantity import timestamp
from modelward.operator.endpoint.alerting import endpoint_alerts
from modelward.reasons.checks import CheckReason
from modelward.status.checks import Check

NOW_MS = 1_795_480_000_000
ROUTINGS = {"baseline": Routing("baseline", (Route(("sre",)),))}
ABOUT = ObjectMeta(name="chat", namespace="retail", creation_timestamp="2026-11-01T00:00:00Z")


def condition(type_: str, status: str, reason: str) -> Condition:
    data = {"type": type_, "status": status, "reason": reason, "lastTransitionTime": "2026-11-24T08:00:00Z"}
    return Condition.model_validate(data)


def alerts(
    *conditions: Condition,
    checks: tuple[Check, ...] = (),
    budgets: tuple[ErrorBudgetStatus, ...] = (),
    before: tuple[AlertStatus, ...] = (),
    **changes: Any,
) -> dict[str, AlertStatus]:
    status = LLMEndpointStatus(conditions=conditions, budgets=budgets)
    now_ms = changes.get("now_ms", NOW_MS)
    about, routings = changes.get("about", ABOUT), changes.get("routings", ROUTINGS)
    found = endpoint_alerts(status, LLMEndpointStatus(alerts=before), about, checks, routings, (), now_ms)
    return {row.name: row for row in found}


def check(
    found: VerdictValue, stands: VerdictValue = "Failed", reason: Any = CheckReason.ABOVE_LIMIT, **more: Any
) -> Check:
    concern = more.get("concern", "Objectives")
    told = "4.2% > 1%, n=812"
    return Check(
        "baseline", "errors", concern, "Critical", stands, reason, told, found_verdict=found, found_reason=reason
    )


@pytest.mark.parametrize(
    ("state", "waits"),
    [
        (condition("Ready", "False", "CrashLoopBackOff"), {"NotReady"}),
        (condition("Ready", "True", "Serving"), set()),
        (condition("Ready", "Unknown", "InvalidSpec"), set()),
        (condition("Ready", "False", "ScaledToZero"), set()),
        (condition("MetricsAvailable", "False", "Stale"), {"Unwatched"}),
        (condition("MetricsAvailable", "Unknown", "Missing"), {"Unwatched"}),
        (condition("MetricsAvailable", "False", "EngineExportsNothing"), set()),
        (condition("MetricsAvailable", "Unknown", "NoPods"), set()),
        (condition("CollectorReady", "False", "Bypassed"), {"TrafficUnseen"}),
        (condition("CollectorReady", "False", "AwaitingRollout"), set()),
        (condition("ScalingActive", "False", "AnotherScaler"), {"ScalingStuck"}),
    ],
)
def test_conditions_of_the_endpoint_become_alerts_that_wait(state: Condition, waits: set[str]) -> None:
    found = alerts(state)
    assert {name for name, row in found.items() if row.state == "Pending"} == waits == set(found)


def test_a_check_fires_at_once_by_what_samples_say_now_and_not_by_what_stands() -> None:
    assert alerts(checks=(check("Failed"),))["Objective/errors"].state == "Firing"
    assert alerts(checks=(check("Unknown", reason=CheckReason.TOO_FEW_SAMPLES),)) == {}
    before = (alerts(checks=(check("Failed"),))["Objective/errors"],)
    near = alerts(checks=(check("Unknown", reason=CheckReason.NEAR_THRESHOLD),), before=before)
    assert near["Objective/errors"].state == "Firing"
    silent = alerts(checks=(check("Unknown", reason=CheckReason.NO_TRAFFIC),), before=before)
    assert (silent["Objective/errors"].state, silent["Objective/errors"].held) == ("Held", "NoTraffic")


def test_a_hub_that_is_dead_holds_a_check_and_a_fault_of_the_numbers_is_told_all_the_same() -> None:
    rows = tuple(alerts(checks=(check("Failed", concern="Quality"),)).values())
    away = check("Unknown", reason=CheckReason.HUB_UNAVAILABLE, concern="Quality")
    found = alerts(checks=(away, check("Failed")), before=rows)
    assert (found["Check/errors"].state, found["Check/errors"].held) == ("Held", "HubUnavailable")
    assert found["Objective/errors"].state == "Firing"


def burning(speed: str) -> tuple[ErrorBudgetStatus, ...]:
    told = "2.1% of 900 requests in 1h are over the bound"
    row = {"policy": "baseline", "objective": "errors", "burning": speed, "message": told}
    return (ErrorBudgetStatus.model_validate(row),)


def test_a_burning_budget_is_one_alert_whose_severity_follows_its_speed() -> None:
    for speed, severity in (("Fast", "Critical"), ("Slow", "Warning")):
        row = alerts(checks=(check("Passed", "Passed"),), budgets=burning(speed))["BudgetBurn/errors"]
        assert (row.state, row.severity) == ("Firing", severity)
    assert alerts(checks=(check("Passed", "Passed"),), budgets=burning("Unknown")) == {}


def test_a_burning_budget_explains_its_objective_and_not_ready_explains_both() -> None:
    failing, fast = (check("Failed"),), burning("Fast")
    found = alerts(condition("Ready", "True", "Serving"), checks=failing, budgets=fast)
    assert found["BudgetBurn/errors"].by == ""
    assert found["Objective/errors"].by == "BudgetBurn/errors"
    found = alerts(condition("Ready", "False", "CrashLoopBackOff"), checks=failing, budgets=fast)
    assert {row.by for name, row in found.items() if name != "NotReady"} == {"NotReady"}


def test_modelward_tells_when_it_cannot_do_its_work_and_not_what_is_told_already() -> None:
    accepted, refused = condition("Accepted", "True", "Valid"), condition("Accepted", "False", "Refused")
    blind = check("Unknown", reason=CheckReason.HUB_UNAVAILABLE, concern="Quality")
    pending = alerts(accepted, checks=(blind,))["Modelward"]
    assert (pending.state, pending.severity) == ("Pending", "Warning")
    later_ms = NOW_MS + 15 * 60_000
    firing = alerts(accepted, checks=(blind,), before=(pending,), now_ms=later_ms)["Modelward"]
    assert firing.state == "Firing"
    assert firing.message == "Modelward cannot do its work for the endpoint: HubUnavailable, errors cannot be judged"
    assert "Modelward" not in alerts(accepted, checks=(check("Passed"),))
    assert "Modelward" not in alerts(condition("Accepted", "False", "NameTaken"))
    down = alerts(refused, condition("Ready", "False", "Refused"))
    assert (down["NotReady"].by, down["Modelward"].by) == ("", "NotReady")


def test_what_has_never_served_gets_half_an_hour() -> None:
    new = ObjectMeta(name="chat", namespace="retail", creation_timestamp="2026-11-24T07:59:30Z")
    down = condition("Ready", "False", "Creating")
    first = tuple(alerts(down, about=new).values())
    later = NOW_MS + 5 * 60_000
    assert alerts(down, about=new, before=first, now_ms=later)["NotReady"].state == "Pending"
    assert alerts(down, about=new, before=first, now_ms=NOW_MS + 30 * 60_000)["NotReady"].state == "Firing"
    served = tuple(alerts(down).values())
    assert alerts(down, before=served, now_ms=later)["NotReady"].state == "Firing"


def test_undecided_checks_are_told_only_where_a_route_names_them() -> None:
    open_ = check("Unknown", "Unknown", CheckReason.NO_CAPTURE)
    assert alerts(checks=(open_,)) == {}
    asked = {"baseline": Routing("baseline", (Route(("sre",), alerts=("CheckUndecided",)),))}
    assert set(alerts(checks=(open_,), routings=asked)) == {"CheckUndecided/errors"}


def test_the_rows_of_a_policy_that_asks_no_more_go_and_of_a_check_that_is_gone_are_closed() -> None:
    before = tuple(alerts(checks=(check("Failed"),)).values())
    assert alerts(before=before, routings={}) == {}
    assert alerts(before=before)["Objective/errors"].state == "Closed"


def test_a_status_holds_fifty_alerts_and_the_gravest_of_them() -> None:
    def numbered(number: int, severity: Any) -> Check:
        return Check(
            "baseline", f"c{number}", "Quality", severity, "Failed", CheckReason.ABOVE_LIMIT, found_verdict="Failed"
        )

    checks = (*(numbered(number, "Warning") for number in range(100)), numbered(100, "Critical"))
    found = alerts(checks=checks)
    assert len(found) == 50
    assert "Check/c100" in found


def test_a_reconcile_that_finds_the_same_says_the_same() -> None:
    first = alerts(condition("Ready", "False", "CrashLoopBackOff"), checks=(check("Failed"),))
    again = alerts(
        condition("Ready", "False", "CrashLoopBackOff"), checks=(check("Failed"),), before=tuple(first.values()),
        now_ms=NOW_MS + 60_000,
    )  # fmt: skip
    assert again == first
    assert first["Objective/errors"].since == timestamp(NOW_MS)
