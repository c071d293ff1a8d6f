"""Asking the API server what a person may do: SubjectAccessReview, and with a person's own token SelfSubject…Review."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from modelward.api.base import GROUP
from modelward.api.person import Right
from modelward.hub.errors import HubError
from modelward.hub.people.individual import Individual
from modelward.hub.settings import ApiServer
from modelward.hub.tokens import unauthenticated

log = logging.getLogger(__name__)
CACHE_S = 60.0
CACHE_ENTRIES = 20_000
PARALLEL = 16
TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 256 << 10
ASKED: Mapping[Right, tuple[str, str, str]] = {
    "Numbers": ("get", "llmendpoints", ""),
    "Policies": ("get", "monitoringpolicies", ""),
    "Text": ("get", "llmendpoints", "exchanges"),
    "Label": ("create", "llmendpoints", "labels"),
    "Silence": ("create", "alertsilences", ""),
    "Audit": ("get", "llmendpoints", "audit"),
}
"""Verb, resource and subresource that stand for each right."""
_Key = tuple[str, str, Right]


@dataclass(slots=True)
class AccessReviews:
    """Decisions of the API server, each remembered for a minute at most.

    `namespaces` are those of a namespaced installation, where the hub may ask about these alone; none: about all.
    """

    api_server: ApiServer
    namespaces: tuple[str, ...] = ()
    clock: Callable[[], float] = time.monotonic
    _known: OrderedDict[_Key, tuple[float, bool]] = field(default_factory=OrderedDict)
    _named: OrderedDict[str, tuple[float, Individual]] = field(default_factory=OrderedDict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARALLEL))

    async def allows(self, person: Individual, right: Right, namespace: str) -> bool:
        """Return whether a person may; "" asks about all namespaces. HubError 503 when there is no answer."""
        if self.namespaces and namespace not in self.namespaces:
            return False
        key = (_identity(person), namespace, right)
        known = self._known.get(key)
        if known and self.clock() - known[0] < CACHE_S:
            return known[1]
        asked = self.clock()
        allowed = await self._ask(person, right, namespace)
        _keep(self._known, key, (asked, allowed))
        return allowed

    async def of_token(self, token: str) -> Individual:
        """Return whose token of the API server this is; HubError 401 when it is none."""
        digest = _digest(token)
        known = self._named.get(digest)
        if known and self.clock() - known[0] < CACHE_S:
            return known[1]
        asked = self.clock()
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self._post("/apis/authentication.k8s.io/v1/selfsubjectreviews", body, token)
        try:
            name = str(answer["status"]["userInfo"]["username"])[:512]
        except (KeyError, TypeError) as error:
            raise HubError(503, "AuthUnavailable", "the API server did not say whose token it is", 10) from error
        person = Individual(name, "Pasted", token=token)
        _keep(self._named, digest, (asked, person))
        return person

    async def _ask(self, person: Individual, right: Right, namespace: str) -> bool:
        verb, resource, subresource = ASKED[right]
        what = {"verb": verb, "group": GROUP, "resource": resource, "subresource": subresource}
        attributes = {**{name: value for name, value in what.items() if value}}
        if namespace:
            attributes["namespace"] = namespace
        spec: dict[str, Any] = {"resourceAttributes": attributes}
        path, kind, metadata = "/apis/authorization.k8s.io/v1", "SelfSubjectAccessReview", {}
        if person.source == "Pasted":
            path += "/selfsubjectaccessreviews"
        elif self.namespaces:
            kind, metadata, path = (
                "LocalSubjectAccessReview",
                {"namespace": namespace},
                (f"{path}/namespaces/{namespace}/localsubjectaccessreviews"),
            )
        else:
            kind, path = "SubjectAccessReview", f"{path}/subjectaccessreviews"
        if person.source != "Pasted":
            spec |= {"user": person.name, "groups": [*person.groups, "system:authenticated"]}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
        answer = await self._post(path, body, person.token if person.source == "Pasted" else "")
        status = answer.get("status")
        return isinstance(status, dict) and status.get("allowed") is True and status.get("denied") is not True

    async def _post(self, path: str, body: Mapping[str, Any], token: str) -> dict[str, Any]:
        """Ask the API server, as the hub or with a person's token; HubError 401 where that is not valid, else 503."""
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else await self.api_server.headers()
            headers["Content-Type"] = "application/json"
            context = await asyncio.to_thread(self.api_server.tls)
            async with (
                self._turns,
                asyncio.timeout(TIMEOUT_S),
                aiohttp.ClientSession(headers=headers) as session,
                session.post(self.api_server.url + path, data=orjson.dumps(body), ssl=context) as response,
            ):
                answer = await response.content.read(_MAX_ANSWER_BYTES)
                status = response.status
            found = orjson.loads(answer) if status < 300 else {}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.error("review failed path=%s cause=%s: %r", path, type(error).__name__, str(error)[:200])
            raise HubError(503, "AuthUnavailable", "the API server could not be asked; try again", 10) from error
        if status == 401 and token:
            raise unauthenticated("the API server does not know this token")
        if status >= 300 or not isinstance(found, dict):
            log.error("review refused path=%s status=%d", path, status)
            raise HubError(503, "AuthUnavailable", f"the API server answered {status} to a review", 10)
        return found


def _identity(person: Individual) -> str:
    """Return what decisions hold for: the same name with other groups, or with another token, is asked about anew."""
    return _digest("\0".join((person.source, person.name, person.token, *sorted(person.groups))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _keep(known: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > CACHE_ENTRIES:
        known.popitem(last=False)
