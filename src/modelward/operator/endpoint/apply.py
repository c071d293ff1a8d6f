"""Puts child objects in place: only what is absent or already ours, and only where something differs."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.desired import names
from modelward.desired.children import Child, is_rehearsal
from modelward.desired.finding import Finding
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound
from modelward.kube.kinds import DEPLOYMENT, GROUP, NETWORK_POLICY, SERVICE_ACCOUNT, Kind, Object, kind_of
from modelward.operator.endpoint.displaced import put_back
from modelward.operator.endpoint.plan import FULLY_MANAGED, due, label, to_apply
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.runtime.context import Context
from modelward.reasons.accepted import AcceptedReason

log = logging.getLogger(__name__)

_IDENTITY = frozenset({"apiVersion", "kind", "metadata"})
_UNWATCHED = frozenset({SERVICE_ACCOUNT, NETWORK_POLICY})
"""Kinds of which the store would keep for ever what it was once shown."""
_BELIEVED_S = 60.0
"""How long what was read of such an object is believed: what another writer does to it is undone after that."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A child that could not be put in place, in the words of a condition; `child` names it."""

    child: str
    finding: Finding
    of_rehearsal: bool = False
    """Whether it keeps only the rehearsal of an adoption from being made."""


_DENIED = re.compile("denied (the )?request")
"""In the words of admission policies and of webhooks."""
_MOVING_PODS = frozenset({names.TEMPLATE_MANAGER, names.ADOPT_MANAGER, names.SCALE_MANAGER})
"""Managers whose writes may restart or end pods, and so must not come late to a workload that has changed since."""
_NO_VERSION = "1"
"""The version of etcd when it is empty, which no object can have: applied with it an object is made, or is a Conflict.

A read that shows the past calls absent what is there, and a forced apply would silently take it over.
"""


