"""What was asked of the API server, read from its audit log, and how that compares with what the chart grants."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chart_grants import Right

EVERYBODYS = frozenset(
    {
        "system:discovery",
        "system:basic-user",
        "system:public-info-viewer",
        "system:service-account-issuer-discovery",
    }
)
"""Roles that Kubernetes binds every account to: which kinds there are, who am I, how are tokens verified."""
_BY = re.compile(r'^RBAC: allowed by (?:Cluster)?RoleBinding "[^"]+" of (Cluster)?Role "([^"]+)"')
_RBAC = "rbac.authorization.k8s.io"
_KNOWN_AFTER = timedelta(seconds=2)
"""How long the authorizer may take to see a binding that was just made."""
_LACKS_RIGHT = ("cannot set an ownerRef", "cannot set blockOwnerDeletion")
"""Refusals of admission (OwnerReferencesPermissionEnforcement) for lack of a right that no request names."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request and its answer; `at` is when it was answered, `role` by which right it was let through."""

    at: datetime
    user: str
    verb: str
    group: str
    resource: str
    """With the subresource; empty where a path was asked for, such as `/apis`."""
    namespace: str
    name: str
    code: int
    allowed: bool
    role: str
    message: str

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.resource, self.name) if part)
        return f"{self.at:%H:%M:%S} {self.user} {self.verb} {where}: {self.code} {self.message}"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Whose requests are looked at: accounts of the release's namespace, and those made in users' namespaces."""

    system: str
    made_elsewhere: frozenset[str]

    def ours(self, request: Request) -> str:
        """Return the account's name if it is one of the release's own, else an empty text."""
        prefix = f"system:serviceaccount:{self.system}:"
        return request.user.removeprefix(prefix) if request.user.startswith(prefix) else ""

    def elsewhere(self, request: Request) -> bool:
        """Return whether it came from an account that the operator made for its pods in a user's namespace."""
        return request.user.startswith("system:serviceaccount:") and request.user.split(":")[3] in self.made_elsewhere


def read(log: Path, since: datetime) -> list[Request]:
    """Return what service accounts asked, and who changed roles and bindings, since then; rotated files come first.

    Raises ValueError where the log was rotated away before it was read.
    """
    files = [*sorted(log.parent.glob(f"{log.stem}-*{log.suffix}")), log]
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    requests = [found for line in lines if _concerns(line) and (found := parsed(line)) is not None]
    if len(files) > 2 and requests and requests[0].at > since:
        raise ValueError(f"{files[0].name} begins at {requests[0].at}, and {since} was asked for")
    return [request for request in requests if request.at >= since]


def _concerns(line: str) -> bool:
    return '"username":"system:serviceaccount:' in line or f'"apiGroup":"{_RBAC}"' in line


def parsed(line: str) -> Request | None:
    """Return the request of one audit event; None for a line that was cut off by the end of the server."""
    try:
        event = json.loads(line)
    except json.JSONDecodeError:
        return None
    place: dict[str, Any] = event.get("objectRef") or {}
    status: dict[str, Any] = event.get("responseStatus") or {}
    notes: dict[str, str] = event.get("annotations") or {}
    by = _BY.match(notes.get("authorization.k8s.io/reason", ""))
    return Request(
        at=datetime.strptime(event["stageTimestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC),
        user=str(event["user"]["username"]),
        verb=str(event["verb"]),
        group=str(place.get("apiGroup", "")),
        resource="/".join(part for part in (place.get("resource"), place.get("subresource")) if part),
        namespace=str(place.get("namespace", "")),
        name=str(place.get("name", "")),
        code=int(status.get("code", 0)),
        allowed=notes.get("authorization.k8s.io/decision") == "allow",
        role=f"{by.group(1) or ''}Role {by.group(2)}" if by else "",
        message=str(status.get("message", "")),
    )


def unused(granted: Iterable[Right], requests: Iterable[Request], accounts: Accounts) -> list[Right]:
    """Return the rights that no request was let through by."""
    used = {(accounts.ours(request), request.role, *what) for request in requests for what in _exercised(request)}
    return sorted(
        right
        for right in granted
        if not any(
            (right.account, right.role, right.group, right.resource, right.verb) == use[:5]
            and right.name in ("", use[5])
            for use in used
        )
    )


def _exercised(request: Request) -> Iterator[tuple[str, str, str, str]]:
    """Yield (group, resource, verb, name); an apply that made the object was checked for both verbs."""
    yield request.group, request.resource, request.verb, request.name
    if request.verb == "patch" and request.code == 201:
        yield request.group, request.resource, "create", request.name


def beyond(granted: Iterable[Right], requests: Iterable[Request], accounts: Accounts) -> list[Request]:
    """Return requests of ours that a role let through which neither the chart made nor everybody has."""
    roles = {right.role for right in granted} | {f"ClusterRole {name}" for name in EVERYBODYS}
    return [request for request in requests if accounts.ours(request) and request.allowed and request.role not in roles]


def lacking(requests: Sequence[Request], accounts: Accounts) -> list[Request]:
    """Return requests of ours that failed for lack of a right while the release's roles and bindings stood.

    Quotas, policies and namespaces that are going answer 403 as well, but to requests that were allowed.
    """
    gaps = list(_gaps(requests, accounts.system))
    return [
        request
        for request in requests
        if accounts.ours(request)
        and (not request.allowed or any(word in request.message for word in _LACKS_RIGHT))
        and not any(begin <= request.at <= end for begin, end in gaps)
    ]


def _gaps(requests: Iterable[Request], system: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times without some role or binding of ours: uninstalling takes them before the pods have ended."""
    gone: datetime | None = None
    for request in requests:
        if request.code >= 400 or not _about_ours(request, system):
            continue
        if request.verb.startswith("delete"):
            gone = gone or request.at
        elif gone is not None and request.verb in ("create", "patch", "update"):
            yield gone, request.at + _KNOWN_AFTER
            gone = None
    if gone is not None:
        yield gone, datetime.max.replace(tzinfo=UTC)


def _about_ours(request: Request, system: str) -> bool:
    if request.group != _RBAC or request.namespace not in ("", system):
        return False
    whole_namespace = request.verb == "deletecollection" and bool(request.namespace)
    return whole_namespace or request.name.startswith("modelward")
