"""An address that takes JSON and keeps it: a webhook, or the API of an Alertmanager as its OpenAPI file has it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web


@dataclass
class PlainReceiver:
    """What was posted: path, headers, and body as bytes and read."""

    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    fail: list[web.Response] = field(default_factory=list)

    @property
    def application(self) -> web.Application:
        app = web.Application(client_max_size=2 << 20)
        app.router.add_post("/{path:.*}", self._post)
        return app

    @property
    def texts(self) -> list[str]:
        return [json.dumps(body, ensure_ascii=False) for body in self.bodies]

    async def _post(self, request: web.Request) -> web.Response:
        if self.fail:
            return self.fail.pop(0)
        body = await request.json()
        if request.path.endswith("/api/v2/alerts") and not all(map(postable, body)):
            return web.Response(status=400)
        self.paths.append(request.path)
        self.headers.append(dict(request.headers))
        self.raw.append(await request.read())
        self.bodies.append(body)
        return web.Response(status=200)


def postable(alert: dict[str, Any]) -> bool:
    """Return whether it is an alert as the OpenAPI file of Alertmanager has it."""
    names = all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", one) for one in (*alert["labels"], *alert["annotations"]))
    times = [datetime.fromisoformat(alert[one]) for one in ("startsAt", "endsAt") if one in alert]
    known = set(alert) <= {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
    return names and known and times == sorted(times) and all(alert["labels"].values())
