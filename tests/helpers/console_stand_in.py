"""A hub that answers the samples, and a console before it: for what pages make of answers, and of failures."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import console_more_samples as more
import console_samples as samples
import orjson
from aiohttp import ClientResponse, ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer

from modelward.api.base import Model
from modelward.api.budget import COST_UNITS
from modelward.api.exchange_page import ExchangePage, LabelView
from modelward.api.series import HistorySeries, SeriesLine, series_to_json
from modelward.api.views import SilenceView
from modelward.console.charts.track import Track
from modelward.console.hub_reader import HubReader
from modelward.console.login.ticket import Ticket
from modelward.console.server import running
from modelward.console.sessions import Sessions
from modelward.console.settings import ConsoleSettings

HubAnswer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(slots=True)
class StandInHub:
    """Answers views with samples; `tokens` are those that it takes, all if there are none."""

    tokens: frozenset[str] = frozenset()
    failing: dict[str, int] = field(default_factory=dict)
    """Statuses by the beginning of a path."""
    exchanges: ExchangePage = field(default_factory=more.exchanges)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    person_ends_ms: int | None = None
    tokens_seen: list[str] = field(default_factory=list)

    def application(self) -> web.Application:
        """Return it as an application."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v1/")
        self.asked.append((path, dict(request.query)))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.tokens_seen.append(token)
        if self.tokens and token not in self.tokens:
            return _error(401, "Unauthenticated")
        failing = next((status for start, status in self.failing.items() if path.startswith(start)), None)
        if failing:
            return _error(failing, "Forbidden" if failing == 403 else "Trouble")
        if request.method == "POST":
            self.posted.append((path, orjson.loads(await request.read())))
            return _json(_POSTED[path]().wire())
        return self._view(path.removeprefix("view/"), request)

    def _view(self, path: str, request: web.Request) -> web.Response:
        if path.endswith("/history"):
            return _series(request.query["metric"])
        parts = path.split("/")
        name = parts[-1] if parts[0] == "endpoints" and len(parts) > 3 else parts[0]
        known: Mapping[str, Callable[[], Model]] = {
            "me": lambda: more.person().model_copy(update={"expires_ms": self.person_ends_ms}),
            "fleet": samples.fleet_page,
            "endpoints": samples.endpoint_view,
            "why": more.why,
            "compare": more.revisions,
            "exchanges": lambda: self.exchanges,
            "alerts": more.alerts,
            "audit": more.audit,
            "policies": more.policy if len(parts) > 1 else more.policies,
        }
        return _json(known[name]().wire()) if name in known else _error(404, "NotFound")


_POSTED: Mapping[str, Callable[[], Model]] = {
    "view/preview": more.preview,
    "view/silences": lambda: SilenceView(namespace="retail", state="Requested"),
    "feedback": lambda: LabelView(name="banking/stays-on-topic", own=True),
}


def _json(body: Any) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json")


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": f"the hub says {code}"}}, status=status)


def _series(metric: str) -> web.Response:
    history = samples.history()
    tracks: dict[str, tuple[Track, float]] = {
        "requests": (history.outcomes, 1),
        "ttft": (history.first_token, 1e6),
        "tokens": (history.tokens, 1),
        "cost": (history.cost, COST_UNITS),
        "replicas": (history.replicas, 1),
    }
    if metric == "checks":
        return _json(_checks())
    if metric == "callers":
        return _json(series_to_json(more.callers()))
    if metric not in tracks:
        return _error(404, "NotFound")
    track, unit = tracks[metric]
    lines = tuple(
        SeriesLine(name, _whole(column, unit), currency="EUR" if metric == "cost" else "")
        for name, column in track.columns.items()
    )
    return _json(_wire(metric, track, lines))


def _checks() -> dict[str, Any]:
    quality = samples.history().quality[0]
    columns = {name: _whole(column, 1 if name == "n" else 1e6) for name, column in quality.track.columns.items()}
    line = SeriesLine(quality.name, columns["value"], columns["n"], columns["low"], columns["high"], policy="banking")
    return _wire("checks", quality.track, (line,))


def _wire(metric: str, track: Track, lines: tuple[SeriesLine, ...]) -> dict[str, Any]:
    seen = tuple(round(share * 1e6) for share in track.seen)
    return series_to_json(HistorySeries(metric, "none", "5m", track.step_ms, track.starts_ms, seen, lines))  # type: ignore[arg-type]


def _whole(column: tuple[float | None, ...], unit: float) -> tuple[int | None, ...]:
    return tuple(None if one is None else round(one * unit) for one in column)


@asynccontextmanager
async def serving(hub: StandInHub) -> AsyncIterator[str]:
    """Serve the hub on loopback; yield its address."""
    server = TestServer(hub.application())
    await server.start_server()
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@dataclass(slots=True)
class Console:
    """A console that runs, and a browser's half of it: cookies and requests."""

    url: str
    ticket: Ticket
    sessions: Sessions
    client: ClientSession
    now_ms: int = samples.NOW_MS

    @property
    def port(self) -> str:
        """Where it listens."""
        return self.url.rpartition(":")[2]

    async def open(self) -> None:
        """Begin a session by the printed address."""
        answer = await self.get(self.ticket.path)
        assert answer.status == 200, await answer.text()

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, follow: bool = True) -> ClientResponse:
        """Ask for a page."""
        return await self.client.get(self.url + path, headers=headers, allow_redirects=follow)

    async def post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> ClientResponse:
        """Send a form."""
        return await self.client.post(self.url + path, data=form, headers=headers, allow_redirects=False)


@asynccontextmanager
async def console(hub: StandInHub, **more_settings: Any) -> AsyncIterator[Console]:
    """Run a console on loopback before a hub of samples."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with serving(hub) as hub_url, ClientSession(cookie_jar=CookieJar(unsafe=True)) as client:
        listen = f"127.0.0.1:{port}"
        given: dict[str, Any] = {"url": f"http://{listen}", "hosts": (f"localhost:{port}",), **more_settings}
        settings = ConsoleSettings(listen=listen, hub_url=hub_url, **given)
        ticket = Ticket(HubReader.at(settings, "reader"))
        made: list[Console] = []
        async with running(settings, ticket, lambda: made[0].now_ms if made else samples.NOW_MS) as sessions:
            made.append(Console(f"http://{listen}", ticket, sessions, client))
            yield made[0]
