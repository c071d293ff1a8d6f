"""How large a change is, with bounds: a p-value alone calls every change of a busy endpoint sure, however small."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from modelward.evaluate.interval import Z_95, Interval
from modelward.evaluate.statistics.permutation import ConversationSums, permuted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from modelward.evaluate.statistics.distances import Distance

CHUNKS = 2
_CHI_SD = 0.6
"""Of the length of a Gaussian vector by that of a component: 0.6 to 0.7, nearly whatever their number."""


@dataclass(frozen=True, slots=True)
class _Noise:
    """The distance that chance alone makes: its mean square, its bounds, and the noise along one direction."""

    mean_square: float
    low: float
    high: float
    one_direction: float


def effect(window: ConversationSums, reference: ConversationSums, distance: Distance, seed: int) -> Interval:
    """Return the distance without the part that chance alone makes, with 95 % bounds, in [0, 1].

    Two samples of the same traffic are some distance apart. d² = Δ² + 2Δε + noise², with the noise as permutations
    show it and ε its part along the change; both bounds solve this for Δ. `bench/evaluators/drift.py` has the coverage.
    Knows nothing, hence [0, 1], where a sample has fewer than two conversations.
    """
    if min(len(window.keys), len(reference.keys)) < 2:
        return Interval(0.0, 0.0, 1.0)
    observed = float(distance(window.mean[None], reference.mean[None])[0])
    noise = _noise(window, reference, distance, seed)
    value = math.sqrt(max(0.0, observed**2 - noise.mean_square))
    low, high = (_solved(observed, bound, noise, sign) for bound, sign in ((noise.high, -1.0), (noise.low, 1.0)))
    value, low, high = (min(1.0, max(0.0, one)) for one in (value, low, high))
    return Interval(value, min(low, value), max(high, value))


def _solved(observed: float, noise_length: float, noise: _Noise, sign: float) -> float:
    along = Z_95 * noise.one_direction
    return sign * along + math.sqrt(along**2 + max(0.0, observed**2 - noise_length**2))


def _noise(window: ConversationSums, reference: ConversationSums, distance: Distance, seed: int) -> _Noise:
    import numpy as np

    null: NDArray[np.float64] = np.concatenate(list(islice(permuted(window, reference, distance, seed), CHUNKS)))
    low, high = np.quantile(null, [0.025, 0.975])
    return _Noise(float((null**2).mean()), float(low), float(high), float(null.std()) / _CHI_SD)
