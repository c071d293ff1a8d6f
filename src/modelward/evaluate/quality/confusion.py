"""How often flags agree with labels, each rate with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from modelward.evaluate.interval import Z_95, Interval, wilson
from modelward.evaluate.quality.labelled import LabelledScore


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of scored exchanges: `found` and `missed` are at fault, `false_alarms` and `passed` are not."""

    found: int
    missed: int
    false_alarms: int
    passed: int

    @property
    def at_fault(self) -> int:
        """All that are labelled as faults."""
        return self.found + self.missed

    @property
    def good(self) -> int:
        """All that are labelled as good."""
        return self.false_alarms + self.passed

    @property
    def true_positive_rate(self) -> Interval:
        """The share of faults that are flagged."""
        return wilson(self.found, self.at_fault)

    @property
    def false_positive_rate(self) -> Interval:
        """The share of good exchanges that are flagged."""
        return wilson(self.false_alarms, self.good)

    @property
    def precision(self) -> Interval:
        """The share of flags that are right, where as many are at fault as among the labels."""
        return wilson(self.found, self.found + self.false_alarms)

    @property
    def f1(self) -> Interval:
        """2 TP / (2 TP + FP + FN).

        F* = TP / (TP + FP + FN) is a share with a Wilson interval, and F1 = 2 F* / (1 + F*) grows with it; the indirect
        Wilson interval of Lam, Gopal and Qian 2023 (arXiv 2309.14621).
        """
        share = wilson(self.found, self.found + self.false_alarms + self.missed)
        return Interval(*(2 * one / (1 + one) for one in (share.value, share.low, share.high)))

    @property
    def kappa(self) -> Interval:
        """Cohen's kappa, in [-1, 1]: agreement beyond chance; 0 where one side never varies.

        The interval is that of Fleiss, Cohen and Everitt 1969 with ½ added to each cell: without it, it is empty where
        nothing disagrees. Over 36 settings of 50 to 300 rows it covered 93 % or more, without ½ as little as 24 %.
        """
        value = _kappa(self.found, self.false_alarms, self.missed, self.passed)
        cells = tuple(one + 0.5 for one in (self.found, self.false_alarms, self.missed, self.passed))
        centre, half = _kappa(*cells), Z_95 * _kappa_error(*cells)
        return Interval(value, max(-1.0, min(value, centre - half)), min(1.0, max(value, centre + half)))


def confusion(rows: Iterable[LabelledScore]) -> Confusion:
    """Count."""
    counts = {(fault, flagged): 0 for fault in (True, False) for flagged in (True, False)}
    for row in rows:
        counts[row.fault, row.flagged] += 1
    return Confusion(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def _kappa(both: float, flag_only: float, label_only: float, neither: float) -> float:
    n = both + flag_only + label_only + neither
    if not n:
        return 0.0
    agreed = (both + neither) / n
    chance = ((both + flag_only) * (both + label_only) + (label_only + neither) * (flag_only + neither)) / (n * n)
    return (agreed - chance) / (1 - chance) if chance < 1 else 0.0


def _kappa_error(both: float, flag_only: float, label_only: float, neither: float) -> float:
    """Return the standard error of kappa; Fleiss, Cohen and Everitt 1969, equation 13."""
    n = both + flag_only + label_only + neither
    flags, labels = (both + flag_only) / n, (both + label_only) / n
    kappa = _kappa(both, flag_only, label_only, neither)
    chance = flags * labels + (1 - flags) * (1 - labels)
    agreeing = both / n * (1 - (flags + labels) * (1 - kappa)) ** 2
    agreeing += neither / n * (1 - (2 - flags - labels) * (1 - kappa)) ** 2
    apart = flag_only / n * (labels + 1 - flags) ** 2 + label_only / n * (1 - labels + flags) ** 2
    variance = agreeing + (1 - kappa) ** 2 * apart - (kappa - chance * (1 - kappa)) ** 2
    return math.sqrt(max(0.0, variance) / n) / (1 - chance)
