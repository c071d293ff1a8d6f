"""What objectives counted in the three days before this process led, so that another leader misses no slow burn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from modelward.api.quantity import PPM
from modelward.api.series import HistoryQuery, HistorySeries
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.status.burn import KEPT_MS, STEP_MS, BurnStep

_AT_ONCE = 10
"""Questions to the hub in one round, which comes every few seconds."""
_POINTS = KEPT_MS // STEP_MS + 2
_NOT_FOUND = 404
StepsByObjective: TypeAlias = Mapping[tuple[str, str], tuple[BurnStep, ...]]
"""By policy and objective, oldest first."""


@dataclass(slots=True)
class PastBurns:
    """Asks the hub once of each endpoint with an error budget; what is not answered yet is not known."""

    clock_ms: Callable[[], int]
    _wanted: dict[str, None] = field(default_factory=dict)
    _answers: dict[str, StepsByObjective] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def want(self, endpoint: str) -> None:
        """Ask about an endpoint, `namespace/name`, unless that was done."""
        if endpoint not in self._known:
            self._wanted.setdefault(endpoint)

    def known(self, endpoint: str) -> bool:
        """Return whether the hub has answered, or has no history to answer from."""
        return endpoint in self._known

    def take(self, endpoint: str) -> StepsByObjective:
        """Return the answer once; nothing before it comes and after it was taken."""
        return self._answers.pop(endpoint, {})

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint that is gone."""
        self._wanted.pop(endpoint, None)
        self._answers.pop(endpoint, None)
        self._known.discard(endpoint)

    async def refresh(self, hub: HubClient) -> frozenset[str]:
        """Ask of a few endpoints; return those with an answer. Raises HubUnavailableError."""
        fresh = set()
        for endpoint in list(self._wanted)[:_AT_ONCE]:
            namespace, _, name = endpoint.partition("/")
            now_ms = self.clock_ms()
            query = HistoryQuery("objectives", now_ms - KEPT_MS, now_ms, points=_POINTS)
            try:
                answer: StepsByObjective = steps_of(await hub.history(namespace, name, query))
            except HubUnavailableError as error:
                if error.status != _NOT_FOUND:
                    raise
                answer = {}
            if self._wanted.pop(endpoint, "gone") is None:  # it may have gone meanwhile
                self._known.add(endpoint)
                self._answers[endpoint] = answer
                fresh.add(endpoint)
        return frozenset(fresh)


def steps_of(series: HistorySeries) -> StepsByObjective:
    """Return the steps of each objective; none that is longer than five minutes, or was not watched."""
    if series.step_ms > STEP_MS:
        return {}
    watched = [place for place, seen in enumerate(series.seen) if seen > 0]
    return {
        (line.policy, line.name): tuple(
            BurnStep(series.at_ms[place], *_counted(line.n[place], line.values[place])) for place in watched
        )
        for line in series.lines
    }


def _counted(events: int | None, share_ppm: int | None) -> tuple[float, float]:
    """Return events and bad ones; the share is told to the millionth, so fewer than half a million are exact."""
    counted = events or 0
    return float(counted), float(round(counted * (share_ppm or 0) / PPM))
