"""What samples say: an interval, and the interval that more of the same would have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelward.api.evaluation import Counts
from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.statistics.conversations import independent_size
from modelward.evaluate.statistics.correction import ErrorRates, corrected


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statistic of the samples; `size` is the effective one, `at` the interval that it has in a sample of a size."""

    size: float
    at: Callable[[float], Interval]

    @property
    def interval(self) -> Interval:
        """Return the interval of the samples that there are."""
        return self.at(self.size)


def seen(counts: Counts) -> tuple[float, float]:
    """Return the share flagged and the effective number of samples that it rests on."""
    share = min(1.0, counts.flagged_weight / counts.weight) if counts.weight > 0 else 0.0
    return share, independent_size(counts)


def share_flagged(counts: Counts, rates: ErrorRates) -> Evidence:
    """Return the share at fault of some samples, corrected for the evaluator's own errors."""
    share, size = seen(counts)
    return Evidence(size, lambda size: corrected(wilson(share * size, size), rates))
