"""A change is found in the newest windows, whatever came before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelward.api.evaluation import Counts
from modelward.evaluate.statistics.cusum import longest
from modelward.evaluate.statistics.sequence import WARNING, surely_above

NOTHING = (0, Counts())


def window(samples: int, flagged: int) -> Counts:
    return Counts(samples, flagged, weight=samples, weight_squared=samples, flagged_weight=flagged)


def above(limit: float, counts: Counts) -> bool:
    return surely_above(counts.flagged, counts.samples, limit, limit / 2, WARNING)


def test_a_jump_is_found_that_the_whole_set_hides() -> None:
    clean, bad = [window(20, 0)] * 9, [window(20, 5)] * 3
    length, found = longest([*bad, *clean], lambda counts: above(0.03, counts))
    assert (length, found.samples, found.flagged) == (9, 180, 15), "as far back as it is surely above"
    assert not above(0.03, sum([*bad, *clean], Counts()))


def test_what_is_over_is_no_longer_found() -> None:
    clean, bad = [window(200, 0)] * 9, [window(200, 20)] * 3
    assert longest([*clean, *bad], lambda counts: above(0.03, counts)) == NOTHING
    assert longest([*bad, *clean], lambda counts: above(0.03, counts))[0] > 3


def test_a_set_without_windows_or_flags_says_nothing() -> None:
    assert longest([], lambda _: True) == NOTHING
    assert longest([window(0, 0)], lambda _: True) == NOTHING


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=14), st.floats(0.01, 0.4))
def test_it_is_the_longest_run_of_newest_windows_that_speaks(rows: list[tuple[int, int]], limit: float) -> None:
    windows = [window(samples, min(samples, flagged)) for samples, flagged in rows]
    runs = [(length, sum(windows[:length], Counts())) for length in range(1, len(windows) + 1)]
    speaking = [(length, run) for length, run in runs if above(limit, run)]
    assert longest(windows, lambda counts: above(limit, counts)) == (speaking[-1] if speaking else NOTHING)
