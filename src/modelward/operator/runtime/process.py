"""The operator's process: watch and sweep always, lead when the Lease is ours, reconcile while we lead."""

import asyncio
import logging
import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from modelward.kube.client import Client
from modelward.kube.errors import LeadershipLost
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    JOB,
    OWN_KINDS,
    POD,
    SERVICE,
    STATEFUL_SET,
    Kind,
    Object,
)
from modelward.kube.lease import Lease
from modelward.kube.lease_thread import LeaseThread, connected
from modelward.kube.store import Store
from modelward.operator.actuators.registry import child_kinds
from modelward.operator.cache.kopf_watch import Watched
from modelward.operator.cache.resync import Resync
from modelward.operator.cache.watcher import Watcher
from modelward.operator.runtime import garbage
from modelward.operator.runtime.context import Background, Context, Forgetful, Reconciler
from modelward.operator.runtime.news import carried_out, declared
from modelward.operator.runtime.probes import application, serving
from modelward.operator.runtime.settings import Settings
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.operator.runtime.workers import WORKERS, WorkerPool

log = logging.getLogger(__name__)

MANAGED = "app.kubernetes.io/managed-by=modelward"
WATCHED = (
    *(Watched(kind) for kind in OWN_KINDS),
    Watched(DEPLOYMENT),  # all of them, because adopted ones carry no label of ours
    Watched(STATEFUL_SET),
    *(Watched(kind, MANAGED) for kind in (JOB, CONFIG_MAP, SERVICE, POD, *child_kinds())),
)

WOKEN_AT_ONCE = 25
"""Objects whose work is requested in one turn of the loop; between turns other work goes on."""

BuildReconciler = Callable[[Context], Reconciler]


async def run(settings: Settings, build_reconciler: BuildReconciler, stop: asyncio.Event | None = None) -> int:
    """Run the operator; the exit code: 0 after SIGTERM, SIGINT or `stop`, 1 when leadership is lost or a part broke."""
    telemetry = Telemetry()
    stop = stop or _on_signals()
    async with Client.connect(settings.kubeconfig, telemetry.observe_request) as client:
        operator = Operator(settings, client, telemetry, build_reconciler)
        alive = {"watch": operator.hints.problem}
        ready = {"store": operator.sweep.problem}
        async with serving(application(telemetry.registry, alive, ready), settings.listen) as address:
            log.info("operator started namespace=%s listen=%s", settings.namespace, address)
            return await operator.run(stop)


