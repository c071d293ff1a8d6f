"""Reading a calibration that was finished elsewhere, from the ConfigMap that an Evaluator names."""

from __future__ import annotations

import json
from dataclasses import replace

from modelward.api.calibration import CalibrationOutcome
from modelward.api.evaluator import Evaluator
from modelward.api.finished_calibration import KEY, finished_from_json
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import CONFIG_MAP
from modelward.reasons.calibration import CalibrationReason


async def read_finished(
    client: Client, evaluator: Evaluator, resolved: ResolvedEvaluator
) -> CalibrationOutcome | Finding:
    """Return the calibration, or why there is none; nothing of what else the ConfigMap may hold is told or kept."""
    asked, namespace = evaluator.spec.calibration, evaluator.metadata.namespace
    name = asked.finished.config_map_ref.name if asked and asked.finished else ""
    try:
        found = await client.find(CONFIG_MAP, namespace, name)
    except ApiError as error:
        told = f"ConfigMap {name} cannot be read: {error.message}"[:300]
        return Finding(CalibrationReason.CALIBRATION_NOT_FOUND, told)
    if found is None:
        return Finding(CalibrationReason.CALIBRATION_NOT_FOUND, f"there is no ConfigMap {name} in this namespace")
    text = (found.get("data") or {}).get(KEY)
    if text is None:
        return Finding(CalibrationReason.CALIBRATION_UNREADABLE, f"ConfigMap {name} has no key {KEY}")
    try:
        read = finished_from_json(_json(text), namespace, evaluator.metadata.name)
    except ValueError as error:
        return Finding(CalibrationReason.CALIBRATION_UNREADABLE, f"ConfigMap {name}: {error}"[:300])
    if read.readout and read.readout not in resolved.readouts:
        told = f"ConfigMap {name}: there is no readout {read.readout[:32]} of this evaluator"
        return Finding(CalibrationReason.CALIBRATION_UNREADABLE, told)
    about = found["metadata"]
    return replace(read, labels_version=f"{about.get('uid', '')}/{about.get('resourceVersion', '')}")


def _json(text: str) -> object:
    try:
        read: object = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    return read
