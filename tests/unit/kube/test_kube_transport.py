"""What the port makes of an API server that is slow, throttles, breaks off or talks nonsense; over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from waiting import PATIENCE_S

from modelward.kube.access import Access
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Forbidden, LeadershipLost, TooManyRequests, Unavailable
from modelward.kube.kinds import POD
from modelward.kube.transport import Transport

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers each request by the next step of a script, the last one again and again."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.seen: list[web.Request] = []
        self.codes: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        return await (self.script.pop(0) if len(self.script) > 1 else self.script[0])(request)


@asynccontextmanager
async def talking(server: Server) -> AsyncIterator[Client]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def authorization() -> str:
        return "Bearer of the moment"

    host = f"http://127.0.0.1:{runner.addresses[0][1]}"
    client = Client(
        Transport(Access(host, None, authorization), lambda method, code: server.codes.append(method + code))
    )
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


def status(code: int, retry_after: str | None = None, **body: object) -> Answer:
    headers = {"Retry-After": retry_after} if retry_after else {}

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"kind": "Status", **body}, status=code, headers=headers)

    return answer


async def fine(_request: web.Request) -> web.Response:
    return web.json_response({"metadata": {"name": "chat-0"}})


async def hang(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


async def nonsense(_request: web.Request) -> web.Response:
    return web.Response(text='{"metadata": {"na')


async def broken_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"metadata"')
    assert request.transport is not None
    request.transport.close()
    return response


async def closed(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def listed(request: web.Request) -> web.Response:
    if request.query.get("continue"):
        return web.json_response({"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "b"}}]})
    metadata = {"resourceVersion": "7", "continue": "more"}
    return web.json_response({"metadata": metadata, "items": [{"metadata": {"name": "a"}}]})


async def test_transport_sends_the_token_of_the_moment_and_counts() -> None:
    server = Server(fine)
    async with talking(server) as client:
        await client.get(POD, "retail", "chat-0")
    assert server.seen[0].headers["Authorization"] == "Bearer of the moment"
    assert server.codes == ["GET200"]


async def test_transport_waits_as_long_as_the_server_asks() -> None:
    server = Server(status(429, "0.05"), status(429, "0.05"), fine)
    async with talking(server) as client:
        start = time.monotonic()
        await client.get(POD, "retail", "chat-0")
    assert time.monotonic() - start >= 0.1
    assert server.codes == ["GET429", "GET429", "GET200"]


async def test_transport_does_not_wait_beyond_the_deadline() -> None:
    server = Server(status(429, "60"))
    async with talking(server) as client:
        with pytest.raises(TooManyRequests) as throttled:
            await client.get(POD, "retail", "chat-0", deadline=PATIENCE_S)
    assert throttled.value.retry_after == 60.0
    assert len(server.seen) == 1


@pytest.mark.parametrize("answer", [hang, nonsense, broken_off, status(503), status(500)])
async def test_transport_no_whole_answer_is_unavailable(answer: Answer) -> None:
    async with talking(Server(answer)) as client, asyncio.timeout(PATIENCE_S):
        with pytest.raises(Unavailable):
            await client.get(POD, "retail", "chat-0", deadline=0.3)


async def test_transport_a_server_that_is_not_there_is_unavailable() -> None:
    server = Server(fine)
    async with talking(server) as client:
        gone = client.access
    client = Client(Transport(gone))
    with pytest.raises(Unavailable):
        await client.get(POD, "retail", "chat-0")
    await client.close()


async def test_transport_says_what_the_server_said() -> None:
    async with talking(Server(status(403, reason="Forbidden", message="exceeded quota: gpus"))) as client:
        with pytest.raises(Forbidden, match="exceeded quota: gpus"):
            await client.get(POD, "retail", "chat-0")


async def test_transport_an_answer_that_is_no_object_is_an_error() -> None:
    async def numbers(_request: web.Request) -> web.Response:
        return web.json_response([1, 2])

    async with talking(Server(numbers)) as client:
        with pytest.raises(ApiError, match="no JSON object"):
            await client.get(POD, "retail", "chat-0")


async def test_transport_looks_at_the_lease_again_when_a_body_is_about_to_go() -> None:
    server = Server(fine)
    left = iter([5.0, 0.0, 0.0])
    async with talking(server) as client:
        with pytest.raises(LeadershipLost):
            await client.guarded(lambda: next(left)).patch(POD, "retail", "chat-0", {})
    assert server.seen == []


async def test_transport_a_write_is_not_sent_again_when_the_lease_has_run_out() -> None:
    """aiohttp sends a DELETE once more when a connection that was kept is closed instead of answered."""
    server = Server(fine, closed, fine)
    async with talking(server) as client:
        await client.delete(POD, "retail", "chat-0")
        with pytest.raises(LeadershipLost):
            await client.guarded(lambda: 5.0 if len(server.seen) < 2 else 0.0).delete(POD, "retail", "chat-0")
        assert len(server.seen) == 2
        server.script = [fine, closed, fine]
        await client.delete(POD, "retail", "chat-0")
        await client.delete(POD, "retail", "chat-0")
        assert len(server.seen) == 5


async def test_transport_a_write_does_not_outlast_the_lease() -> None:
    server, left = Server(hang), iter([0.1, 0.1])
    async with talking(server) as client, asyncio.timeout(PATIENCE_S):  # without the guard it would take its deadline
        with pytest.raises(LeadershipLost):
            await client.guarded(lambda: next(left, 0.0)).patch(POD, "retail", "chat-0", {}, deadline=1_000.0)
    assert len(server.seen) == 1


async def test_transport_leaves_waiting_to_a_caller_that_has_other_things_to_do() -> None:
    server = Server(status(429, "0.2"), fine)
    async with talking(server) as client:
        with pytest.raises(TooManyRequests) as throttled:
            await client.guarded(lambda: 10.0).patch(POD, "retail", "chat-0", {})
    assert throttled.value.retry_after == 0.2
    assert len(server.seen) == 1


async def test_client_a_list_whose_token_expired_is_read_again() -> None:
    server = Server(listed, status(410, reason="Expired"), listed)
    async with talking(server) as client:
        listing = await client.list(POD)
    assert [item["metadata"]["name"] for item in listing.items] == ["a", "b"]
    assert listing.resource_version == "7"


async def test_client_a_list_that_takes_too_long_is_unavailable() -> None:
    async with talking(Server(listed, hang)) as client:
        with pytest.raises(Unavailable):
            await client.list(POD, page=1, deadline=0.2)
