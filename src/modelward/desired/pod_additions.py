"""What evaluators need of the pod of their Job, as data; `scoring_job` puts it into the pod."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.desired.pod import restricted_security

SECRETS_DIRECTORY = "/etc/modelward/secrets"  # a path
_REQUESTS, _LIMITS = {"cpu": "100m", "memory": "256Mi"}, {"memory": "512Mi"}
_STARTED = {"periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 120}
"""An evaluator's container may load a model before it answers: it has four minutes."""


@dataclass(frozen=True, slots=True, order=True)
class SecretKey:
    """A key of a Secret of the run's namespace; only the Job's port reads it, and no scorer sees its value."""

    secret: str
    key: str


@dataclass(frozen=True, slots=True, order=True)
class Egress:
    """A host and port that the evaluator may ask; the Job's port asks no other."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SidecarContainer:
    """A container beside the scoring one, on 127.0.0.1 for it; without a token, and as restricted as ours.

    The scoring one starts when `started_path` of `port` has answered, where there is one. The kubelet asks for it at
    the pod's address, so the container listens on all of them. It can write to its own `/tmp`. `requests` and `limits`
    take the place of the usual ones.
    """

    name: str
    image: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    pull_policy: str = "IfNotPresent"
    port: int = 0
    started_path: str = ""
    requests: tuple[tuple[str, str], ...] = ()
    limits: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PodAdditions:
    """What a kind of evaluator adds to the pod; `|` unites two, and of two with one name the first stays.

    A kind keeps its names apart by what it puts into them, such as a digest of the evaluator's settings.
    """

    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[SecretKey, ...] = ()
    containers: tuple[SidecarContainer, ...] = ()
    egress: tuple[Egress, ...] = ()

    def __or__(self, other: PodAdditions) -> PodAdditions:
        """Unite what two evaluators of one run need."""
        containers = {one.name: one for one in (*other.containers, *self.containers)}
        return PodAdditions(
            env=tuple(sorted({**dict(other.env), **dict(self.env)}.items())),
            secrets=tuple(sorted({*self.secrets, *other.secrets})),
            containers=tuple(containers[name] for name in sorted(containers)),
            egress=tuple(sorted({*self.egress, *other.egress})),
        )


NOTHING = PodAdditions()
"""What evaluators need that score by themselves."""


def added(spec: Mapping[str, Any], additions: PodAdditions) -> dict[str, Any]:
    """Return a pod spec with the additions: variables and secrets for its first container, sidecars beside it.

    A Secret that is not there keeps no pod from starting: its evaluator fails alone, and reports it.
    """
    first, *others = spec["containers"]
    known = {one["name"] for one in first["env"]}
    env = [{"name": name, "value": value} for name, value in additions.env if name not in known]
    mounts = [
        {"name": volume["name"], "mountPath": f"{SECRETS_DIRECTORY}/{volume['secret']['secretName']}", "readOnly": True}
        for volume in _volumes(additions.secrets)
    ]
    first = {**first, "env": [*first["env"], *env], "volumeMounts": [*first["volumeMounts"], *mounts]}
    sidecars = [_sidecar(one) for one in additions.containers]
    return {
        **spec,
        "containers": [first, *others],
        "volumes": [*spec["volumes"], *_volumes(additions.secrets), *map(_scratch_volume, additions.containers)],
        **({"initContainers": [*spec.get("initContainers", ()), *sidecars]} if sidecars else {}),
    }


def _volumes(keys: Sequence[SecretKey]) -> list[dict[str, Any]]:
    by_secret: dict[str, list[str]] = {}
    for one in keys:
        by_secret.setdefault(one.secret, []).append(one.key)
    return [
        {
            "name": f"modelward-secret-{number}",
            "secret": {
                "secretName": secret,
                "items": [{"key": key, "path": key} for key in names],
                "optional": True,
            },
        }
        for number, (secret, names) in enumerate(by_secret.items())
    ]


def _sidecar(one: SidecarContainer) -> dict[str, Any]:
    probe = {"httpGet": {"path": one.started_path, "port": one.port}, **_STARTED} if one.started_path else None
    return {
        "name": one.name,
        "image": one.image,
        "imagePullPolicy": one.pull_policy,
        "restartPolicy": "Always",
        **({"args": list(one.args)} if one.args else {}),
        **({"env": [{"name": name, "value": value} for name, value in one.env]} if one.env else {}),
        **({"ports": [{"containerPort": one.port}]} if one.port else {}),
        **({"startupProbe": probe} if probe else {}),
        "volumeMounts": [{"name": _scratch(one), "mountPath": "/tmp"}],  # noqa: S108  # an emptyDir of its own
        "resources": _resources(dict(one.requests), dict(one.limits)),
        "securityContext": restricted_security(),
    }


def _resources(requests: Mapping[str, str], limits: Mapping[str, str]) -> dict[str, Any]:
    """Fill up what was written so that no request is above its limit, and memory always has a limit."""
    usual = {name: amount for name, amount in _REQUESTS.items() if name not in limits}
    memory = {"memory": requests.get("memory", _LIMITS["memory"])}
    return {"requests": {**usual, **requests}, "limits": {**memory, **limits}}


def _scratch(one: SidecarContainer) -> str:
    return f"{one.name}-tmp"


def _scratch_volume(one: SidecarContainer) -> dict[str, Any]:
    return {"name": _scratch(one), "emptyDir": {"sizeLimit": "256Mi"}}
