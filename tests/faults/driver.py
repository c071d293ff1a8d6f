"""The operator's own reconcile, driven step by step: no watch, no queue, no clock of its own, every fault at its place.

What is real: the API server, the port, the store, and the reconciler as `modelward operator` puts it together. What the
driver does instead of the process: it lists, it decides the order of keys, and it says what time it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from calls import writing
from proxy import Proxy
from rehearsals import started

from modelward.desired import names
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, NotFound
from modelward.kube.kinds import Kind, Object
from modelward.kube.store import Drift, Store
from modelward.operator.runtime.assembly import build
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.dispatch import Dispatcher
from modelward.operator.runtime.process import WATCHED
from modelward.operator.runtime.settings import Settings
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.scrape.pages import Scraper

NOON_MS = 1_790_000_000_000
_STEADY_S = 0.15
_CONTROLLERS_S = 60.0


@dataclass(slots=True)
class Clock:
    """The time that the reconcile is told, in Unix milliseconds; it moves only when a test moves it."""

    now_ms: int = NOON_MS

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ms


class StillMovingError(AssertionError):
    """The reconcile went on writing, or failing, for more rounds than anything should take."""


@dataclass(slots=True)
class Driver:
    """One life of the operator over some namespaces. Use `async with driving(proxy, namespaces) as driver`."""

    client: Client
    proxy: Proxy
    namespaces: Sequence[str]
    clock: Clock
    settings: Settings
    store: Store = field(default_factory=Store)
    asked: dict[WorkKey, float] = field(default_factory=dict)
    """What the reconcile asked for on its own, with the seconds after which it is due."""
    failed: dict[WorkKey, Exception] = field(default_factory=dict)
    """How the last try of each key failed; a key that succeeded since is not in here."""
    reconciler: Dispatcher = field(init=False)
    passed_s: float = 0.0
    """What the operator's monotonic clock says: a minute and more passes before each round."""
    _mark: int = field(init=False)

    def __post_init__(self) -> None:
        self._mark = len(self.proxy.recorded)
        telemetry = Telemetry()
        parts = (self.client, self.store, self.settings, telemetry, self._ask)
        self.reconciler = build(Context(*parts, monotonic=lambda: self.passed_s), self.clock)

    @property
    def writes(self) -> list[str]:
        """All changes that this life asked for, whatever became of them; Events and dry runs are left out."""
        return [str(one.call) for one in self.proxy.since(self._mark) if writing(one.call)]

    async def sync(self) -> int:
        """List every kind, as a start or a sweep does; tell how many objects came, changed or went."""
        drifts: list[Drift] = []
        for each in WATCHED:
            for namespace in self.namespaces:
                try:
                    listing = await self.client.list(each.kind, namespace, label_selector=each.label_selector or None)
                except NotFound:  # its definition is gone
                    drifts.append(self.store.bury(each.kind))
                else:
                    drifts.append(self.store.sweep(each.kind, listing, namespace))
        return sum(drift.added + drift.updated + drift.removed for drift in drifts)

    def see(self, kind: Kind, obj: Object, event: str | None = None) -> None:
        """Take an event in as from a watch; `DELETED` removes."""
        (self.store.remove if event == "DELETED" else self.store.put)(kind, obj)

    def keys(self) -> list[WorkKey]:
        """Return all keys that the objects of the store concern, in a fixed order."""
        objects = [(each.kind, obj) for each in WATCHED for obj in self.store.list(each.kind)]
        found = {key for kind, obj in objects for key in self.reconciler.keys_for(kind, obj)}
        return sorted(found | self.asked.keys())

    async def reconcile(self, key: WorkKey) -> float | None:
        """Do the work of one key, as the queue does; raises what the queue would retry."""
        self.asked.pop(key, None)
        return await self.reconciler.reconcile(key)

    async def round(self) -> None:
        """Reconcile all keys once; what fails is noted and does not stop the others."""
        self.passed_s += 100.0
        for key in self.keys():
            try:
                await self.reconcile(key)
            except Exception as error:  # noqa: BLE001 - as the queue: one key must not stop the others
                self.failed[key] = error
            else:
                self.failed.pop(key, None)

    async def converge(self, rounds: int = 25) -> None:
        """List and reconcile until a round changes nothing and the cluster's own controllers are done as well.

        Raises StillMovingError with the last writes and failures after so many rounds in which the operator wrote or
        failed, or where the cluster's controllers, which may be slow, do not come to an end.
        """
        waits = int(_CONTROLLERS_S / _STEADY_S)  # not seconds: a round takes as long as the machine needs for it
        while rounds and waits:
            await self.sync()
            mark = len(self.writes)
            await self.round()
            if len(self.writes) > mark or self._retryable():
                rounds -= 1
            elif await self._steady():
                return
            else:
                waits -= 1
        raise StillMovingError(f"{rounds} rounds left: failed={self.failed} writes={self.writes[-12:]}")

    async def observe(self, rounds: int = 1) -> None:
        """Read the metrics pages of all endpoints, as the process does beside reconciling."""
        async with aiohttp.ClientSession() as session:
            for _ in range(rounds):
                await self.reconciler.endpoints.observer.round(Scraper(session, self.clock))

    async def _steady(self) -> bool:
        await asyncio.sleep(_STEADY_S)
        if await self.sync():
            return False
        return all(_settled(obj) for each in WATCHED for obj in self.store.list(each.kind))

    def _retryable(self) -> bool:
        return any(isinstance(error, ApiError) for error in self.failed.values())

    def _ask(self, key: WorkKey, lane: Lane = Lane.SPEC, after: float = 0.0) -> None:  # noqa: ARG002 - `Enqueue`
        self.asked[key] = min(after, self.asked.get(key, after))


@asynccontextmanager
async def driving(
    proxy: Proxy, namespaces: Sequence[str], clock: Clock | None = None, **settings: object
) -> AsyncIterator[Driver]:
    """Give a fresh life of the operator, with an empty store; the end of the block is its death.

    Its connections are its own. Further settings are fields of `Settings`.
    """
    # An hour between writes of mere numbers, so that what is written is what has changed.
    images = {"collector_image": "modelward.invalid/collector:0", "evaluator_image": "modelward.invalid/modelward:0"}
    hub = {"hub_url": "http://modelward-hub.invalid:8443"}
    chosen = {"status_interval_s": 3_600.0, "scrape_interval_s": 1.0, **images, **hub} | settings
    wanted = Settings(
        namespace=namespaces[0],
        watch_namespaces=tuple(namespaces),
        **chosen,  # type: ignore[arg-type]
    )
    async with Client.connect(str(proxy.kubeconfig)) as client:
        yield Driver(client, proxy, namespaces, clock or Clock(), wanted)


def _settled(obj: Object) -> bool:
    """Whether the controller of a workload has seen its newest spec and made the pods that it may make.

    Without a node no pod of a model gets ready, so a roll-out stops at its first new pod.
    """
    if obj["kind"] == "Pod":
        return names.component(obj) != "rehearsal" or started(obj)
    if obj["kind"] not in ("Deployment", "StatefulSet"):
        return True
    status: Object = obj.get("status") or {}
    if status.get("observedGeneration") != obj["metadata"]["generation"]:
        return False
    if any(one["type"] == "ReplicaFailure" for one in status.get("conditions", ())):
        return True
    wanted = 1 if obj["kind"] == "StatefulSet" else obj["spec"]["replicas"]
    return bool(status.get("replicas", 0) >= wanted and status.get("updatedReplicas", 0) >= min(1, wanted))
