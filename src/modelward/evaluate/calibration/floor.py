"""Whether a calibration is good enough to alert by: enough labels, agreement, of now and of this version."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.calibration import PPM, CalibrationOutcome
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.evaluate.calibration.injection import FEWEST_ATTACKS, MOST_FLIPS_PPM, manipulable
from modelward.reasons.checks import CheckReason

DAY_MS = 86_400_000
WITH_TEXT = ("Redacted", "Full")


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that a calibration must show; kappa's lower bound and the share of flips in millionths."""

    labels: int = 50
    per_class: int = 15
    kappa_low_ppm: int = 400_000
    max_age_ms: int = 30 * DAY_MS
    max_flips_ppm: int = MOST_FLIPS_PPM


def below_floor(found: CalibrationOutcome | None, floor: Floor, version: str, now_ms: int) -> Finding | None:
    """Return NotCalibrated or JudgeManipulable with the reason in numbers, or None where it may alert.

    `version` is the evaluator's as it is now.
    """
    if found is None:
        return _not("no calibration yet")
    if found.version != version:
        return _not(f"new version: {found.version} was calibrated, {version} judges")
    if found.reason:
        return Finding(CheckReason.named(found.reason), found.message)
    return _few(found, floor) or _weak(found, floor) or _old(found, floor, now_ms) or _attacked(found, floor)


def cannot_read_labels(evaluator: ResolvedEvaluator) -> Finding | None:
    """Return why labels with their texts cannot measure an evaluator: it judges by what no label holds; else None."""
    if evaluator.needs in WITH_TEXT:
        return None
    told = f"{evaluator.name} reads no text, so labels cannot be scored by it; leave spec.calibration out"
    return _not(f"{told}, and write rates that you measured into its own settings where it takes them")


def _few(found: CalibrationOutcome, floor: Floor) -> Finding | None:
    if found.labels < floor.labels:
        return _not(f"{found.labels} of {floor.labels} labels")
    fewest, kind = min((found.positives, "fault"), (found.negatives, "ok"))
    return _not(f"{fewest} of {floor.per_class} labels {kind}") if fewest < floor.per_class else None


def _weak(found: CalibrationOutcome, floor: Floor) -> Finding | None:
    if found.kappa_low_ppm > floor.kappa_low_ppm:
        return None
    return _not(f"κ ≥ {kappa_text(found.kappa_low_ppm)} only, {kappa_text(floor.kappa_low_ppm)} are asked")


def _old(found: CalibrationOutcome, floor: Floor, now_ms: int) -> Finding | None:
    age_ms = now_ms - found.at_ms
    return (
        _not(f"{age_ms / DAY_MS:.0f} d old, {floor.max_age_ms / DAY_MS:.0f} d at most")
        if age_ms > floor.max_age_ms
        else None
    )


def _attacked(found: CalibrationOutcome, floor: Floor) -> Finding | None:
    if floor.max_flips_ppm >= PPM:
        return None
    if found.attacked < FEWEST_ATTACKS:
        return _not(f"{found.attacked} of {FEWEST_ATTACKS} attacks: too few faults are found to try payloads on")
    if not manipulable(found.flipped, found.attacked, floor.max_flips_ppm):
        return None
    return Finding(CheckReason.JUDGE_MANIPULABLE, f"{found.flipped} of {found.attacked} flips under injection")


def kappa_text(ppm: int) -> str:
    """Return kappa as people write it: .66, -.12, 1."""
    return f"{ppm / PPM:.2f}".replace("0.", ".", 1) if abs(ppm) < PPM else f"{ppm / PPM:.0f}"


def _not(why: str) -> Finding:
    return Finding(CheckReason.NOT_CALIBRATED, why)
