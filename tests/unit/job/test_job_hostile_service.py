"""A service that hangs, sends HTML or NaN, answers for others or refuses: failed, and never a pass."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from plain_port import PlainPort
from waiting import HANGS_S, PATIENCE_S

from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.pod_additions import Egress
from modelward.evaluate.port import PortError, ScoringRequest
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import Scorer, reason, score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import catalogue
from modelward.job.patience import RunPatience
from modelward.job.port import MAX_REPLY_BYTES, JobPort

KEY = "a long random word"
Answer = Callable[[list[dict[str, Any]]], web.StreamResponse | Awaitable[web.StreamResponse]]


def exchanges(count: int = 3) -> list[Exchange]:
    return [
        Exchange(
            id=f"e{number}", time_ms=number, endpoint="retail/chat", model="m", revision="r1", operation="chat",
            status=200, outcome="ok", content="Redacted", messages=(Message("user", "hello"),), response="Buy now!",
        )
        for number in range(count)
    ]  # fmt: skip


def good(records: list[dict[str, Any]]) -> web.Response:
    rows = [{"id": one["id"], "state": "Scored", "flagged": True, "value": 0.9} for one in records]
    return web.json_response({"scores": rows})


class Service:
    """Answers score/v1 as it is told, one answer after the other, the last for ever; it notes what came."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.requests = list(answers), list[tuple[bytes, str]]()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((body, request.headers.get("Modelward-Signature", "")))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        found = answer(json.loads(body)["records"])
        return found if isinstance(found, web.StreamResponse) else await found


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[tuple[Service, TestServer]]]]:
    servers: list[TestServer] = []

    async def start(*answers: Answer) -> tuple[Service, TestServer]:
        service, app = Service(*answers), web.Application(client_max_size=2_000_000)
        app.router.add_post("/v1/score", service.handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return service, server

    yield start
    for one in servers:
        await one.close()


def scorer(server: TestServer, secrets: Path, timeout_s: float = PATIENCE_S) -> Scorer:
    """The webhook of a Service of the cluster, whose address leads to the loopback server."""
    config = {"url": "https://judge.example", "secretRef": {"name": "modelward-brand"}}
    made = catalogue().resolve(EvaluatorBlock("webhook", "brand", config))
    assert isinstance(made, ResolvedEvaluator)
    (secrets / "modelward-brand").mkdir(exist_ok=True)
    (secrets / "modelward-brand" / "signing-key").write_text(KEY)
    port = JobPort(
        SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32)),
        (Egress(server.host, server.port or 0),),
        secrets,
        timeout_s=timeout_s,
        patience=RunPatience(),
        pauses_s=(0.0, 0.0),
        clock_ms=lambda: 1_700_000_000_000,
    )
    return catalogue().scorer(made, Led(port, str(server.make_url("/v1/score"))))


class Led(PlainPort):
    """A port that leads requests to a loopback server."""

    def __init__(self, port: JobPort, url: str) -> None:
        self.embed, self.port, self.url = port.embed, port, url

    async def post(self, request: ScoringRequest) -> Any:
        return await self.port.post(replace(request, url=self.url))


async def hang(_: list[dict[str, Any]]) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


def status(code: int) -> Answer:
    return lambda _: web.Response(status=code, text="no")


def row(**changes: Any) -> Answer:
    def answer(records: list[dict[str, Any]]) -> web.Response:
        rows = [{"id": one["id"], "state": "Scored", "flagged": False, **changes} for one in records]
        return web.json_response({"scores": rows})

    return answer


