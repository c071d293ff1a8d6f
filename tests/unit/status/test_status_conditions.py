"""Conditions, what they sum up to, and what people are told of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import ACCEPTED, NOW_MS, SERVING

from modelward.api.base import Condition
from modelward.api.quantity import timestamp
from modelward.reasons.reason import Reason
from modelward.reasons.workload import WorkloadReason
from modelward.status.conditions import ORDER, ConditionState, ready, settle
from modelward.status.flips import flips

STATUSES = st.sampled_from(["True", "False", "Unknown"])
TEXT = st.text(max_size=2_000)


def states(kind: str = "QualityHealthy") -> st.SearchStrategy[ConditionState]:
    return st.builds(ConditionState, st.just(kind), STATUSES, st.sampled_from(["One", "Two"]), TEXT)


@given(states("Accepted"), states("WorkloadReady"))
def test_ready_is_accepted_and_serving_and_nothing_else(accepted: ConditionState, workload: ConditionState) -> None:
    found = ready(accepted, workload)
    assert (found.status == "True") == (accepted.status == workload.status == "True")
    cause = next((state for state in (accepted, workload) if state.status != "True"), None)
    if cause is not None:
        assert (found.status, found.reason, found.message) == (cause.status, cause.reason, cause.message)


@given(states(), states(), st.integers(1, 10**9))
def test_a_transition_time_moves_only_when_the_status_changes(
    before: ConditionState, after: ConditionState, later_ms: int
) -> None:
    (old,) = settle([before], (), 1, NOW_MS)
    (new,) = settle([after], [old], 2, NOW_MS + later_ms)
    moved = new.last_transition_time != old.last_transition_time
    assert not moved or before.status != after.status
    expected = NOW_MS if before.status == after.status else NOW_MS + later_ms
    assert new.last_transition_time == timestamp(expected)
    assert new.observed_generation == 2


@given(states())
def test_a_message_fits_the_condition(state: ConditionState) -> None:
    (settled,) = settle([state], (), 1, NOW_MS)
    assert settled.message == state.message[:1024]


@given(st.permutations([*ORDER, "SomethingNew"]))
def test_conditions_stand_in_the_order_in_which_people_read(kinds: list[str]) -> None:
    settled = settle([ConditionState(kind, "True", Reason("So")) for kind in kinds], (), 1, NOW_MS)
    assert [condition.type for condition in settled] == [*ORDER, "SomethingNew"]


def conditions(**statuses: str) -> tuple[Condition, ...]:
    why = Reason("Why")
    states = [ConditionState(kind, status, why, "evidence") for kind, status in statuses.items()]  # type: ignore[arg-type]
    return settle(states, (), 1, NOW_MS)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, "True", ()),
        (None, "Unknown", ()),
        (None, "False", (("Warning", "NotQualityHealthy"),)),
        ("True", "False", (("Warning", "NotQualityHealthy"),)),
        ("Unknown", "False", (("Warning", "NotQualityHealthy"),)),
        ("False", "True", (("Normal", "QualityHealthy"),)),
        ("Unknown", "True", (("Normal", "QualityHealthy"),)),
        ("True", "Unknown", ()),
        ("True", "True", ()),
        ("False", "False", ()),
    ],
)
def test_people_are_told_of_each_flip_with_its_evidence(
    before: str | None, after: str, told: tuple[tuple[str, str], ...]
) -> None:
    old = conditions(QualityHealthy=before) if before else ()
    found = flips(old, conditions(QualityHealthy=after))
    assert tuple((flip.type, flip.reason) for flip in found) == told
    assert all(flip.note == "Why: evidence" for flip in found)


@pytest.mark.parametrize(("before", "told"), [(None, 0), ("Unknown", 0), ("False", 0), ("True", 1)])
def test_pods_that_come_up_are_no_news_and_those_that_go_down_are(before: str | None, told: int) -> None:
    old = conditions(WorkloadReady=before) if before else ()
    (after,) = conditions(WorkloadReady="False")
    assert len(flips(old, (after.model_copy(update={"reason": "NotReady"}),))) == told


def test_ready_tells_nothing_that_its_cause_has_not_told() -> None:
    told = flips(
        conditions(Ready="True", WorkloadReady="True"),
        conditions(Ready="False", WorkloadReady="False"),
    )
    assert [flip.reason for flip in told] == ["NotWorkloadReady"]


def test_what_serves_is_ready_in_the_words_of_the_workload() -> None:
    assert ready(ACCEPTED, SERVING) == ConditionState("Ready", "True", WorkloadReason.SERVING, "3 of 3 replicas ready")


@pytest.mark.parametrize("reason", ["PartialPods", "PartialSignals"])
def test_pods_that_give_no_numbers_yet_are_no_news_at_a_roll_out(reason: str) -> None:
    (partly,) = conditions(MetricsAvailable="False")
    partly = partly.model_copy(update={"reason": reason})
    assert flips(conditions(MetricsAvailable="True"), (partly,)) == ()
    assert flips((partly,), conditions(MetricsAvailable="True")) == ()
    (blocked,) = conditions(MetricsAvailable="False")
    assert len(flips((partly,), (blocked,))) == 0, "it was False before"
    assert len(flips(conditions(MetricsAvailable="True"), (blocked,))) == 1
