"""The counters behind burn rates: they begin at 0, never fall, and take no change of ours for a burst of errors."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from modelward.api.policy_objective import ErrorBudget, PolicyObjective
from modelward.desired.monitoring_plan import BoundObjective
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.operator.observe.objective_ledger import ObjectiveLedger
from modelward.operator.observe.objective_metrics import ObjectiveMetrics
from modelward.status.objective_events import ObjectiveEvents

ERRORS = BoundObjective("p", PolicyObjective(name="errors", metric="ErrorRate", max_rate="1%", severity="Critical"))
KEY = ("p", "errors")


def page(pod: str, at_ms: int, requests: float, errors: float | None) -> Snapshot:
    counters = {SignalKey(Signal.REQUESTS, "m"): requests}
    if errors is not None:
        counters[SignalKey(Signal.ERRORS, "m")] = errors
    return Snapshot(pod, at_ms, "collector", {}, counters)


class Rig:
    def __init__(self) -> None:
        self.history, self.ledger, self.now_ms = History(), ObjectiveLedger(), 0

    def read(self, *pages: tuple[str, float, float | None], asked: BoundObjective = ERRORS) -> ObjectiveEvents:
        self.now_ms += 15_000
        for pod, requests, errors in pages:
            self.history.add(page(pod, self.now_ms, requests, errors))
        self.ledger.count("retail/chat", (asked,), self.history)
        return self.ledger.of("retail/chat")[KEY]


def test_an_objective_begins_at_0_whatever_its_pods_had_counted() -> None:
    rig = Rig()
    assert rig.read(("a", 5_000, 400)) == ObjectiveEvents()
    assert rig.read(("a", 5_010, 401)) == ObjectiveEvents(10, 1)


def test_one_that_a_policy_adds_later_begins_at_0_too() -> None:
    rig = Rig()
    rig.ledger.count("retail/chat", (), rig.history)
    rig.history.add(page("a", 1, 0, 0))
    rig.history.add(page("a", 15_001, 900, 300))
    rig.now_ms = 15_001
    assert rig.read(("a", 900, 300)) == ObjectiveEvents()
    assert rig.read(("a", 910, 300)) == ObjectiveEvents(10, 0)


def test_another_limit_is_no_burst_and_forgets_nothing() -> None:
    rig = Rig()
    rig.read(("a", 0, 0))
    rig.read(("a", 100, 10))
    refused = replace(ERRORS, objective=ERRORS.objective.model_copy(update={"metric": "OverloadRate"}))
    assert rig.read(("a", 100, 10), asked=refused) == ObjectiveEvents(100, 10)
    assert rig.read(("a", 120, 12), asked=ERRORS) == ObjectiveEvents(100, 10), "these 20 were asked of another"
    assert rig.read(("a", 130, 13), asked=ERRORS) == ObjectiveEvents(110, 11)


def test_a_pod_that_goes_leaves_what_it_counted_and_one_that_comes_begins_at_0() -> None:
    rig = Rig()
    rig.read(("a", 0, 0))
    rig.read(("a", 10, 1))
    rig.history = History()
    assert rig.read(("b", 70_000, 5_000)) == ObjectiveEvents(10, 1)
    assert rig.read(("b", 70_005, 5_000)) == ObjectiveEvents(15, 1)


def test_a_restart_counts_what_came_since() -> None:
    rig = Rig()
    rig.read(("a", 100, 0))
    assert rig.read(("a", 4, 2)) == ObjectiveEvents(4, 2)


def test_requests_whose_outcome_was_unknown_are_not_counted_later() -> None:
    rig = Rig()
    rig.read(("a", 0, None))
    rig.read(("a", 50, None))
    rig.read(("a", 60, 6))
    assert rig.read(("a", 70, 7)) == ObjectiveEvents(10, 1)


def test_a_paused_policy_counts_nothing() -> None:
    rig = Rig()
    rig.read(("a", 0, 0))
    paused = replace(ERRORS, paused=True)
    assert rig.read(("a", 10, 5), asked=paused) == ObjectiveEvents()
    assert rig.read(("a", 20, 6)) == ObjectiveEvents(10, 1)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), min_size=1, max_size=30))
def test_the_sum_is_what_was_gained_however_it_was_read(steps: list[tuple[int, int, bool]]) -> None:
    rig, requests, errors, start = Rig(), 7, 3, (7, 3)
    total = rig.read(("a", requests, errors))
    for more, failed, read in steps:
        requests, errors = requests + more + failed, errors + failed
        if read:
            before, total = total, rig.read(("a", requests, errors))
            assert total.events >= before.events
            assert total.bad >= before.bad
    assert rig.read(("a", requests, errors)) == ObjectiveEvents(requests - start[0], errors - start[1])


def test_the_series_are_there_from_the_first_sight_and_go_with_the_objective() -> None:
    registry, rig = CollectorRegistry(), Rig()
    metrics = ObjectiveMetrics(registry, rig.ledger)
    budget = ERRORS.objective.model_copy(update={"budget": ErrorBudget(period="672h")})
    budgeted = replace(ERRORS, objective=budget)
    metrics.endpoint("retail", "chat", (budgeted,), {"p": "Chart"})
    rig.read(("a", 9, 3), asked=budgeted)
    labels = {"namespace": "retail", "endpoint": "chat", "policy": "p", "objective": "errors"}
    value = registry.get_sample_value
    assert value("modelward_objective_events_total", labels) == 0
    assert value("modelward_objective_bad_total", labels) == 0
    via = {**labels, "via": "Chart"}
    assert value("modelward_objective_budget_ratio", via) == 0.01
    assert value("modelward_objective_period_seconds", via) == 2_419_200
    assert value("modelward_objective_min_events", via) == 100
    metrics.endpoint("retail", "chat", (ERRORS,), {"p": "Chart"})
    assert value("modelward_objective_budget_ratio", via) is None, "no budget was asked"
    info = replace(budgeted, objective=budget.model_copy(update={"severity": "Info"}))
    metrics.endpoint("retail", "chat", (info,), {"p": "Chart"})
    assert value("modelward_objective_budget_ratio", {**labels, "via": "None"}) == 0.01, "of Info no alert tells"
    metrics.forget("retail", "chat")
    assert value("modelward_objective_events_total", labels) is None
