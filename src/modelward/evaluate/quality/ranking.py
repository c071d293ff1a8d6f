"""How well an evaluator's value ranks faults above good exchanges, whatever its threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from modelward.evaluate.interval import Z_95, Interval
from modelward.evaluate.quality.labelled import LabelledScore

_STEPS = 60


def ranking(rows: Sequence[LabelledScore], *, low_is_bad: bool = False) -> Interval | None:
    """Return the area under the ROC curve of the value with its interval; None where a class has no value.

    Which side of the value is bad is taken from the evaluator's own flags, never from the labels; where it flags all or
    none, `low_is_bad` says it.
    """
    valued = [(row.value, row) for row in rows if row.value is not None]
    sign = -1.0 if _low_is_flagged([(value, row.flagged) for value, row in valued], otherwise=low_is_bad) else 1.0
    faults = [sign * value for value, row in valued if row.fault]
    good = [sign * value for value, row in valued if not row.fault]
    return auc(faults, good) if faults and good else None


def auc(faults: Sequence[float], good: Sequence[float]) -> Interval:
    """Return the probability that a fault has a higher value than a good one, ties counted half; Mann and Whitney.

    The interval is Newcombe's method 5 (Statistics in Medicine 2006; 25: 559-573): the areas from which the one seen is
    not further than 1.96 of *their* standard errors, by Hanley and McNeil with equal class sizes. It is not empty at an
    area of 1, as others are. ValueError unless both classes have rows.
    """
    if not (faults and good):
        raise ValueError("both classes need rows")
    area = (_rank_sum(faults, good) - len(faults) * (len(faults) + 1) / 2) / (len(faults) * len(good))
    area = min(1.0, max(0.0, area))
    pairs, matched = len(faults) * len(good), (len(faults) + len(good)) / 2 - 1

    def too_far(one: float) -> bool:
        spread = 1 + matched * ((1 - one) / (2 - one) + one / (1 + one))
        return abs(area - one) > Z_95 * math.sqrt(one * (1 - one) * spread / pairs)

    return Interval(area, _bound(too_far, 0.0, area), _bound(too_far, 1.0, area))


def _rank_sum(faults: Sequence[float], good: Sequence[float]) -> float:
    """Return the sum of the ranks of faults among all, with the mean rank where values are equal."""
    ordered = sorted([(value, True) for value in faults] + [(value, False) for value in good])
    total, start = 0.0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        total += sum(fault for _, fault in ordered[start:end]) * (start + 1 + end) / 2
        start = end
    return total


def _bound(too_far: Callable[[float], bool], outer: float, inner: float) -> float:
    """Return where it begins to be too far, between a point that may be and one that is not; by bisection."""
    if not too_far(outer):
        return outer
    for _ in range(_STEPS):
        middle = (outer + inner) / 2
        outer, inner = (middle, inner) if too_far(middle) else (outer, middle)
    return inner


def _low_is_flagged(rows: Sequence[tuple[float, bool]], *, otherwise: bool) -> bool:
    flagged = [value for value, flag in rows if flag]
    others = [value for value, flag in rows if not flag]
    if not (flagged and others):
        return otherwise
    return sum(flagged) / len(flagged) < sum(others) / len(others)
