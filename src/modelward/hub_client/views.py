"""What people read from the hub, each with the person's own token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from modelward.api.base import Model
from modelward.api.compare_view import RevisionsView, WhyView
from modelward.api.exchange_page import ExchangePage, LabelView, PersonLabel
from modelward.api.person import Person
from modelward.api.preview import Preview, PreviewRequest, SilenceRequest
from modelward.api.series import HistoryQuery, HistorySeries, series_from_json
from modelward.api.views import AlertPage, AuditPage, EndpointView, FleetPage, PolicyPage, PolicyView, SilenceView
from modelward.hub_client.rows import READ_ERRORS
from modelward.hub_client.session import HubSession, HubUnavailableError, decoded

ViewQuery = Mapping[str, str | int | None]
"""Parameters of a query, as the routes name them; those that are empty are left out."""
V = TypeVar("V", bound=Model)


class ViewClient(HubSession):
    """Asks one hub on behalf of one person; every method raises HubUnavailableError, whose `status` says why.

    401: the token counts no longer; 403: the person may not; 404: there is nothing that the person may see.
    """

    async def me(self) -> Person:
        """Return who the token stands for."""
        return await self._view(Person, "me")

    async def fleet(self, asked: ViewQuery | None = None) -> FleetPage:
        """Return a page of endpoints: `ns`, `q`, `health`, `sort`, `page`."""
        return await self._view(FleetPage, "fleet", asked)

    async def endpoint(self, namespace: str, name: str) -> EndpointView:
        """Return one endpoint."""
        return await self._view(EndpointView, _endpoint(namespace, name))

    async def why(self, namespace: str, name: str, check: str = "") -> WhyView:
        """Return what changed when it flipped; `check` is `policy/name`."""
        return await self._view(WhyView, f"{_endpoint(namespace, name)}/why", {"check": check})

    async def compare(self, namespace: str, name: str, a: str = "", b: str = "") -> RevisionsView:
        """Return revision b against revision a; without names the newest against the one before."""
        return await self._view(RevisionsView, f"{_endpoint(namespace, name)}/compare", {"a": a, "b": b})

    async def exchanges(self, namespace: str, name: str, asked: ViewQuery | None = None) -> ExchangePage:
        """Return exchanges: `from`, `to`, `flagged`, `status`, `slower`, `revision`, `text`, `cursor`, …"""
        return await self._view(ExchangePage, f"{_endpoint(namespace, name)}/exchanges", asked)

    async def history(self, namespace: str, name: str, query: HistoryQuery) -> HistorySeries:
        """Return the lines of one metric."""
        plain = {"metric": query.metric, "by": query.by, "from": str(query.from_ms), "to": str(query.to_ms)}
        path = f"/v1/view/{_endpoint(namespace, name)}/history"
        answer = await self.ask("GET", path, params={**plain, "points": str(query.points)})
        try:
            return series_from_json(decoded(answer))
        except READ_ERRORS as error:
            raise HubUnavailableError("the hub's history cannot be read") from error

    async def policies(self, asked: ViewQuery | None = None) -> PolicyPage:
        """Return policies: `ns`, `q`."""
        return await self._view(PolicyPage, "policies", asked)

    async def policy(self, namespace: str, name: str) -> PolicyView:
        """Return one policy."""
        return await self._view(PolicyView, f"policies/{quote(namespace, safe='')}/{quote(name, safe='')}")

    async def alerts(self, asked: ViewQuery | None = None) -> AlertPage:
        """Return alerts and silences: `ns`, `state`."""
        return await self._view(AlertPage, "alerts", asked)

    async def reads(self, namespace: str, cursor: str = "") -> AuditPage:
        """Return who read and erased what of a namespace, newest first."""
        return await self._view(AuditPage, "audit", {"ns": namespace, "cursor": cursor})

    async def label(self, label: PersonLabel) -> LabelView:
        """Store a person's word on an exchange; again is no harm."""
        return _read(LabelView, await self.ask("POST", "/v1/feedback", json=label.wire()))

    async def silence(self, asked: SilenceRequest) -> SilenceView:
        """Ask for a silence, which the operator makes."""
        return _read(SilenceView, await self.ask("POST", "/v1/view/silences", json=asked.wire()))

    async def preview(self, asked: PreviewRequest) -> Preview:
        """Return what a policy would have done."""
        return _read(Preview, await self.ask("POST", "/v1/view/preview", json=asked.wire()))

    async def _view(self, kind: type[V], path: str, asked: ViewQuery | None = None) -> V:
        query = {key: str(value) for key, value in (asked or {}).items() if value not in (None, "")}
        return _read(kind, await self.ask("GET", f"/v1/view/{path}", params=query))


def _endpoint(namespace: str, name: str) -> str:
    return f"endpoints/{quote(namespace, safe='')}/{quote(name, safe='')}"


def _read(kind: type[V], answer: bytes) -> V:
    found: Any = decoded(answer)
    try:
        return kind.model_validate(found)
    except ValueError as error:
        raise HubUnavailableError(f"the hub's answer is no {kind.__name__}: an older hub?") from error
