"""What one person reads at the hub, with the person's own token: the hub authorises and records each read."""

from __future__ import annotations

from urllib.parse import quote

from modelward.api.series import HistoryQuery, HistorySeries, series_from_json
from modelward.console.settings import ConsoleSettings
from modelward.hub_client.rows import READ_ERRORS
from modelward.hub_client.session import HubUnavailableError, decoded
from modelward.hub_client.views import ViewClient


class HubReader(ViewClient):
    """Views of the hub; every method raises HubUnavailableError and nothing else."""

    @classmethod
    def at(cls, settings: ConsoleSettings, token: str) -> HubReader:
        """Return what asks the hub with one token; an empty one asks without. OSError without its authority."""
        pem = settings.hub_ca_file.read_bytes() if settings.hub_ca_file else None
        return cls(settings.hub_url, pem, (lambda: token) if token else None)

    async def history(self, namespace: str, name: str, query: HistoryQuery) -> HistorySeries:
        """Return one metric's lines over time."""
        params = {
            "metric": query.metric,
            "by": query.by,
            "from": str(query.from_ms),
            "to": str(query.to_ms),
            "points": str(query.points),
        }
        place = f"{quote(namespace, safe='')}/{quote(name, safe='')}"
        answer = await self.ask("GET", f"/v1/view/endpoints/{place}/history", params=params)
        try:
            return series_from_json(decoded(answer))
        except READ_ERRORS as error:
            raise HubUnavailableError("the hub's history cannot be read") from error
