"""The history of an endpoint for people: the answers that the operator gets, to whoever may see its numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from modelward.api.series import period_to_json, series_to_json
from modelward.hub.admission import send
from modelward.hub.history.api import query_of, span_of
from modelward.hub.history.store import HistoryStore
from modelward.hub.people.door import Door
from modelward.hub.requests import json_answer


@dataclass(frozen=True, slots=True)
class PastApi:
    """The handlers."""

    history: HistoryStore
    door: Door

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        past = "/v1/view/endpoints/{namespace}/{endpoint}/history"
        app.router.add_get(past, self.get_history)
        app.router.add_get(f"{past}/objectives", self.get_objectives)

    async def get_history(self, request: web.Request) -> web.Response:
        """Answer the lines of one metric: `metric`, `by`, `from`, `to`, `points`.

        Callers are named to those who may read text; all others get what the endpoint cost, as `metric` says.
        """
        place = await self.door.place(request)
        query = query_of(request)
        if query.metric == "callers" and not await self.door.rights.allows(place.person, "Text", place.namespace):
            query = replace(query, metric="cost")  # who asked is told to those who may read what was asked
        series = await self.history.answer((place.namespace, place.endpoint), query)
        return await send(request, json_answer(series_to_json(series)))

    async def get_objectives(self, request: web.Request) -> web.Response:
        """Answer what the objectives count over a period: `from`, `to`."""
        place = await self.door.place(request)
        found = await self.history.period((place.namespace, place.endpoint), *span_of(request))
        return json_answer(period_to_json(found))
