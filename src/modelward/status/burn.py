"""How fast an objective spends its error budget, by the same windows and bounds as the rules of Prometheus."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import PPM, duration_ms, limit_text, percent_text
from modelward.status.objective_events import allowance_ppm

STEP_MS = 300_000
KEPT_MS = 259_200_000
_HOUR_MS = 3_600_000
_MOST_SHARE = 0.9
Burning = Literal["No", "Slow", "Fast", "Unknown"]
_PAGES = ((_HOUR_MS, STEP_MS, 0.02, 0.0), (6 * _HOUR_MS, _HOUR_MS // 2, 0.05, 0.0))
_TICKETS = ((24 * _HOUR_MS, 2 * _HOUR_MS, 0.1, 0.5), (72 * _HOUR_MS, 6 * _HOUR_MS, 0.1, 0.5))
"""Long window, short window, part of the budget that the long one may spend, share of it that must have been seen."""


@dataclass(frozen=True, slots=True)
class BurnStep:
    """What was counted in five minutes that began at `at_ms`; a step without watching is not there."""

    at_ms: int
    events: float
    bad: float


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """What was counted in a window, and the share of it that was watched; over 1 where the steps at its ends are."""

    events: float
    bad: float
    seen: float


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast, with the evidence; `rate` is how many times the allowance the last hour was, None without requests."""

    burning: Burning
    rate: float | None = None
    message: str = ""


class BurnLine:
    """Steps added up, so that any window of them costs the same; rows inside a step are parts of it."""

    def __init__(self, rows: Sequence[BurnStep]) -> None:
        self._at_ms = [row.at_ms for row in rows]
        self._events = [0.0, *accumulate(row.events for row in rows)]
        self._bad = [0.0, *accumulate(row.bad for row in rows)]
        steps = [at_ms // STEP_MS for at_ms in self._at_ms]
        self._steps = [0, *accumulate(n == 0 or step != steps[n - 1] for n, step in enumerate(steps))]

    def window(self, now_ms: int, over_ms: int) -> BurnWindow:
        """Return the steps of which some part is within the last `over_ms`."""
        first = bisect_left(self._at_ms, ((now_ms - over_ms) // STEP_MS) * STEP_MS)
        last = bisect_right(self._at_ms, now_ms)
        first = min(first, last)
        return BurnWindow(
            self._events[last] - self._events[first],
            self._bad[last] - self._bad[first],
            (self._steps[last] - self._steps[first]) * STEP_MS / over_ms,
        )


def burn_of(asked: PolicyObjective, steps: Sequence[BurnStep], now_ms: int, *, whole: bool = True) -> Burn:
    """Return how fast the budget goes; `steps` are those of the last three days. Too few requests are Unknown.

    So is a budget that does not burn by steps of which earlier ones are yet to come (`whole`).
    """
    found = burn_at(asked, BurnLine(steps), now_ms)
    return replace(found, burning="Unknown") if found.burning == "No" and not whole else found


def burn_at(asked: PolicyObjective, line: BurnLine, now_ms: int) -> Burn:
    """Return the same of a line of steps, which may go on after that time."""
    if asked.budget is None:
        return Burn("Unknown")
    allowance, period_ms = allowance_ppm(asked) / PPM, duration_ms(asked.budget.period)
    hour = line.window(now_ms, _HOUR_MS)
    rate = hour.bad / hour.events / allowance if hour.events else None
    decided = False
    for burning, rules in (("Fast", _PAGES), ("Slow", _TICKETS)):
        for long_ms, short_ms, part, seen in rules:
            long, short = line.window(now_ms, long_ms), line.window(now_ms, short_ms)
            if long.events < asked.min_requests or long.seen < seen:
                continue
            decided = True
            bound = min(_MOST_SHARE, part * allowance * period_ms / long_ms)
            if long.bad > bound * long.events and short.bad > bound * short.events:
                return Burn("Fast" if burning == "Fast" else "Slow", rate, _told(long, long_ms, asked))
    return Burn("No" if decided else "Unknown", rate)


def _told(long: BurnWindow, long_ms: int, asked: PolicyObjective) -> str:
    share, hours = percent_text(round(long.bad / long.events * PPM)), long_ms // _HOUR_MS
    bad = f"{share} of {round(long.events)} requests in {hours}h are over the bound"
    return f"{bad}; the budget allows {limit_text(allowance_ppm(asked))}"
