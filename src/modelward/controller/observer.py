"""Reads the metrics pages of all endpoints in rounds, and keeps the last hour of each endpoint's readings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from modelward.collect.rounds import scrape_all
from modelward.collect.scrape import ScrapeFailure, Scraper, Target
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History

log = logging.getLogger(__name__)

_TROUBLE_AFTER = 3


@dataclass(slots=True)
class Observation:
    """What is known of one endpoint's pods: readings, and why some could not be read."""

    history: History = field(default_factory=History)
    targets: tuple[Target, ...] = ()
    latest: dict[str, Snapshot] = field(default_factory=dict)
    failures: dict[str, ScrapeFailure] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    """Readings in a row that each silent pod has missed."""

    @property
    def read(self) -> bool:
        """Whether any page has been asked for and has answered or failed."""
        return bool(self.latest or self.failures)

    def problems(self) -> dict[str, tuple[str, str]]:
        """Return why each silent pod is silent, as (reason, message) of a condition.

        One that missed a reading or two is no problem yet: it is starting, or was busy.
        """
        return {
            pod: (_condition_reason(failure), failure.message)
            for pod, failure in self.failures.items()
            if self.missed.get(pod, 0) >= _TROUBLE_AFTER
        }


def _condition_reason(failure: ScrapeFailure) -> str:
    return "ScrapeBlocked" if failure.reason in ("Refused", "Timeout") else "Missing"


class Observer:
    """One task that goes round; who reconciles tells it what to read and looks at what it found."""

    def __init__(self, woken: Callable[[str], None]) -> None:
        self._woken = woken
        self._known: dict[str, Observation] = {}

    def of(self, endpoint: str) -> Observation:
        """Return what is known of an endpoint (`namespace/name`); empty when it is new."""
        return self._known.setdefault(endpoint, Observation())

    def watch(self, endpoint: str, targets: Sequence[Target]) -> None:
        """Set which pages are read for an endpoint from the next round on."""
        known = self.of(endpoint)
        known.targets = tuple(targets)
        pods = {target.pod for target in targets}
        for gone in (*(known.latest.keys() - pods), *(known.failures.keys() - pods)):
            known.latest.pop(gone, None)
            known.failures.pop(gone, None)
            known.missed.pop(gone, None)

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint that is gone."""
        self._known.pop(endpoint, None)

    async def round(self, scraper: Scraper) -> None:
        """Read every page once, many at a time, and wake the endpoints that were read."""
        asked = [(endpoint, target) for endpoint, known in self._known.items() for target in known.targets]
        found = await scrape_all(scraper, [target for _, target in asked])
        for (endpoint, target), page in zip(asked, found, strict=True):
            if endpoint in self._known:
                self._take(endpoint, target, page)
        for endpoint in {endpoint for endpoint, _ in asked}:
            self._woken(endpoint)

    async def run(self, scraper: Scraper, interval_s: float) -> None:
        """Go round for ever, one round an interval; a round that takes longer delays the next."""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            await self.round(scraper)
            await asyncio.sleep(max(0.1, interval_s - (loop.time() - started)))

    def _take(self, endpoint: str, target: Target, page: Snapshot | ScrapeFailure) -> None:
        observation = self._known[endpoint]
        if isinstance(page, Snapshot):
            observation.history.add(page)
            observation.latest[target.pod] = page
            observation.failures.pop(target.pod, None)
            observation.missed.pop(target.pod, None)
            return
        if target.pod not in observation.failures:
            log.info("scrape=failed endpoint=%s pod=%s reason=%s", endpoint, target.pod, page.reason)
        observation.failures[target.pod] = page
        observation.missed[target.pod] = observation.missed.get(target.pod, 0) + 1
