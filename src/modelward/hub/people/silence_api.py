"""Silences that people ask for: kept for the operator, which makes the objects; the hub has no right to."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from modelward.api.alertsilence import MAX_SILENCE_MS
from modelward.api.preview import SilenceRequest
from modelward.api.shown_object import ShownName
from modelward.api.silence_order import SilenceOrder
from modelward.hub.errors import bad_request
from modelward.hub.people.door import Door
from modelward.hub.people.rights import not_there
from modelward.hub.people.shown import ShownObjects
from modelward.hub.people.wanted_silences import WantedSilences
from modelward.hub.requests import Permit, json_answer, object_of, parsed_of

_BODY_BYTES = 8 << 10
_EXPECTED = "a silence has namespace, endpoint, alerts, untilMs, untilResolved and comment"


@dataclass(frozen=True, slots=True)
class SilenceApi:
    """The handlers; `permit` raises HubError 403 when an account may not do something."""

    wanted: WantedSilences
    shown: ShownObjects
    door: Door
    permit: Permit

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/v1/view/silences", self.post_silence)
        app.router.add_get("/v1/requests/silences", self.get_orders)
        app.router.add_post("/v1/requests/silences/{id}", self.post_settled)

    async def post_silence(self, request: web.Request) -> web.Response:
        """Keep what a person asks for; it is in force once the operator has made the object."""
        asked = await parsed_of(request, _BODY_BYTES, SilenceRequest.model_validate, _EXPECTED)
        place = await self.door.enter(request, asked.namespace, asked.endpoint, "Silence")
        if asked.endpoint and self.shown.get(ShownName("LLMEndpoint", asked.namespace, asked.endpoint)) is None:
            raise not_there(place.path)
        if not self.door.knows(asked.namespace):
            raise not_there(f"endpoint in {asked.namespace}")
        now_ms = self.wanted.clock_ms()
        if not now_ms < asked.until_ms <= now_ms + MAX_SILENCE_MS:
            raise bad_request("untilMs lies within the next 30 days")
        order = self.wanted.order(asked, place.person.name)
        _assert_sayable(order)
        words = f"alerts={','.join(asked.alerts) or 'all'} until={order.spec().until} resolved={asked.until_resolved}"
        await self.door.record(place, "silence", (), words)
        return json_answer(self.wanted.keep(order).wire(), status=202)

    async def get_orders(self, request: web.Request) -> web.Response:
        """Answer what waits to be made."""
        await self.permit(request, "carry out silences", "")
        return json_answer({"silences": [one.wire() for one in self.wanted.waiting()]})

    async def post_settled(self, request: web.Request) -> web.Response:
        """Note what became of one: `{"problem": ""}` where it was made."""
        await self.permit(request, "carry out silences", "")
        problem = str((await object_of(request, _BODY_BYTES)).get("problem") or "")
        self.wanted.settle(request.match_info["id"], problem[:500])
        return json_answer({})


def _assert_sayable(order: SilenceOrder) -> None:
    try:
        order.spec()
    except (ValueError, OverflowError) as error:
        lines = [one["msg"] for one in error.errors()] if hasattr(error, "errors") else [str(error)]
        raise bad_request(f"no AlertSilence can say that: {'; '.join(lines)[:300]}") from error
