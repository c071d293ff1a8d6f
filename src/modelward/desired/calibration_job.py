"""The Job that calibrates an evaluator, and the plan that it mounts."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from modelward.api.calibration_plan import CalibrationPlan, calibration_plan_to_json
from modelward.api.collector_config import HUB_CA_FILE_NAME
from modelward.api.evaluator import Evaluator
from modelward.api.evaluator_calibration import EvaluatorCalibration
from modelward.desired import names
from modelward.desired.evaluator_job import KEEP_SECONDS, PLAN_DIRECTORY, PLAN_FILE, PLAN_VOLUME, RESOURCES
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.desired.installation import Installation
from modelward.desired.ownership import owner_references
from modelward.desired.pod import (
    environment,
    restricted_security,
    settled_metadata,
    settled_spec,
    token_mount,
    token_volume,
)
from modelward.desired.pod_additions import added

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
    data = {PLAN_FILE: json.dumps(calibration_plan_to_json(plan), sort_keys=True, default=str)}
    if installation.hub_ca_pem:
        data[HUB_CA_FILE_NAME] = installation.hub_ca_pem
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(evaluator, name), "data": data}


def job(
    evaluator: Evaluator, asked: EvaluatorCalibration, found: ResolvedEvaluator, name: str, installation: Installation
) -> dict[str, Any]:
    """Return the Job; only its pod reads the labels, whose ConfigMap it mounts."""
    disruption = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    spec = _pod_spec(asked.labels.config_map_ref.name, name, installation)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(evaluator, name),
        "spec": {
            "backoffLimit": RETRIES,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "podFailurePolicy": {"rules": [disruption]},
            "template": {
                "metadata": settled_metadata(
                    installation.pod, _labels(evaluator), {"sidecar.istio.io/inject": "false"}
                ),
                "spec": settled_spec(added(spec, found.pod), installation.pod),
            },
        },
    }


def _pod_spec(labels: str, name: str, installation: Installation) -> dict[str, Any]:
    container = {
        "name": "calibrate",
        "image": installation.evaluator_image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["evaluators", "calibrate", "--plan", f"{PLAN_DIRECTORY}/{PLAN_FILE}"],
        "env": environment(installation.pod),
        "volumeMounts": [
            {"name": PLAN_VOLUME, "mountPath": PLAN_DIRECTORY, "readOnly": True},
            {"name": LABELS_VOLUME, "mountPath": LABELS_DIRECTORY, "readOnly": True},
            token_mount(),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # an emptyDir of the pod
        ],
        "resources": RESOURCES,
        "securityContext": restricted_security(),
    }
    return {
        "serviceAccountName": names.EVALUATE_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [
            {"name": PLAN_VOLUME, "configMap": {"name": name}},
            {"name": LABELS_VOLUME, "configMap": {"name": labels, "optional": True}},
            token_volume(),
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _labels(evaluator: Evaluator) -> dict[str, str]:
    return {**names.shared_labels("evaluator"), names.EVALUATOR: names.fit(evaluator.metadata.name)}


def _metadata(evaluator: Evaluator, name: str) -> dict[str, Any]:
    references = owner_references(evaluator.metadata, "Evaluator")
    return {
        "name": name,
        "namespace": evaluator.metadata.namespace,
        "labels": _labels(evaluator),
        **({"ownerReferences": references} if references else {}),
    }
