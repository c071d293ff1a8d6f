"""Tests of pairs: is one side better than the other, whichever of them came first?

Both members of a pair differ in one thing alone. If that has no effect, each difference is as likely to have the
other sign (Fisher 1935), whatever its distribution is: the test needs nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from modelward.evaluate.interval import Interval
from modelward.evaluate.statistics.bounded_mean import log_winnings
from modelward.evaluate.statistics.distributions import ALPHA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT = 20
"""Pairs up to which all signs are tried; more are drawn."""
DRAWN = 99_999
_CHUNK = 1 << 13
_HALVINGS = 20


def sign_flip_p_value(differences: NDArray[np.float64], seed: int) -> float:
    """Return how often signs by chance are as extreme as the largest mean of a column of [pairs, columns].

    A row's sign flips as a whole, so columns may depend on each other. Exact up to EXACT rows that differ at all, and
    from DRAWN draws by the seed beyond: valid at every size, P(p ≤ a) ≤ a. 1 where nothing differs.
    """
    import numpy as np

    rows = differences[np.any(differences != 0, axis=1)]
    if not rows.size:
        return 1.0
    observed = float(np.abs(rows.sum(axis=0)).max()) * (1 - 1e-9)
    exact = len(rows) <= EXACT
    extreme = total = 0
    for signs in _every(len(rows)) if exact else _some(len(rows), seed):
        found = np.abs(signs @ rows).max(axis=1)
        extreme, total = extreme + int((found >= observed).sum()), total + len(found)
    return extreme / total if exact else (extreme + 1) / (total + 1)


def _every(size: int) -> Iterator[NDArray[np.float64]]:
    """Yield all signs but for those of the first row: to flip all of them changes no absolute sum."""
    import numpy as np

    bits = np.arange(size - 1)
    for start in range(0, 1 << (size - 1), _CHUNK):
        numbers = np.arange(start, min(start + _CHUNK, 1 << (size - 1)))[:, None]
        yield np.hstack([np.ones((len(numbers), 1)), 1.0 - 2.0 * ((numbers >> bits) & 1)])


def _some(size: int, seed: int) -> Iterator[NDArray[np.float64]]:
    import numpy as np

    rng = np.random.default_rng(seed)
    for start in range(0, DRAWN, _CHUNK):
        yield (1.0 - 2.0 * rng.integers(0, 2, (min(_CHUNK, DRAWN - start), size))).astype(np.float64)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that are corrected for their number, in their order (Holm 1979).

    To reject those at or below a wrongly rejects any with a probability of at most a, however they depend.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, most = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = most
    return corrected


def size_of_mean(differences: Sequence[float], comparisons: int = 1) -> Interval:
    """Return how far the mean of differences in [-1, 1] lies from 0, with bounds, in [0, 1].

    By betting (see `bounded_mean`), at 5 % over so many comparisons together (Bonferroni). ValueError where there is no
    difference, or none in [-1, 1].
    """
    if not differences or not all(-1 <= one <= 1 for one in differences):
        raise ValueError("differences are in [-1, 1], and there is one at least")
    values = [(1 + one) / 2 for one in differences]
    enough = math.log(2 * comparisons / ALPHA)
    low, high = 2 * _least(values, enough) - 1, 1 - 2 * _least([1 - one for one in values], enough)
    value = abs(math.fsum(differences) / len(differences))
    return Interval(value, min(value, max(0.0, low, -high)), max(value, abs(low), abs(high)))


def _least(values: Sequence[float], enough: float) -> float:
    """Return the largest mean that is refuted for being too low, 0 where none is."""
    rows = [(one, 1.0) for one in values]
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if log_winnings(rows, middle) >= enough else (low, middle)
    return low
