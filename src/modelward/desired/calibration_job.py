"""The Job that calibrates an evaluator, and the plan that it mounts."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from modelward.api.calibration_plan import CalibrationPlan, calibration_plan_to_json
from modelward.api.evaluator import Evaluator
from modelward.api.evaluator_calibration import EvaluatorCalibration
from modelward.desired import names
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.installation import Installation
from modelward.desired.scoring_job import MountedMap, ScoringJob, plan_map, scoring_metadata

LABELS_VOLUME, LABELS_DIRECTORY = "modelward-labels", "/etc/modelward/labels"
DEADLINE_SECONDS = 3_600
"""Then it ends, and the next one goes on where it was: its scores are in the hub."""
RETRIES = 3


def calibration_plan(
    evaluator: Evaluator,
    asked: EvaluatorCalibration,
    found: ResolvedEvaluator,
    labels_version: str,
    installation: Installation,
) -> CalibrationPlan:
    """Return the plan of calibrating an evaluator as it is now on labels as they are now."""
    return CalibrationPlan(
        namespace=evaluator.metadata.namespace,
        evaluator=evaluator.metadata.name,
        kind=found.kind,
        name=found.name,
        config=found.config,
        version=found.facts.version,
        labels_version=labels_version,
        hub_url=installation.hub_url or "",
        labels=asked.floor.labels,
        per_class=asked.floor.per_class,
        max_tokens=asked.max_tokens,
        allowed_hosts=installation.allowed_hosts,
    )


def calibration_name(evaluator: Evaluator, plan: CalibrationPlan, before_ms: int) -> str:
    """Return the name of the Job and of its plan's ConfigMap.

    `before_ms` is when the calibration was made that it follows: one that grew too old is made again by another Job.
    """
    bounds = (plan.labels, plan.per_class, plan.max_tokens)
    parts = (evaluator.metadata.uid, plan.version, plan.labels_version, *bounds, before_ms)
    return names.calibration(evaluator.metadata.name, hashlib.sha256(repr(parts).encode()).hexdigest())


def plan_config_map(
    evaluator: Evaluator, plan: CalibrationPlan, name: str, installation: Installation
) -> dict[str, Any]:
    """Return the ConfigMap that the Job mounts."""
    text = json.dumps(calibration_plan_to_json(plan), sort_keys=True, default=str)
    return plan_map(_metadata(evaluator, name), text, installation)


def job(
    evaluator: Evaluator, asked: EvaluatorCalibration, found: ResolvedEvaluator, name: str, installation: Installation
) -> dict[str, Any]:
    """Return the Job; only its pod reads the labels, whose ConfigMap it mounts."""
    held = asked.labels.config_map_ref.name if asked.labels else ""
    labels = (MountedMap(LABELS_VOLUME, LABELS_DIRECTORY, held),) if held else ()
    return ScoringJob(
        _metadata(evaluator, name),
        "calibrate",
        ("evaluators", "calibrate"),
        name,
        RETRIES,
        DEADLINE_SECONDS,
        labels,
    ).manifest(installation, found.pod)


def _metadata(evaluator: Evaluator, name: str) -> dict[str, Any]:
    return scoring_metadata(evaluator.metadata, "Evaluator", name, names.EVALUATOR)
