"""One run of kopf, in a thread with an event loop of its own, because it cancels tasks that it takes for its own."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import kopf

from modelward.kube.access import Access
from modelward.kube.kinds import Kind, Object
from modelward.kube.slim import with_shared_keys
from modelward.kube.transport import session

log = logging.getLogger(__name__)

STOP_WITHIN_S = 3.0
TEAR_DOWN_S = 2.0
BEAT_S = 5.0

Take = Callable[[Kind, str | None, Object], None]
"""Called on kopf's thread with the kind, the event's type (None while listing) and the object."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One kind to watch, and the label selector that the server filters by; empty for all objects."""

    kind: Kind
    label_selector: str = ""


class KopfThread:
    """Watches until it is stopped or kopf gives up; namespaces empty for all. `beat` is called while its loop turns."""

    def __init__(
        self,
        access: Access,
        watched: Sequence[Watched],
        namespaces: Sequence[str],
        take: Take,
        beat: Callable[[], None],
    ) -> None:
        self._access = access
        self._watched = watched
        self._namespaces = namespaces
        self._take = take
        self._beat = beat
        self._home = asyncio.get_running_loop()
        self._ended: asyncio.Future[str] = self._home.create_future()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)
        self._lock = threading.Lock()
        self._stopping = False
        self._stop: Callable[[], object] = lambda: None
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> asyncio.Future[str]:
        """Start the thread; the future gets the name of what ended it."""
        self._thread.start()
        return self._ended

    async def stop(self) -> None:
        """Ask kopf to end and wait up to 3 s; a thread that does not end is left behind, its events ignored."""
        with self._lock:
            self._stopping = True
            with contextlib.suppress(RuntimeError):  # its loop is closed already
                self._stop()
        await asyncio.wait({self._ended}, timeout=STOP_WITHIN_S)
        if self._ended.done():
            self._thread.join(timeout=0.5)  # its last statement reported that it ended
        else:
            log.warning("watch thread left behind after_s=%.0f", STOP_WITHIN_S)
        self._take = _ignore

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        reason = "Stopped"
        try:
            reason = loop.run_until_complete(self._operate())
        except BaseException as error:
            log.debug("kopf ended", exc_info=error)
            reason = type(error).__name__
        finally:
            loop.close()
        with contextlib.suppress(RuntimeError):  # our own loop is closed already
            self._home.call_soon_threadsafe(self._finish, reason)

    def _finish(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)

    async def _operate(self) -> str:
        """Run kopf until it is stopped or one of its root tasks ends; return the reason.

        Not by kopf.operator(): when one watch fails, that closes the session under the other watches, which then wait
        for ever for a login that is no longer made (kopf 1.45.2, seen with a CRD that was deleted).
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        with self._lock:
            self._stop = lambda: loop.call_soon_threadsafe(stop.set)
            if self._stopping:
                return "Stopped"
        stopping = asyncio.create_task(stop.wait(), name="stop")
        beating = asyncio.create_task(self._keep_beating(), name="heartbeat")
        roots = await kopf.spawn_tasks(
            registry=self._registry(),
            settings=_settings(self._watched),
            clusterwide=not self._namespaces,
            namespaces=tuple(self._namespaces),
        )
        done, _ = await asyncio.wait({stopping, beating, *roots}, return_when=asyncio.FIRST_COMPLETED)
        await self._tear_down()
        return "Stopped" if stopping in done else _reason(done)

    async def _tear_down(self) -> None:
        """Cancel the watches first, while their session is open, then all else; again, because kopf may swallow it.

        A watch that is cancelled together with its "pause-waiter" takes itself for paused and goes on.
        """
        await _cancel("watcher for", TEAR_DOWN_S / 2)
        await _cancel("", TEAR_DOWN_S / 2)
        if self._session is not None:
            await self._session.close()
        await asyncio.sleep(0.05)  # closed TLS connections are let go in later turns of the loop
        loop = asyncio.get_running_loop()
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()

    async def _keep_beating(self) -> None:
        while True:
            self._beat()
            await asyncio.sleep(BEAT_S)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        for each in self._watched:
            self._watch(each.kind, registry)
        return registry

    async def _login(self, **_: Any) -> kopf.AiohttpSession:
        """The session of kopf's loop, with our credentials; asked for again after a 401."""
        self._session = session(self._access, connections=0)  # each kind in each namespace holds one
        return kopf.AiohttpSession(server=self._access.host, aiohttp_session=self._session)

    def _watch(self, kind: Kind, registry: kopf.OperatorRegistry) -> None:
        async def hint(*, event: Any, **_: Any) -> None:
            self._take(kind, event["type"], with_shared_keys(event["object"]))

        on_event = kopf.on.event(
            group=kind.group, version=kind.version, plural=kind.plural, id=kind.plural, registry=registry
        )
        on_event(hint)


async def _cancel(prefix: str, within_s: float) -> None:
    """Cancel all other tasks of this prefix in their name, again every 100 ms, until they ended or time is up."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        tasks = {task for task in asyncio.all_tasks() if task.get_name().startswith(prefix)} - {asyncio.current_task()}
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=0.1)


def _reason(done: Iterable[asyncio.Task[Any]]) -> str:
    errors = [task.exception() for task in done if not task.cancelled()]
    return next((type(error).__name__ for error in errors if error is not None), "Ended")


def _ignore(_kind: Kind, _event: str | None, _obj: Object) -> None:
    """What is left of a watch that was stopped."""


def _settings(watched: Sequence[Watched]) -> kopf.OperatorSettings:
    """kopf as a mere source of events: it writes nothing, discovers once, notices a silent watch."""
    settings = kopf.OperatorSettings()
    settings.process.ultimate_exiting_timeout = None  # it would kill the whole process
    settings.persistence.finalizer = "modelward.dev/never-set"  # kopf strips this one from objects
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.queueing.worker_limit = 50
    settings.queueing.idle_timeout = 0.05
    settings.queueing.exit_timeout = 0.5
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 300
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = (0.5, 1, 2)
    for each in watched:
        if each.label_selector:
            settings.watching.label_selectors[_is(each.kind)] = each.label_selector
    return settings


def _is(kind: Kind) -> Callable[[Any], bool]:
    return lambda resource: (resource.group, resource.plural) == (kind.group, kind.plural)
