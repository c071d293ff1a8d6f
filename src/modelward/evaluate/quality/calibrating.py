"""Error rates to give to a policy, and the threshold to have them with: chosen on one half, measured on the other."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from modelward.evaluate.interval import Interval, wilson

FEWEST_LABELS = 50
FEWEST_OF_A_CLASS = 15
FEWEST_IN_A_HALF = 5
MOST_CANDIDATES = 64
EXPECTED_SHARE = 0.05
"""Of exchanges at fault, at which the threshold is the best one: few are, where an endpoint works."""
EXPECTED_SAMPLES = 500


@dataclass(frozen=True, slots=True)
class FlagsAtThreshold:
    """What an evaluator flags of the labelled exchanges at one threshold, in their order."""

    threshold: str
    flags: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class MeasuredRates:
    """Flags among labelled exchanges. With `threshold`, it was chosen on rows that the rates were not measured on.

    `of_halves` are the thresholds that the two halves chose; how far they are apart says how sure the choice is.
    """

    found: int
    positives: int
    false_alarms: int
    negatives: int
    threshold: str = ""
    of_halves: tuple[str, ...] = ()

    @property
    def true_positive_rate(self) -> Interval:
        """The share of faults that are flagged."""
        return wilson(self.found, self.positives)

    @property
    def false_positive_rate(self) -> Interval:
        """The share of good exchanges that are flagged."""
        return wilson(self.false_alarms, self.negatives)


def too_few_labels(faults: Sequence[bool]) -> str:
    """Return why so few labels measure nothing, or the empty string where they are enough."""
    positives = sum(faults)
    counted = f"{len(faults)} labelled exchanges were scored, {positives} at fault and {len(faults) - positives} good"
    if len(faults) >= FEWEST_LABELS and min(positives, len(faults) - positives) >= FEWEST_OF_A_CLASS:
        return ""
    return f"{counted}; a calibration needs {FEWEST_LABELS}, with {FEWEST_OF_A_CLASS} of each"


def candidate_thresholds(values: Sequence[float], most: int = MOST_CANDIDATES) -> list[str]:
    """Return thresholds with three decimals that part the values in different ways, evenly thinned to `most`."""
    ordered = sorted({round(min(1.0, max(0.0, value)), 3) for value in values})
    between = sorted({round((a + b) / 2, 3) for a, b in pairwise(ordered)})
    if len(between) > most:
        between = [between[round(i * (len(between) - 1) / (most - 1))] for i in range(most)]
    return [f"{one:.3f}" for one in between]


def measured_rates(faults: Sequence[bool], flags: Sequence[bool]) -> MeasuredRates:
    """Count the flags of an evaluator whose threshold was not chosen on these rows."""
    rows = list(zip(faults, flags, strict=True))
    found, alarms = (sum(flag for fault, flag in rows if fault is wanted) for wanted in (True, False))
    return MeasuredRates(found, sum(faults), alarms, len(rows) - sum(faults))


def cross_fitted(
    candidates: Sequence[FlagsAtThreshold], faults: Sequence[bool], clusters: Sequence[str]
) -> MeasuredRates:
    """Choose a threshold on each half and measure it on the other; the one to use is the choice of all rows together.

    Rows of a cluster stay in one half. ValueError, in words, where a half has too few of a class.
    """
    half = halves(faults, clusters)
    rows: list[MeasuredRates] = []
    chosen: list[str] = []
    for chosen_on in (0, 1):
        ours, others = ([i for i, one in enumerate(half) if one == side] for side in (chosen_on, 1 - chosen_on))
        best = _best(candidates, faults, ours)
        chosen.append(best.threshold)
        rows.append(measured_rates([faults[i] for i in others], [best.flags[i] for i in others]))
    return MeasuredRates(
        found=sum(one.found for one in rows),
        positives=sum(one.positives for one in rows),
        false_alarms=sum(one.false_alarms for one in rows),
        negatives=sum(one.negatives for one in rows),
        threshold=_best(candidates, faults, range(len(faults))).threshold,
        of_halves=tuple(chosen),
    )


def halves(faults: Sequence[bool], clusters: Sequence[str]) -> list[int]:
    """Return 0 or 1 for each row, by its cluster's name alone and so the same on every run, with both classes in both.

    ValueError, in words, where they are in too few clusters for that.
    """
    faulty: defaultdict[str, bool] = defaultdict(bool)
    for fault, cluster in zip(faults, clusters, strict=True):
        faulty[cluster] |= fault
    ordered = sorted(faulty, key=lambda name: hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())
    side = {
        name: index % 2 for kind in (True, False) for index, name in enumerate(n for n in ordered if faulty[n] is kind)
    }
    half = [side[cluster] for cluster in clusters]
    counts = [
        sum(one == which and fault is kind for one, fault in zip(half, faults, strict=True))
        for which in (0, 1)
        for kind in (True, False)
    ]
    if min(counts) < FEWEST_IN_A_HALF:
        raise ValueError(
            f"the labels are of {len(faulty)} conversations, of which one half has fewer than {FEWEST_IN_A_HALF}"
            " exchanges at fault or good; label more conversations"
        )
    return half


def expected_error(found: int, positives: int, false_alarms: int, negatives: int) -> float:
    """Return the standard error that the corrected share will have, at 5 % at fault and 500 samples; infinite if none.

    By Lang and Reiczigel 2014, with one added to each count: uncertain rates cost as much as bad ones.
    """
    true, false = (found + 1) / (positives + 2), (false_alarms + 1) / (negatives + 2)
    if true <= false:
        return math.inf
    flagged = EXPECTED_SHARE * true + (1 - EXPECTED_SHARE) * false
    variance = flagged * (1 - flagged) / EXPECTED_SAMPLES
    variance += EXPECTED_SHARE**2 * true * (1 - true) / (positives + 2)
    variance += (1 - EXPECTED_SHARE) ** 2 * false * (1 - false) / (negatives + 2)
    return math.sqrt(variance) / (true - false)


def _best(candidates: Sequence[FlagsAtThreshold], faults: Sequence[bool], rows: Sequence[int]) -> FlagsAtThreshold:
    """Return the candidate with the least expected error on these rows, the middle one where several have it.

    The middle is the threshold that is furthest from exchanges of either kind.
    """

    def error(one: FlagsAtThreshold) -> float:
        rates = measured_rates([faults[i] for i in rows], [one.flags[i] for i in rows])
        return expected_error(rates.found, rates.positives, rates.false_alarms, rates.negatives)

    errors = [error(one) for one in candidates]
    equal = [one for one, its in zip(candidates, errors, strict=True) if its == min(errors)]
    middle = (float(equal[0].threshold) + float(equal[-1].threshold)) / 2
    return min(equal, key=lambda one: abs(float(one.threshold) - middle))
