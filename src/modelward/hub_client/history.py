"""The history of endpoints at the hub: putting it there, and asking for it."""

from __future__ import annotations

from urllib.parse import quote

from modelward.api.history import BatchKey
from modelward.api.series import (
    HistoryQuery,
    HistorySeries,
    ObjectivePeriod,
    period_from_json,
    series_from_json,
)
from modelward.hub_client.rows import READ_ERRORS
from modelward.hub_client.session import HubSession, HubUnavailableError, decoded


class HistoryRequests(HubSession):
    """What the hub keeps of past minutes; a hub without a history answers 404, one that cannot use it 503."""

    async def put_history(self, key: BatchKey, body: bytes) -> int:
        """Put a batch, the rows as JSON lines compressed by zstd; return how many it left out. Again is no harm."""
        params = {"epoch": key.epoch, "minute": str(key.minute_ms), "part": str(key.part)}
        answer = decoded(await self.ask("PUT", "/v1/history", params=params, data=body, encoding="zstd"))
        return int(answer.get("rejected", 0))

    async def history(self, namespace: str, endpoint: str, query: HistoryQuery) -> HistorySeries:
        """Return the lines of one metric of an endpoint."""
        params = {
            "metric": query.metric,
            "by": query.by,
            "from": str(query.from_ms),
            "to": str(query.to_ms),
            "points": str(query.points),
        }
        answer = decoded(await self.ask("GET", f"/v1/history/{quote(namespace)}/{quote(endpoint)}", params=params))
        try:
            return series_from_json(answer)
        except READ_ERRORS as error:
            raise HubUnavailableError(f"the hub's history cannot be read: {error!r}") from error

    async def objective_period(self, namespace: str, endpoint: str, from_ms: int, to_ms: int) -> ObjectivePeriod:
        """Return what the objectives of an endpoint count over a period."""
        path = f"/v1/history/{quote(namespace)}/{quote(endpoint)}/objectives"
        answer = decoded(await self.ask("GET", path, params={"from": str(from_ms), "to": str(to_ms)}))
        try:
            return period_from_json(answer)
        except READ_ERRORS as error:
            raise HubUnavailableError(f"the hub's history cannot be read: {error!r}") from error
