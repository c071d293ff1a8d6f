"""Results of windows that ended before what the feed asks for, fetched for the runs that wait for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from modelward.api.evaluation import WindowResult
from modelward.collect.hub import HubClient, HubUnavailableError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PastResults:
    """What runs have asked for, by (namespace, run); each keeps its answer until it has ended."""

    _asked: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    """The endpoints that each run waits for, with the end of the oldest window in question."""
    _found: dict[tuple[str, str], dict[str, list[WindowResult]]] = field(default_factory=dict)

    def want(self, namespace: str, run: str, endpoint: str, to_ms: int) -> None:
        """Ask, with the next fetch, for what a run found of an endpoint in windows that end at `to_ms` or later."""
        asked = self._asked.setdefault((namespace, run), {})
        asked[endpoint] = min(to_ms, asked.get(endpoint, to_ms))

    def of(self, namespace: str, run: str, endpoint: str) -> tuple[WindowResult, ...]:
        """Return what was found so far."""
        return tuple(self._found.get((namespace, run), {}).get(endpoint, ()))

    def forget(self, namespace: str, run: str) -> None:
        """Drop what a run asked for: it has ended, or is gone."""
        self._asked.pop((namespace, run), None)
        self._found.pop((namespace, run), None)

    async def fetch(self, hub: HubClient) -> None:
        """Ask for everything that is waited for, one endpoint after the other; what fails is asked again next time."""
        waiting = [(*of_run, *one) for of_run, asked in self._asked.items() for one in asked.items()]
        for namespace, run, endpoint, to_ms in waiting:
            try:
                results = await hub.results(to_ms, namespace, endpoint)
            except HubUnavailableError as error:
                log.warning("past_results=missing namespace=%s run=%s error=%r", namespace, run, str(error)[:200])
                return
            if (namespace, run) in self._asked:  # it may have ended meanwhile
                found = self._found.setdefault((namespace, run), {})
                found[endpoint] = [result for result in results if result.run == run]
