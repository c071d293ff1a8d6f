"""All endpoints that a person may see, a page at a time: what needs the person comes first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from modelward.api.endpoint_status import Health, LLMEndpointStatus
from modelward.api.shown_object import ShownName
from modelward.api.views import FLEET_PAGE, Attention, FleetCounts, FleetPage, FleetRow, FleetSort
from modelward.hub.people.alert_rows import alerts_of, silences_of
from modelward.hub.people.checks import PolicySpec, checks_of, leading, time_ms
from modelward.hub.people.shown import ShownEntry, ShownObjects

MOST_NAMESPACES_TOLD = 500
_ATTENTION: Mapping[str, Attention] = {
    "Unhealthy": "NeedsYou", "Degraded": "NeedsYou", "Healthy": "Well", "Unknown": "CannotTell",
}  # fmt: skip
_ORDER = ("Unhealthy", "Degraded", "Unknown", "Healthy")


@dataclass(frozen=True, slots=True)
class FleetQuery:
    """What of the fleet is asked for; `namespaces` are those that the person may see."""

    namespaces: Collection[str]
    text: str = ""
    health: str = ""
    """One health or attention, or several with commas between."""
    sort: FleetSort = "need"
    page: int = 1
    text_in: Collection[str] = frozenset()
    """Namespaces in which the person may read exchanges."""


@dataclass(frozen=True, slots=True)
class FleetKey:
    """What of an endpoint lists are filtered and sorted by."""

    namespace: str
    name: str
    health: Health
    urgency: int
    """Place of its health among all: the worst first."""
    since_ms: int | None
    cost: float
    requests: float
    words: str


@dataclass(slots=True)
class Fleet:
    """Lists the endpoints that are shown; what lists need of each is worked out once for each version of it."""

    shown: ShownObjects
    _keys: dict[str, dict[str, tuple[ShownEntry, FleetKey]]] = field(default_factory=dict)

    def page(self, asked: FleetQuery) -> FleetPage:
        """Return one page."""
        keys = [key for namespace in sorted(asked.namespaces) for key in self._of(namespace)]
        named = sorted({key.namespace for key in keys})
        wanted = [key for key in keys if asked.text.lower() in key.words]
        counts = [_ATTENTION[key.health] for key in wanted]
        if asked.health:
            names = set(asked.health.split(","))
            wanted = [key for key in wanted if names & {key.health, _ATTENTION[key.health]}]
        wanted.sort(key=lambda key: _rank(key, asked.sort))
        pages = max(1, -(-len(wanted) // FLEET_PAGE))
        page = min(max(1, asked.page), pages)
        rows = [self.row(key, asked.text_in) for key in wanted[(page - 1) * FLEET_PAGE : page * FLEET_PAGE]]
        return FleetPage(
            rows=tuple(row for row in rows if row is not None),
            page=page,
            pages=pages,
            total=len(wanted),
            counts=FleetCounts(
                needs_you=counts.count("NeedsYou"), cannot_tell=counts.count("CannotTell"), well=counts.count("Well")
            ),
            namespaces=tuple(named[:MOST_NAMESPACES_TOLD]),
            told_ms=self.shown.told_ms,
        )

    def row(self, key: FleetKey, text_in: Collection[str] = ()) -> FleetRow | None:
        """Return the row of an endpoint; None where it went meanwhile."""
        entry = self.shown.get(ShownName("LLMEndpoint", key.namespace, key.name))
        return None if entry is None else fleet_row(self.shown, key.namespace, entry, text=key.namespace in text_in)

    def _of(self, namespace: str) -> Iterator[FleetKey]:
        before, now = self._keys.get(namespace, {}), dict[str, tuple[ShownEntry, FleetKey]]()
        for name, entry in self.shown.each("LLMEndpoint", namespace):
            known = before.get(name)
            now[name] = known if known and known[0] is entry else (entry, _key(namespace, name, entry.decoded()))
        self._keys[namespace] = now
        yield from (key for _, key in now.values())


def status_of(shown: Mapping[str, Any]) -> LLMEndpointStatus:
    """Return the status of a shown endpoint; what of it this version cannot read is as if it were not there."""
    raw = shown.get("status")
    try:
        return LLMEndpointStatus.model_validate(raw)
    except ValueError:
        return LLMEndpointStatus()


def specs_in(shown: ShownObjects, namespace: str) -> Mapping[str, PolicySpec]:
    """Return the specs of the policies of a namespace, by name."""
    return {name: entry.decoded().get("spec") or {} for name, entry in shown.each("MonitoringPolicy", namespace)}


def fleet_row(shown: ShownObjects, namespace: str, entry: ShownEntry, *, text: bool) -> FleetRow:
    """Return what a list shows of an endpoint."""
    obj = entry.decoded()
    status, spec, name = status_of(obj), obj.get("spec") or {}, str(obj["name"])
    checks = checks_of(status, _spec_of(shown, namespace))
    alerts = alerts_of(namespace, name, obj, silences_of(shown, namespace))
    usage, ready = status.usage, next((one.status for one in status.conditions if one.type == "Ready"), "Unknown")
    return FleetRow(
        namespace=namespace,
        name=name,
        need=_ATTENTION[status.health],
        health=status.health,
        since_ms=time_ms(status.health_since),
        why=status.summary,
        ready=ready,
        replicas=status.replicas_summary,
        first_token_p95=usage.first_token_p95 if usage else "",
        error_rate=usage.error_rate if usage else "",
        requests_per_minute=usage.requests_per_minute if usage else "",
        cost_per_hour=usage.cost_per_hour if usage else "",
        checks=status.checks,
        leading=leading(checks),
        budget=_budget(obj),
        firing=sum(one.state == "Firing" for one in alerts),
        held=sum(one.state == "Held" for one in alerts),
        silenced=sum(bool(one.silence) for one in alerts),
        engine=status.engine or str(spec.get("engine", "")),
        mode=status.collector.mode if status.collector else str(spec.get("mode", "")),
        revision=status.revision,
        seen=status.collector.traffic_seen if status.collector else "",
        models=status.models[:5],
        text=text,
    )


def _spec_of(shown: ShownObjects, namespace: str) -> Any:
    known: dict[str, PolicySpec] = {}

    def spec_of(policy: str) -> PolicySpec:
        if policy not in known:
            entry = shown.get(ShownName("MonitoringPolicy", namespace, policy))
            known[policy] = (entry.decoded().get("spec") or {}) if entry else {}
        return known[policy]

    return spec_of


def _budget(obj: Mapping[str, Any]) -> str:
    """Return the smallest error budget that is left, as status has it."""
    status = obj.get("status") or {}
    rows = (*(status.get("budgets") or ()), *(status.get("evaluationBudgets") or ()))
    left = [str(row.get("remaining", "")) for row in rows if isinstance(row, Mapping) and row.get("remaining")]
    return min(left, key=_number, default="")


def _number(text: str) -> float:
    try:
        return float(text.strip().rstrip("%"))
    except ValueError:
        return float("inf")


def _key(namespace: str, name: str, obj: Mapping[str, Any]) -> FleetKey:
    raw = obj.get("status")
    status: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    usage = status.get("usage")
    numbers: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
    health: Health = next((one for one in get_args(Health) if one == status.get("health")), "Unknown")
    models = status.get("models") or ()
    words = (namespace, name, status.get("summary", ""), status.get("engine", ""), status.get("revision", ""), *models)
    return FleetKey(
        namespace,
        name,
        health,
        _ORDER.index(health),
        time_ms(str(status.get("healthSince", ""))),
        _first_number(str(numbers.get("costPerHour", ""))),
        _first_number(str(numbers.get("requestsPerMinute", ""))),
        f"{namespace}/{name} {' '.join(map(str, words))}".lower(),
    )


def _first_number(text: str) -> float:
    """Return the number that a text begins with, or 0."""
    try:
        return float(text.split(" ", maxsplit=1)[0].replace(",", ""))
    except ValueError:
        return 0.0


def _rank(key: FleetKey, sort: FleetSort) -> tuple[Any, ...]:
    name = (key.namespace, key.name)
    match sort:
        case "name":
            return name
        case "since":
            return (key.since_ms is None, -(key.since_ms or 0), *name)
        case "cost":
            return (-key.cost, *name)
        case "requests":
            return (-key.requests, *name)
    # What has changed last of what needs a person is what the person comes for.
    return (key.urgency, key.since_ms is None, -(key.since_ms or 0), *name)
