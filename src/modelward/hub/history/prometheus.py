"""A Prometheus that answers in the place of the hub's own history, with the same series."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from modelward.api.history import MINUTE_MS
from modelward.api.series import HistoryQuery, HistorySeries
from modelward.hub.errors import HubError
from modelward.hub.history.answers import made_of
from modelward.hub.history.points import Points, grid_of
from modelward.hub.history.promql import PrometheusQuery, add_answer, queries

_TIMEOUT_S = 10.0
_MAX_BYTES = 8 << 20
_LONGEST_MS = 400 * 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class PrometheusHistory:
    """Asks one Prometheus by its URL."""

    url: str

    async def answer(self, endpoint: tuple[str, str], query: HistoryQuery, now_ms: int) -> HistorySeries | None:
        """Return the lines of a metric; None of one that Prometheus does not have. HubError 503 where it fails."""
        from_ms = max(query.from_ms, query.to_ms - _LONGEST_MS)
        grid = grid_of(from_ms, query.to_ms, MINUTE_MS, query.points)
        asked = queries(query.metric, query.by, endpoint, grid.step_ms)
        if not asked:
            return None
        points = Points(grid)
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
                answers = await asyncio.gather(*(self._ask(session, one, points) for one in asked))
            for one, answer in zip(asked, answers, strict=True):
                add_answer(points, one, answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
            text = f"Prometheus at {self.url} does not answer: {type(error).__name__}: {error}"
            raise HubError(503, "PrometheusUnavailable", text[:300], 10) from error
        return made_of(points, query, "prometheus", now_ms)

    async def _ask(self, session: aiohttp.ClientSession, query: PrometheusQuery, points: Points) -> Mapping[str, Any]:
        grid = points.grid
        data = {
            "query": query.text,
            "start": str((grid.from_ms + grid.step_ms) // 1_000),
            "end": str((grid.from_ms + grid.step_ms * grid.count) // 1_000),
            "step": str(grid.step_ms // 1_000),
        }
        async with session.post(f"{self.url.rstrip('/')}/api/v1/query_range", data=data) as response:
            body = await response.content.read(_MAX_BYTES)
            answer = orjson.loads(body)
            if response.status != 200 or answer.get("status") != "success":
                raise ValueError(str(answer.get("error", response.status)))
            return dict(answer)
