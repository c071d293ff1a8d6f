"""The Job that tells a team's own receivers: it mounts the team's Secrets, which the operator may not read."""

from __future__ import annotations

import json
from typing import Any

from modelward.api.notify_plan import NotifyPlan, notify_plan_to_json
from modelward.desired import names
from modelward.desired.installation import Installation
from modelward.desired.pod import environment, restricted_security, settled_metadata, settled_spec
from modelward.desired.pod_additions import PodAdditions, SecretKey, added

PLAN_ANNOTATION = "modelward.dev/notify-plan"
"""On the Job's pod, which reads it as a file: so there is no second object that could be missing or left behind."""
MAX_PLAN_BYTES = 200_000
"""Of the 256 KiB that all annotations of an object may have."""
DEADLINE_SECONDS = 180
KEEP_SECONDS = 600
_DIRECTORY = "/etc/modelward/notify"
_FILE = "plan.json"
_RESOURCES = {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}


def plan_text(plan: NotifyPlan) -> str:
    """Return a plan as the Job reads it."""
    return json.dumps(notify_plan_to_json(plan), sort_keys=True, separators=(",", ":"))


def notify_job(
    name: str, plan: NotifyPlan, secrets: tuple[SecretKey, ...], installation: Installation
) -> dict[str, Any]:
    """Return the Job. It is tried once: what failed is due again, and goes with what else is due by then.

    A Secret that is not there keeps no pod from starting: its receiver fails alone, and says so.
    """
    labels = {**names.shared_labels("notifier"), names.NOTIFY: name}
    annotations = {"sidecar.istio.io/inject": "false", PLAN_ANNOTATION: plan_text(plan)}
    spec = added(_pod_spec(installation), PodAdditions(secrets=secrets))
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": plan.namespace, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "template": {
                "metadata": settled_metadata(installation.pod, labels, annotations),
                "spec": settled_spec(spec, installation.pod),
            },
        },
    }


def _pod_spec(installation: Installation) -> dict[str, Any]:
    field = {"fieldPath": f"metadata.annotations['{PLAN_ANNOTATION}']"}
    return {
        "serviceAccountName": names.NOTIFY_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "containers": [
            {
                "name": "notify",
                "image": installation.evaluator_image,
                "imagePullPolicy": "IfNotPresent",
                "args": ["notify", "--plan", f"{_DIRECTORY}/{_FILE}"],
                "env": environment(installation.pod),
                "volumeMounts": [
                    {"name": "modelward-plan", "mountPath": _DIRECTORY, "readOnly": True},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # an emptyDir of the pod
                ],
                "resources": _RESOURCES,
                "securityContext": restricted_security(),
            }
        ],
        "volumes": [
            {"name": "modelward-plan", "downwardAPI": {"items": [{"path": _FILE, "fieldRef": field}]}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
