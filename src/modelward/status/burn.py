"""How fast an objective spends its error budget, by the same windows and bounds as the rules of Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
class Burn:
    """How fast, with the evidence; `rate` is how many times the allowance the last hour was, None without requests."""

    burning: Burning
    rate: float | None = None
    message: str = ""


def burn_of(asked: PolicyObjective, steps: Sequence[BurnStep], now_ms: int) -> Burn:
    """Return how fast the budget goes; `steps` are those of the last three days. Too few requests are Unknown."""
    if asked.budget is None:
        return Burn("Unknown")
    allowance, period_ms = allowance_ppm(asked) / PPM, duration_ms(asked.budget.period)
    hour = _window(steps, now_ms, _HOUR_MS)
    rate = hour.bad / hour.events / allowance if hour.events else None
    decided = False
    for burning, rules in (("Fast", _PAGES), ("Slow", _TICKETS)):
        for long_ms, short_ms, part, seen in rules:
            long, short = _window(steps, now_ms, long_ms), _window(steps, now_ms, short_ms)
            if long.events < asked.min_requests or _seen(steps, now_ms, long_ms) < seen:
                continue
            decided = True
            bound = min(_MOST_SHARE, part * allowance * period_ms / long_ms)
            if long.bad > bound * long.events and short.bad > bound * short.events:
                return Burn("Fast" if burning == "Fast" else "Slow", rate, _told(long, long_ms, asked))
    return Burn("No" if decided else "Unknown", rate)


def _told(long: BurnStep, long_ms: int, asked: PolicyObjective) -> str:
    share, hours = percent_text(round(long.bad / long.events * PPM)), long_ms // _HOUR_MS
    bad = f"{share} of {round(long.events)} requests in {hours}h are over the bound"
    return f"{bad}; the budget allows {limit_text(allowance_ppm(asked))}"


def _window(steps: Sequence[BurnStep], now_ms: int, over_ms: int) -> BurnStep:
    within = [step for step in steps if step.at_ms > now_ms - over_ms - STEP_MS]
    return BurnStep(now_ms - over_ms, sum(step.events for step in within), sum(step.bad for step in within))


def _seen(steps: Sequence[BurnStep], now_ms: int, over_ms: int) -> float:
    return sum(step.at_ms > now_ms - over_ms - STEP_MS for step in steps) * STEP_MS / over_ms
