"""What Jobs that score have in common: the pod of the evaluator's image, with a plan that it mounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelward.api.base import ObjectMeta
from modelward.api.collector_config import HUB_CA_FILE_NAME
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
from modelward.desired.pod_additions import PodAdditions, added

PLAN_FILE = "plan.json"
PLAN_VOLUME = "modelward-plan"
PLAN_DIRECTORY = "/etc/modelward/run"
KEEP_SECONDS = 3_600
RESOURCES = {"requests": {"cpu": "100m", "memory": "384Mi"}, "limits": {"memory": "768Mi"}}


@dataclass(frozen=True, slots=True)
class MountedMap:
    """A ConfigMap that the pod mounts, whether or not it is there."""

    volume: str
    directory: str
    config_map: str

    @property
    def source(self) -> dict[str, Any]:
        """What the volume is filled from."""
        return {"name": self.config_map, "optional": True}


@dataclass(frozen=True, slots=True)
class ScoringJob:
    """A Job with what is its own; `plan_map` is the ConfigMap of its plan, `command` reads the plan."""

    metadata: dict[str, Any]
    container: str
    command: tuple[str, ...]
    plan_map: str
    retries: int
    deadline_s: int
    mounted: tuple[MountedMap, ...] = ()

    def manifest(self, installation: Installation, additions: PodAdditions) -> dict[str, Any]:
        """Return the Job. A pod that a node drain took does not count as a failure."""
        disruption = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
        labels = self.metadata["labels"]
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": self.metadata,
            "spec": {
                "backoffLimit": self.retries,
                "activeDeadlineSeconds": self.deadline_s,
                "ttlSecondsAfterFinished": KEEP_SECONDS,
                "podFailurePolicy": {"rules": [disruption]},
                "template": {
                    "metadata": settled_metadata(installation.pod, labels, {"sidecar.istio.io/inject": "false"}),
                    "spec": settled_spec(added(self._pod_spec(installation), additions), installation.pod),
                },
            },
        }

    def _pod_spec(self, installation: Installation) -> dict[str, Any]:
        return {
            "serviceAccountName": names.EVALUATE_ACCOUNT,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "containers": [self._container(installation)],
            "volumes": [
                {"name": PLAN_VOLUME, "configMap": {"name": self.plan_map}},
                *({"name": one.volume, "configMap": one.source} for one in self.mounted),
                token_volume(),
                {"name": "tmp", "emptyDir": {}},
            ],
        }

    def _container(self, installation: Installation) -> dict[str, Any]:
        return {
            "name": self.container,
            "image": installation.evaluator_image,
            "imagePullPolicy": "IfNotPresent",
            "args": [*self.command, "--plan", f"{PLAN_DIRECTORY}/{PLAN_FILE}"],
            "env": environment(installation.pod),
            "volumeMounts": [
                {"name": PLAN_VOLUME, "mountPath": PLAN_DIRECTORY, "readOnly": True},
                *({"name": one.volume, "mountPath": one.directory, "readOnly": True} for one in self.mounted),
                token_mount(),
                {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # an emptyDir of the pod
            ],
            "resources": RESOURCES,
            "securityContext": restricted_security(),
        }


def plan_map(metadata: dict[str, Any], plan: str, installation: Installation) -> dict[str, Any]:
    """Return the ConfigMap that the Job mounts: its plan, as JSON, and the hub's certificate authority."""
    data = {PLAN_FILE: plan}
    if installation.hub_ca_pem:
        data[HUB_CA_FILE_NAME] = installation.hub_ca_pem
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def scoring_metadata(owner: ObjectMeta, kind: str, name: str, label: str) -> dict[str, Any]:
    """Return the metadata of a child of an object of this kind, which a label of this name names."""
    references = owner_references(owner, kind)
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": {**names.shared_labels("evaluator"), label: names.fit(owner.name)},
        **({"ownerReferences": references} if references else {}),
    }
