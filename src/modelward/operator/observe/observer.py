"""Reads the metrics pages of all endpoints in rounds, and keeps the last hour of each endpoint's readings."""

from __future__ import annotations

import asyncio
import logging
import math
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from modelward.metrics.signals import signal_words
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import FRESH_MS, History
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.reason import Reason
from modelward.scrape.pages import Lanes, PageTarget, ScrapeFailure, Scraper

log = logging.getLogger(__name__)

_TROUBLE_AFTER = 3
IDLE_S = 22.0
"""Between two readings of an endpoint whose pages say nothing new; a reading counts as fresh for 30 s."""
_IDLE_AFTER = 20
"""Readings in a row that say nothing new, after which an endpoint is idle."""
_UNMOVED_AFTER = 3
"""The same of one whose pages have said nothing new since they were first read: no window holds anything."""
_UNMOVED_ROUNDS = 1.5
"""Rounds between two readings of such an endpoint, for at most `IDLE_S`."""
_AGAIN_S = 2.0
"""After the first reading that fails, before the next: two lost in their turns would leave no fresh number."""


@dataclass(slots=True)
class Observation:
    """What is known of one endpoint's pods: readings, and why some could not be read."""

    history: History = field(default_factory=History)
    targets: tuple[PageTarget, ...] = ()
    latest: dict[str, Snapshot] = field(default_factory=dict)
    failures: dict[str, ScrapeFailure] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    """Readings in a row that each silent pod has missed."""
    begun_s: float = -math.inf
    """When its pages were last requested, on the loop's clock."""
    quiet: int = 0
    """Readings in a row that said nothing new."""
    moved: bool = False
    """Whether a page has ever said something else than the reading before it."""

    @property
    def idle(self) -> bool:
        """Whether its pages have said nothing new for some minutes, or since they were first read."""
        return self.quiet >= (_IDLE_AFTER if self.moved else _UNMOVED_AFTER)

    @property
    def read(self) -> bool:
        """Whether any page has been requested and has answered or failed."""
        return bool(self.latest or self.failures)

    def problems(self) -> dict[str, tuple[Reason, str]]:
        """Return why each silent pod is silent, as (reason, message) of a condition.

        One that missed a reading or two is no problem yet: it is starting, or was busy.
        """
        return {
            pod: (_condition_reason(failure), failure.message)
            for pod, failure in self.failures.items()
            if self.missed.get(pod, 0) >= _TROUBLE_AFTER
        }

    def shortfalls(self) -> dict[str, str]:
        """Return what pods that are read well have given no number for in 30 s, as a phrase with the cause if known."""
        return {
            pod: f"{pod} gives no number for {signal_words(lacking)}{_because(page)}"
            for pod, page in self.latest.items()
            if pod not in self.failures and (lacking := self.history.lacking(pod, FRESH_MS))
        }

    def engine_problems(self) -> dict[str, str]:
        """Return why the collectors of some pods cannot read the engine's own metrics, in a word."""
        return {pod: page.engine_problem for pod, page in self.latest.items() if page.engine_problem}


def _because(page: Snapshot) -> str:
    return f": the engine's own metrics page: {page.engine_problem}" if page.engine_problem else ""


def _turn(endpoint: str) -> float:
    """Return an endpoint's place in the round, from 0 to 1; the same in each."""
    return zlib.crc32(endpoint.encode()) / 2**32


def wait_s(known: Observation, start_s: float, spread_s: float, turn_s: float) -> float | None:
    """Return how long after the start of a round an endpoint is read; None where it is not due in this one.

    It is read in its turn, or earlier where it was last read out of turn, so that no two readings are further apart
    than rounds are. One that is idle is due later, counted from its last reading, whatever its turn is.
    """
    if known.idle and spread_s < IDLE_S:
        apart_s = IDLE_S if known.quiet >= _IDLE_AFTER else min(IDLE_S, _UNMOVED_ROUNDS * spread_s)
        due_s = max(0.0, known.begun_s + apart_s - start_s)
        return due_s if due_s < spread_s else None
    return min(turn_s, max(0.0, known.begun_s + spread_s - start_s)) if known.read else turn_s


def _condition_reason(failure: ScrapeFailure) -> Reason:
    return MetricsReason.SCRAPE_BLOCKED if failure.reason in ("Refused", "Timeout") else MetricsReason.MISSING


