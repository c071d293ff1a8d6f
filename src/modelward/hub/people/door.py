"""Lets a person to what the person may see, says of the rest that it is not there, and notes who tried to read text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from aiohttp import web

from modelward.api.person import Right
from modelward.hub.admission import person_of
from modelward.hub.audit import AuditLog, AuditRecord, Verb
from modelward.hub.errors import HubError, bad_request
from modelward.hub.layout import is_endpoint
from modelward.hub.people.individual import Individual
from modelward.hub.people.reviews import ASKED
from modelward.hub.people.rights import PeopleRights

REFUSED_AGAIN_MS = 60_000
"""The same refusal again is no news so soon: else whoever is refused could push the records of others out."""
_REMEMBERED = 10_000
_PLAIN = frozenset({"from", "to", "flagged", "status", "slower", "revision", "limit", "cursor"})
_FILTER_CHARACTERS = 500
MOST_IDS = 100
_VERBS: dict[Right, Verb] = {"Text": "read", "Audit": "read", "Label": "label", "Silence": "silence"}


@dataclass(frozen=True, slots=True)
class Place:
    """A person, and what the person asks about: an endpoint of a namespace, or the namespace."""

    person: Individual
    namespace: str
    endpoint: str = ""

    @property
    def path(self) -> str:
        """`namespace/name`, or the namespace."""
        return f"{self.namespace}/{self.endpoint}" if self.endpoint else self.namespace


@dataclass(slots=True)
class Door:
    """Decides by `rights`; `knows` says whether there is anything in a namespace: of others the audit keeps no chain.

    In a namespace where a person has no right, everything is as if it were not there.
    """

    rights: PeopleRights
    audit: AuditLog
    knows: Callable[[str], bool]
    _refused: OrderedDict[tuple[str, str, str], int] = field(default_factory=OrderedDict)

    async def place(self, request: web.Request, right: Right = "Numbers") -> Place:
        """Return the place that a path names; HubError 404 where the person may not know of it, else 403."""
        namespace, endpoint = request.match_info["namespace"], request.match_info.get("endpoint", "")
        return await self.enter(request, namespace, endpoint, right)

    async def enter(self, request: web.Request, namespace: str, endpoint: str, right: Right = "Numbers") -> Place:
        """Return the same of names that stand elsewhere in a request."""
        person = person_of(request)
        if not is_endpoint(f"{namespace}/{endpoint or 'any'}"):
            raise bad_request("not the names of a namespace and an endpoint")
        found = Place(person, namespace, endpoint)
        if await self.rights.allows(person, right, namespace):
            return found
        may_know = right != "Numbers" and await self.rights.allows(person, "Numbers", namespace)
        if right in _VERBS:
            await self._refuse(found, right, request)
        if not may_know:
            raise HubError(404, "NotFound", f"there is no {found.path} that you may see")
        verb, resource, sub = ASKED[right]
        needed = f"{verb} {resource}{'/' if sub else ''}{sub}"
        raise HubError(
            403, "Forbidden", f"{person} may not {needed} in {namespace}; docs/console.md says who grants it"
        )

    async def record(self, place: Place, verb: Verb, ids: tuple[str, ...], asked: str, what: str = "") -> None:
        """Write down what was done; HubError 503 where that cannot be, and then it must not be done."""
        person = place.person
        did = AuditRecord(self.audit.clock_ms(), person.name, verb, f"{place.path}{what}", len(ids), ids=ids[:MOST_IDS])
        record = replace(did, filter=asked[:_FILTER_CHARACTERS], token=person.jti)
        if not await self.audit.keep(record):
            raise HubError(503, "AuditUnavailable", "the audit cannot be written, so no text is shown", 10)

    async def _refuse(self, place: Place, right: Right, request: web.Request) -> None:
        person, now_ms = place.person, self.audit.clock_ms()
        key = (person.name, place.namespace, right)
        last_ms = self._refused.get(key, -REFUSED_AGAIN_MS)
        if not self.knows(place.namespace) or abs(now_ms - last_ms) < REFUSED_AGAIN_MS:
            return
        self._refused[key] = now_ms
        self._refused.move_to_end(key)
        while len(self._refused) > _REMEMBERED:
            self._refused.popitem(last=False)
        tried = AuditRecord(now_ms, person.name, _VERBS[right], place.path, 0, filter=filter_words(request.query))
        await self.audit.keep(replace(tried, allowed=False, token=person.jti))


def filter_words(query: Mapping[str, str]) -> str:
    """Return a query as the audit has it: of words that a person typed only how long they are."""
    plain = (f"{key}={query[key]}" for key in sorted(query) if key in _PLAIN and query[key])
    typed = (f"{key}=({len(query[key])} characters)" for key in ("id", "q", "text", "caller") if query.get(key))
    return " ".join((*plain, *typed))[:_FILTER_CHARACTERS]
