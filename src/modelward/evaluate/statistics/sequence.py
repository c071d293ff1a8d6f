"""How sure samples are that a share is above a limit, however often one asks.

A verdict is taken after each window, up to 288 times a day. A 95 % interval that is asked so often is wrong on most
days for an endpoint at its limit. Evidence by a mixture of likelihood ratios does not have that fault: while the share
is at most `null`, the probability that it ever reaches some odds, from one start on, is at most 1 / odds (Ville 1939;
Robbins 1970; Howard et al. 2021, the beta-binomial confidence sequence).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

EXPECTED_TIMES = 2.0
"""The shares above a limit that the mixture expects have a mean of so many times the limit."""
HEALTHY_PART = 0.5
"""A share of up to so much of the limit is healthy: false alarms are counted there."""


@dataclass(frozen=True, slots=True)
class Odds:
    """How much evidence a failure takes: odds against a share at the limit (20: 95 %), and against a healthy one.

    Evidence at the limit alone lets a limit of few expected faults fail by chance; `bench/verdicts` measured both.
    """

    at_limit: float = 20.0
    at_healthy: float = 100_000.0


WARNING = Odds()
"""At most one false failure in 5,000 days of 288 verdicts each."""
CRITICAL = Odds(at_healthy=2_000_000.0)
"""At most one in 100,000 days."""
CRITICAL_READINGS = Odds(at_healthy=3_000_000.0)
"""The same where one asks at each reading, 5,760 times a day: few requests at a limit of 5 % fail falsely sooner."""


def log_evidence(flagged: float, size: float, null: float, expected: float) -> float:
    """Return the natural logarithm of the evidence against `null`: ln B(a+k, b+n-k)/B(a, b) - ln pᵏ(1-p)ⁿ⁻ᵏ.

    The mixture is a beta distribution with a = 1 and the mean `expected`. Both counts may be effective sizes.
    ValueError unless 0 ≤ flagged ≤ size and `expected` is in (0, 1).
    """
    if not 0 <= flagged <= size or not 0 < expected < 1:
        raise ValueError(f"{flagged} of {size}, expected {expected}")
    if (null <= 0 and flagged > 0) or (null >= 1 and flagged < size):
        return math.inf
    others, b = size - flagged, 1 / expected - 1
    mixed = math.log(b) + math.lgamma(1 + flagged) + math.lgamma(b + others) - math.lgamma(1 + b + size)
    likelihood = (flagged * math.log(null) if flagged else 0.0) + (others * math.log1p(-null) if others else 0.0)
    return mixed - likelihood


def surely_above(flagged: float, size: float, limit: float, healthy: float, odds: Odds) -> bool:
    """Return whether a share is above the limit with the evidence that the odds ask for.

    `healthy` is a share below the limit at which false alarms are counted, such as `HEALTHY_PART` of it. The bounds
    hold for all lower shares too, and for shares that vary, because more flags never make less of a failure.
    """
    if size <= 0 or flagged <= limit * size:
        return False
    expected = min(EXPECTED_TIMES * limit, (1 + limit) / 2) or 1 / (1 + size)
    return log_evidence(flagged, size, limit, expected) >= math.log(odds.at_limit) and log_evidence(
        flagged, size, healthy, expected
    ) >= math.log(odds.at_healthy)
