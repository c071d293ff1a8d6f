"""What goes over the wire between an operator and the API server, as the proxy records it and rules select it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?(?:/(?P<plural>[^/]+))?(?:/(?P<name>[^/]+))?(?:/(?P<subresource>[^/]+))?$"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request: when it came (seconds of the monotonic clock) and what it asks for, taken from its path."""

    number: int
    at_s: float
    method: str
    path: str
    query: Mapping[str, str]
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)

    @property
    def verb(self) -> str:
        """`get`, `list`, `watch`, `create`, `apply`, `patch`, `update` or `delete`."""
        if self.method == "GET":
            if self.query.get("watch") in ("true", "1"):
                return "watch"
            return "get" if self._part("name") else "list"
        return "apply" if "apply-patch" in self.content_type else _VERBS.get(self.method, self.method.lower())

    @property
    def writes(self) -> bool:
        """Whether it changes an object; a dry run does not."""
        return self.method != "GET" and "dryRun" not in self.query

    @property
    def plural(self) -> str:
        """The resource, such as `deployments`; empty for discovery and the like."""
        return self._part("plural")

    @property
    def namespace(self) -> str:
        """The namespace, empty where the request is for all or for none."""
        return self._part("namespace")

    @property
    def name(self) -> str:
        """The object's name, empty for a collection."""
        return self._part("name")

    @property
    def subresource(self) -> str:
        """`status`, `scale`, or empty."""
        return self._part("subresource")

    def _part(self, name: str) -> str:
        found = _PATH.match(self.path)
        return (found.group(name) or "") if found else ""

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.plural, self.name, self.subresource) if part)
        return f"{self.verb} {where or self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request that is no watch."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    """After so many bytes of the body the connection is closed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request and what became of it: the API server's status (0 if it never got there), the client's (0: none)."""

    call: Call
    committed: int
    answered: int
    fault: str = ""


Match = Callable[[Call], bool]
Event = dict[str, Any]
"""One event of a watch: `type` and `object`."""


def every(call: Call) -> bool:
    """Match all requests."""
    return True


def writing(call: Call) -> bool:
    """Match what changes an object, but for Events and Leases."""
    return call.writes and call.plural not in ("events", "leases")


def of(*plurals: str, verb: str | None = None, name: str | None = None, namespace: str | None = None) -> Match:
    """Match requests for these resources, of one verb, object or namespace where given."""

    def match(call: Call) -> bool:
        wanted = ((verb, call.verb), (name, call.name), (namespace, call.namespace))
        return call.plural in plurals and all(given in (None, found) for given, found in wanted)

    return match
