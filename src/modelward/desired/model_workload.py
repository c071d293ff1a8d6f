"""The Deployment of a model server that Modelward runs, in parts that have different writers.

Server-side apply gives every field an owner, and the parts are owned apart, so that none can change another:

- `modelward-template` owns the pod template and the note of its hash, and applies them only when `gate` opens;
- `modelward` owns the frame around it: labels, selector, strategy; it is applied in every reconcile;
- `modelward-scale` owns the number of replicas.

A Deployment cannot exist without template and selector, so the first apply (`first`, by `modelward-template`) brings
everything. The frame then shares what it has in common, and `scale` the replicas; only after that may the template's
manager apply less, since a field that its last owner leaves out is removed: replicas would fall to one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from modelward.api.llmendpoint import LLMEndpoint, Template
from modelward.desired import names, template_edits
from modelward.desired.adoption import injected
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.model_template import pod_template, template_problem, users_text
from modelward.desired.ownership import child_metadata

PROGRESS_SECONDS = 3_600
"""Weights of hundreds of gigabytes take longer to load than the default of ten minutes."""
_HASH_LENGTH = 12


def frame(endpoint: LLMEndpoint) -> dict[str, Any]:
    """Return the Deployment without template and replicas; it can be applied at any time and restarts nothing."""
    name = endpoint.metadata.name
    return {
        **_identity(),
        "metadata": child_metadata(endpoint, names.model_workload(name), "model"),
        "spec": {
            "selector": {"matchLabels": names.selector(name, "model")},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "progressDeadlineSeconds": PROGRESS_SECONDS,
        },
    }


def template(endpoint: LLMEndpoint, installation: Installation) -> dict[str, Any]:
    """Return the Deployment's template with the note of its hash; it rolls the pods, so ask `gate` first."""
    return {
        **_identity(),
        "metadata": {**_key(endpoint), "annotations": {names.TEMPLATE_HASH: template_hash(endpoint)}},
        "spec": {"template": pod_template(endpoint, _template(endpoint), installation)},
    }


def first(endpoint: LLMEndpoint, installation: Installation, replicas: int | None) -> dict[str, Any]:
    """Return the whole Deployment for its creation by `modelward-template`; without replicas the server takes one."""
    outside, inside = frame(endpoint), template(endpoint, installation)
    count = {} if replicas is None else {"replicas": replicas}
    return {
        **_identity(),
        "metadata": {**outside["metadata"], **inside["metadata"]},
        "spec": {**outside["spec"], **count, **inside["spec"]},
    }


def scale(endpoint: LLMEndpoint, workload: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the replicas for `modelward-scale` to apply: the declared number, or None where none is declared.

    Replicas that only the creation owns are taken over as they are, with the resource version as precondition, since
    another writer may own them.
    """
    if (declared := endpoint.replicas_in_bounds) is not None:
        return {**_identity(), "metadata": _key(endpoint), "spec": {"replicas": declared}}
    if workload is None or not orphaned_replicas(workload):
        return None
    version = workload["metadata"]["resourceVersion"]
    return {
        **_identity(),
        "metadata": {**_key(endpoint), "resourceVersion": version},
        "spec": {"replicas": workload["spec"]["replicas"]},
    }


def orphaned_replicas(workload: Mapping[str, Any]) -> bool:
    """Return whether the next apply of the template would remove the replicas, because no other manager owns them."""
    owners = {
        entry.get("manager")
        for entry in workload["metadata"].get("managedFields") or ()
        if "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
    }
    return owners == {names.TEMPLATE_MANAGER}


def template_hash(endpoint: LLMEndpoint) -> str:
    """Return a hash over what the user wrote for the pods, and nothing else.

    Not over what we make of it: a new release, image or setting of ours must not look like a change of the user's.
    Defaults are left out, so that a field which a later version adds changes no hash.
    """
    canonical = json.dumps(written_for_pods(endpoint), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:_HASH_LENGTH]


def written_for_pods(endpoint: LLMEndpoint) -> dict[str, Any]:
    """Return what the user wrote for the pods, which the template's hash is made of."""
    collector = endpoint.spec.collector
    return {
        "template": _template(endpoint).model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
        ),
        "mode": endpoint.mode,
        "resources": collector.resources.wire() if collector.resources is not None else None,
        "drainSeconds": endpoint.spec.drain_seconds,
        "rolloutAt": endpoint.metadata.annotations.get(names.ROLLOUT_AT, ""),
    }


def gate(endpoint: LLMEndpoint, workload: Mapping[str, Any] | None) -> bool:
    """Return whether the template must be applied: the user wrote something else than what the workload runs."""
    if workload is None:
        return True
    annotations = workload["metadata"].get("annotations") or {}
    return bool(annotations.get(names.TEMPLATE_HASH) != template_hash(endpoint))


def note_lost(endpoint: LLMEndpoint, workload: Mapping[str, Any]) -> bool:
    """Return whether another writer removed the hash from a workload whose pods still are what the user wrote.

    To apply the template for that would restart them wherever it has become another by a newer release of ours.
    """
    if names.TEMPLATE_HASH in (workload["metadata"].get("annotations") or {}):
        return False
    if (endpoint.mode == "Sidecar") != injected(workload):
        return False
    pods = workload["spec"]["template"]["metadata"].get("annotations") or {}
    if pods.get(names.ROLLOUT_AT) != endpoint.metadata.annotations.get(names.ROLLOUT_AT):
        return False
    return not template_edits.differs(users_text(_template(endpoint)), workload)


def note(endpoint: LLMEndpoint) -> dict[str, Any]:
    """Return the note of the template's hash alone, for `modelward-note` to apply: it changes no pod."""
    metadata = {**_key(endpoint), "annotations": {names.TEMPLATE_HASH: template_hash(endpoint)}}
    return {**_identity(), "metadata": metadata}


def edited(endpoint: LLMEndpoint, workload: Mapping[str, Any]) -> list[str]:
    """Return what another writer has changed of the user's words in the pod template, which stays as it is."""
    if gate(endpoint, workload) or problem(endpoint) is not None:
        return []
    return template_edits.edited(users_text(_template(endpoint)), workload, names.TEMPLATE_MANAGER)


def problem(endpoint: LLMEndpoint) -> Finding | None:
    """Return what forbids to build the template."""
    return template_problem(endpoint, _template(endpoint))


def _template(endpoint: LLMEndpoint) -> Template:
    template = endpoint.spec.backend.template
    if template is None:
        raise ValueError(f"{endpoint.metadata.name} has no backend.template")
    return template


def _identity() -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment"}


def _key(endpoint: LLMEndpoint) -> dict[str, Any]:
    return {"name": names.model_workload(endpoint.metadata.name), "namespace": endpoint.metadata.namespace}
