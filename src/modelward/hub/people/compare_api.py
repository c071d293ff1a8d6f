"""The page Revisions: one revision of an endpoint against another, by what history and evaluations counted of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson
from aiohttp import web

from modelward.api.compare_view import RevisionsView
from modelward.api.evaluation import WindowResult, result_from_json
from modelward.api.shown_object import ShownName
from modelward.hub.errors import HubError, bad_request
from modelward.hub.history.store import HistoryStore
from modelward.hub.history.totals import PartTotals
from modelward.hub.people.checks import PolicySpec
from modelward.hub.people.door import Door, Place
from modelward.hub.people.fleet import specs_in
from modelward.hub.people.revision_rows import evaluation_rows, request_rows
from modelward.hub.people.rights import not_there
from modelward.hub.people.shown import ShownObjects
from modelward.hub.requests import view_answer
from modelward.hub.results import ResultStore

COMPARED_MS = 14 * 86_400_000
"""Revisions are compared by what was counted in so long."""
_MOST_REVISIONS = 50
_LONGEST_NAME = 64
_UNTOLD = ("", "other")


@dataclass(frozen=True, slots=True)
class CompareApi:
    """The handler."""

    shown: ShownObjects
    door: Door
    history: HistoryStore
    results: ResultStore
    clock_ms: Callable[[], int]

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/v1/view/endpoints/{namespace}/{endpoint}/compare", self.get_compare)

    async def get_compare(self, request: web.Request) -> web.Response:
        """Answer revision `b` against revision `a`; without names the newest against the one before."""
        place, query = await self.door.place(request), request.query
        if self.shown.get(ShownName("LLMEndpoint", place.namespace, place.endpoint)) is None:
            raise not_there(place.path)
        asked = query.get("a", ""), query.get("b", "")
        if any(len(one) > _LONGEST_NAME for one in asked):
            raise bad_request("a and b are names of revisions")
        now_ms = self.clock_ms()
        parts = await self._parts(place, now_ms)
        data = await self.results.since(now_ms - COMPARED_MS, place.path)
        specs = specs_in(self.shown, place.namespace)
        return view_answer(await asyncio.to_thread(_compared, place, asked, parts, data, specs, now_ms))

    async def _parts(self, place: Place, now_ms: int) -> Sequence[PartTotals]:
        with suppress(HubError):  # without history there are still evaluations
            name = (place.namespace, place.endpoint)
            return (await self.history.totals(name, now_ms - COMPARED_MS, now_ms)).parts
        return ()


def _compared(
    place: Place,
    asked: tuple[str, str],
    parts: Sequence[PartTotals],
    data: Sequence[bytes],
    specs: Mapping[str, PolicySpec],
    now_ms: int,
) -> RevisionsView:
    results = [result_from_json(orjson.loads(one)) for one in data]
    revisions = _newest_first(parts, results)
    b = asked[1] or next((one for one in revisions if one != asked[0]), "")
    a = asked[0] or next((one for one in revisions[revisions.index(b) + 1 if b in revisions else 0 :] if one != b), "")
    rows = (*request_rows(parts, a, b), *evaluation_rows(results, specs, a, b, (now_ms, COMPARED_MS)))
    return RevisionsView(
        namespace=place.namespace,
        endpoint=place.endpoint,
        a=a,
        b=b,
        revisions=revisions[:_MOST_REVISIONS],
        rows=rows if a and b else (),
    )


def _newest_first(parts: Sequence[PartTotals], results: Sequence[WindowResult]) -> tuple[str, ...]:
    """Return revisions by when they were first seen."""
    first: dict[str, int] = {}
    seen = [(part.revision, part.first_ms) for part in parts if any(part.outcomes.values())]
    seen += [(name, one.from_ms) for one in results for name, counts in one.revisions.items() if counts.samples]
    for name, at_ms in seen:
        if name not in _UNTOLD:
            first[name] = min(at_ms, first.get(name, at_ms))
    return tuple(sorted(first, key=lambda name: (-first[name], name)))
