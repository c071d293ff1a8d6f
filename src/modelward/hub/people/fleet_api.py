"""The pages of numbers: who asks, the fleet, one endpoint, policies and alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from aiohttp import web

from modelward.api.person import NamespaceRights, Person
from modelward.api.policy_status import MonitoringPolicyStatus
from modelward.api.shown_object import ShownName
from modelward.api.views import (
    Agreement,
    AlertPage,
    AlertView,
    EndpointView,
    FleetPage,
    FleetSort,
    PolicyPage,
    PolicyRow,
    PolicyView,
    ShownSpec,
    SilenceView,
)
from modelward.hub.admission import person_of
from modelward.hub.errors import bad_request
from modelward.hub.layout import is_namespace
from modelward.hub.people.alert_rows import alerts_of, silences_of, urgency
from modelward.hub.people.checks import checks_of, time_ms
from modelward.hub.people.door import Door, Place
from modelward.hub.people.fleet import Fleet, FleetQuery, fleet_row, specs_in, status_of
from modelward.hub.people.individual import Individual
from modelward.hub.people.last_day import LastDay
from modelward.hub.people.rights import not_there
from modelward.hub.people.shown import ShownEntry, ShownObjects
from modelward.hub.requests import integer_of, view_answer
from modelward.hub.store import ExchangeStore

MOST_ALERTS = 500
MOST_POLICIES = 500
_WORDS = 100


@dataclass(frozen=True, slots=True)
class FleetApi:
    """The handlers. `agreed` tells what people said of an endpoint's evaluations, `wanted` which silences they want."""

    shown: ShownObjects
    fleet: Fleet
    door: Door
    store: ExchangeStore
    agreed: Callable[[str], Mapping[tuple[str, str], Agreement]]
    wanted: Callable[[str], tuple[SilenceView, ...]]
    last_day: LastDay

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/v1/view/me", self.get_me)
        app.router.add_get("/v1/view/fleet", self.get_fleet)
        app.router.add_get("/v1/view/endpoints/{namespace}/{endpoint}", self.get_endpoint)
        app.router.add_get("/v1/view/policies", self.get_policies)
        app.router.add_get("/v1/view/policies/{namespace}/{policy}", self.get_policy)
        app.router.add_get("/v1/view/alerts", self.get_alerts)

    async def get_me(self, request: web.Request) -> web.Response:
        """Answer who the person is, and what the person may do where."""
        person, rights = person_of(request), self.door.rights
        namespaces = await rights.among(person, "Numbers", self._namespaces(person))
        rows = [NamespaceRights(namespace=one, rights=await rights.of(person, one)) for one in sorted(namespaces)]
        everywhere = await rights.of(person, "") if await rights.everywhere(person, "Numbers") else ()
        return view_answer(
            Person(
                name=person.name, source=person.source, namespaces=tuple(rows), everywhere=everywhere,
                expires_ms=person.expires_ms,
            )
        )  # fmt: skip

    async def get_fleet(self, request: web.Request) -> web.Response:
        """Answer a page of endpoints."""
        person, query = person_of(request), request.query
        sort: FleetSort | None = next((one for one in get_args(FleetSort) if one == query.get("sort", "need")), None)
        if sort is None:
            raise bad_request(f"sort is one of {', '.join(get_args(FleetSort))}")
        seen = await self._visible(request, person)
        text_in = await self.door.rights.among(person, "Text", seen)
        asked = FleetQuery(
            seen, query.get("q", "")[:_WORDS], query.get("health", ""), sort, integer_of(request, "page", 1), text_in
        )
        page: FleetPage = await asyncio.to_thread(self.fleet.page, asked)
        return view_answer(page.model_copy(update={"rows": await self.last_day.added(page.rows)}))

    async def get_endpoint(self, request: web.Request) -> web.Response:
        """Answer all of one endpoint but its history and exchanges."""
        place = await self.door.place(request)
        entry = self.shown.get(ShownName("LLMEndpoint", place.namespace, place.endpoint))
        if entry is None:
            raise not_there(place.path)
        rights = await self.door.rights.of(place.person, place.namespace)
        return view_answer(self._endpoint(place, entry).model_copy(update={"rights": rights}))

    async def get_policies(self, request: web.Request) -> web.Response:
        """Answer the policies of what the person may see."""
        person, words = person_of(request), request.query.get("q", "")[:_WORDS].lower()
        seen = await self.door.rights.among(
            person, "Policies", await self._visible(request, person, "MonitoringPolicy")
        )
        rows = [
            _policy_row(namespace, name, entry.decoded())
            for namespace in sorted(seen)
            for name, entry in sorted(self.shown.each("MonitoringPolicy", namespace))
            if words in f"{namespace}/{name}"
        ]
        return view_answer(PolicyPage(rows=tuple(rows[:MOST_POLICIES]), total=len(rows)))

    async def get_policy(self, request: web.Request) -> web.Response:
        """Answer one policy."""
        place, name = await self.door.place(request, "Policies"), request.match_info["policy"]
        entry = self.shown.get(ShownName("MonitoringPolicy", place.namespace, name))
        if entry is None:
            raise not_there(f"policy {place.namespace}/{name}")
        obj = entry.decoded()
        try:
            status = MonitoringPolicyStatus.model_validate(obj.get("status") or {})
        except ValueError:
            status = MonitoringPolicyStatus()
        return view_answer(
            PolicyView(
                namespace=place.namespace, name=name, spec=obj.get("spec") or {}, status=status,
                created_ms=time_ms(str(obj.get("created") or "")),
            )
        )  # fmt: skip

    async def get_alerts(self, request: web.Request) -> web.Response:
        """Answer the alerts and silences of what the person may see."""
        person, state = person_of(request), request.query.get("state", "")
        seen = await self._visible(request, person)
        silences, rows = list[SilenceView](), list[AlertView]()
        for namespace in sorted(seen):
            own = (*silences_of(self.shown, namespace), *self.wanted(namespace))
            silences += own
            for name, entry in self.shown.each("LLMEndpoint", namespace):
                if b'"alerts"' in entry.data:
                    rows += alerts_of(namespace, name, entry.decoded(), own)
        rows = sorted((one for one in rows if state in ("", one.state)), key=urgency)
        silence_in = await self.door.rights.among(person, "Silence", seen)
        return view_answer(
            AlertPage(
                rows=tuple(rows[:MOST_ALERTS]), silences=tuple(silences[:MOST_ALERTS]), total=len(rows),
                silence_in=tuple(sorted(silence_in)),
            )
        )  # fmt: skip

    def _endpoint(self, place: Place, entry: ShownEntry) -> EndpointView:
        obj, namespace = entry.decoded(), place.namespace
        row = fleet_row(self.shown, namespace, entry, text=False)
        status, specs = status_of(obj), specs_in(self.shown, namespace)
        silences = (*silences_of(self.shown, namespace), *self.wanted(namespace))
        held = self.store.index.of(place.path)
        return EndpointView(
            namespace=namespace,
            name=place.endpoint,
            need=row.need,
            created_ms=time_ms(str(obj.get("created") or "")),
            told_ms=entry.at_ms,
            facts=_facts(obj.get("spec") or {}),
            status=status,
            row=row,
            checks=checks_of(status, lambda policy: specs.get(policy, {}), self.agreed(place.path)),
            alerts=alerts_of(namespace, place.endpoint, obj, silences),
            silences=tuple(one for one in silences if one.endpoint in ("", place.endpoint)),
            kept=sum(item.count for item in held),
            kept_from_ms=min((item.first_ms for item in held), default=None),
            kept_to_ms=max((item.last_ms for item in held), default=None),
        )

    def _namespaces(self, person: Individual) -> Collection[str]:
        """Return the namespaces that a person could see; an account's own also where nothing is shown of it yet."""
        return {*self.shown.namespaces(), *([person.namespace] if person.namespace else [])}

    async def _visible(self, request: web.Request, person: Individual, kind: Any = "LLMEndpoint") -> frozenset[str]:
        """Return the namespaces that the person may see, or the one that is asked for, where it is among them."""
        one = request.query.get("ns", "")
        if one and not is_namespace(one):
            raise bad_request("ns is the name of a namespace")
        return await self.door.rights.among(person, "Numbers", [one] if one else self.shown.namespaces(kind))


def _facts(spec: Mapping[str, Any]) -> ShownSpec:
    backend = str(spec.get("backend", ""))
    scaling, prices = spec.get("scaling"), spec.get("prices")
    replicas = spec.get("replicas")
    return ShownSpec(
        engine=str(spec.get("engine", "")),
        backend=backend[:1].upper() + backend[1:],
        mode=str(spec.get("mode", "")),
        replicas=replicas if isinstance(replicas, int) else None,
        scaling=scaling if isinstance(scaling, Mapping) else {},
        prices=prices if isinstance(prices, Mapping) else {},
        paused=spec.get("paused") is True,
    )


def _policy_row(namespace: str, name: str, obj: Mapping[str, Any]) -> PolicyRow:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    checks = sum(len(spec.get(key) or ()) for key in ("objectives", "evaluations"))
    return PolicyRow(namespace=namespace, name=name, endpoints=str(status.get("endpointsSummary", "")), checks=checks)
