"""Verdicts on what was promised of latency and errors, from counts that a collector or engine exported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from modelward.api.base import VerdictValue
from modelward.api.quantity import PPM, durations_text, limit_text
from modelward.api.quantity import percent_text as percent
from modelward.evaluate.interval import Z_95, wilson
from modelward.evaluate.needed import FAR_TIMES, about, least, needed
from modelward.evaluate.statistics.sequence import HEALTHY_PART, WARNING, Odds, surely_above
from modelward.evaluate.verdict import near, spread
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason

Unit = Literal["ms", "ppm"]


@dataclass(frozen=True, slots=True)
class ObjectiveVerdict:
    """A decided or undecided objective; value, low and high in `unit`, None where nothing is known.

    `shown` is the value as the message has it, empty where nothing is known.
    """

    verdict: VerdictValue
    value: int | None
    low: int | None
    high: int | None
    unit: Unit
    samples: int
    reason: Reason
    message: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class DurationBins:
    """Requests by duration: `counts[i]` in (bounds_ms[i-1], bounds_ms[i]], the last beyond every bound.

    len(counts) = len(bounds_ms) + 1; not cumulative.
    """

    bounds_ms: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.bounds_ms) + 1 or any(a >= b for a, b in pairwise(self.bounds_ms)):
            raise ValueError("bounds must rise, and there is one count more than bounds")

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.counts)

    def slower(self, limit_ms: float) -> tuple[int, int]:
        """Return how many were slower than the limit, at least and at most; they differ when a bucket straddles it."""
        lows = (0.0, *self.bounds_ms)
        at_least = sum(count for low, count in zip(lows, self.counts, strict=True) if low >= limit_ms)
        highs = (*self.bounds_ms, math.inf)
        return at_least, sum(count for high, count in zip(highs, self.counts, strict=True) if high > limit_ms)

    def quantile_ms(self, share: float) -> int | None:
        """Return the quantile, interpolated inside its bucket as Prometheus does; None when empty.

        In the last bucket it is that bucket's lower bound, because the upper is unknown.
        """
        rank, seen, low = share * self.total, 0, 0.0
        if not self.total:
            return None
        for bound, count in zip(self.bounds_ms, self.counts, strict=False):
            if count and seen + count >= rank:
                return round(low + (bound - low) * max(0.0, rank - seen) / count)
            seen, low = seen + count, bound
        return round(low)


def decide_latency(
    histogram: DurationBins, *, percentile_ppm: int, max_duration_ms: int, min_requests: int, odds: Odds = WARNING
) -> ObjectiveVerdict:
    """Decide whether the percentile is within the limit.

    It is exactly when the share of slower requests is at most 1 - percentile. That share passes by its Wilson interval,
    and fails with `odds`, because it is asked at each reading.
    """
    n, quantile = histogram.total, percentile_ppm / PPM
    margin = Z_95 * math.sqrt(quantile * (1 - quantile) / n) if n else 0.0
    value, low = (histogram.quantile_ms(share) for share in (quantile, max(0.0, quantile - margin)))
    high = histogram.quantile_ms(quantile + margin) if quantile + margin < 1 else None  # so few requests bound nothing
    limit, middle, lowest, *highest = durations_text(max_duration_ms, value or 0, low or 0, *([high] if high else []))

    def verdict(outcome: VerdictValue, reason: Reason, message: str) -> ObjectiveVerdict:
        return ObjectiveVerdict(outcome, value, low, high, "ms", n, reason, message, middle if n else "")

    budget = 1 - quantile
    if few := _too_few(n, min_requests, needed(0.0, budget), f"p{percentile_ppm / 10_000:g}"):
        return verdict("Unknown", *few)
    at_least, at_most = histogram.slower(max_duration_ms)
    shown = f"p{percentile_ppm / 10_000:g} {middle} ({lowest}{f'-{highest[0]}' if highest else ' or more'})"
    if wilson(at_least, n).low > budget:
        return verdict(*_above(shown, limit, (at_least, n, budget), odds))
    if wilson(at_most, n).high < budget:
        return verdict("Passed", CheckReason.BELOW_LIMIT, f"{shown} < {limit}, n={n}")
    straddles = at_least <= budget * n <= at_most
    enough = math.inf if straddles else needed((at_least if at_least > budget * n else at_most) / n, budget)
    return verdict("Unknown", *near(shown, limit, n, enough, "requests"))


def decide_rate(
    *, requests: int, errors: int, max_rate_ppm: int, min_requests: int, odds: Odds = WARNING
) -> ObjectiveVerdict:
    """Decide whether the share of failed requests is within the limit: by its interval, and to fail with `odds` too."""
    interval = wilson(min(errors, requests), requests)
    value, low, high = (round(x * PPM) for x in (interval.value, interval.low, interval.high))

    def verdict(outcome: VerdictValue, reason: Reason, message: str) -> ObjectiveVerdict:
        if requests == 0:
            return ObjectiveVerdict(outcome, None, None, None, "ppm", 0, reason, message)
        return ObjectiveVerdict(outcome, value, low, high, "ppm", requests, reason, message, percent(value))

    shown, limit, max_rate = spread(interval), limit_text(max_rate_ppm), max_rate_ppm / PPM
    if few := _too_few(requests, min_requests, needed(0.0, max_rate), limit):
        return verdict("Unknown", *few)
    if low > max_rate_ppm:
        return verdict(*_above(shown, limit, (min(errors, requests), requests, max_rate), odds))
    if high < max_rate_ppm:
        return verdict("Passed", CheckReason.BELOW_LIMIT, f"{shown} < {limit}, n={requests}")
    return verdict("Unknown", *near(shown, limit, requests, needed(interval.value, max_rate), "requests"))


def _above(shown: str, limit: str, seen: tuple[int, int, float], odds: Odds) -> tuple[VerdictValue, Reason, str]:
    """Return the verdict of (bad, requests, share allowed) whose interval is above the limit: Failed once it is sure.

    A 95 % interval that is asked at each reading of a day is wrong on most days of an endpoint near its limit.
    """
    bad, requests, allowed = seen

    def fails(size: float) -> bool:
        return surely_above(bad / requests * size, size, allowed, HEALTHY_PART * allowed, odds)

    if fails(requests):
        return "Failed", CheckReason.ABOVE_LIMIT, f"{shown} > {limit}, n={requests}"
    enough = least(fails, requests, requests * FAR_TIMES)
    sure = f"; {requests} of about {about(enough)} requests needed to be sure" if enough < math.inf else ""
    return "Unknown", CheckReason.TOO_FEW_SAMPLES, f"{shown} > {limit}, not yet surely{sure}"


def histogram_from_cumulative(bounds_ms: Sequence[float], cumulative: Sequence[int]) -> DurationBins:
    """Build a histogram from Prometheus' cumulative buckets, +Inf last; a count that falls is taken as equal.

    It falls when a scrape catches a histogram in mid-update.
    """
    seen, counts = 0, []
    for value in cumulative:
        counts.append(max(0, value - seen))
        seen = max(seen, value)
    return DurationBins(tuple(bounds_ms), tuple(counts))


def _too_few(requests: int, min_requests: int, fewest: float, limit: str) -> tuple[Reason, str] | None:
    """Return that there are fewer requests than required, and how many decide where none is bad, if that is more."""
    if requests == 0:
        return CheckReason.NO_TRAFFIC, "no requests in the window"
    if requests >= min_requests:
        return None
    more = f"; about {about(fewest)} are needed at {limit}" if min_requests < fewest < math.inf else ""
    return CheckReason.TOO_FEW_SAMPLES, f"{requests} of {min_requests} requests{more}"
