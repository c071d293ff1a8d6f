"""Which replicas are full, each by itself."""

import pytest

from modelward.scaling.capacity import Learned, Moment
from modelward.scaling.pods import PodUse, ReplicaSeen, moment, most_queue, watch

SECOND = 1_000


def lived(*pods: PodUse, for_s: int = 60, learned: Learned | None = None) -> tuple[ReplicaSeen, ...]:
    """Look at the same pods every 15 s."""
    watched: tuple[ReplicaSeen, ...] = ()
    for at_s in range(0, for_s + 1, 15):
        watched = watch(pods, watched, learned or Learned(), 15 * SECOND, at_s * SECOND)
    return watched


def pod(name: str, work: float, waiting: float | None = 0, rate: float | None = 2.0, running: float = 20) -> PodUse:
    return PodUse(name, work, work, running + (waiting or 0), waiting, rate)


@pytest.mark.parametrize(
    ("waiting", "rate", "running", "queues"),
    [
        (0, 2, 30, False),
        (1, 2, 30, False),  # half a second
        (2, 2, 30, True),
        (14, 15, 40, False),
        (20, 50, 30, True),  # less than a second, and more than half as long as they are served
        (10, 50, 4, False),  # an engine that takes the next requests every 200 ms
        (1, None, 30, True),
        (0.9, None, 30, False),
    ],
)
def test_a_queue_is_a_wait_and_no_request_that_has_just_come(
    waiting: float, rate: float | None, running: float, *, queues: bool
) -> None:
    assert pod("a", 100, waiting, rate, running).queues is queues


def test_full_takes_half_a_minute_without_a_break() -> None:
    full = pod("a", 100, 10)
    assert not lived(full, for_s=15)[0].full(15 * SECOND)
    watched = lived(full, for_s=60)
    assert watched[0].full(60 * SECOND)
    calm = watch((pod("a", 100, 0),), watched, Learned(), 15 * SECOND, 75 * SECOND)
    again = watch((full,), calm, Learned(), 15 * SECOND, 90 * SECOND)
    assert not again[0].full(90 * SECOND)


def test_work_is_taken_from_full_replicas_and_from_no_sick_one() -> None:
    pods = (pod("full", 100, 10), pod("calm", 70), pod("sick", 30, 50), pod("hung", 0, 90))
    found = moment(pods, lived(*pods), 60 * SECOND)
    assert found is not None
    assert (found.full, found.most_full) == (100, False)
    assert found.carried == pytest.approx((100 + 70 + 30) / 3)


def test_one_of_many_that_queues_is_no_want_of_replicas() -> None:
    one = (pod("a", 100, 10), pod("b", 70), pod("c", 70))
    assert not most_queue(lived(*one), 60 * SECOND)
    two = (pod("a", 100, 10), pod("b", 95, 9), pod("c", 70))
    assert most_queue(lived(*two), 60 * SECOND)
    found = moment(two, lived(*two), 60 * SECOND)
    assert found is not None
    assert (found.full, found.most_full) == (97.5, True)


def test_a_replica_that_has_just_come_is_not_judged() -> None:
    assert moment((pod("a", 100, 10),), lived(pod("a", 100, 10), for_s=15), 15 * SECOND) is None


def test_without_a_queue_the_mean_in_flight_tells_a_plateau() -> None:
    learned = Learned().seeing(Moment(100, 20), 0)
    assert lived(pod("a", 100, None, running=31), learned=learned)[0].full(60 * SECOND)
    assert not lived(pod("a", 100, None, running=28), learned=learned)[0].full(60 * SECOND)
    once = watch((pod("a", 100, None, running=60),), lived(pod("a", 100, None)), learned, 5 * SECOND, 65 * SECOND)
    assert once[0].full_since_ms is None, "one reading with many in flight is not their mean"
