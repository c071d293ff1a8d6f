"""Reasons of an Evaluator's condition Calibrated."""

from __future__ import annotations

from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason, ReasonTable


class CalibrationReason(ReasonTable, kind="Evaluator", conditions=("Calibrated",)):
    """How far an Evaluator may be believed."""

    CALIBRATED = Reason("Calibrated", "the evaluator was measured on labels and may alert; the message has kappa")
    CALIBRATING = Reason(
        "Calibrating",
        "a Job scores the labels; the message has its price in tokens",
        "the evaluator or its labels are new or have changed, or the calibration is older than `maxAge`",
        "wait; `kubectl get jobs -n NS -l modelward.dev/evaluator=NAME`",
    )
    NOT_CALIBRATED = CheckReason.NOT_CALIBRATED
    JUDGE_MANIPULABLE = CheckReason.JUDGE_MANIPULABLE
    EVALUATOR_FAILING = CheckReason.EVALUATOR_FAILING
    JUDGE_UNAVAILABLE = CheckReason.JUDGE_UNAVAILABLE
    HUB_UNAVAILABLE = CheckReason.HUB_UNAVAILABLE
    LABELS_NOT_FOUND = Reason(
        "LabelsNotFound",
        "there is no ConfigMap of the name in `calibration.labels`",
        "a misspelt name, or it comes later",
        "`kubectl create configmap LABELS -n NS --from-file=labels.jsonl`",
    )
    LABELS_UNREADABLE = Reason(
        "LabelsUnreadable",
        "the ConfigMap holds no label; the message names the first line that is none",
        "another form than one JSON object a line with `id`, `label`, `question` and `answer`",
        "`modelward evaluators calibrate --evaluator FILE --labels FILE --dry-run` reads them as the Job does",
    )
    CALIBRATION_NOT_FOUND = Reason(
        "CalibrationNotFound",
        "there is no ConfigMap of the name in `calibration.finished`",
        "a misspelt name, or it comes later",
        "`kubectl apply` what `modelward evaluators export` wrote",
    )
    CALIBRATION_UNREADABLE = Reason(
        "CalibrationUnreadable",
        "the ConfigMap holds no finished calibration; the message says what is wrong with it",
        "another key than `calibration.json`, a file that was edited by hand, or one of a later version",
        "export it again by `modelward evaluators export`, from the Evaluator that was calibrated",
    )
    CALIBRATION_LIMITED = Reason(
        "CalibrationLimited",
        "the calibration needs more tokens than `calibration.maxTokens` allows for a version; the message has both",
        "many labels, long texts or a long rubric, several readouts",
        "a larger `maxTokens`, which goes on where it was; or a fixed `readout`",
    )