class Observer:
    """Reads in rounds; the reconciler sets what to read and uses what was found."""

    def __init__(self, woken: Callable[[str], None]) -> None:
        self._woken = woken
        self._lanes = Lanes()
        self._asked: set[tuple[str, PageTarget]] = set()
        self._known: dict[str, Observation] = {}
        self._unread: dict[str, None] = {}
        self._news = asyncio.Event()

    def of(self, endpoint: str) -> Observation:
        """Return what is known of an endpoint (`namespace/name`); empty when it is new."""
        return self._known.setdefault(endpoint, Observation())

    def silent(self, endpoint: str) -> bool:
        """Return whether some of an endpoint's pages could not be read when they were last requested."""
        known = self._known.get(endpoint)
        return known is not None and bool(known.failures)

    def watch(self, endpoint: str, targets: Sequence[PageTarget]) -> None:
        """Set which pages are read for an endpoint from now on; one of which nothing is known is read at once."""
        known = self.of(endpoint)
        before, known.targets = known.targets, tuple(targets)
        pods = {target.pod for target in targets}
        for gone in (*(known.latest.keys() - pods), *(known.failures.keys() - pods)):
            known.latest.pop(gone, None)
            known.failures.pop(gone, None)
            known.missed.pop(gone, None)
        if known.targets and known.targets != before and not known.read:
            self._unread[endpoint] = None
            self._news.set()

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint that is gone."""
        self._known.pop(endpoint, None)

    async def round(self, scraper: Scraper, spread_s: float = 0.0) -> None:
        """Read every page once, many at a time, and wake each endpoint whose pages say something new.

        With `spread_s` each endpoint has its turn within so many seconds; one that was never read is also read at once.
        A page that is still being read since an earlier round is left out.
        """
        start_s = asyncio.get_running_loop().time()
        unread = [endpoint for endpoint, known in self._known.items() if spread_s and not known.read]
        turns = (
            (endpoint, wait_s(known, start_s, spread_s, spread_s * _turn(endpoint)) if spread_s else 0.0)
            for endpoint, known in self._known.items()
        )
        at_once = ((endpoint, 0.0) for endpoint in unread)
        due = ((endpoint, wait) for endpoint, wait in (*at_once, *turns) if wait is not None)
        await asyncio.gather(*(self._read_endpoint(scraper, *turn, again=bool(spread_s)) for turn in due))

    async def run(self, scraper: Scraper, interval_s: float) -> None:
        """Go round for ever, one round an interval; what is slow is late for itself and delays no other round.

        Endpoints take turns within the interval, so that what must be read and judged never comes all at once.
        """
        async with asyncio.TaskGroup() as rounds:
            rounds.create_task(self._read_new(scraper))
            while True:
                rounds.create_task(self.round(scraper, spread_s=interval_s))
                await asyncio.sleep(interval_s)

    async def _read_new(self, scraper: Scraper) -> None:
        """Read each endpoint that is watched and was never read, as soon as it is watched: its status waits for it."""
        async with asyncio.TaskGroup() as readings:
            while True:
                await self._news.wait()
                self._news.clear()
                unread, self._unread = self._unread, {}
                for endpoint in unread:
                    readings.create_task(self._read_endpoint(scraper, endpoint, 0.0))

    async def _read_endpoint(self, scraper: Scraper, endpoint: str, wait_s: float, *, again: bool = False) -> None:
        await asyncio.sleep(wait_s)
        try:
            await self._read_pods(scraper, endpoint)
            if again and self._just_missed(endpoint):
                await asyncio.sleep(_AGAIN_S)
                await self._read_pods(scraper, endpoint, self._just_missed(endpoint))
        except Exception:  # what one endpoint's pages say must not end the rounds of all others
            log.exception("scrape=unexpected endpoint=%s", endpoint)

    def _just_missed(self, endpoint: str) -> frozenset[str]:
        """Return the pods whose last reading failed and whose reading before it did not."""
        known = self._known.get(endpoint)
        return (
            frozenset(pod for pod, missed in known.missed.items() if missed == 1) if known is not None else frozenset()
        )

    async def _read_pods(self, scraper: Scraper, endpoint: str, pods: Collection[str] | None = None) -> None:
        """Read an endpoint's pages, or those of some of its pods."""
        known = self._known.get(endpoint)
        if known is None:
            return
        known.begun_s = asyncio.get_running_loop().time()
        wanted = (target for target in known.targets if pods is None or target.pod in pods)
        asking = [target for target in wanted if (endpoint, target) not in self._asked]
        counts = pods is None  # what is read again at once has missed its turn once
        news = await asyncio.gather(*(self._read(scraper, endpoint, target, counts=counts) for target in asking))
        known.quiet = 0 if any(news) else known.quiet + 1
        if any(news):
            self._woken(endpoint)

    async def _read(self, scraper: Scraper, endpoint: str, target: PageTarget, *, counts: bool) -> bool:
        asked, known = (endpoint, target), self._known.get(endpoint)
        if known is None:
            return False
        self._asked.add(asked)
        try:
            before, silent = known.latest.get(target.pod), target.pod in known.failures
            page = await self._lanes.read(scraper, target, before, silent=silent)
        finally:
            self._asked.discard(asked)
        return endpoint in self._known and self._take(endpoint, target, page, counts=counts)

    def _take(self, endpoint: str, target: PageTarget, page: Snapshot | ScrapeFailure, *, counts: bool) -> bool:
        """Keep a reading; return whether it differs from the last one in more than its time."""
        observation = self._known[endpoint]
        if isinstance(page, Snapshot):
            before = observation.latest.get(target.pod)
            observation.history.add(page)
            observation.latest[target.pod] = page
            failed = observation.failures.pop(target.pod, None)
            observation.missed.pop(target.pod, None)
            differs = before is not None and replace(before, at_ms=page.at_ms) != page
            observation.moved = observation.moved or differs
            return failed is not None or before is None or differs
        if target.pod not in observation.failures:
            log.info("scrape=failed endpoint=%s pod=%s reason=%s", endpoint, target.pod, page.reason)
        observation.failures[target.pod] = page
        observation.missed[target.pod] = observation.missed.get(target.pod, 0) + counts
        return True