@pytest.mark.parametrize(
    ("answer", "label", "calls"),
    [
        pytest.param(hang, "PortError", 3, id="hangs"),
        pytest.param(lambda _: web.Response(text="<html>Sign in</html>"), "BadReply", 1, id="html"),
        pytest.param(row(value=float("nan")), "ValueOutOfRange", 1, id="nan"),
        pytest.param(row(id="foreign"), "Missing", 1, id="foreign"),
        pytest.param(lambda _: web.json_response({"scores": []}), "Missing", 1, id="empty"),
        pytest.param(row(state="Fine"), "UnknownState", 1, id="unknown-state"),
        pytest.param(lambda _: web.Response(body=b"x" * (MAX_REPLY_BYTES + 1)), "PortError", 1, id="too-large"),
        pytest.param(status(429), "HTTP429", 1, id="429"),
        pytest.param(status(422), "HTTP422", 1, id="422"),
        pytest.param(status(302), "HTTP302", 1, id="redirect"),
        pytest.param(status(503), "HTTP503", 3, id="503"),
    ],
)
async def test_what_does_not_answer_well_fails_its_records(
    serve: Any, tmp_path: Path, answer: Answer, label: str, calls: int
) -> None:
    service, server = await serve(answer)
    timeout_s = HANGS_S if answer is hang else PATIENCE_S
    found = await score(scorer(server, tmp_path, timeout_s), exchanges())
    assert found == [Score(f"e{number}", "Failed", label=label) for number in range(3)]
    assert reason(found) == "EvaluatorFailing"
    assert len(service.requests) == calls


async def test_a_server_that_is_back_at_the_third_try_costs_nothing(serve: Any, tmp_path: Path) -> None:
    service, server = await serve(status(500), status(503), good)
    found = await score(scorer(server, tmp_path), exchanges())
    assert found == [Score(f"e{number}", "Scored", True, 0.9) for number in range(3)]
    assert len(service.requests) == 3


async def test_one_odd_record_costs_itself_only(serve: Any, tmp_path: Path) -> None:
    def odd(records: list[dict[str, Any]]) -> web.Response:
        rows = [{"id": one["id"], "state": "Scored", "flagged": True, "value": 0.9} for one in records]
        return web.json_response({"scores": [*rows[1:], {**rows[2], "id": "foreign"}]})

    _, server = await serve(odd)
    found = await score(scorer(server, tmp_path), exchanges())
    assert [(one.state, one.label) for one in found] == [("Failed", "Missing"), ("Scored", ""), ("Scored", "")]


async def test_requests_are_signed_by_the_key_of_the_secret(serve: Any, tmp_path: Path) -> None:
    service, server = await serve(good)
    await score(scorer(server, tmp_path), exchanges())
    ((body, header),) = service.requests
    expected = hmac.new(KEY.encode(), b"1700000000." + body, hashlib.sha256).hexdigest()
    assert header == f"t=1700000000,v1={expected}"


async def test_without_its_key_nothing_is_sent(serve: Any, tmp_path: Path) -> None:
    service, server = await serve(good)
    asking = scorer(server, tmp_path)
    (tmp_path / "modelward-brand" / "signing-key").unlink()
    found = await score(asking, exchanges())
    assert {(one.state, one.label) for one in found} == {("Failed", "PortError")}
    assert service.requests == []


async def test_an_address_that_is_gone_is_not_asked_for_ever(serve: Any, tmp_path: Path) -> None:
    service, server = await serve(hang)
    found = await score(scorer(server, tmp_path, HANGS_S), exchanges(64 * 5))
    assert {(one.state, one.label) for one in found} == {("Failed", "PortError")}
    assert len(service.requests) == 6, "two batches, three times each"


async def test_time_spent_on_one_address_is_bounded_and_others_keep_theirs(serve: Any) -> None:
    now = [0.0]

    def slow(_: list[dict[str, Any]]) -> web.StreamResponse:
        now[0] += 100.0
        return web.json_response({"scores": []})

    service, server = await serve(slow)
    patience = RunPatience(seconds=250.0, clock_s=lambda: now[0])
    egress = (Egress(server.host, server.port or 0),)
    port = JobPort(SharedEmbeddings(lambda _: np.zeros((0, 384), np.float32)), egress, patience=patience)
    request = ScoringRequest(str(server.make_url("/v1/score")), b'{"records": []}')
    for _ in range(3):
        await port.post(request)
    with pytest.raises(PortError, match="took 300 s of this run"):
        await port.post(request)
    assert len(service.requests) == 3
    patience.require(Egress("other.example", 443))


async def test_no_proxy_sees_what_stays_in_the_pod(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    _, server = await serve(good)
    egress = (Egress(server.host, server.port or 0),)
    port = JobPort(SharedEmbeddings(lambda _: np.zeros((0, 384), np.float32)), egress, pauses_s=())
    reply = await port.post(ScoringRequest(str(server.make_url("/v1/score")), b'{"records": []}'))
    assert (server.host, reply.status) == ("127.0.0.1", 200)
