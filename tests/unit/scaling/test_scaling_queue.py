"""What waits in the replicas, and what of it is load."""

import pytest

from modelward.scaling.pods import PodUse
from modelward.scaling.queue import KEPT_MS, LONGEST_DRAIN_S, WaitingRequests, shared, waiting_in
from modelward.scaling.usage import UsageSnapshot

SECOND = 1_000


def watched(*waiting: float, every_s: int = 15) -> WaitingRequests:
    queue = WaitingRequests()
    for place, count in enumerate(waiting):
        queue = queue.seeing(count, place * every_s * SECOND)
    return queue


def test_a_queue_that_grows_is_load_and_one_that_is_worked_off_is_none() -> None:
    assert watched(0, 10, 20).growth(30, 30 * SECOND, 45 * SECOND) == pytest.approx(20 / 30)
    assert watched(90, 60, 30).growth(0, 30 * SECOND, 45 * SECOND) == pytest.approx(-2)
    assert watched(40, 40, 40).growth(40, 30 * SECOND, 45 * SECOND) == 0


def test_a_queue_that_was_not_watched_has_just_gathered() -> None:
    assert WaitingRequests().growth(60, 30 * SECOND, 0) == 2


def test_only_the_last_minute_and_a_half_is_kept() -> None:
    queue = watched(*range(1_000), every_s=1)
    assert len(queue.seen) <= KEPT_MS / 10_000 + 1


def test_what_waits_is_to_be_served_within_the_time_that_replicas_take_to_start() -> None:
    asked = WaitingRequests().seeing(5, 0, asking=True)
    assert asked.drain_s(300 * SECOND) == 300
    came = asked.started(all_ready=True, more_ready=True, now_ms=40 * SECOND)
    assert came.drain_s(400 * SECOND) == 40
    assert came.started(all_ready=True, more_ready=False, now_ms=500 * SECOND) == came
    quick = came.seeing(5, 500 * SECOND, asking=True).started(all_ready=True, more_ready=True, now_ms=505 * SECOND)
    assert quick.drain_s(600 * SECOND) == 30
    never = came.seeing(5, 500 * SECOND, asking=True).started(all_ready=False, more_ready=False, now_ms=600 * SECOND)
    assert never.drain_s(9_000 * SECOND) == LONGEST_DRAIN_S


def in_pods(*pods: tuple[float, float]) -> UsageSnapshot:
    uses = tuple(PodUse(str(name), work, work, waiting, waiting, 1.0) for name, (work, waiting) in enumerate(pods))
    return UsageSnapshot(len(uses), len(uses), len(uses), len(uses), waiting=sum(each for _, each in pods), pods=uses)


def test_what_waits_in_a_stuck_replica_no_other_can_serve() -> None:
    usage = in_pods((100, 2), (90, 3), (0, 500))
    assert waiting_in(usage) == 5
    assert shared(usage) == pytest.approx(2 + 3 + 9)
    assert shared(in_pods((100, 0), (90, 0), (40, 500))) == 0
    assert waiting_in(UsageSnapshot(2, 2, 2, 2, waiting=7.0)) == shared(UsageSnapshot(2, 2, 2, 2, waiting=7.0)) == 7
