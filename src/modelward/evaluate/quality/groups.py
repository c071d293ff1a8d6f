"""False alarms by group: an evaluator that is right on average may still be unfair to some."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.quality.labelled import LabelledScore

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class GroupAlarms:
    """False alarms among the good exchanges of one group; `above` when surely more frequent than in the others."""

    group: str
    false_alarms: int
    good: int
    above: bool

    @property
    def rate(self) -> Interval:
        """The group's false-positive rate."""
        return wilson(self.false_alarms, self.good)


def group_alarms(rows: Iterable[LabelledScore]) -> list[GroupAlarms]:
    """Return the false alarms of each group, the highest rate first; rows without a group count to the others.

    A group is above when the interval of its difference to all others is above 0, at a level of 5 % over all groups
    (Bonferroni).
    """
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if not row.fault:
            counts[row.group][0] += row.flagged
            counts[row.group][1] += 1
    alarms, good = (sum(one[i] for one in counts.values()) for i in (0, 1))
    named = {group: (k, n) for group, (k, n) in counts.items() if group}
    z = NormalDist().inv_cdf(1 - _LEVEL / 2 / max(1, len(named)))
    found = [
        GroupAlarms(group, k, n, good > n and difference(k, n, alarms - k, good - n, z).low > 0)
        for group, (k, n) in named.items()
    ]
    return sorted(found, key=lambda one: (-one.rate.value, one.group))


def difference(k: int, n: int, other_k: int, other_n: int, z: float) -> Interval:
    """Return k/n - other_k/other_n with its interval, in [-1, 1]; Newcombe 1998, method 10, from Wilson's intervals."""
    one, other = wilson(k, n, z), wilson(other_k, other_n, z)
    value = one.value - other.value
    return Interval(
        value,
        value - math.hypot(one.value - one.low, other.high - other.value),
        value + math.hypot(one.high - one.value, other.value - other.low),
    )
