"""The children of an evaluation run: the evaluator Job, and the ConfigMap with the plan that it mounts."""

from __future__ import annotations

import json
from typing import Any

from modelward.api.collector_config import HUB_CA_FILE_NAME
from modelward.api.evaluation import Plan, plan_to_json
from modelward.api.evaluationrun import EvaluationRun
from modelward.desired import names
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
from modelward.desired.pod_additions import NOTHING, PodAdditions, added

PLAN_FILE = "plan.json"
PLAN_VOLUME = "modelward-plan"
PLAN_DIRECTORY = "/etc/modelward/run"
DEADLINE_SECONDS = 900
KEEP_SECONDS = 3_600
RESOURCES = {"requests": {"cpu": "100m", "memory": "384Mi"}, "limits": {"memory": "768Mi"}}


def plan_config_map(run: EvaluationRun, plan: Plan, installation: Installation) -> dict[str, Any]:
    """Return the ConfigMap that the Job mounts; make it once, before the Job, since a run's plan does not change."""
    data = {PLAN_FILE: json.dumps(plan_to_json(plan), sort_keys=True, separators=(",", ":"))}
    if installation.hub_ca_pem:
        data[HUB_CA_FILE_NAME] = installation.hub_ca_pem
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(run, names.run_plan(run.metadata.name)),
        "data": data,
    }


def job(run: EvaluationRun, installation: Installation, additions: PodAdditions = NOTHING) -> dict[str, Any]:
    """Return the run's Job; make it once, because a Job's template cannot change, and patch only its `spec.suspend`.

    A pod that a node drain took does not count as a failure.
    """
    disruption = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(run, names.run_job(run.metadata.name)),
        "spec": {
            "suspend": run.spec.suspend,
            "backoffLimit": 1,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "podFailurePolicy": {"rules": [disruption]},
            "template": {
                "metadata": settled_metadata(installation.pod, _labels(run), {"sidecar.istio.io/inject": "false"}),
                "spec": settled_spec(added(_pod_spec(run, installation), additions), installation.pod),
            },
        },
    }


def _pod_spec(run: EvaluationRun, installation: Installation) -> dict[str, Any]:
    return {
        "serviceAccountName": names.EVALUATE_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "containers": [_container(installation)],
        "volumes": [
            {"name": PLAN_VOLUME, "configMap": {"name": names.run_plan(run.metadata.name)}},
            token_volume(),
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _container(installation: Installation) -> dict[str, Any]:
    return {
        "name": "evaluate",
        "image": installation.evaluator_image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["evaluate", "--plan", f"{PLAN_DIRECTORY}/{PLAN_FILE}"],
        "env": environment(installation.pod),
        "volumeMounts": [
            {"name": PLAN_VOLUME, "mountPath": PLAN_DIRECTORY, "readOnly": True},
            token_mount(),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # an emptyDir of the pod
        ],
        "resources": RESOURCES,
        "securityContext": restricted_security(),
    }


def _labels(run: EvaluationRun) -> dict[str, str]:
    return {**names.shared_labels("evaluator"), names.RUN: names.fit(run.metadata.name)}


def _metadata(run: EvaluationRun, name: str) -> dict[str, Any]:
    references = owner_references(run.metadata, "EvaluationRun")
    return {
        "name": name,
        "namespace": run.metadata.namespace,
        "labels": _labels(run),
        **({"ownerReferences": references} if references else {}),
    }
