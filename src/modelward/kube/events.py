"""Kubernetes Events, deduplicated: the same message again within ten minutes is one Event with a count."""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from modelward.api.quantity import micro_time
from modelward.kube.errors import ApiError, NotFound
from modelward.kube.kinds import EVENT, Object, namespace_of

log = logging.getLogger(__name__)

CONTROLLER = "modelward.dev/modelward"
SERIES = timedelta(minutes=10)
REWRITE = timedelta(minutes=1)
NOTE_CHARACTERS = 1000  # the API's limit is 1024 bytes
REMEMBERED = 2000

Create = Callable[[Object], Awaitable[Object]]
Patch = Callable[..., Awaitable[Object]]


@dataclass(frozen=True, slots=True)
class EventSeries:
    """One Event that was posted, how often it happened since, and when it was last written to the API server."""

    namespace: str
    name: str
    count: int
    seen: datetime
    written: datetime


class EventRecorder:
    """Builds and posts Events for one process; instance names it. The clock gives aware UTC times."""

    def __init__(self, instance: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._instance = instance
        self._clock = clock
        self._series: dict[str, EventSeries] = {}

    def event(
        self, regarding: Object, kind: str, reason: str, note: str, action: str, related: Object | None
    ) -> Object:
        """The Event document; its name follows from object, reason and note, so that the same is the same."""
        metadata = regarding["metadata"]
        text = f"{metadata.get('uid')} {kind} {reason} {note}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        name = f"{metadata['name'][:200]}.{digest}"
        event: Object = {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": name, "namespace": namespace_of(regarding) or "default"},
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "regarding": _reference(regarding),
            "type": kind,
            "reason": reason,
            "action": action,
            "note": note.encode()[:NOTE_CHARACTERS].decode(errors="ignore"),
        }
        return event if related is None else event | {"related": _reference(related)}

    async def post(self, event: Object, create: Create, patch: Patch) -> None:
        """Create the Event or count it up; a refusal is logged, because an Event must not fail work."""
        try:
            await self._post(event, create, patch)
        except ApiError as error:
            log.warning("event not posted reason=%s error=%s", event["reason"], error)

    async def _post(self, event: Object, create: Create, patch: Patch) -> None:
        now = self._clock()
        identity = f"{event['metadata']['namespace']}/{event['metadata']['name']}"
        series = self._series.get(identity)
        # A clock that was set back begins a new series too, or the old one would take a day to go on.
        if series is None or not timedelta(0) <= now - series.seen <= SERIES:
            await self._start(event, identity, now, create)
            return
        series = replace(series, count=series.count + 1, seen=now)
        self._series[identity] = series
        if series.count > 2 and now - series.written < REWRITE:
            return
        try:
            count = {"count": series.count, "lastObservedTime": micro_time(now)}
            await patch(EVENT, series.namespace, series.name, {"series": count})
            self._series[identity] = replace(series, written=now)
        except NotFound:
            await self._start(event, identity, now, create)

    async def _start(self, event: Object, identity: str, now: datetime, create: Create) -> None:
        metadata = event["metadata"]
        name = f"{metadata['name']}.{int(now.timestamp()):x}"
        await create(event | {"metadata": metadata | {"name": name}, "eventTime": micro_time(now)})
        self._forget(now)
        self._series[identity] = EventSeries(metadata["namespace"], name, 1, now, now)

    def _forget(self, now: datetime) -> None:
        if len(self._series) >= REMEMBERED:
            self._series = {key: series for key, series in self._series.items() if now - series.seen <= SERIES}


def _reference(obj: Object) -> Object:
    metadata = obj["metadata"]
    fields = {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata.get("uid"),
        "resourceVersion": metadata.get("resourceVersion"),
    }
    return {name: value for name, value in fields.items() if value}
