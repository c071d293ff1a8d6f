"""What one person reads at the hub, with the person's own token: the hub authorises and records each read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

from modelward.api.base import Fitted
from modelward.api.compare_view import RevisionsView, WhyView
from modelward.api.exchange_page import ExchangePage, PersonLabel
from modelward.api.person import Person
from modelward.api.preview import Preview, PreviewRequest, SilenceRequest
from modelward.api.series import HistoryQuery, HistorySeries, series_from_json
from modelward.api.views import AlertPage, AuditPage, EndpointView, FleetPage, PolicyPage, PolicyView
from modelward.console.settings import ConsoleSettings
from modelward.hub_client.rows import READ_ERRORS
from modelward.hub_client.session import HubSession, HubUnavailableError, decoded

Shown = TypeVar("Shown", bound=Fitted)


class HubReader(HubSession):
    """Views of the hub; every method raises HubUnavailableError and nothing else."""

    @classmethod
    def at(cls, settings: ConsoleSettings, token: str) -> HubReader:
        """Return what asks the hub with one token; an empty one asks without. OSError without its authority."""
        pem = settings.hub_ca_file.read_bytes() if settings.hub_ca_file else None
        return cls(settings.hub_url, pem, (lambda: token) if token else None)

    async def view(self, kind: type[Shown], path: str, params: Mapping[str, str] | None = None) -> Shown:
        """Return what the hub answers under /v1/view."""
        return self._read(kind, await self.ask("GET", f"/v1/view/{path}", params=params))

    async def me(self) -> Person:
        """Return who the token is, and what that person may do."""
        return await self.view(Person, "me")

    async def fleet(self, params: Mapping[str, str]) -> FleetPage:
        """Return one page of endpoints."""
        return await self.view(FleetPage, "fleet", params)

    async def endpoint(self, namespace: str, name: str) -> EndpointView:
        """Return one endpoint."""
        return await self.view(EndpointView, place(namespace, name))

    async def history(self, namespace: str, name: str, query: HistoryQuery) -> HistorySeries:
        """Return one metric's lines over time."""
        params = {
            "metric": query.metric,
            "by": query.by,
            "from": str(query.from_ms),
            "to": str(query.to_ms),
            "points": str(query.points),
        }
        answer = await self.ask("GET", f"/v1/view/{place(namespace, name)}/history", params=params)
        try:
            return series_from_json(decoded(answer))
        except READ_ERRORS as error:
            raise HubUnavailableError("the hub's history cannot be read") from error

    async def why(self, namespace: str, name: str, check: str) -> WhyView:
        """Return what was different when an endpoint, or a check of it, flipped."""
        return await self.view(WhyView, place(namespace, name, "why"), {"check": check} if check else None)

    async def compare(self, namespace: str, name: str, revisions: Mapping[str, str]) -> RevisionsView:
        """Return revision `b` against revision `a`."""
        return await self.view(RevisionsView, place(namespace, name, "compare"), revisions)

    async def exchanges(self, namespace: str, name: str, asked: Mapping[str, str]) -> ExchangePage:
        """Return captured exchanges; that they were shown goes on record."""
        return await self.view(ExchangePage, place(namespace, name, "exchanges"), asked)

    async def alerts(self, namespace: str) -> AlertPage:
        """Return the alerts of a namespace, of all for an empty one."""
        return await self.view(AlertPage, "alerts", {"ns": namespace} if namespace else None)

    async def audit(self, namespace: str, cursor: str) -> AuditPage:
        """Return who read what in a namespace."""
        return await self.view(AuditPage, "audit", {"ns": namespace, **({"cursor": cursor} if cursor else {})})

    async def policies(self, namespace: str) -> PolicyPage:
        """Return the policies of a namespace, of all for an empty one."""
        return await self.view(PolicyPage, "policies", {"ns": namespace} if namespace else None)

    async def policy(self, namespace: str, name: str) -> PolicyView:
        """Return one policy."""
        return await self.view(PolicyView, f"policies/{quote(namespace, safe='')}/{quote(name, safe='')}")

    async def preview(self, asked: PreviewRequest) -> Preview:
        """Return what a policy would have done."""
        answer = await self.ask("POST", "/v1/view/preview", json=asked.wire())
        return self._read(Preview, answer)

    async def silence(self, asked: SilenceRequest) -> None:
        """Ask for an AlertSilence in the person's name."""
        await self.ask("POST", "/v1/view/silences", json=asked.wire())

    async def label(self, word: PersonLabel) -> None:
        """Keep what the person says of a finding."""
        await self.ask("POST", "/v1/feedback", json=word.model_dump(mode="json", by_alias=True))

    def _read(self, kind: type[Shown], answer: bytes) -> Shown:
        try:
            return kind.model_validate(decoded(answer))
        except ValueError as error:
            raise HubUnavailableError(
                f"the hub's answer is of another form, or release: {type(error).__name__}"
            ) from error


def place(namespace: str, name: str, *more: str) -> str:
    """Return the path of an endpoint under /v1/view."""
    parts: Sequence[str] = ("endpoints", namespace, name, *more)
    return "/".join(quote(one, safe="") for one in parts)
