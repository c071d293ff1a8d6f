"""What an Evaluator's status says of its calibration."""

from __future__ import annotations

from modelward.api.calibration import PPM, CalibrationOutcome
from modelward.api.evaluator_calibration import (
    CalibrationRate,
    CalibrationStatus,
    EvaluatorCalibration,
    OwnLabelsStatus,
)
from modelward.api.quantity import duration_ms, percent_ppm, percent_text, timestamp
from modelward.desired.finding import Finding
from modelward.evaluate.calibration.floor import Floor, below_floor, kappa_text
from modelward.evaluate.calibration.told import rate, summary
from modelward.reasons.calibration import CalibrationReason
from modelward.reasons.checks import CheckReason
from modelward.reasons.policy import ReachableReason
from modelward.status.conditions import ConditionState

_OWN = 50


def floor_of(asked: EvaluatorCalibration) -> Floor:
    """Return the floor that a spec asks for."""
    low = round(float(asked.floor.kappa_low) * PPM)
    flips = percent_ppm(asked.floor.max_flips)
    return Floor(asked.floor.labels, asked.floor.per_class, low, duration_ms(asked.max_age), flips)


def calibrated_state(
    asked: EvaluatorCalibration, found: CalibrationOutcome | None, version: str, now_ms: int, obstacle: Finding | None
) -> ConditionState:
    """Return Calibrated; `obstacle` is what keeps a calibration from being made, which an old one outlives."""
    short = below_floor(found, floor_of(asked), version, now_ms)
    if short is None and found is not None:
        return ConditionState("Calibrated", "True", CalibrationReason.CALIBRATED, _told(asked, found))
    why = obstacle if obstacle and (found is None or found.version != version) else short or obstacle
    reason = CalibrationReason.named(why.reason) if why else CalibrationReason.NOT_CALIBRATED
    return ConditionState("Calibrated", "False", reason, why.message if why else "no calibration yet")


def _told(asked: EvaluatorCalibration, found: CalibrationOutcome) -> str:
    """Return what was found, where it is from, and that a later one came to no end."""
    day = timestamp(found.at_ms)[:10]
    shipped = f"; shipped finished, made on {day}" if asked.finished else ""
    repeat = f"; of {day}, because a later one failed: {found.repeat_reason}: {found.repeat_message}"
    return f"{summary(found)}{shipped}{repeat if found.repeat_reason else ''}"[:1_024]


def reachable(state: ConditionState, found: CalibrationOutcome | None) -> ConditionState:
    """Return Reachable as runs say it; where none has asked yet, as the newest calibration does."""
    if state.status != "Unknown" or found is None:
        return state
    if found.reason == CheckReason.JUDGE_UNAVAILABLE:
        return ConditionState("Reachable", "False", ReachableReason.JUDGE_UNAVAILABLE, found.message)
    if found.positives:
        return ConditionState("Reachable", "True", ReachableReason.JUDGE_ANSWERS)
    return state


def calibration_status(found: CalibrationOutcome) -> CalibrationStatus:
    """Return what was found as status shows it; without rates where there are none."""
    measured = found.positives > 0 and found.negatives > 0
    own = sorted(found.own.items())[:_OWN]
    return CalibrationStatus(
        labels=found.labels,
        kappa=kappa_text(found.kappa_ppm) if measured else "",
        kappa_low=kappa_text(found.kappa_low_ppm) if measured else "",
        true_positive=_rate(found.found, found.positives) if measured else None,
        false_positive=_rate(found.false_alarms, found.negatives) if measured else None,
        readout=found.readout,
        threshold=found.threshold,
        abstain_below=found.abstain_below,
        injection_flips=f"{found.flipped}/{found.attacked}" if measured else "",
        at=timestamp(found.at_ms),
        version=found.version,
        answered=found.answered,
        labels_version=found.labels_version,
        labels_digest=found.labels_digest,
        tokens=found.tokens,
        unread=found.unread,
        own=tuple(
            OwnLabelsStatus(
                endpoint=endpoint,
                flagged=one.flagged,
                flagged_faulty=one.flagged_faulty,
                others=one.others,
                others_faulty=one.others_faulty,
            )
            for endpoint, one in own
        ),
    )


def _rate(count: int, n: int) -> CalibrationRate:
    found = rate(count, n)
    value, low, high = (percent_text(round(one * PPM)) for one in (found.value, found.low, found.high))
    return CalibrationRate(value=value, low=low, high=high, count=count, n=n)
