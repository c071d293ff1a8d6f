"""What samples say: a statistic with its interval, and how many more of the same would decide."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import Counts
from modelward.api.quantity import PPM
from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.needed import FAR_TIMES, MOST
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.bounded_mean import mean
from modelward.evaluate.statistics.conversations import conversation_size, independent_size
from modelward.evaluate.statistics.correction import ErrorRates, corrected
from modelward.evaluate.statistics.histogram import total
from modelward.evaluate.statistics.quantile import quantile
from modelward.evaluate.statistics.two_phase import StratumLabels, two_phase


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statistic of `samples`, whose effective number is `size`.

    `at` is the interval that a sample of another size has that says the same; None where it takes too long to compute.
    """

    interval: Interval
    samples: int
    size: float
    at: Callable[[float], Interval] | None = None

    def scaled(self, limit_ppm: int) -> float:
        """Return about how many samples would decide: a bound comes nearer as one over the root of the size.

        Infinite where more than FAR_TIMES as many would.
        """
        value, limit = self.interval.value, limit_ppm / PPM
        half = self.interval.high - value if value < limit else value - self.interval.low
        found = math.inf if value == limit else self.samples * (half / (value - limit)) ** 2
        return found if found <= FAR_TIMES * self.samples else math.inf

    def never_decides(self, limit_ppm: int) -> bool:
        """Return whether more samples would not help, although what they say is well beside the limit."""
        if self.at is None:
            return False
        exactly = self.at(MOST)
        beside = abs(round(exactly.value * PPM) - limit_ppm) > limit_ppm // 10
        return beside and not side_of(exactly, limit_ppm)


def side_of(interval: Interval, limit_ppm: int) -> str:
    """Return on which side of the limit the whole interval is: `>`, `<`, or empty where it holds the limit.

    To the ppm that a verdict tells.
    """
    if interval.low * PPM >= limit_ppm + 0.5:
        return ">"
    return "<" if interval.high * PPM <= limit_ppm - 0.5 else ""


def evidence(counts: Counts, rule: VerdictRule, rates: ErrorRates) -> Evidence | None:
    """Return what samples say of the rule's statistic; None where no sample has what it takes."""
    if rule.statistic == "Share":
        return share_flagged(counts, rates) if counts.samples else None
    valued = round(counts.samples * min(1.0, total(counts.histogram) / counts.weight)) if counts.weight else 0
    if not valued:
        return None
    size = conversation_size(counts) * valued / counts.samples
    share = rule.share
    found = mean(counts.histogram, size) if share is None else quantile(counts.histogram, size, share)
    if not rule.unit:  # values lie in [0, 1], whether samples reach so far or not
        found = Interval(found.value, max(0.0, found.low), min(1.0, found.high))
    return Evidence(found, valued, size)


def seen(counts: Counts) -> tuple[float, float]:
    """Return the share flagged and the effective number of samples that it rests on."""
    share = min(1.0, counts.flagged_weight / counts.weight) if counts.weight > 0 else 0.0
    return share, independent_size(counts)


def share_by_labels(counts: Counts, own: OwnLabels) -> Evidence:
    """Return the share at fault of some samples by labels of the endpoint's own exchanges, whatever the evaluator."""
    share, size = seen(counts)
    strata = StratumLabels(own.flagged_faulty, own.flagged), StratumLabels(own.others_faulty, own.others)

    def at(size: float) -> Interval:
        return two_phase(share * size, size, *strata)

    return Evidence(at(size), counts.samples, size, at)


def share_flagged(counts: Counts, rates: ErrorRates) -> Evidence:
    """Return the share at fault of some samples, corrected for the evaluator's own errors."""
    share, size = seen(counts)

    def at(size: float) -> Interval:
        return corrected(wilson(share * size, size), rates)

    return Evidence(at(size), counts.samples, size, at)
