"""How a share differs from an earlier one or from another revision's: better, worse, equal, or it cannot be told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from modelward.evaluate.interval import Interval, wilson

Relation = Literal["Better", "Worse", "Equal", "CannotTell"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A share minus another, with its 95 % bounds, in [-1, 1]."""

    value: float
    low: float
    high: float


def newcombe(share: Interval, other: Interval) -> Difference:
    """Return the difference of two independent shares from the interval of each; Newcombe 1998, method 10.

    With Wilson intervals of effective sizes it holds for conversations of any length.
    """
    value = share.value - other.value
    down = math.hypot(share.value - share.low, other.high - other.value)
    up = math.hypot(share.high - share.value, other.value - other.low)
    return Difference(value, max(-1.0, value - down), min(1.0, value + up))


def difference(
    flagged: float, size: float, other_flagged: float, other_size: float, discrimination: float = 1.0
) -> Difference:
    """Return by how much more of one set is at fault than of another that the same evaluator flagged.

    Its false positives are in both and cancel; `discrimination` is its TPR - FPR, by which faults are seen less. Sizes
    may be effective ones. ValueError unless discrimination is above 0.
    """
    if discrimination <= 0:
        raise ValueError(f"discrimination {discrimination} is not above 0")
    seen = newcombe(wilson(flagged, size), wilson(other_flagged, other_size))
    value, low, high = (min(1.0, max(-1.0, one / discrimination)) for one in (seen.value, seen.low, seen.high))
    return Difference(value, low, high)


def relation(found: Difference, margin: float, *, more_is_worse: bool) -> Relation:
    """Return what a difference says: Equal where it is surely within the margin, else its sure direction."""
    if -margin < found.low and found.high < margin:
        return "Equal"
    if found.low <= 0 <= found.high:
        return "CannotTell"
    return "Worse" if (found.low > 0) == more_is_worse else "Better"
