"""What an object of a file would become in the cluster, asked of the API server by a dry run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelward.desired.finding import Finding
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from modelward.kube.kinds import Object, kind_of
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.reason import Reason

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"


@dataclass(frozen=True, slots=True)
class Applied:
    """An object before and after an apply; `untried` says why the server could not be asked, `after` is then a guess.

    Defaults, validation rules and webhooks of the server have been at `after`.
    """

    before: Object | None
    after: Object
    refused: Finding | None = None
    untried: str = ""


async def applied(client: Client, wanted: Object) -> Applied:
    """Ask what the object would become if this one was applied in the way in which it was last; writes nothing.

    A field that the file no longer has goes away only where kubectl or a field manager knows that it once set it.
    """
    kind, metadata = kind_of(wanted), wanted["metadata"]
    try:
        before = await client.find(kind, metadata["namespace"], metadata["name"])
    except Forbidden as error:
        return Applied(None, wanted, untried=f"not compared with the cluster: {error.message}")
    guess = merged(before, patch_of(before, wanted)) if before is not None else wanted
    try:
        after = await _dry_run(client, before, wanted)
    except ApiError as error:
        if isinstance(error, NotFound):
            return Applied(before, guess, untried=f"not checked by the API server: {error.message}")
        if isinstance(error, Invalid) or (isinstance(error, Forbidden | Conflict) and not lacks_right(error)):
            return Applied(before, guess, refused=Finding(_word(error), error.message))
        return Applied(before, guess, untried=f"not checked by the API server: {error.message}")
    return Applied(before, {"apiVersion": kind.api_version, "kind": kind.kind, **after})


def lacks_right(error: ApiError) -> bool:
    """Return whether it is the caller who may not do this, rather than a quota or a policy that refuses the object."""
    return isinstance(error, Forbidden) and (error.status == 401 or " cannot " in error.message)


def patch_of(live: Object, wanted: Object) -> dict[str, Any]:
    """Return the merge patch that `kubectl apply` would send: what differs, and null for what it once set."""
    note = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    before = json.loads(note) if note else {}
    patch = _patch(_written(before), _written(live), _written(wanted))
    return {name: value for name, value in patch.items() if value}


def merged(live: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with a JSON merge patch applied (RFC 7396)."""
    result = dict(live)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inside = result.get(name)
            result[name] = merged(inside if isinstance(inside, Mapping) else {}, value)
        else:
            result[name] = value
    return result


async def _dry_run(client: Client, before: Object | None, wanted: Object) -> Object:
    metadata = wanted["metadata"]
    manager = _applier(before)
    if before is not None and not manager and LAST_APPLIED in (before["metadata"].get("annotations") or {}):
        kind, patch = kind_of(wanted), patch_of(before, wanted)
        return await client.patch(
            kind, metadata["namespace"], metadata["name"], patch, manager=_KUBECTL, dry_run=True, strict=True
        )
    return await client.apply(_bare(wanted), manager or _KUBECTL, dry_run=True, strict=True)


def _applier(live: Object | None) -> str:
    """Return who applies the object's spec server-side (kubectl, a GitOps tool); empty where none does."""
    for entry in (live or {"metadata": {}})["metadata"].get("managedFields") or ():
        ours = str(entry.get("manager", "")).startswith("modelward")
        if entry.get("operation") == "Apply" and "f:spec" in (entry.get("fieldsV1") or {}) and not ours:
            return str(entry["manager"])
    return ""


def _bare(wanted: Object) -> Object:
    """Return the object without what a dump of a cluster has and an apply must not."""
    metadata = {name: value for name, value in wanted["metadata"].items() if name not in ("managedFields", "uid")}
    metadata.pop("resourceVersion", None)
    return {**{name: value for name, value in wanted.items() if name != "status"}, "metadata": metadata}


def _written(obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = obj.get("metadata") or {}
    named = {name: metadata.get(name) or {} for name in ("labels", "annotations")}
    return {"metadata": named, "spec": obj.get("spec") or {}}


def _patch(before: Mapping[str, Any], live: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {name: None for name in before if name in live and name not in wanted}
    for name, value in wanted.items():
        there, once = live.get(name), before.get(name)
        if isinstance(value, Mapping) and isinstance(there, Mapping):
            inside = _patch(once if isinstance(once, Mapping) else {}, there, value)
            if inside:
                patch[name] = inside
        elif name not in live or there != value:
            patch[name] = value
    return patch


def _word(error: ApiError) -> Reason:
    return AcceptedReason.INVALID_SPEC if isinstance(error, Invalid) else AcceptedReason.REFUSED
