"""Any kind of evaluator behind score/v1, so that one suite tries them all."""

from __future__ import annotations

import json
from typing import Any, cast

from aiohttp import web

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import Scorer, score

LABELS = frozenset({"off-brand"})


def application(scorer: Scorer, labels: frozenset[str] = LABELS) -> web.Application:
    """Serve an evaluator; records become exchanges, and scores rows of the reply."""

    async def manifest(_: web.Request) -> web.Response:
        listed = {"contract": "score/v1", "name": scorer.evaluator.name, "version": "1", "labels": sorted(labels)}
        return web.json_response(listed)

    async def scored(request: web.Request) -> web.Response:
        try:
            asked = json.loads(await request.read())
            exchanges = [_exchange(one) for one in asked["records"]]
            known = asked["contract"] == "score/v1"
        except (ValueError, KeyError, TypeError, RecursionError):
            return web.Response(status=400)
        if not known:
            return web.Response(status=400)
        found = await score(scorer, exchanges)
        return web.json_response({"scores": [_row(one) for one in found]})

    app = web.Application(client_max_size=2_000_000)
    app.router.add_get("/v1/manifest", manifest)
    app.router.add_post("/v1/score", scored)
    return app


def _exchange(record: dict[str, Any]) -> Exchange:
    return Exchange(
        id=record["id"], time_ms=1, endpoint="retail/chat", model="m", revision="r1", operation="chat", status=200,
        outcome="ok", content="Redacted", response=record["response"], conversation=record["group"],
        messages=tuple(Message(one["role"], one["content"]) for one in record["messages"]),
    )  # fmt: skip


def _row(one: Score) -> dict[str, Any]:
    state = "NotApplicable" if one.state == "NotCaptured" else one.state
    row = {"id": one.id, "state": state, "flagged": one.flagged, "value": one.value, "label": one.label}
    return cast("dict[str, Any]", row)
