"""The check of `modelward doctor` on admission: who has a say on what the operator, and its users, write?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelward.api.objects import KubeObject
from modelward.cli.cluster.reading import Unread
from modelward.cli.cluster.rights import OWN_RIGHTS, RIGHTS
from modelward.cli.doctor.observed import InstallationFacts
from modelward.cli.doctor.remark import Remark
from modelward.kube.kinds import OWN_KINDS

_OPERATIONS = {"create": "CREATE", "patch": "UPDATE", "update": "UPDATE", "delete": "DELETE"}
_UNIMPORTANT = frozenset({"events"})
_SHOWN = 4

Write = tuple[str, str, str]
"""API group, resource with its subresource, operation; as rules of admission name them."""


def admission(seen: InstallationFacts) -> Iterator[Remark]:
    """Who decides beside us? What fails closed and is away keeps the operator from writing, and pods from starting."""
    unread = {kind: objects.why for kind, objects in seen.admission.items() if isinstance(objects, Unread)}
    if unread:
        what = f"{', '.join(unread)}: {next(iter(unread.values()))}"
        yield Remark("NotRead", "admission", what, "modelward doctor, with an account that may read them")
    for kind, objects in seen.admission.items():
        for obj in objects if not isinstance(objects, Unread) else ():
            said = _webhooks(obj) if "webhooks" in obj else _policy(obj)
            if said:
                yield Remark("Notice", "admission", said, f"kubectl describe {kind} {obj['metadata']['name']}")


def _webhooks(obj: KubeObject) -> str:
    """Say what webhooks decide on, and what happens while they are away; empty where that is nothing of ours."""
    parts = [(one, found) for one in obj["webhooks"] if (found := _resources(one.get("rules") or ()))]
    if not parts:
        return ""
    names = ", ".join(one["name"] for one, _ in parts[:_SHOWN])
    resources = _listed(dict.fromkeys(name for _, found in parts for name in found))
    closed = any(one.get("failurePolicy", "Fail") == "Fail" for one, _ in parts)
    fails = "failurePolicy Fail: while it is away nothing of that is written" if closed else "failurePolicy Ignore"
    return f"{obj['kind']} {obj['metadata']['name']} decides on {resources} ({names}); {fails}"


def _policy(obj: KubeObject) -> str:
    """Say what a policy has a say on; the API server itself carries it out, so that it is never away."""
    match = (obj.get("spec") or {}).get("matchConstraints") or {}
    found = _resources(match.get("resourceRules") or (), match.get("excludeResourceRules") or ())
    if not found:
        return ""
    does = "changes" if obj["kind"].startswith("Mutating") else "may refuse"
    return f"{obj['kind']} {obj['metadata']['name']} {does} {_listed(found)}, as its rules say"


def _listed(resources: Iterable[str]) -> str:
    names = list(resources)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _resources(rules: Iterable[Mapping[str, Any]], excluded: Iterable[Mapping[str, Any]] = ()) -> dict[str, None]:
    """Return what is ours to write among what the rules name, without doubles and in our order."""
    rules, excluded = list(rules), list(excluded)
    return dict.fromkeys(
        write[1]
        for write in WRITES
        if any(_names(rule, write) for rule in rules) and not any(_names(rule, write) for rule in excluded)
    )


def _names(rule: Mapping[str, Any], write: Write) -> bool:
    group, path, operation = write
    resource, _, subresource = path.partition("/")
    wide = {"*/*", f"*/{subresource}", f"{resource}/*"} if subresource else {"*", "*/*"}
    return bool(
        {group, "*"} & set(rule.get("apiGroups") or ())
        and {path, *wide} & set(rule.get("resources") or ())
        and {operation, "*"} & set(rule.get("operations") or ())
    )


def _writes() -> Iterator[Write]:
    """Yield what the operator writes, what its users declare, and the pods that come of both."""
    yield "", "pods", "CREATE"
    for place, verbs in RIGHTS.items():
        group, _, path = place.partition("/")
        if path not in _UNIMPORTANT:
            yield from ((group, path, _OPERATIONS[verb]) for verb in verbs.split() if verb in _OPERATIONS)
    for kind in OWN_KINDS:
        yield from ((kind.group, kind.plural, operation) for operation in ("CREATE", "UPDATE"))
    for own in OWN_RIGHTS:
        if own["verb"] in _OPERATIONS:
            yield own["group"], own["resource"], _OPERATIONS[own["verb"]]


WRITES: tuple[Write, ...] = tuple(dict.fromkeys(_writes()))
