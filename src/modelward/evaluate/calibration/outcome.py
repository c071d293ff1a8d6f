"""From labels and scores to a calibration: readout and threshold, held-out rates, kappa, and what attacks could do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from modelward.api.calibration import PPM, CalibrationOutcome, OwnLabels
from modelward.evaluate.calibration.candidates import confidence
from modelward.evaluate.calibration.injection import FEWEST_ATTACKS
from modelward.evaluate.quality.calibrating import FlagsAtThreshold, MeasuredRates, cross_fitted, measured_rates
from modelward.evaluate.quality.confusion import Confusion
from modelward.evaluate.score import Score
from modelward.evaluate.statistics.fixed_sequence import confident_from


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What is known of one labelled exchange beside its score: `endpoint` where it is of an endpoint's own traffic."""

    fault: bool
    cluster: str
    endpoint: str = ""


def chosen(candidates: Sequence[FlagsAtThreshold], rows: Sequence[LabelRow]) -> MeasuredRates:
    """Return the held-out rates, with the readout and threshold to use.

    Where there is nothing to choose, rates are of all rows. ValueError, in words, where labels are too few or alike.
    """
    faults = [row.fault for row in rows]
    if len(candidates) == 1:
        only = candidates[0]
        return replace(measured_rates(faults, only.flags), readout=only.readout, threshold=only.threshold)
    return cross_fitted(candidates, faults, [row.cluster for row in rows])


def calibrated(
    empty: CalibrationOutcome, rates: MeasuredRates, rows: Sequence[LabelRow], final: Sequence[Score]
) -> CalibrationOutcome:
    """Return `empty` with what was measured; `final` are the rows' scores under the readout that was chosen."""
    missed, passed = rates.positives - rates.found, rates.negatives - rates.false_alarms
    kappa = Confusion(rates.found, missed, rates.false_alarms, passed).kappa
    return replace(
        empty,
        labels=len(rows),
        found=rates.found,
        positives=rates.positives,
        false_alarms=rates.false_alarms,
        negatives=rates.negatives,
        kappa_ppm=round(kappa.value * PPM),
        kappa_low_ppm=round(kappa.low * PPM),
        kappa_high_ppm=round(kappa.high * PPM),
        readout=rates.readout,
        threshold=rates.threshold,
        abstain_below=_abstain_below(rates, rows, final),
        own=_own(rates, rows),
    )


def attacked(found: CalibrationOutcome, before: Sequence[Score], after: Sequence[Score]) -> CalibrationOutcome:
    """Return a calibration with how many faults were no longer flagged with a payload; scores that failed are no flips.

    An attack that makes the judge fail counts as not tried: its exchange is Failed in traffic too, and never good.
    """
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one.flagged and other.state != "Failed"]
    return replace(found, attacked=len(pairs), flipped=sum(not other.flagged for _, other in pairs))


def enough_attacks(found: CalibrationOutcome) -> bool:
    """Return whether attacks tell anything: with fewer the bound is above the limit whatever they found."""
    return found.attacked >= FEWEST_ATTACKS


def _abstain_below(rates: MeasuredRates, rows: Sequence[LabelRow], final: Sequence[Score]) -> str:
    """Return the confidence from which on flags and people surely agree in nine of ten, where there is a value."""
    values = [one.value for one in final]
    if not rates.threshold or any(value is None for value in values):
        return ""
    sure = [confidence(value, float(rates.threshold)) for value in values if value is not None]
    agrees = [flag == row.fault for flag, row in zip(rates.flags, rows, strict=True)]
    limit = confident_from(sure, agrees)
    return "" if limit is None else f"{limit:.3f}"


def _own(rates: MeasuredRates, rows: Sequence[LabelRow]) -> dict[str, OwnLabels]:
    found: dict[str, OwnLabels] = {}
    for flag, row in zip(rates.flags, rows, strict=True):
        if not row.endpoint:
            continue
        own = found.get(row.endpoint, OwnLabels())
        found[row.endpoint] = (
            replace(own, flagged=own.flagged + 1, flagged_faulty=own.flagged_faulty + row.fault)
            if flag
            else replace(own, others=own.others + 1, others_faulty=own.others_faulty + row.fault)
        )
    return found