class Operator:
    """The parts of one process, put together."""

    def __init__(
        self, settings: Settings, client: Client, telemetry: Telemetry, build_reconciler: BuildReconciler
    ) -> None:
        identity = f"{os.environ.get('HOSTNAME', 'modelward')}_{uuid.uuid4().hex[:8]}"
        namespaces = settings.watch_namespaces
        self._hints = telemetry.hints
        self._leader = telemetry.leader.labels(name=settings.lease_name)
        self._store = Store()
        self._lease = Lease(client, settings.lease_namespace or settings.namespace, settings.lease_name, identity)
        self._holding = LeaseThread(self._lease, lambda: connected(client.access, telemetry.observe_request))
        self._queue = WorkerPool(self._reconcile, telemetry, workers=dict.fromkeys(WORKERS, settings.workers))
        self.sweep = Resync(
            client,
            self._store,
            WATCHED,
            namespaces,
            telemetry,
            settings.sweep_interval_s,
            opened=self._wake,
            refused=self._fall_silent,
        )
        access = self.sweep.access
        self.hints = Watcher(
            client,
            WATCHED,
            namespaces,
            self._take,
            telemetry,
            answering=lambda: access.answering,
            refused=self.sweep.hurry,
        )
        guarded = client.guarded(self._lease.seconds_left)
        self._reconciler = build_reconciler(
            Context(guarded, self._store, settings, telemetry, self._enqueue, self._unseen)
        )
        self._leading = False
        self._waking: set[asyncio.Task[None]] = set()
        self._store.follow(self._changed)
        for each in WATCHED:
            telemetry.observe_hints(each.kind.kind, partial(self._store.last_hint_age, each.kind))

    async def run(self, stop: asyncio.Event) -> int:
        """Watch, wait for the Lease, lead, until stopped (0) or a part ended (1)."""
        stopping = stop.wait()
        async with _tasks(stopping, self.hints.run(), self.sweep.run(), self._lead(), garbage.keep_short()) as tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                log.info("operator stops")
                return 0
            for task in tasks:
                if task.done():
                    _tell(task)
            return 1

    async def _lead(self) -> None:
        """Wait for a full store, then for the Lease; reconcile until something ends, then give the Lease up.

        How long a dead leader's claim still holds is counted while the store fills.
        """
        async with _tasks(self._lease.observe()):
            await self.sweep.done_once.wait()
        garbage.freeze()
        await self._lease.acquire()
        self._leader.set(1)
        self._leading = True
        self._wake()
        background = [self._reconciler.background()] if isinstance(self._reconciler, Background) else []
        try:
            async with _tasks(self._holding.run(), self._queue.run(), *background) as tasks:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    await task
        finally:
            self._leading = False
            self._leader.set(0)
            for task in self._waking:
                task.cancel()
            await self._lease.release()

    async def _reconcile(self, key: WorkKey) -> float | None:
        """Do the work of a key; what refuses us is left alone until it opens, when all of it is reconciled again."""
        return await self._reconciler.reconcile(key) if self.sweep.access.holds(key.namespace) else None

    def _enqueue(self, key: WorkKey, lane: Lane = Lane.SPEC, after: float = 0.0) -> None:
        if self._leading:
            self._queue.add(key, lane, after)

    def _take(self, kind: Kind, event: str | None, obj: Object) -> None:
        self._hints.labels(kind=kind.kind).inc()
        (self._store.remove if event == "DELETED" else self._store.put)(kind, obj)

    def _changed(self, kind: Kind, obj: Object, before: Object | None) -> None:
        """What people write goes ahead of what is reported, by the cluster or by us."""
        anew = before is None or declared(before) != declared(obj)
        self._ask(kind, obj, before, Lane.SPEC if kind.ours and anew else Lane.STATUS)

    def _ask(self, kind: Kind, obj: Object, before: Object | None, lane: Lane) -> None:
        if not self._leading:
            return
        try:
            for key in self._reconciler.keys_for(kind, obj, before):
                self._queue.add(key, lane)
        except Exception:  # one odd object must not stop the watch of all others
            log.exception("no keys found kind=%s name=%s", kind.kind, obj["metadata"].get("name"))

    def _unseen(self) -> tuple[str, ...]:
        access = self.sweep.access
        return tuple(namespace for namespace in access.namespaces if not access.holds(namespace))

    def _fall_silent(self, namespace: str) -> None:
        if isinstance(self._reconciler, Forgetful):
            self._reconciler.fall_silent(namespace)

    def _wake(self, namespace: str | None = None) -> None:
        """Begin to wake everything of a namespace or of all; the loop has turns for other work between."""
        task = asyncio.get_running_loop().create_task(self._wake_all(namespace), name="waking")
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def _wake_all(self, namespace: str | None) -> None:
        """Ask for the work of each object by itself; what is declared and not carried out yet goes ahead."""
        for each in WATCHED:
            for number, name in enumerate(self._store.names(each.kind, namespace), 1):
                obj = self._store.get(each.kind, *name)
                if obj is not None:
                    self._ask(
                        each.kind, obj, obj, Lane.SPEC if each.kind.ours and not carried_out(obj) else Lane.STATUS
                    )
                if not number % WOKEN_AT_ONCE:
                    await asyncio.sleep(0)


@asynccontextmanager
async def _tasks(*coroutines: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """The coroutines as tasks, which have ended when the block has."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell(task: asyncio.Task[Any]) -> None:
    error = task.exception()
    if isinstance(error, BaseExceptionGroup) and (lost := error.subgroup(LeadershipLost)) is not None:
        error = lost.exceptions[0]
    if isinstance(error, LeadershipLost):
        log.error("leadership lost error=%s", error)
    else:
        log.error("operator broke error=%s", error or "a part ended", exc_info=error)


def _on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
