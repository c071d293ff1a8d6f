"""The port asks only what was declared, within its time and size, and shares embeddings; secrets stay with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from numpy.typing import NDArray

from modelward.desired.pod_additions import Egress, SecretKey
from modelward.evaluate.port import PortError, ScoringRequest
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.port import MAX_REPLY_BYTES, JobPort


class Embedder:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls.append(list(texts))
        return np.array([[len(text)] for text in texts], np.float32).reshape(len(texts), 1)


async def echo(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/large":
            return web.Response(body=b"x" * (MAX_REPLY_BYTES + 1))
        case "/slow":
            return await _without_end(request)
        case "/elsewhere":
            raise web.HTTPFound("http://169.254.169.254/")
        case _:
            return web.Response(status=207, text=request.headers.get("Authorization", "none"))


async def _without_end(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:  # until the client leaves
        await response.write(b"a")


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_post("/{path}", echo)
    running = TestServer(app)
    async with running:
        yield running


def port(server: TestServer, secrets: Path = Path("/none"), timeout_s: float = 10.0) -> JobPort:
    egress = (Egress(server.host, server.port or 0),)
    return JobPort(SharedEmbeddings(Embedder()), egress, secrets, timeout_s)


async def test_a_reply_comes_back_whatever_its_status(server: TestServer) -> None:
    reply = await port(server).post(ScoringRequest(str(server.make_url("/any")), b"{}"))
    assert (reply.status, reply.body) == (207, b"none")
    moved = await port(server).post(ScoringRequest(str(server.make_url("/elsewhere")), b""))
    assert moved.status == 302, "and is not followed"


async def test_a_credential_is_read_anew_for_each_request(server: TestServer, tmp_path: Path) -> None:
    (tmp_path / "judge").mkdir()
    request = ScoringRequest(str(server.make_url("/any")), b"", credential=SecretKey("judge", "token"))
    with pytest.raises(PortError, match="no key token in Secret judge"):
        await port(server, tmp_path).post(request)
    for value in ("one", "two"):
        (tmp_path / "judge" / "token").write_text(f"{value}\n")
        assert (await port(server, tmp_path).post(request)).body == f"Bearer {value}".encode()


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://127.0.0.1:9/", "file:///etc/passwd", "http://[", "", "http://h:x/"]
)
async def test_what_was_not_declared_is_not_asked(server: TestServer, url: str) -> None:
    with pytest.raises(PortError):
        await port(server).post(ScoringRequest(url, b""))


@pytest.mark.parametrize("allowed", [(), ("other.example",)])
async def test_what_is_declared_and_not_allowed_is_not_asked_either(allowed: tuple[str, ...]) -> None:
    asking = JobPort(SharedEmbeddings(Embedder()), (Egress("judge.example", 443),), allowed_hosts=allowed)
    with pytest.raises(PortError, match=r"may not leave the cluster to judge\.example.*egress\.allowedHosts"):
        await asking.post(ScoringRequest("https://judge.example/v1/score", b"secret text"))


@pytest.mark.parametrize(("path", "timeout_s"), [("/large", 10.0), ("/slow", 0.2)])
async def test_a_reply_that_is_too_large_or_never_ends_is_a_port_error(
    server: TestServer, path: str, timeout_s: float
) -> None:
    with pytest.raises(PortError) as error:
        await port(server, timeout_s=timeout_s).post(ScoringRequest(str(server.make_url(path)), b"secret text"))
    assert "secret text" not in str(error.value)


async def test_a_server_that_is_gone_is_a_port_error(server: TestServer) -> None:
    asking, url = port(server), str(server.make_url("/any"))
    await server.close()
    with pytest.raises(PortError, match="did not answer"):
        await asking.post(ScoringRequest(url, b""))


async def test_the_same_texts_are_embedded_once_and_in_their_order() -> None:
    embedder = Embedder()
    shared = SharedEmbeddings(embedder)
    one, two = JobPort(shared), JobPort(shared)
    first = await one.embed(["a", "bb"])
    assert (await two.embed(("a", "bb"))).tolist() == first.tolist() == [[1.0], [2.0]]
    assert (await two.embed(["bb", "a"])).tolist() == [[2.0], [1.0]]
    assert (await two.embed(["ab", "a", "ab", "b"])).tolist() == [[2.0], [1.0], [2.0], [1.0]]
    assert embedder.calls == [["a", "bb"], ["ab", "b"]], "and what is new together"
    assert len(await one.embed([])) == 0
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 7


async def test_no_more_vectors_are_kept_than_asked_for() -> None:
    embedder = Embedder()
    shared = SharedEmbeddings(embedder, keep=4)
    for texts in (["a", "b"], ["c", "d"], ["a", "b"], ["e", "f"], ["a", "b"], ["c", "d"]):
        await shared.vectors(texts)
    assert embedder.calls == [["a", "b"], ["c", "d"], ["e", "f"], ["c", "d"]], "what was asked for last stays"
    await shared.vectors(["x"] * 10)
    await shared.vectors(["x"] * 10)
    assert len(embedder.calls) == 5, "one that is larger is kept as long as it is the newest"


async def test_text_that_is_no_unicode_is_embedded_all_the_same() -> None:
    assert (await SharedEmbeddings(Embedder()).vectors(["\ud800", ""])).shape == (2, 1)
