"""Error rates to rely on, with the readout and threshold of theirs: chosen on four folds, measured on a fifth."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from modelward.evaluate.interval import Interval
from modelward.evaluate.statistics.distributions import clopper_pearson

FEWEST_LABELS = 50
FEWEST_OF_A_CLASS = 15
FOLDS = 5
FEWEST_IN_A_FOLD = 3
MOST_CANDIDATES = 64
EXPECTED_SHARE = 0.05
"""Of exchanges at fault, at which the threshold is the best one: few are, where an endpoint works."""
EXPECTED_SAMPLES = 500


@dataclass(frozen=True, slots=True)
class FlagsAtThreshold:
    """What an evaluator flags of the labelled exchanges at one threshold of one readout, in their order.

    Both are empty where the evaluator has but one way to answer.
    """

    threshold: str
    flags: tuple[bool, ...]
    readout: str = ""


@dataclass(frozen=True, slots=True)
class MeasuredRates:
    """Flags among labelled exchanges. With `threshold` or `readout`, these were chosen on other rows than measured.

    `of_folds` are the thresholds that the folds chose; how far they are apart says how sure the choice is. `flags` are
    those that were counted, in the order of the rows.
    """

    found: int
    positives: int
    false_alarms: int
    negatives: int
    threshold: str = ""
    of_folds: tuple[str, ...] = ()
    readout: str = ""
    flags: tuple[bool, ...] = ()

    @property
    def true_positive_rate(self) -> Interval:
        """The share of faults that are flagged."""
        return clopper_pearson(self.found, self.positives)

    @property
    def false_positive_rate(self) -> Interval:
        """The share of good exchanges that are flagged."""
        return clopper_pearson(self.false_alarms, self.negatives)


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
    """Count the flags of an evaluator of which nothing was chosen on these rows."""
    rows = list(zip(faults, flags, strict=True))
    found, alarms = (sum(flag for fault, flag in rows if fault is wanted) for wanted in (True, False))
    return MeasuredRates(found, sum(faults), alarms, len(rows) - sum(faults), flags=tuple(flags))


def cross_fitted(
    candidates: Sequence[FlagsAtThreshold], faults: Sequence[bool], clusters: Sequence[str]
) -> MeasuredRates:
    """Choose readout and threshold on all folds but one, measure them on that one; those to use are all rows' choice.

    Rows of a cluster stay in one fold. ValueError, in words, where a fold has too few of a class.
    """
    fold_of, every = folds(faults, clusters), range(len(faults))
    flags, chosen = [False] * len(faults), []
    for fold in range(FOLDS):
        best = _best(candidates, faults, [i for i in every if fold_of[i] != fold])
        chosen.append(best.threshold)
        for i in every:
            if fold_of[i] == fold:
                flags[i] = best.flags[i]
    final = _best(candidates, faults, every)
    return replace(
        measured_rates(faults, flags),
        threshold=final.threshold,
        of_folds=tuple(chosen) if final.threshold else (),
        readout=final.readout,
    )


def folds(faults: Sequence[bool], clusters: Sequence[str]) -> list[int]:
    """Return the fold of each row, by its cluster's name alone and so the same on every run, with both classes in each.

    ValueError, in words, where they are in too few clusters for that.
    """
    faulty: defaultdict[str, bool] = defaultdict(bool)
    for fault, cluster in zip(faults, clusters, strict=True):
        faulty[cluster] |= fault
    ordered = sorted(faulty, key=lambda name: hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())
    place = {
        name: index % FOLDS
        for kind in (True, False)
        for index, name in enumerate(n for n in ordered if faulty[n] is kind)
    }
    fold_of = [place[cluster] for cluster in clusters]
    counts = Counter(zip(fold_of, faults, strict=True))
    if min(counts[fold, kind] for fold in range(FOLDS) for kind in (True, False)) < FEWEST_IN_A_FOLD:
        raise ValueError(
            f"the labels are of {len(faulty)} conversations, and one fifth of these has fewer than {FEWEST_IN_A_FOLD}"
            " exchanges at fault or good; label more conversations"
        )
    return fold_of


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
    """Return the candidate with the least expected error on these rows: the first readout that has it, and of its
    thresholds the middle one, which is furthest from exchanges of either kind.
    """

    def error(one: FlagsAtThreshold) -> float:
        rates = measured_rates([faults[i] for i in rows], [one.flags[i] for i in rows])
        return expected_error(rates.found, rates.positives, rates.false_alarms, rates.negatives)

    errors = [error(one) for one in candidates]
    equal = [one for one, its in zip(candidates, errors, strict=True) if its == min(errors)]
    equal = [one for one in equal if one.readout == equal[0].readout]
    if len(equal) == 1:
        return equal[0]
    middle = (float(equal[0].threshold) + float(equal[-1].threshold)) / 2
    return min(equal, key=lambda one: abs(float(one.threshold) - middle))
