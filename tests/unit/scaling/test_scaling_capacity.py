"""Learning what one replica carries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.scaling.capacity import SAMPLES, Capacity, Learned, Moment, Source

SECOND = 1000


def taught(*moments: Moment, every_s: int = 30) -> Learned:
    learned = Learned()
    for place, moment in enumerate(moments, start=1):
        learned = learned.seeing(moment, place * every_s * SECOND)
    return learned


def moment(work: float, in_flight: float = 4, *, queueing: bool | None = False) -> Moment:
    return Moment(work, work, in_flight, queueing)


def test_nothing_seen_is_nothing_known() -> None:
    assert Learned().capacity() is None
    assert taught(moment(0)).capacity() is None


def test_what_was_carried_is_a_lower_bound() -> None:
    assert taught(moment(10), moment(40), moment(20)).capacity() == Capacity(40, Source.AT_LEAST)


def test_a_queue_shows_the_capacity_as_the_mean_of_its_lumps() -> None:
    learned = taught(moment(10), moment(90, queueing=True), moment(110, queueing=True))
    assert learned.capacity() == Capacity(100, Source.LEARNED)


def test_one_sample_every_half_minute() -> None:
    many = taught(*[moment(50, queueing=True)] * 12, every_s=10)
    assert len(many.samples) == 4


def test_a_heavier_mix_lowers_the_capacity_within_minutes() -> None:
    learned = taught(*[moment(100, queueing=True)] * SAMPLES, *[moment(50, queueing=True)] * SAMPLES)
    assert learned.capacity() == Capacity(50, Source.LEARNED)


def test_more_work_without_a_queue_raises_the_capacity() -> None:
    learned = taught(moment(50, queueing=True), moment(51))
    assert learned.capacity() == Capacity(50, Source.LEARNED)
    assert learned.seeing(moment(80), 90 * SECOND).capacity() == Capacity(80, Source.LEARNED)


def test_more_requests_for_the_same_work_show_a_full_replica_that_tells_no_queue() -> None:
    assert taught(moment(100, 4, queueing=None), moment(99, 12, queueing=None)).capacity() == Capacity(
        99, Source.LEARNED
    )


@pytest.mark.parametrize("in_flight", [4, 7, 11])
def test_a_few_more_requests_show_nothing(in_flight: float) -> None:
    learned = taught(moment(100, 4, queueing=None), moment(100, in_flight, queueing=None))
    assert learned.capacity() == Capacity(100, Source.AT_LEAST)


def test_an_engine_that_tells_its_queue_is_believed() -> None:
    assert taught(moment(100, 4), moment(100, 60)).capacity() == Capacity(100, Source.AT_LEAST)


def test_a_clock_set_back_does_not_stop_the_learning() -> None:
    learned = taught(moment(50, queueing=True)).seeing(moment(70, queueing=True), 5 * SECOND)
    assert learned.capacity() == Capacity(60, Source.LEARNED)


_MOMENTS = st.builds(
    Moment, st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 500), st.one_of(st.none(), st.booleans())
)


@given(st.lists(_MOMENTS, max_size=40))
def test_a_capacity_is_never_more_than_was_ever_done(moments: list[Moment]) -> None:
    capacity = taught(*moments).capacity()
    if capacity is not None:
        assert 0 < capacity.tokens_per_second <= max(max(each.work, each.sustained) for each in moments) * (1 + 1e-9)
