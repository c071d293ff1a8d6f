"""The rights that a chart grants, one by one: whom, by which role, which verb on what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource, granted to an account of the release's namespace through a role."""

    account: str
    role: str
    """Kind and name, such as `ClusterRole modelward`."""
    group: str
    resource: str
    """With the subresource, where there is one: `deployments/scale`."""
    verb: str
    name: str = ""
    """The one object that it is about; empty for all."""

    def __str__(self) -> str:
        what = ".".join(part for part in (self.resource, self.group) if part)
        return f"{self.account}: {self.verb} {what}{f' {self.name}' if self.name else ''} ({self.role})"


def grants(objects: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
    """Return what the bindings among the objects grant to ServiceAccounts, rule by rule."""
    known = list(objects)
    roles = {
        _key(one["kind"], one["metadata"]): one["rules"] for one in known if one["kind"] in ("Role", "ClusterRole")
    }
    bindings = [one for one in known if one["kind"] in ("RoleBinding", "ClusterRoleBinding")]
    return frozenset(
        right
        for binding in bindings
        for subject in binding["subjects"]
        for right in _rights(
            subject["name"],
            f"{binding['roleRef']['kind']} {binding['roleRef']['name']}",
            roles[_key(binding["roleRef"]["kind"], {**binding["metadata"], "name": binding["roleRef"]["name"]})],
        )
    )


def _key(kind: str, metadata: Mapping[str, Any]) -> tuple[str, str, str]:
    return kind, "" if kind == "ClusterRole" else str(metadata["namespace"]), str(metadata["name"])


def _rights(account: str, role: str, rules: Iterable[Mapping[str, Any]]) -> Iterator[Right]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    for name in rule.get("resourceNames", [""]):
                        yield Right(account, role, group, resource, verb, name)
