"""Namespaces that the cluster has no longer: kept for a while, in case it was a mistake, and then erased.

Only the API server's word that there is no such namespace counts, as the operator passes it on: a list that failed, a
right that is missing or an operator that is away says nothing. It has to be said again when the time is over.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field

import orjson

from modelward.hub.clock_watch import ClockWatch
from modelward.hub.eraser import Eraser
from modelward.hub.erasure import ErasureScope
from modelward.hub.errors import HubError
from modelward.hub.layout import is_namespace
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
PATH = "gone/namespaces.json"
SAID_MS = 3_600_000
"""How long ago it may have been said that a namespace is gone, when it is erased."""
MOST = 100
"""Namespaces that the operator is asked about at once."""
_MOST_MARKED = 10_000


@dataclass(slots=True)
class GoneNamespaces:
    """Marks namespaces with the time at which they were first said to be gone (Unix ms), and erases them.

    `held` returns of which there is anything, `ruled` those with an endpoint, `erase` takes all of one away.
    """

    objects: ObjectStore
    clock_ms: Callable[[], int]
    keep_ms: int
    held: Callable[[], Awaitable[Collection[str]]]
    ruled: Callable[[], Collection[str]]
    erase: Callable[[str], Awaitable[None]]
    asked: tuple[str, ...] = ()
    """Of which the operator is to say whether they are there."""
    _since: dict[str, int] = field(default_factory=dict)
    _said: dict[str, int] = field(default_factory=dict)
    _clock: ClockWatch = field(init=False)

    def __post_init__(self) -> None:
        self._clock = ClockWatch(self.clock_ms)
        self._clock.begin(1)  # the clock may have jumped while no hub ran: the first round erases nothing

    async def load(self) -> None:
        """Read the marks; unreadable ones begin anew."""
        data = await self.objects.get(PATH)
        try:
            rows = orjson.loads(data) if data else {}
            self._since = {name: int(at) for name, at in rows.items() if is_namespace(name)}
        except (ValueError, TypeError, AttributeError):
            log.error("marks of gone namespaces unreadable path=%s", PATH)
            self._since = {}

    async def tell(self, gone: Iterable[str], there: Iterable[str]) -> None:
        """Take in what the API server says; HubError when the store refuses. What has an endpoint is not gone."""
        now_ms, ruled, before = self.clock_ms(), frozenset(self.ruled()), dict(self._since)
        for name in there:
            self._forget(name)
        for name in gone:
            if name in ruled or not is_namespace(name) or len(self._since) >= _MOST_MARKED:
                continue
            self._since.setdefault(name, now_ms)
            self._said[name] = now_ms
            if name not in before:
                log.warning("namespace gone name=%s erased_after_hours=%d", name, self.keep_ms // 3_600_000)
        await self._keep(before)

    async def tidy(self) -> None:
        """Erase what is gone for long enough, and find out of what the operator is to be asked."""
        held, ruled, before = frozenset(await self.held()), frozenset(self.ruled()), dict(self._since)
        for name in [name for name in self._since if name in ruled or name not in held]:
            self._forget(name)
        self.asked = tuple(sorted(held - ruled, key=lambda name: (self._said.get(name, 0), name))[:MOST])
        for name in self._due() if self._clock.steady() else ():
            try:
                await self.erase(name)
            except HubError as error:
                log.error("namespace not erased name=%s cause=%r", name, str(error))
                continue
            log.warning("namespace erased name=%s gone_since_ms=%d", name, self._since[name])
            self._forget(name)
        await self._keep(before)

    def _due(self) -> list[str]:
        """Return what may be erased; by a clock that was set back nothing is."""
        now_ms = self.clock_ms()
        return [
            name
            for name, since_ms in self._since.items()
            if since_ms + self.keep_ms <= now_ms and 0 <= now_ms - self._said.get(name, 0) <= SAID_MS
        ]

    def _forget(self, name: str) -> None:
        self._since.pop(name, None)
        self._said.pop(name, None)

    async def _keep(self, before: dict[str, int]) -> None:
        if self._since != before:
            await self.objects.put(PATH, orjson.dumps(self._since))


def gone_namespaces(eraser: Eraser, keep_ms: int, counted: Callable[[], None]) -> GoneNamespaces:
    """Return those of a hub; `counted` is told of each that was erased."""
    store = eraser.store

    def ruled() -> set[str]:
        return {name.partition("/")[0] for name, rule in store.rules.by_endpoint.items() if rule.gone_ms is None}

    async def erase(namespace: str) -> None:
        await eraser.erase(ErasureScope(namespace), "hub", "the namespace was deleted")
        counted()

    return GoneNamespaces(store.objects, store.clock_ms, keep_ms, eraser.namespaces, ruled, erase)
