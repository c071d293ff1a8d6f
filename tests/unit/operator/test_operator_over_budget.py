"""A budget that is spent is an alert of its policy like others: told once, held without data, and closed."""

from __future__ import annotations

from typing import Any

import pytest
from alert_bench import AlertBench

from modelward.alerts.candidate import candidates
from modelward.alerts.delivery import AlertDelivery
from modelward.alerts.episode import Episode
from modelward.alerts.routing import Route, Routing
from modelward.alerts.standing import Standing, StandingAlert
from modelward.api.alert_status import AlertStatus
from modelward.api.base import ObjectMeta
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.operator.endpoint.alerting import carried_budgets, endpoint_alerts

NOW_MS, HOUR_MS = 1_795_480_000_000, 3_600_000
ROUTINGS = {"baseline": Routing("baseline", (Route(("team",)),))}
SPENT = "9.00 of 5.00 USD spent today"


def policy(status: str = "", reason: str = "OverBudget", **spec: Any) -> MonitoringPolicy:
    """Return a policy with a budget of money; `status` is that of its condition, empty where there is none."""
    budget = {"costPerDay": {"amount": "5.00", "currency": "USD"}}
    about = {"type": "WithinBudget", "status": status, "reason": reason, "message": SPENT}
    told = [{**about, "lastTransitionTime": "2026-11-24T08:00:00Z"}] if status else []
    bound = [{"endpoint": "chat"}, {"endpoint": "code"}]
    return MonitoringPolicy.model_validate(
        {
            "metadata": {"name": "baseline", "namespace": "retail"},
            "spec": {"endpointSelector": {}, "budget": budget, **spec},
            "status": {"conditions": told, "bindings": bound},
        }
    )


def rows(
    asked: MonitoringPolicy, name: str = "chat", before: tuple[AlertStatus, ...] = (), now_ms: int = NOW_MS
) -> list[AlertStatus]:
    about = ObjectMeta(name=name, namespace="retail")
    money = carried_budgets([asked], name)
    known = LLMEndpointStatus(alerts=before)
    return [*endpoint_alerts(LLMEndpointStatus(), known, about, (), ROUTINGS, (), now_ms, money)]


def test_a_budget_that_is_spent_fires_at_once_at_the_first_endpoint_alone() -> None:
    (row,) = rows(policy("False"))
    assert (row.name, row.state, row.severity) == ("OverBudget", "Firing", "Warning")
    assert SPENT in row.message
    assert rows(policy("False"), "code") == []


@pytest.mark.parametrize(
    ("later", "state"),
    [
        (policy("True", "WithinBudget"), "Resolved"),
        (policy("Unknown", "PriceUnknown"), "Closed"),
        (policy(), "Closed"),
        (policy("False", budget=None), "Closed"),
    ],
    ids=["a new day", "price unknown", "nothing known", "no budget any more"],
)
def test_only_a_budget_that_is_kept_resolves(later: MonitoringPolicy, state: str) -> None:
    found = tuple(rows(policy("False")))
    for hours in (1, 2, 27):
        found = tuple(rows(later, before=found, now_ms=NOW_MS + hours * HOUR_MS)) or found
    (row,) = found
    assert row.state == state


async def test_its_receiver_is_told_what_was_spent_and_what_to_ask_next() -> None:
    bench = AlertBench()
    await bench.shows("chat", bench.row("OverBudget", message=f"what the policy's budget allows is spent: {SPENT}"))
    await bench.turn(31)
    ((_, kind, alerts),) = bench.told
    ((_, message),) = bench.port.taken
    assert (kind, alerts) == ("Firing", ["chat OverBudget"])
    assert SPENT in message.alerts[0].what
    assert message.alerts[0].next_command == "kubectl describe monitoringpolicy -n retail baseline"


async def test_it_is_silenced_as_others_are_and_nothing_of_the_endpoint_explains_it() -> None:
    bench = AlertBench()
    bench.silence("known", alerts=["OverBudget"], until="2027-01-01T00:00:00Z")
    await bench.shows("chat", bench.row("OverBudget"))
    for _ in range(3):
        await bench.turn(31)
    assert bench.told == []
    other = AlertBench()
    await other.shows("chat", other.row("OverBudget"), other.row("NotReady", severity="Critical"))
    await other.turn(31)
    assert sorted(other.told[0][2]) == ["chat NotReady", "chat OverBudget"]


def test_budgets_of_two_policies_are_two_things_to_a_receiver_that_both_share() -> None:
    episode = Episode("Firing", NOW_MS, NOW_MS, "Warning", SPENT, "Failed", NOW_MS)
    routings = {name: Routing(name, (Route(("shared/sre",)),)) for name in ("baseline", "other")}
    alerts = tuple(StandingAlert("retail", "chat", name, "OverBudget", episode) for name in routings)
    found = candidates(Standing(alerts, routings), NOW_MS)
    assert {key: [one.known for one in told] for key, told in found.items()} == {
        (name, "shared/sre"): [AlertDelivery("shared/sre")] for name in routings
    }
