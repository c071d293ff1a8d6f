"""The table of states, cell by cell, and what a wrong clock may cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.alerts.episode import AlertInput, AlertVerdict, Episode
from modelward.alerts.kinds import ALERT_KINDS
from modelward.alerts.rows import episode_of, row_of
from modelward.alerts.step import removed, step
from modelward.alerts.timing import Timing
from modelward.api.form import ALERT

TIMING, MINUTE_MS, START_MS = Timing(), 60_000, 1_795_480_000_000
SEEN = AlertInput("baseline", "NotReady", "Failed", "Critical", "Creating", "it does not serve", for_ms=2 * MINUTE_MS)


def after(*steps: tuple[float, AlertVerdict], seen: AlertInput = SEEN) -> Episode | None:
    """Return the alert after verdicts, each at so many minutes."""
    now: Episode | None = None
    for minutes, verdict in steps:
        now_ms = START_MS + round(minutes * MINUTE_MS)
        now = step(now, replace(seen, verdict=verdict, reason="Missing"), now_ms, TIMING)
    return now


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([(0, "Passed")], None),
        ([(0, "Unknown")], None),
        ([(0, "NearThreshold")], None),
        ([(0, "Failed")], "Pending"),
        ([(0, "Failed"), (1.9, "Failed")], "Pending"),
        ([(0, "Failed"), (2, "Failed")], "Firing"),
        ([(0, "Failed"), (1, "Passed")], None),
        ([(0, "Failed"), (1, "Unknown"), (30, "Unknown"), (31, "Failed"), (31.5, "Failed")], "Pending"),
        ([(0, "Failed"), (1, "Unknown"), (30, "Unknown"), (31, "Failed"), (32, "Failed")], "Firing"),
        ([(0, "Failed"), (1, "Unknown"), (61, "Unknown")], None),
        ([(0, "Failed"), (1, "NearThreshold"), (600, "NearThreshold")], "Pending"),
        ([(0, "Failed"), (2, "Failed"), (3, "Passed"), (12.9, "Passed")], "Firing"),
        ([(0, "Failed"), (2, "Failed"), (3, "Passed"), (13, "Passed")], "Resolved"),
        ([(0, "Failed"), (2, "Failed"), (3, "Passed"), (9, "NearThreshold"), (10, "Passed"), (19, "Passed")], "Firing"),
        ([(0, "Failed"), (2, "Failed"), (3, "NearThreshold"), (9_999, "NearThreshold")], "Firing"),
        ([(0, "Failed"), (2, "Failed"), (3, "Unknown")], "Held"),
        ([(0, "Failed"), (2, "Failed"), (3, "Unknown"), (9, "Failed")], "Firing"),
        ([(0, "Failed"), (2, "Failed"), (3, "Unknown"), (1_442, "Unknown")], "Held"),
        ([(0, "Failed"), (2, "Failed"), (3, "Unknown"), (1_443, "Unknown")], "Closed"),
        ([(0, "Failed"), (2, "Failed"), (3, "Passed"), (13, "Passed"), (27, "Failed")], "Firing"),
        ([(0, "Failed"), (2, "Failed"), (3, "Passed"), (13, "Passed"), (28, "Failed")], "Pending"),
        ([(0, "Failed"), (2, "Failed"), (3, "Passed"), (13, "Passed"), (28, "Passed")], None),
    ],
)
def test_each_cell_of_the_table(steps: list[tuple[float, AlertVerdict]], state: str | None) -> None:
    now = after(*steps)
    assert (now.state if now else None) == state


def test_what_comes_back_within_the_cooldown_is_the_same_episode_and_later_another() -> None:
    ended: list[tuple[float, AlertVerdict]] = [(0, "Failed"), (2, "Failed"), (3, "Passed"), (13, "Passed")]
    again, anew = after(*ended, (20, "Failed")), after(*ended, (40, "Failed"))
    assert again is not None
    assert anew is not None
    assert again.began_ms == START_MS
    assert anew.began_ms == START_MS + 40 * MINUTE_MS


def test_an_end_that_is_not_told_yet_is_kept_and_so_is_its_episode() -> None:
    ended = after((0, "Failed"), (2, "Failed"), (3, "Passed"), (13, "Passed"))
    late = START_MS + 99 * MINUTE_MS
    kept = step(ended, replace(SEEN, verdict="Passed"), late, TIMING, settled=False)
    assert kept is not None
    assert kept.state == "Resolved"
    back = step(kept, SEEN, late, TIMING, settled=False)
    assert back is not None
    assert (back.state, back.began_ms) == ("Firing", START_MS)


def test_more_than_three_returns_in_an_hour_are_flapping() -> None:
    quick = replace(TIMING, resolve_after_ms=0)
    now: Episode | None = None
    for minute in range(0, 20, 2):
        turns: tuple[tuple[int, AlertVerdict], ...] = ((0, "Failed"), (1, "Passed"))
        for offset, verdict in turns:
            seen = AlertInput("baseline", "Check/topic", verdict)
            now = step(now, seen, START_MS + (minute + offset) * MINUTE_MS, quick)
    assert now is not None
    assert now.flapping(START_MS + 20 * MINUTE_MS)
    assert not now.flapping(START_MS + 90 * MINUTE_MS)


def test_a_check_that_is_asked_for_no_more_is_closed_and_not_resolved() -> None:
    firing = after((0, "Failed"), (2, "Failed"))
    assert firing is not None
    closed = removed(firing, START_MS + 5 * MINUTE_MS, TIMING)
    assert closed is not None
    assert (closed.state, closed.held) == ("Closed", "Removed")
    assert removed(closed, START_MS + 30 * MINUTE_MS, TIMING) is None


@pytest.mark.parametrize("jump_h", [-1, 1])
def test_a_clock_that_jumps_by_an_hour_resolves_nothing_that_did_not_pass_and_delays_by_what_it_lost(
    jump_h: int,
) -> None:
    firing = after((0, "Failed"), (2, "Failed"))
    jumped = START_MS + (3 + 60 * jump_h) * MINUTE_MS
    for verdict in ("Failed", "NearThreshold", "Unknown"):
        now = step(firing, replace(SEEN, verdict=verdict), jumped, TIMING)
        assert now is not None
        assert now.firing
    passed = step(firing, replace(SEEN, verdict="Passed"), jumped, TIMING)
    assert passed is not None
    assert passed.state == "Firing"
    done = step(passed, replace(SEEN, verdict="Passed"), jumped + 10 * MINUTE_MS, TIMING)
    assert done is not None
    assert done.state == "Resolved"


@given(st.lists(st.tuples(st.integers(0, 200_000_000), st.sampled_from(["Failed", "Passed", "Unknown"])), max_size=30))
def test_what_status_holds_is_all_that_the_next_process_needs(steps: list[tuple[int, AlertVerdict]]) -> None:
    now_ms, kept, read = START_MS, None, None
    for passed_ms, verdict in steps:
        now_ms += passed_ms // 1_000 * 1_000
        seen = replace(SEEN, verdict=verdict, reason="Missing")
        kept, read = step(kept, seen, now_ms, TIMING), step(read, seen, now_ms, TIMING)
        read = episode_of(row_of("baseline", "NotReady", read)) if read else None
        assert read == kept


def test_every_kind_can_be_named_and_no_other() -> None:
    import re

    for kind in ALERT_KINDS.values():
        assert re.fullmatch(ALERT.pattern, kind.name)
        assert bool(re.fullmatch(ALERT.pattern, f"{kind.name}/errors")) == kind.of_a_check