class ChildWriter:
    """Writes children through the port and keeps the store in step with what was written."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.monotonic
        self._found: dict[tuple[Kind, str, str], tuple[float, Object]] = {}
        """What the server had of each unwatched object, which endpoints share, and until when that counts."""

    async def write(
        self, children: Sequence[Child], owner: Mapping[str, Any], basis: Precondition | None = None
    ) -> tuple[Problem, ...]:
        """Write what differs, in order; what is refused becomes a problem and the rest goes on.

        But where the server cannot make sense of a pod template, nothing is written: half of a wrong spec is no spec.
        Raises Conflict where an object was replaced between our read and our write, or the basis is not what it was,
        and every other ApiError: the next try decides again, and nothing is wrong with what the user wrote.
        """
        problems = await self._senseless(children, owner, basis)
        for child in () if problems else children:
            if label(child.obj) in problems:
                continue  # the other parts of an object say nothing without the one that was refused
            problem = await self._write(child, owner, basis)
            if problem is not None:
                problems[problem.child] = problem
        return tuple(problems.values())

    async def _senseless(
        self, children: Sequence[Child], owner: Mapping[str, Any], basis: Precondition | None
    ) -> dict[str, Problem]:
        """Try by dry run what carries a pod template that the user had a hand in; return what is invalid, by child."""
        workloads = [child for child in children if child.obj["kind"] == DEPLOYMENT.kind]  # a Job's is all our own
        templates = [_whole(child, children) for child in workloads if "template" in child.obj.get("spec", ())]
        found = [await self._write(child, owner, basis, dry_run=True) for child in templates]
        return {
            one.child: one for one in found if one is not None and one.finding.reason == AcceptedReason.INVALID_TEMPLATE
        }

    async def _current(self, child: Child, kind: Kind) -> Object | None:
        """Return the object as the store has it, else as the server has it: the store knows only what is labelled.

        Raises Conflict where a workload to adopt is gone: the store has all of them, and we make none.
        """
        metadata = child.obj["metadata"]
        place = (metadata["namespace"], metadata["name"])
        if kind in _UNWATCHED:
            return await self._unwatched(child, kind)
        known = self._context.store.get(kind, *place)
        if known is None and child.manager == names.ADOPT_MANAGER:
            raise Conflict(409, "Conflict", f"{kind.kind} {metadata['name']} went away")
        return known or await self._as_it_is(child, kind)

    async def _unwatched(self, child: Child, kind: Kind) -> Object | None:
        """Return what the server has, or had within a minute: endpoints of a namespace share such an object."""
        key = (kind, child.obj["metadata"]["namespace"], child.obj["metadata"]["name"])
        until_s, known = self._found.get(key, (0.0, None))
        if known is None or until_s < self._clock():
            known = await self._as_it_is(child, kind)
            self._found.pop(key, None)
            if known is not None:
                self._found[key] = (self._clock() + _BELIEVED_S, known)
        return known

    async def _as_it_is(self, child: Child, kind: Kind) -> Object | None:
        """Return the object as the server has it.

        Raises Conflict where pods would move and the store knew less: what is to be written was decided by that.
        """
        metadata = child.obj["metadata"]
        found = await self._context.client.find(kind, metadata["namespace"], metadata["name"])
        if found is not None and child.manager in _MOVING_PODS and self._context.store.put(kind, found):
            raise Conflict(409, "Outdated", f"{kind.kind} {metadata['name']} exists in a state that was not known")
        return found

    async def _write(
        self, child: Child, owner: Mapping[str, Any], basis: Precondition | None, *, dry_run: bool = False
    ) -> Problem | None:
        kind, named = kind_of(child.obj), label(child.obj)
        try:
            actual = await self._current(child, kind)
            if name_taken(actual, child, owner):  # the store may be behind, and knows not who wrote each field
                actual = await self._as_it_is(child, kind)
            if taken := name_taken(actual, child, owner):
                return Problem(named, taken, is_rehearsal(child))
            if not due(child, actual):
                return None
            if basis is not None:
                await basis.confirm()
            wanted = meant_for(actual, to_apply(child), as_seen=child.manager in _MOVING_PODS)
            restored = _restored(actual, wanted) if actual is not None and child.manager in FULLY_MANAGED else None
            if dry_run:
                if restored is None:  # else an apply would stumble over what another writer displaced, until it is back
                    await self._context.client.apply(wanted, child.manager, strict=True, dry_run=True)
                return None
            if restored is not None:
                place = (wanted["metadata"]["namespace"], wanted["metadata"]["name"])
                await self._context.client.patch(kind, *place, restored, manager=child.manager)
            await self._apply(kind, wanted, child.manager, named)
        except (Forbidden, Invalid, NotFound) as error:
            return Problem(named, refused(named, error), is_rehearsal(child))
        return None

    async def _apply(self, kind: Kind, wanted: Object, manager: str, named: str) -> None:
        result = await self._context.client.apply(wanted, manager, strict=True)
        if kind in _UNWATCHED:
            self._found.pop((kind, wanted["metadata"]["namespace"], wanted["metadata"]["name"]), None)
        else:
            self._context.store.put(kind, result)
        metadata = result["metadata"]
        log.info(
            "applied=%s namespace=%s manager=%s resource_version=%s",
            named,
            metadata["namespace"],
            manager,
            metadata["resourceVersion"],
        )


_RENAME = "give the LLMEndpoint another name"
_REMEDY: Mapping[str, str] = {
    "Service": "set spec.service.name to another name",
    "Deployment": "give the LLMEndpoint another name, or adopt the Deployment with backend.workloadRef",
    "ServiceAccount": "remove it or label it app.kubernetes.io/managed-by: modelward",
    "Job": "make another EvaluationRun",
}


def _whole(part: Child, children: Sequence[Child]) -> Child:
    """Return a part with what other parts say of its object: alone it may lack what only they still say of it."""
    specs = [child.obj.get("spec", {}) for child in children if label(child.obj) == label(part.obj)]
    spec = {key: value for each in specs for key, value in each.items()}
    return Child({**part.obj, "spec": {**spec, **part.obj["spec"]}}, part.manager)


def _restored(actual: Object, wanted: Object) -> Object | None:
    """Return a patch that undoes changed keys of items of ours, which an apply would only add to; None without any."""
    body = {part: actual[part] for part in actual.keys() & wanted.keys() - _IDENTITY}
    restored = put_back(body, wanted)
    if restored == body:
        return None
    return {**restored, "metadata": {"resourceVersion": actual["metadata"]["resourceVersion"]}}


def meant_for(actual: Object | None, wanted: Object, *, as_seen: bool) -> Object:
    """Return what is to be applied so that it is a Conflict on any other object, or on this one if it changed since.

    The Lease keeps an old leader from sending anything; what it sent in time may still arrive long after. The version
    that `wanted` was computed from stays, where it has one.
    """
    if actual is None:
        meant = {"resourceVersion": _NO_VERSION}
    else:
        meant = {key: actual["metadata"][key] for key in (("uid", "resourceVersion") if as_seen else ("uid",))}
    return {**wanted, "metadata": {**meant, **wanted["metadata"]}}


def name_taken(actual: Object | None, child: Child, owner: Mapping[str, Any]) -> Finding | None:
    """Return why a child cannot be written where an object of its name is; None where it can."""
    if actual is None or _ours(actual, child, owner):
        return None
    if (former := _former_owner(actual, owner)) is not None:
        left = f"{label(actual)} is of the {former['kind']} {former['name']} that was deleted"
        return Finding(AcceptedReason.NAME_TAKEN, f"{left}, and is recreated when Kubernetes has removed it")
    remedy = _REMEDY.get(actual["kind"], _RENAME)
    return Finding(AcceptedReason.NAME_TAKEN, f"{label(actual)} exists and is not ours; {remedy}")


def _former_owner(actual: Object, owner: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the reference to an object of ours that had the owner's name before; its children go by themselves."""
    references = actual["metadata"].get("ownerReferences", ())
    ours = (reference for reference in references if reference["apiVersion"].startswith(f"{GROUP}/"))
    return next((reference for reference in ours if reference["name"] == owner.get("name")), None)


