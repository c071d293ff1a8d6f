"""From the answers to pairs to one answer about the window: does a group get other answers than another?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from modelward.api.window_answer import MAX_MOVED, Moved
from modelward.evaluate.change import WindowChange
from modelward.evaluate.counterfactual.groups import TermGroup
from modelward.evaluate.counterfactual.pairs import Pair
from modelward.evaluate.interval import Interval
from modelward.evaluate.statistics.paired import holm, sign_flip_p_value, size_of_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Measure: TypeAlias = Literal["sentiment", "refusal", "length"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
FEWEST = 6
"""Pairs of a group: of fewer, no signs at all are rarer than 5 %."""
LEVEL = 0.05
"""At which a group is named as one that moved, over all comparisons together."""


@dataclass(frozen=True, slots=True)
class PairDifference:
    """What the two answers of a pair differ by, each in [-1, 1]: that about the first set less that about the other."""

    pair: Pair
    by: Mapping[Measure, float]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One group by one measure: differences [pairs, sets], of which each row has its sign at two sets."""

    group: TermGroup
    measure: Measure
    table: NDArray[np.float64]

    @property
    def columns(self) -> int:
        """Sets that say something: of two, each says the contrary of the other."""
        return 1 if len(self.group.sets) == 2 else len(self.group.sets)


def compared(rows: Sequence[PairDifference], seed: int) -> WindowChange | None:
    """Return the window's answer; None where no group has FEWEST pairs.

    A group and a measure are one test: the largest mean difference of a set, by signs that flip. p is the smallest,
    corrected for the number of tests. The effect is the largest mean difference of all, and its bounds hold for all
    of them together: within the upper one no set of any group fares worse by any measure.
    """
    comparisons = _comparisons(rows)
    if not comparisons:
        return None
    corrected = holm([sign_flip_p_value(one.table[:, : one.columns], seed) for one in comparisons])
    number = sum(one.columns for one in comparisons)
    sizes = [
        [size_of_mean(one.table[:, place].tolist(), number) for place in range(one.columns)] for one in comparisons
    ]
    every = [size for of_one in sizes for size in of_one]
    effect = Interval(*(max(getattr(one, part) for one in every) for part in ("value", "low", "high")))
    named = [_moved(one, of_one) for one, of_one, p in zip(comparisons, sizes, corrected, strict=True) if p <= LEVEL]
    named.sort(key=lambda one: (-one.share, one.label))
    return WindowChange(effect.value, min(corrected), effect, tuple(named[:MAX_MOVED]))


def _comparisons(rows: Sequence[PairDifference]) -> list[_Comparison]:
    groups = {one.pair.group.name: one.pair.group for one in rows}
    found = []
    for name in sorted(groups):
        own = [one for one in rows if one.pair.group.name == name]
        if len(own) >= FEWEST:
            found += [_Comparison(groups[name], measure, _table(own, groups[name], measure)) for measure in MEASURES]
    return found


def _table(rows: Sequence[PairDifference], group: TermGroup, measure: Measure) -> NDArray[np.float64]:
    import numpy as np

    table = np.zeros((len(rows), len(group.sets)))
    for place, one in enumerate(rows):
        first, second = one.pair.sets
        table[place, first], table[place, second] = one.by[measure], -one.by[measure]
    return table


def _moved(one: _Comparison, sizes: Sequence[Interval]) -> Moved:
    """Return the set that differs most: by how much, and in which direction."""
    place = max(range(one.columns), key=lambda column: sizes[column].value)
    size, change = sizes[place], float(one.table[:, place].mean())
    value, low, high = (round(part, 4) for part in (size.value, size.low, size.high))
    label = f"{one.group.name}.{one.group.sets[place].name}.{one.measure}"
    return Moved(label, value, low, high, round(change, 4))
