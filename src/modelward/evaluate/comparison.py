"""An endpoint against what it was, or against another revision of itself."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.evaluation import Counts
from modelward.evaluate.evidence import seen
from modelward.evaluate.interval import wilson
from modelward.evaluate.statistics.change import Difference, Relation, difference, relation
from modelward.evaluate.statistics.correction import ErrorRates
from modelward.evaluate.statistics.cusum import longest
from modelward.evaluate.statistics.sequence import Odds, surely_above


@dataclass(frozen=True, slots=True)
class Margin:
    """By how much a share may be worse, whether more of it is worse, and how sure a failure must be."""

    by: float
    more_is_worse: bool
    odds: Odds


@dataclass(frozen=True, slots=True)
class Comparison:
    """A share at fault beside another; `too_much` where it is surely worse by more than the margin.

    `samples` are those of the set or of its newest windows that are worse, `other_samples` those that they are compared
    with.
    """

    relation: Relation
    difference: Difference
    too_much: bool
    samples: int
    other_samples: int


def compare(newest_first: tuple[Counts, ...], other: Counts, rates: ErrorRates, margin: Margin) -> Comparison:
    """Compare the windows of a sliding set with an earlier or another set that the same evaluator scored.

    What is relied on of the other set is its 95 % bound, once, because it hardly moves from window to window. Against
    that bound, and it with the margin, the newest windows must be as sure as against a limit.
    """
    length, run = longest(newest_first, lambda counts: _too_much(counts, other, rates, margin))
    counts = run if length else sum(newest_first, Counts())
    (share, size), (other_share, other_size) = seen(counts), seen(other)
    found = difference(share * size, size, other_share * other_size, other_size, rates.discrimination)
    told = relation(found, margin.by, more_is_worse=margin.more_is_worse)
    return Comparison(told, found, bool(length), counts.samples, other.samples)


def _too_much(counts: Counts, other: Counts, rates: ErrorRates, margin: Margin) -> bool:
    (share, size), (other_share, other_size) = seen(counts), seen(other)
    before = wilson(other_share * other_size, other_size)
    if not margin.more_is_worse:
        share, reached = 1 - share, 1 - before.low
    else:
        reached = before.high
    limit = reached + margin.by * rates.discrimination
    return limit < 1 and surely_above(share * size, size, limit, reached, margin.odds)