def _ours(actual: Object, child: Child, owner: Mapping[str, Any]) -> bool:
    """Return whether we may write to an object that is there.

    Forced apply silently takes over whatever it is pointed at, so ownership is checked first: by our label for what
    endpoints share; a workload that we adopt is named by the user and stays its owner's; all else by the owner's uid,
    which parts of an object do not carry themselves.
    """
    metadata = actual["metadata"]
    if actual["kind"] == SERVICE_ACCOUNT.kind:
        return metadata.get("labels", {}).get(names.MANAGED_BY) == "modelward" or _abandoned(actual, child)
    if child.manager == names.ADOPT_MANAGER:
        return True
    references = metadata.get("ownerReferences", ())
    return any(reference["uid"] == owner["uid"] for reference in references) or _abandoned(actual, child)


def _abandoned(actual: Object, child: Child) -> bool:
    """Return whether we made an object whose mark another writer removed, without giving it another owner.

    That we made it stands in its managedFields, never there by accident; labels of ours that are left must not
    name another endpoint.
    """
    metadata = actual["metadata"]
    if any(reference.get("controller") for reference in metadata.get("ownerReferences", ())):
        return False
    ours = {names.FRAME_MANAGER, names.TEMPLATE_MANAGER}
    applied = {entry["manager"] for entry in metadata.get("managedFields", ()) if entry["operation"] == "Apply"}
    wanted = child.obj["metadata"].get("labels", {})
    left = {key: value for key, value in metadata.get("labels", {}).items() if key in (names.ENDPOINT, names.RUN)}
    return bool(applied & ours) and all(wanted.get(key, value) == value for key, value in left.items())


def refused(named: str, error: ApiError) -> Finding:
    """Return a refusal of the API server in the words of a condition.

    A ValidatingAdmissionPolicy answers 422 as if the object were wrong, but nothing is wrong with what the user wrote.
    """
    if isinstance(error, Invalid) and named.startswith("Deployment ") and not _DENIED.search(error.message):
        return Finding(AcceptedReason.INVALID_TEMPLATE, f"{named}: {error.message}"[:900])
    return Finding(AcceptedReason.REFUSED, f"{named}: {error.message}"[:900])
