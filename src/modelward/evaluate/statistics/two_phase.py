"""The share at fault where some of the endpoint's own exchanges were labelled by people.

It assumes nothing of the evaluator, so it holds where error rates that were measured elsewhere do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelward.evaluate.interval import Z_95, Interval
from modelward.evaluate.statistics.distributions import clopper_pearson


@dataclass(frozen=True, slots=True)
class StratumLabels:
    """Labelled exchanges of one stratum, flagged ones or the others: how many, and how many of them are at fault."""

    faulty: int
    labelled: int


def two_phase(flagged: float, size: float, of_flagged: StratumLabels, of_others: StratumLabels) -> Interval:
    """Return the share at fault of `size` exchanges of which `flagged` are flagged (both may be effective sizes).

    Labels were drawn at random within each of the two strata. Two-phase sampling, the stratified estimator of
    prediction-powered inference (arXiv 2406.04291): w·π₁ + (1-w)·π₀ with Clopper-Pearson bounds of each, added as
    squares. A stratum without labels may be all or nothing. ValueError unless 0 ≤ flagged ≤ size.
    """
    if not 0 <= flagged <= size:
        raise ValueError(f"{flagged} of {size} is not a share")
    share = flagged / size if size else 0.5
    above, below = (clopper_pearson(one.faulty, one.labelled) for one in (of_flagged, of_others))
    value = share * above.value + (1 - share) * below.value
    between = above.value - below.value
    sampling = Z_95 * Z_95 * share * (1 - share) * between * between / size if size else 1.0
    down = _half(share * (above.value - above.low), (1 - share) * (below.value - below.low), sampling)
    up = _half(share * (above.high - above.value), (1 - share) * (below.high - below.value), sampling)
    return Interval(value, max(0.0, value - down), min(1.0, value + up))


def _half(of_flagged: float, of_others: float, sampling: float) -> float:
    return math.sqrt(of_flagged**2 + of_others**2 + sampling)
