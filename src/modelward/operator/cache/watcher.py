"""Hints of what changed: kopf's watch, restarted whenever it ends, its events brought to our loop.

kopf 1.45 ends its operator on one 403, 404 or watch error other than 410, and does not watch a kind whose CRD came
after it. Neither may cost us more than a pause: it is restarted, and resyncs repair what was missed.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import Kind, Object
from modelward.operator.cache.kopf_watch import KopfThread, Take, Watched
from modelward.operator.runtime.telemetry import Telemetry

log = logging.getLogger(__name__)

HUNG_AFTER_S = 180.0
_OUR_OWN = frozenset({"KindAppeared", "NamespacesChanged"})
"""Why we end a watch ourselves."""
_REFUSALS = frozenset({"APIForbiddenError", "APIUnauthorizedError"})
BATCH = 200


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds: before the first restart, at most before any, between checks for kinds that are not served yet and for
    namespaces that refuse us or answer again.
    """

    first: float = 1.0
    longest: float = 60.0
    absent_kinds: float = 60.0
    namespaces: float = 5.0


class Watcher:
    """Keeps a watch running and calls `deliver` on our loop for each event; namespaces empty for all.

    `answering` returns those of the namespaces that do not refuse us: kopf ends the watch of all over one that does.
    `refused` is called when that happened, so that it is found out which one.
    """

    def __init__(
        self,
        client: Client,
        watched: Sequence[Watched],
        namespaces: Sequence[str],
        deliver: Take,
        telemetry: Telemetry,
        pauses: Pauses | None = None,
        *,
        answering: Callable[[], Sequence[str]] | None = None,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._watched = watched
        self._namespaces = namespaces
        self._answering = answering or (lambda: namespaces)
        self._refused = refused
        self._inbox = Inbox(deliver)
        self._telemetry = telemetry
        self._pauses = pauses or Pauses()
        self._beat = time.monotonic()

    def problem(self) -> str | None:
        """What is wrong with the watch for so long that only a new process may help."""
        silent = time.monotonic() - self._beat
        return f"the watch has been silent for {silent:.0f} s" if silent > HUNG_AFTER_S else None

    async def run(self) -> None:
        """Watch until cancelled; then the thread is ended within 3 s."""
        pause = self._pauses.first
        while True:
            self._mark()
            started = time.monotonic()
            reason = await self._watch()
            if reason in _REFUSALS:
                self._refused()
            if reason in _OUR_OWN or time.monotonic() - started > self._pauses.longest:
                pause = self._pauses.first
            self._telemetry.hints_restarts.labels(reason=reason).inc()
            log.warning("watch ended reason=%s restart_s=%.1f", reason, pause)
            await asyncio.sleep(pause)
            pause = min(self._pauses.longest, pause * 2)

    async def _watch(self) -> str:
        """One life of the watch; gives the reason of its end."""
        try:
            absent = await self._absent_kinds()
        except ApiError as error:
            return error.reason
        namespaces = tuple(self._answering())
        if self._namespaces and not namespaces:
            return "NoNamespace"
        if absent:
            log.warning("kinds not served yet kinds=%s", ",".join(sorted(kind.kind for kind in absent)))
        thread = KopfThread(self._client.access, self._watched, namespaces, self._inbox.put, self._mark)
        ended = thread.start()
        appeared = asyncio.create_task(self._appeared(absent), name="absent kinds")
        changed = asyncio.create_task(self._changed(namespaces), name="namespaces")
        try:
            either: set[asyncio.Future[Any]] = {ended, appeared, changed}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return ended.result()
            return "KindAppeared" if appeared.done() else "NamespacesChanged"
        finally:
            appeared.cancel()
            changed.cancel()
            await thread.stop()

    async def _changed(self, namespaces: Sequence[str]) -> None:
        """Return as soon as other namespaces answer than those that are watched."""
        while True:
            if tuple(self._answering()) != namespaces:
                return
            await asyncio.sleep(self._pauses.namespaces)

    async def _appeared(self, absent: frozenset[Kind]) -> None:
        """Return as soon as a kind that was absent is served; never if there was none."""
        while True:
            await asyncio.sleep(self._pauses.absent_kinds)
            try:
                if absent and await self._absent_kinds() < absent:
                    return
            except ApiError as error:
                log.warning("served kinds not read error=%s", error)

    async def _absent_kinds(self) -> frozenset[Kind]:
        return frozenset([each.kind for each in self._watched if not await self._client.served(each.kind)])

    def _mark(self) -> None:
        self._beat = time.monotonic()


class Inbox:
    """Brings events from kopf's thread to our loop, one call for a burst, in slices that do not hold the loop up."""

    def __init__(self, deliver: Take) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._events: deque[tuple[Kind, str | None, Object]] = deque()

    def put(self, kind: Kind, event: str | None, obj: Object) -> None:
        """Take an event in, from any thread."""
        self._events.append((kind, event, obj))
        if len(self._events) == 1:
            with contextlib.suppress(RuntimeError):  # our loop ended before kopf's
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        for _ in range(min(BATCH, len(self._events))):
            event = self._events.popleft()
            try:
                self._deliver(*event)
            except Exception:
                log.exception("event not taken in kind=%s", event[0].kind)
        if self._events:
            self._loop.call_soon(self._drain)
