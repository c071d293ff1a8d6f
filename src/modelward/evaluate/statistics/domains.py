"""How far a rate may be off in a domain that it was not measured on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import stdev

from modelward.evaluate.statistics.distributions import student_quantile


def prediction_margin(rates: Sequence[float]) -> float:
    """Return half the 95 % prediction interval of one more domain's rate, in the unit of the rates: t·s·√(1 + 1/k).

    The k domains are taken as drawn from all that there are, with rates that vary normally. It is wide for few domains,
    as it must be: the largest of five is passed by one new domain in six. 0 for fewer than two, which tell nothing.
    """
    count = len(rates)
    if count < 2:
        return 0.0
    return student_quantile(count - 1) * stdev(rates) * math.sqrt(1 + 1 / count)
