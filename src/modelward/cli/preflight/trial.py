"""Tries a plan: asks the API server by dry runs what it would make of the children that may move pods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelward.cli.preflight.dry_run import lacks_right
from modelward.desired import names
from modelward.desired.children import Child
from modelward.desired.finding import Finding
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Forbidden, Invalid
from modelward.kube.kinds import DEPLOYMENT, Object, kind_of
from modelward.operator.endpoint.apply import name_taken, refused
from modelward.operator.endpoint.plan import EndpointPlan, label

MOVES_PODS = frozenset({names.TEMPLATE_MANAGER, names.ADOPT_MANAGER})


@dataclass(frozen=True, slots=True)
class Trial:
    """A child, what is there of it now, and what the API server answered to a dry run of its apply.

    `result` is None where nothing was tried; `untried` says why, if something should have been.
    """

    child: Child
    actual: Object | None
    result: Object | None = None
    refused: Finding | None = None
    untried: str = ""


async def tried(client: Client, todo: EndpointPlan, owner: dict[str, str], *, images_known: bool) -> tuple[Trial, ...]:
    """Try the children of a plan in order; without the images a gateway says nothing of whether it would roll."""
    trials: list[Trial] = []
    new: set[str] = set()
    for child in (*todo.apply, *todo.later):
        if label(child.obj) in new:
            continue  # the rest of what is about to be made: it cannot be tried before it is there
        trial = await _tried(client, child, owner, images_known=images_known)
        trials.append(trial)
        if trial.actual is None:
            new.add(label(child.obj))
    return tuple(trials)


async def _tried(client: Client, child: Child, owner: dict[str, str], *, images_known: bool) -> Trial:
    kind, metadata, named = kind_of(child.obj), child.obj["metadata"], label(child.obj)
    try:
        actual = await client.find(kind, metadata["namespace"], metadata["name"])
    except ApiError as error:
        return Trial(child, None, untried=f"{named} could not be read: {error.message}")
    wanted: dict[str, Any] = dict(child.obj)
    if actual is not None:
        actual = {"apiVersion": kind.api_version, "kind": kind.kind, **actual}
        if taken := name_taken(actual, child, owner):
            return Trial(child, actual, refused=taken)
        if not (child.manager in MOVES_PODS or (images_known and _is_gateway(child))):
            return Trial(child, actual)
        wanted["metadata"] = {**metadata, "uid": actual["metadata"]["uid"]}
    try:
        result = await client.apply(wanted, child.manager, dry_run=True, strict=True)
    except (Forbidden, Invalid) as error:
        if not lacks_right(error):
            return Trial(child, actual, refused=refused(named, error))
        return Trial(child, actual, untried=f"{named} was not tried: {error.message}")
    except ApiError as error:  # also where its namespace comes with the file, or the workload is only in the file
        return Trial(child, actual, untried=f"{named} was not tried: {error.message}")
    return Trial(child, actual, result)


def _is_gateway(child: Child) -> bool:
    return names.component(child.obj) == "gateway" and child.obj["kind"] == DEPLOYMENT.kind
