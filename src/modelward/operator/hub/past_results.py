"""Results of windows that ended before what the feed asks for, fetched for the runs that wait for them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TypeVar

from modelward.api.evaluation import WindowResult
from modelward.desired.runs import is_scheduled
from modelward.hub_client.client import HubClient, HubUnavailableError

log = logging.getLogger(__name__)

T = TypeVar("T")
_AT_ONCE = 20
"""Questions of one fetch, so that many runs of one namespace do not hold up the results of all others."""
_MOST_RESULTS = 1_000
"""Of one endpoint for one run, which has at most 500 items."""


@dataclass(slots=True)
class PastResults:
    """What runs have requested, by (namespace, run); each keeps its answer until it has ended."""

    _asked: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    """The endpoints that each run waits for, with the end of the oldest window in question."""
    _turn: int = 0
    _found: dict[tuple[str, str], dict[str, list[WindowResult]]] = field(default_factory=dict)

    def want(self, namespace: str, run: str, endpoint: str, to_ms: int) -> None:
        """Ask, with the next fetch, for what a run found of an endpoint in windows that end at `to_ms` or later."""
        asked = self._asked.setdefault((namespace, run), {})
        asked[endpoint] = min(to_ms, asked.get(endpoint, to_ms))

    def of(self, namespace: str, run: str, endpoint: str) -> tuple[WindowResult, ...]:
        """Return what was found so far."""
        return tuple(self._found.get((namespace, run), {}).get(endpoint, ()))

    def scheduled(self) -> Iterator[WindowResult]:
        """Yield what runs of the schedule have found: windows that were judged again because more had come."""
        for found in self._found.values():
            yield from (one for results in found.values() for one in results if is_scheduled(one.run))

    def forget(self, namespace: str, run: str) -> None:
        """Drop what a run requested: it has ended, or is gone."""
        self._asked.pop((namespace, run), None)
        self._found.pop((namespace, run), None)

    async def fetch(self, hub: HubClient) -> None:
        """Request what is pending, some endpoints at a time; what fails is requested again in its next turn."""
        for namespace, run, endpoint, to_ms in self._next():
            try:
                found = await _of_run(hub, namespace, run, endpoint, to_ms)
            except HubUnavailableError as error:
                log.warning("past_results=missing namespace=%s run=%s error=%r", namespace, run, str(error)[:200])
                if not error.status:
                    return
                continue
            if (namespace, run) in self._asked:  # it may have ended since
                self._found.setdefault((namespace, run), {})[endpoint] = found

    def _next(self) -> list[tuple[str, str, str, int]]:
        """Return whose turn it is: one question of each namespace, then a second of each."""
        waiting: dict[str, list[tuple[str, str, str, int]]] = {}
        for (namespace, run), asked in self._asked.items():
            waiting.setdefault(namespace, []).extend((namespace, run, *one) for one in asked.items())
        self._turn += 1
        in_turn = _rotated([_rotated(own, self._turn) for own in waiting.values()], self._turn)
        return [one for row in zip_longest(*in_turn) for one in row if one is not None][:_AT_ONCE]


def _rotated(rows: list[T], by: int) -> list[T]:
    start = by % max(1, len(rows))
    return [*rows[start:], *rows[:start]]


async def _of_run(hub: HubClient, namespace: str, run: str, endpoint: str, to_ms: int) -> list[WindowResult]:
    found: list[WindowResult] = []
    async with aclosing(hub.result_batches(to_ms, namespace, endpoint)) as batches:
        async for batch in batches:
            found += [result for result in batch if result.run == run]
            if len(found) >= _MOST_RESULTS:
                break
    return found[:_MOST_RESULTS]
