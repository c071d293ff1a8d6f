"""The part of the HTTP API by which the operator shows the hub what people read."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from modelward.api.shown_object import ShownName, name_from_json
from modelward.hub.errors import HubError
from modelward.hub.layout import is_endpoint
from modelward.hub.people.shown import ShownObjects
from modelward.hub.requests import Permit, json_answer, parsed_of

log = logging.getLogger(__name__)
BODY_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class _Change:
    """What the operator tells: of the process `hub`, or a part of everything, which `telling` names."""

    hub: object
    telling: str
    put: list[Any]
    gone: list[Any]
    unseen: frozenset[str]
    last: bool


@dataclass(frozen=True, slots=True)
class ObjectApi:
    """The handler; `permit` raises HubError 403 when the caller may not."""

    shown: ShownObjects
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_put("/v1/objects", self.put_objects)

    async def put_objects(self, request: web.Request) -> web.Response:
        """Take changes in, or a part of everything: `{"hub", "put", "gone", "telling", "last", "unseen"}`.

        409 Restarted where `hub` is the id of another process, which means that this one was told nothing yet; a
        telling of everything needs no id. Rows that cannot be read, or do not fit, are named in `refused`.
        """
        await self.permit(request, "put objects", "")
        told = await parsed_of(request, BODY_BYTES, _change, "the body is no change of objects")
        if not told.telling and told.hub != self.shown.id:
            raise HubError(409, "Restarted", "this hub was not told everything yet; tell it all")
        refused = list(self._taken(told.put, told.telling))
        self.shown.drop(self._names(told.gone))
        if told.telling and told.last:
            self.shown.end_telling(told.telling, told.unseen)
        self.shown.told_ms = self.shown.clock_ms()
        if refused:
            log.warning("objects=refused count=%d first=%r", len(refused), refused[0])
        return json_answer({"hub": self.shown.id, "refused": refused[:100]})

    def _taken(self, rows: Iterable[Any], telling: str) -> Iterable[str]:
        """Take rows in; yield the names of those that were refused."""
        for row in rows:
            try:
                name = name_from_json(row)
                if not is_endpoint(f"{name.namespace}/{name.name}"):
                    raise ValueError("not names of Kubernetes")
            except ValueError as error:
                yield str(error)
                continue
            if not self.shown.put(name, row, telling):
                yield f"{name.kind} {name.namespace}/{name.name}"

    def _names(self, rows: Iterable[Any]) -> Iterable[ShownName]:
        for row in rows:
            try:
                yield name_from_json(row)
            except ValueError:
                continue


def _change(data: Any) -> _Change:
    return _Change(
        hub=data.get("hub"),
        telling=str(data.get("telling") or ""),
        put=list(data.get("put") or ()),
        gone=list(data.get("gone") or ()),
        unseen=frozenset(map(str, data.get("unseen") or ())),
        last=data.get("last") is True,
    )
