"""How many samples would decide, so that too few of them are not taken for a share at its limit."""

from __future__ import annotations

import math
from collections.abc import Callable

from modelward.evaluate.interval import Z_95

FAR_TIMES = 20
"""Where deciding needs more than so many times the samples there are, the share is reported as at its limit."""
MOST = 1e8
"""More samples than this are none that one can wait for."""


def needed(share: float, limit: float) -> float:
    """Return how many samples with this share have a Wilson interval that just excludes the limit.

    The interval holds exactly the limits that a score test does not reject, so this is that test solved for n. It is
    infinite for a share at the limit, and for a limit of 0 or 1 that no share is beyond.
    """
    distance, spread = abs(share - limit), limit * (1 - limit)
    if not distance or (not spread and share in (0.0, 1.0)):
        return math.inf
    return Z_95 * Z_95 * spread / (distance * distance)


def least(decides: Callable[[float], bool], size: float = 1.0, most: float = MOST) -> float:
    """Return the least size, to one in a thousand, from which on a condition holds; infinite where `most` is too few.

    `size` is one at which it does not hold, or 1.
    """
    if not decides(most):
        return math.inf
    low, high = size, most
    while high > low * 1.001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def few(samples: int, enough: float) -> bool:
    """Return whether there are too few samples to decide, and the share is not as good as at its limit."""
    return samples < enough <= FAR_TIMES * samples


def about(count: float) -> str:
    """Return a count as people read it, with two digits that count, rounded up: 188 → 190."""
    step = 10 ** max(0, math.floor(math.log10(max(1.0, count))) - 1)
    return str(math.ceil(count / step) * step)
