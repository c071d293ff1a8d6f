"""A verdict that is taken after each window, all day: which of the newest windows fail, and when more would decide."""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelward.api.evaluation import Counts
from modelward.api.quantity import PPM, duration_text
from modelward.evaluate.evidence import seen, share_flagged
from modelward.evaluate.needed import about
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.bounded_mean import log_winnings
from modelward.evaluate.statistics.correction import ErrorRates
from modelward.evaluate.statistics.cusum import longest
from modelward.evaluate.statistics.histogram import edges, total
from modelward.evaluate.statistics.sequence import HEALTHY_PART, surely_above


@dataclass(frozen=True, slots=True)
class SlidingSet:
    """The windows behind a verdict, newest first, the time that they cover, and that which they may; ms."""

    newest_first: tuple[Counts, ...]
    covered_ms: int = 0
    over_ms: int = 0

    def in_time(self, samples: float) -> str:
        """Return how long so many samples take at the rate of the set; empty where that is not known."""
        known = sum(counts.samples for counts in self.newest_first)
        if not known or self.covered_ms <= 0 or not math.isfinite(samples):
            return ""
        return f", {duration_text(max(60_000, round(samples / known * self.covered_ms)))} at this rate"

    def holds(self) -> float:
        """Return how many samples the set can hold at its rate; infinite where that is not known."""
        known = sum(counts.samples for counts in self.newest_first)
        return known * self.over_ms / self.covered_ms if known and self.covered_ms > 0 < self.over_ms else math.inf


def failing(sliding: SlidingSet, rates: ErrorRates, rule: VerdictRule) -> tuple[int, Counts]:
    """Return the longest run of newest windows that surely fails: how many, and their counts; 0 where none does."""

    def fails(counts: Counts) -> bool:
        if not surely_fails(*seen(counts), rates, rule):
            return False
        found = share_flagged(counts, rates).interval
        return round(found.low * PPM) > rule.limit_ppm if rule.above else round(found.high * PPM) < rule.limit_ppm

    return longest(sliding.newest_first, fails)


def surely_fails(share: float, size: float, rates: ErrorRates, rule: VerdictRule) -> bool:
    """Return whether a share flagged of so many samples is beyond the limit, with the odds of the rule.

    What is not known of the error rates counts once, by their 95 % bounds: it does not change from window to window.
    ValueError where the rule has no odds.
    """
    if rule.odds is None:
        raise ValueError("a verdict that is taken once has no odds")
    limit = rule.limit_ppm / PPM
    if rule.above:
        at_limit, healthy = (_flagged(fault, rates, 1) for fault in (limit, HEALTHY_PART * limit))
        return surely_above(share * size, size, at_limit, healthy, rule.odds)
    at_limit, healthy = (1 - _flagged(1 - good, rates, -1) for good in (1 - limit, HEALTHY_PART * (1 - limit)))
    return surely_above((1 - share) * size, size, at_limit, healthy, rule.odds)


def values_surely_fail(counts: Counts, size: float, rule: VerdictRule) -> bool:
    """Return whether a mean or percentile is beyond the limit, with the odds of the rule, in a set of so many samples.

    A mean is that of how bad values are, and bets on it are the evidence. A percentile is beyond its limit where the
    share of values that are is above 1 - 0.95, say of P95. Values count at their bin's better edge.
    """
    limit, weight = rule.limit_ppm / PPM, total(counts.histogram)
    if rule.odds is None or weight <= 0:
        return False
    better = [(edges(place)[0 if rule.above else 1], w * size / weight) for place, w in counts.histogram]
    if rule.share is None:
        bad = better if rule.above else [(1 - value, count) for value, count in better]
        most = limit if rule.above else 1 - limit
        needs = ((most, rule.odds.at_limit), (HEALTHY_PART * most, rule.odds.at_healthy))
        return all(mean > 0 and log_winnings(bad, mean) >= math.log(odds) for mean, odds in needs)
    beyond = math.fsum(count for value, count in better if (value > limit if rule.above else value < limit))
    most = 1 - rule.share if rule.above else rule.share
    return surely_above(min(beyond, size), size, most, HEALTHY_PART * most, rule.odds)


def _flagged(fault: float, rates: ErrorRates, side: int) -> float:
    """Return the share flagged at most (side 1) or at least (side -1) where so much is at fault."""
    t, f = rates.true_positive, rates.false_positive
    true, false = (t.high - t.value, f.high - f.value) if side > 0 else (t.value - t.low, f.value - f.low)
    value = f.value + fault * (t.value - f.value)
    return min(1.0, max(0.0, value + side * math.hypot((1 - fault) * false, fault * true)))


def wait(sliding: SlidingSet | None, samples: int, enough: float, limit: str) -> str:
    """Return how many samples are missing to tell a share from a limit, and how long they take.

    Where the set cannot hold so many, that is said instead.
    """
    if sliding is None:
        return f"{samples} of about {about(enough)} samples needed to tell it from {limit}"
    if enough > (room := sliding.holds()):
        over = duration_text(sliding.over_ms)
        return f"about {about(enough)} samples would tell it from {limit}, and {over} holds about {about(room)}"
    return (
        f"about {about(enough - samples)} more samples{sliding.in_time(enough - samples)}, would tell it from {limit}"
    )
