"""A proxy in front of the real API server that records every request and spoils those that a test chooses.

It listens on plain HTTP on loopback in a thread of its own, and speaks to the API server with the credentials of a
kubeconfig; so an operator in this process and one in another are tested alike.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from aiohttp import web
from calls import Call, Event, Match, Recorded, Reply
from waiting import PROCESS_PATIENCE_S

from faults import Fault, WatchFault, ending
from modelward.kube import access

_HOP = frozenset({"connection", "content-length", "content-encoding", "transfer-encoding", "keep-alive"})


@dataclass(eq=False, slots=True)
class Rule:
    """A fault for the requests that match, after `skip` of them, for `times` of them (None: for all)."""

    match: Match
    fault: Fault
    skip: int = 0
    times: int | None = None
    met: int = 0

    def applies(self, call: Call) -> bool:
        """Count a request that matches, and tell whether it is one of those meant."""
        if not self.match(call):
            return False
        self.met += 1
        return self.met > self.skip and (self.times is None or self.met <= self.skip + self.times)


@dataclass(eq=False, slots=True)
class Watch:
    """One watch that is open: ending it, or holding it back, is up to the test."""

    call: Call
    ends: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)


class Proxy:
    """Use `with running(kubeconfig) as proxy`. Methods may be called from any thread."""

    def __init__(self, host: str, user: str | None, folder: Path) -> None:
        self._host = host
        self._headers = {"Impersonate-User": user} if user else {}
        self._rules: tuple[Rule, ...] = ()
        self._watch_rules: tuple[tuple[Match, WatchFault], ...] = ()
        self._recorded: list[Recorded] = []
        self._watches: set[Watch] = set()
        self._numbers = count()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.url = ""
        self.kubeconfig = folder / "kubeconfig"

    def spoil(self, match: Match, fault: Fault, *, skip: int = 0, times: int | None = None) -> Rule:
        """Apply a fault to requests that match; of several rules the first that applies is taken."""
        rule = Rule(match, fault, skip, times)
        self._rules = (*self._rules, rule)
        return rule

    def spoil_watches(self, match: Match, fault: WatchFault) -> None:
        """Apply a fault to watches that match and are opened from now on."""
        self._watch_rules = (*self._watch_rules, (match, fault))

    def clear(self) -> None:
        """Let everything through again; watches that are open stay as they are."""
        self._rules, self._watch_rules = (), ()
        self.resume_watches()

    def end_watches(self, match: Match, error: Event | None = None) -> int:
        """End the open watches that match, with an error or by closing the connection; tell how many there were."""
        open_now = [watch for watch in self._watches if match(watch.call)]
        for watch in open_now:
            self._call_soon(lambda watch=watch: watch.ends.put_nowait(error))
        return len(open_now)

    def expire_watches(self, match: Match) -> int:
        """End the open watches that match as the API server does when it no longer knows their version."""
        return self.end_watches(match, ending(410, "Expired", "too old resource version"))

    def pause_watches(self) -> None:
        """Hold all events of all watches back until `resume_watches`, as a stalled connection does."""
        self._call_soon(self._flowing.clear)

    def resume_watches(self) -> None:
        """Let held events go."""
        self._call_soon(self._flowing.set)

    @property
    def watching(self) -> tuple[Call, ...]:
        """The watches that are open."""
        return tuple(watch.call for watch in self._watches)

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        """All requests so far that were answered or cut off, in that order."""
        return tuple(self._recorded)

    def since(self, mark: int) -> tuple[Recorded, ...]:
        """What was recorded after a mark, which was `len(proxy.recorded)` then."""
        return tuple(self._recorded[mark:])

    async def serve(self, session: aiohttp.ClientSession, ready: threading.Event, stop: asyncio.Event) -> None:
        """Answer on a free port of loopback until `stop`."""
        self._session, self._loop = session, asyncio.get_running_loop()
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._write_kubeconfig()
        ready.set()
        await stop.wait()
        self.end_watches(lambda _: True)
        self._flowing.set()
        await runner.cleanup()

    def _write_kubeconfig(self) -> None:
        cluster = {"name": "proxy", "cluster": {"server": self.url}}
        context = {"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}
        document = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context]}
        document |= {"current-context": "proxy", "users": [{"name": "proxy", "user": {}}]}
        self.kubeconfig.write_text(json.dumps(document))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call(
            next(self._numbers), time.monotonic(), request.method, request.path, dict(request.query),
            request.headers.get("Content-Type", ""), await request.read(),
        )  # fmt: skip
        rule = next((rule for rule in self._rules if rule.applies(call)), None)
        if call.verb == "watch" and rule is None:
            return await self._watch(request, call)
        committed = 0

        async def forward(sent: Call) -> Reply:
            nonlocal committed
            reply = await self._forward(sent)
            committed = reply.status
            return reply

        reply = await (rule.fault(call, forward) if rule else forward(call))
        answered = reply.status if reply is not None and reply.cut_at is None else 0
        self._recorded.append(Recorded(call, committed, answered, _name(rule)))
        return await self._send(request, reply)

    async def _send(self, request: web.BaseRequest, reply: Reply | None) -> web.StreamResponse:
        if reply is None:
            return _cut(request)
        if reply.cut_at is None:
            return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_length = len(reply.body)
        await response.prepare(request)
        await response.write(reply.body[: reply.cut_at])
        return _cut(request)

    async def _forward(self, call: Call) -> Reply:
        assert self._session is not None
        headers = self._headers | ({"Content-Type": call.content_type} if call.content_type else {})
        async with self._session.request(
            call.method, self._host + call.path, params=dict(call.query), data=call.body or None, headers=headers
        ) as response:
            kept = {name: value for name, value in response.headers.items() if name.lower() not in _HOP}
            return Reply(response.status, await response.read(), kept)

    async def _watch(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        assert self._session is not None
        params = dict(call.query)
        timeout = aiohttp.ClientTimeout(total=None)
        url = self._host + call.path
        async with self._session.get(url, params=params, headers=self._headers, timeout=timeout) as upstream:
            if upstream.status != 200:
                body = await upstream.read()
                self._recorded.append(Recorded(call, upstream.status, upstream.status))
                return web.Response(status=upstream.status, body=body, content_type="application/json")
            self._recorded.append(Recorded(call, 200, 200))
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            watch = Watch(call)
            self._watches.add(watch)
            try:
                await response.prepare(request)
                await self._pass(upstream, response, watch)
            except ConnectionError:  # the client went
                pass
            finally:
                self._watches.discard(watch)
        return _cut(request)

    async def _pass(self, upstream: aiohttp.ClientResponse, response: web.StreamResponse, watch: Watch) -> None:
        events = _events(upstream)
        for match, fault in self._watch_rules:
            if match(watch.call):
                events = fault(events)
        ending_ = asyncio.ensure_future(watch.ends.get())
        following = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                await asyncio.wait({ending_, following}, return_when=asyncio.FIRST_COMPLETED)
                if ending_.done():
                    if (last := ending_.result()) is not None:
                        await response.write(_line(last))
                    return
                if (event := following.result()) is None:
                    return
                await self._flowing.wait()
                await response.write(_line(event))
                following = asyncio.ensure_future(anext(events, None))
        finally:
            for task in (ending_, following):
                task.cancel()
            with suppress(asyncio.CancelledError, aiohttp.ClientError):
                await following

    def _call_soon(self, action: object) -> None:
        if self._loop is not None and callable(action):
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(action)


@contextmanager
def running(kubeconfig: Path, user: str | None = None) -> Iterator[Proxy]:
    """Run a proxy for the API server of a kubeconfig, as another user where one is named.

    What goes through it has no other credentials than the proxy's: `proxy.kubeconfig` names an address and no user.
    """
    ready, started = threading.Event(), []

    async def main(folder: Path) -> None:
        server = await access.load(str(kubeconfig))
        tls = server.ssl if server.ssl is not None else False
        stop = asyncio.Event()
        proxy = Proxy(server.host, user, folder)
        started.append((proxy, asyncio.get_running_loop(), stop))
        connector = aiohttp.TCPConnector(limit=0, ssl=tls)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=True) as session:
            await proxy.serve(session, ready, stop)
        await server.close()
        await let_go()

    with TemporaryDirectory(prefix="modelward-proxy-") as folder:
        thread = threading.Thread(target=lambda: asyncio.run(main(Path(folder))), name="proxy", daemon=True)
        thread.start()
        if not ready.wait(PROCESS_PATIENCE_S):
            raise RuntimeError("the proxy does not start")
        proxy, loop, stop = started[0]
        try:
            yield proxy
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(PROCESS_PATIENCE_S)


async def let_go() -> None:
    """Let a loop go on after its clients were closed: TLS connections are let go in later turns of it."""
    for _ in range(30):
        await asyncio.sleep(0.01)


async def _events(upstream: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    """Give the events of a watch; they are lines of JSON, of any length."""
    rest = b""
    with suppress(aiohttp.ClientError):
        async for chunk in upstream.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line:
                    yield json.loads(line)


def _line(event: Event) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection under the client, without an end of the answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


def _name(rule: Rule | None) -> str:
    return "" if rule is None else str(getattr(rule.fault, "__name__", type(rule.fault).__name__))
