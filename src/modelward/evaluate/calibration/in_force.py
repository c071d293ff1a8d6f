"""An evaluator as its Evaluator's status says that it is calibrated, or why it is not."""

from __future__ import annotations

from dataclasses import replace

from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.evaluator import Evaluator, EvaluatorStatus
from modelward.api.run_plan import CalibratedAs
from modelward.desired.evaluators import Resolution, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.reasons.checks import CheckReason


def in_force(found: Resolution, evaluator: Evaluator) -> Resolution:
    """Return the evaluator with what calibration chose and found, or with the reason why it may not alert.

    The operator judges the calibration each minute, so what the condition says holds.
    """
    if isinstance(found, Finding) or evaluator.spec.calibration is None:
        return found
    if not any(one.type == "Calibrated" for one in evaluator.status.conditions):
        return replace(found, uncalibrated=Finding(CheckReason.NOT_CALIBRATED, "no calibration yet"))
    of_another = evaluator.status.calibration and evaluator.status.calibration.version != found.facts.version
    return by_status(found, evaluator.status, of_another=bool(of_another))


def by_status(found: ResolvedEvaluator, status_of: EvaluatorStatus, *, of_another: bool = False) -> ResolvedEvaluator:
    """Return the same of what an Evaluator's status says; one without the condition asks for no calibration.

    `of_another` says that the calibration is of another version.
    """
    status = status_of.calibration
    state = next((one for one in status_of.conditions if one.type == "Calibrated"), None)
    if state is None:
        return found
    if state.status != "True" or status is None or status.true_positive is None or status.false_positive is None:
        return replace(found, uncalibrated=_of_check(state.reason, state.message))
    if of_another:
        told = f"new version: {status.version} was calibrated, {found.facts.version} judges"
        return replace(found, uncalibrated=Finding(CheckReason.NOT_CALIBRATED, told))
    true, false = status.true_positive, status.false_positive
    counts = (true.count, true.n, false.count, false.n)
    calibrated = CalibratedAs(status.readout, status.threshold, status.answered, *counts)
    facts = calibrated.rates(found.facts)
    own = {
        one.endpoint: OwnLabels(one.flagged_faulty, one.flagged, one.others_faulty, one.others) for one in status.own
    }
    return replace(
        found,
        readout=status.readout,
        threshold=status.threshold,
        calibrated=calibrated,
        facts=facts,
        own_labels=own,
    )


def why_uncalibrated(evaluator: ResolvedEvaluator | None, scored: EvaluatorFacts | None) -> Finding | None:
    """Return why scores say nothing of faults, of an evaluator whose spec asks for a calibration; else None.

    `scored` are the facts of the evaluator that scored; None where nothing was.
    """
    if evaluator is None:
        return None
    if evaluator.uncalibrated or evaluator.calibrated is None or scored is None:
        return evaluator.uncalibrated
    calibrated = evaluator.calibrated
    if scored.version != calibrated.answered and calibrated.answered:
        told = f"new version: {calibrated.answered} was calibrated, {scored.version} has scored"
    elif scored != calibrated.rates(scored):
        told = "scored before it was calibrated; what comes now is scored by its calibration"
    else:
        return None
    return Finding(CheckReason.NOT_CALIBRATED, told)


def _of_check(reason: str, message: str) -> Finding:
    """Return the reason of the condition as one of a check."""
    known = CheckReason.named(reason)
    if known in CheckReason.reasons:
        return Finding(known, message)
    return Finding(CheckReason.NOT_CALIBRATED, f"{reason}: {message}")
