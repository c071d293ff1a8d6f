"""Learning what one replica carries."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.scaling.capacity import CALM_MS, SAMPLES, Capacity, Learned, Moment, Source, remembered

SECOND = 1000


def taught(*moments: Moment, every_s: int = 30, learned: Learned | None = None) -> Learned:
    found = learned or Learned()
    begin_ms = max(found.sampled_at_ms, found.peak_at_ms)
    for place, each in enumerate(moments, start=1):
        found = found.seeing(each, begin_ms + place * every_s * SECOND)
    return found


def known(*moments: Moment) -> Capacity | None:
    """Return the capacity at the last of moments that come every 30 s."""
    return taught(*moments).capacity(len(moments) * 30 * SECOND)


def calm(work: float, in_flight: float = 4) -> Moment:
    return Moment(work, in_flight)


def full(work: float, carried: float | None = None, *, most: bool = True) -> Moment:
    return Moment(work if carried is None else carried, 4, work, most)


def test_nothing_seen_is_nothing_known() -> None:
    assert Learned().capacity(0) is None
    assert known(calm(0)) is None


def test_what_was_carried_is_a_lower_bound() -> None:
    assert known(calm(10), calm(40), calm(20)) == Capacity(40, Source.AT_LEAST)


def test_a_queue_shows_the_capacity_as_the_mean_of_its_lumps() -> None:
    assert known(calm(10), full(90), full(110)) == Capacity(100, Source.LEARNED)


def test_one_sample_every_half_minute() -> None:
    many = taught(*[full(50)] * 12, every_s=10)
    assert len(many.samples) == 4


def test_a_heavier_mix_lowers_the_capacity_within_minutes() -> None:
    assert known(*[full(100)] * SAMPLES, *[full(50)] * SAMPLES) == Capacity(50, Source.LEARNED)


def test_a_few_full_replicas_lower_the_capacity_no_further_than_what_was_carried() -> None:
    few = taught(*[full(100)] * SAMPLES, *[full(20, 60, most=False)] * 60)
    now_ms = few.sampled_at_ms
    capacity = few.capacity(now_ms)
    assert capacity is not None
    assert 90 <= capacity.tokens_per_second <= 100
    assert few.capacity(now_ms + 24 * 3_600 * SECOND) == capacity, "time alone is no evidence"


def test_an_hour_in_which_all_were_full_at_less_lowers_the_floor_once() -> None:
    slow = taught(*[full(100)] * SAMPLES, *[full(10)] * 120)
    end_ms = slow.sampled_at_ms
    assert slow.capacity(end_ms) == Capacity(pytest.approx(10), Source.LEARNED)  # type: ignore[arg-type]
    after = slow.capacity(end_ms + CALM_MS + SECOND)
    assert after is not None
    assert after.tokens_per_second > 60, "it was a sick hour, not another mix: what was carried before is carried again"


def test_a_mix_that_stays_heavier_is_learned_for_good() -> None:
    learned = taught(*[full(100)] * SAMPLES)
    for _ in range(4):
        rest = replace(learned, sampled_at_ms=learned.sampled_at_ms + CALM_MS + SECOND)
        learned = taught(*[full(50)] * SAMPLES, learned=rest)
    after = learned.capacity(learned.sampled_at_ms + CALM_MS + SECOND)
    assert after == Capacity(50, Source.LEARNED)


def test_more_work_without_a_queue_raises_the_capacity() -> None:
    assert known(full(50), calm(51)) == Capacity(50, Source.LEARNED)
    assert known(full(50), calm(51), calm(80)) == Capacity(80, Source.LEARNED)


def test_more_requests_for_the_same_work_show_a_full_replica_that_tells_no_queue() -> None:
    learned = taught(calm(100, 16))
    assert learned.on_plateau(99, 24)
    assert not learned.on_plateau(99, 20)
    assert not learned.on_plateau(120, 24)


@pytest.mark.parametrize("in_flight", [4, 5, 7])
def test_a_few_more_requests_show_nothing(in_flight: float) -> None:
    assert not taught(calm(100, 4)).on_plateau(100, in_flight)


def test_a_clock_set_back_does_not_stop_the_learning() -> None:
    learned = taught(full(50)).seeing(full(70), 5 * SECOND)
    assert learned.capacity(5 * SECOND) == Capacity(60, Source.LEARNED)


def test_another_revision_carries_what_the_last_one_did_until_it_is_full_itself() -> None:
    inherited = replace(taught(*[full(100)] * SAMPLES), inherited=True)
    assert inherited.capacity(inherited.sampled_at_ms) == Capacity(100, Source.LEARNED)
    learned = inherited.seeing(full(30), inherited.sampled_at_ms + SECOND)
    assert learned.capacity(inherited.sampled_at_ms + 2 * CALM_MS) == Capacity(30, Source.LEARNED)


@pytest.mark.parametrize(
    ("capacity", "text"),
    [
        (Capacity(1234.4, Source.LEARNED), "1234 tok/s (Learned)"),
        (Capacity(12, Source.AT_LEAST), "12 tok/s (AtLeast)"),
        (Capacity(9.64, Source.LEARNED), "9.6 tok/s (Learned)"),
    ],
)
def test_what_status_says_is_what_a_restart_remembers(capacity: Capacity, text: str) -> None:
    assert str(capacity) == text
    again = remembered(text, 0).capacity(0)
    assert again is not None
    assert str(again) == text


@pytest.mark.parametrize("text", ["", "900 tok/s (Declared)", "0 tok/s (Learned)", "a lot", "-1 tok/s (Learned)"])
def test_nothing_else_is_remembered(text: str) -> None:
    assert remembered(text, 0) == Learned()


_WORK = st.floats(0, 1e4)
_MOMENTS = st.builds(Moment, _WORK, st.floats(0, 500), st.one_of(st.none(), _WORK), st.booleans())


@given(st.lists(_MOMENTS, max_size=40))
def test_a_capacity_is_never_more_than_was_ever_done(moments: list[Moment]) -> None:
    capacity = known(*moments)
    if capacity is not None:
        most = max(max(each.carried, each.full or 0.0) for each in moments)
        assert 0 < capacity.tokens_per_second <= most * (1 + 1e-9)
