"""What a Job sends to LLMEndpoints carries a mark of the hub; what goes elsewhere never does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from judge_server import JudgeServer, judge_server, quick_port, said
from yarl import URL

from modelward.api.origin import ORIGIN_HEADER, Origin
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.pod_additions import Egress
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.kinds.judge import KIND
from modelward.evaluate.port import PortError, ScoringRequest
from modelward.hub_client.client import HubClient
from modelward.job import marks as job_marks
from modelward.job.marks import AGAIN_S, MARK_S, RENEW_S, MarkedEgress, Marks, marked_egress

START_MS = 1_790_000_000_000


def egress(server: JudgeServer) -> Egress:
    url = URL(server.url)
    return Egress(url.host or "", url.port or 0)


async def numbered(hub: SigningHub) -> web.StreamResponse:
    return web.json_response({"mark": f"mark-{hub.asked}"})


async def older(_: SigningHub) -> web.StreamResponse:
    return web.Response(status=404)


async def broken(_: SigningHub) -> web.StreamResponse:
    return web.Response(status=503)


async def hangs(_: SigningHub) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nothing sets it")


async def empty(_: SigningHub) -> web.StreamResponse:
    return web.json_response({})


@dataclass
class SigningHub:
    """A hub that signs, or not; `now_ms` is the Job's clock."""

    answer: Callable[[SigningHub], Any] = numbered
    asked: int = 0
    now_ms: int = START_MS
    queries: list[dict[str, str]] = field(default_factory=list)
    marks: Marks | None = None

    async def post(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.queries.append({"path": request.path, **request.query})
        found: web.StreamResponse = await self.answer(self)
        return found

    def traffic(self, server: JudgeServer, origin: Origin = "judge") -> MarkedEgress:
        assert self.marks
        return MarkedEgress(self.marks, origin, frozenset({egress(server)}))


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SigningHub]:
    monkeypatch.setattr(job_marks, "WAIT_S", 0.2)
    hub, app = SigningHub(), web.Application()
    app.router.add_post("/v1/marks/{namespace}", hub.post)
    server = TestServer(app, shutdown_timeout=0)
    async with server, HubClient(str(server.make_url("")).rstrip("/")) as client:
        hub.marks = Marks(client, "retail", lambda: hub.now_ms)
        yield hub


async def carried(server: JudgeServer, traffic: MarkedEgress | None, **headers: str) -> str | None:
    """Ask once, and return the mark that arrived."""
    port = quick_port((egress(server),), marked=traffic)
    await port.post(ScoringRequest(f"{server.url}/v1/chat/completions", b"{}", headers))
    return {name.lower(): value for name, value in server.asked[-1].headers.items()}.get(ORIGIN_HEADER)


async def test_requests_of_a_run_share_one_mark_until_it_ends_soon(hub: SigningHub) -> None:
    async with judge_server(lambda _: said("ok")) as server:
        traffic = hub.traffic(server)
        found = await asyncio.gather(*(carried(server, traffic) for _ in range(5)))
        assert found == ["mark-1"] * 5
        assert hub.queries == [{"path": "/v1/marks/retail", "origin": "judge", "seconds": str(MARK_S)}]
        hub.now_ms += (MARK_S - RENEW_S) * 1_000 - 1
        assert await carried(server, traffic) == "mark-1"
        hub.now_ms += 1
        assert await carried(server, traffic) == "mark-2"
        assert await carried(server, hub.traffic(server, "probe")) == "mark-3"
        assert hub.queries[-1]["origin"] == "probe"


async def test_only_what_goes_to_an_endpoint_carries_a_mark_and_no_kind_makes_its_own(hub: SigningHub) -> None:
    async with judge_server(lambda _: said("ok")) as server, judge_server(lambda _: said("ok")) as outside:
        assert await carried(outside, hub.traffic(server), **{"X-Modelward-Origin": "own"}) is None
        assert await carried(outside, None, **{"x-modelward-origin": "own"}) is None
        assert hub.asked == 0
        assert await carried(server, hub.traffic(server), **{"X-Modelward-Origin": "own"}) == "mark-1"


@pytest.mark.parametrize("answer", [older, broken, hangs, empty])
async def test_where_no_mark_is_signed_judges_are_asked_and_endpoints_are_not_probed(
    hub: SigningHub, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hub.answer = answer
    async with judge_server(lambda _: said("ok")) as server:
        with caplog.at_level(logging.WARNING):
            assert [await carried(server, hub.traffic(server)) for _ in range(3)] == [None] * 3
            hub.now_ms += AGAIN_S * 1_000
            assert await carried(server, hub.traffic(server)) is None
        assert len([one for one in caplog.records if "mark=unsigned" in one.message]) == 1
        assert hub.asked == 2, "and not for each request"
        with pytest.raises(PortError, match=r"the hub signs no mark, and no probe is sent without one: .") as refused:
            await carried(server, hub.traffic(server, "probe"))
        assert (refused.value.unsent, refused.value.cause) == (True, "no-mark")
        assert len(server.asked) == 4
        hub.answer, hub.now_ms = numbered, hub.now_ms + AGAIN_S * 1_000
        assert await carried(server, hub.traffic(server, "probe")) == f"mark-{hub.asked}"


async def test_a_hub_that_goes_away_takes_no_mark_back(hub: SigningHub) -> None:
    async with judge_server(lambda _: said("ok")) as server:
        traffic = hub.traffic(server, "probe")
        assert await carried(server, traffic) == "mark-1"
        hub.answer, hub.now_ms = broken, hub.now_ms + (MARK_S - 1) * 1_000
        assert await carried(server, traffic) == "mark-1"
        hub.now_ms += 1_000
        with pytest.raises(PortError, match="the hub signs no mark"):
            await carried(server, traffic)


EXTERNAL = {"external": {"url": "https://api.example.com/v1", "model": "gpt"}}
REFERENCE = {"endpointRef": {"name": "judge-llm"}}


@pytest.mark.parametrize(
    ("model", "url", "hosts"),
    [
        (REFERENCE, "http://judge-llm.retail.svc", {"judge-llm.retail.svc"}),
        (REFERENCE, "http://judge-llm.retail.svc:8080", {"judge-llm.retail.svc"}),
        (REFERENCE, "http://judge-llm.bank.svc", set()),
        (REFERENCE, "http://judge-llm.retail.svc.example.com", set()),
        (REFERENCE, "http://judge-llm.retail", set()),
        (EXTERNAL, "", set()),
        ({"external": {"url": "http://judge.retail.svc/v1", "model": "gpt"}}, "", set()),
    ],
)
async def test_only_endpoints_of_the_namespace_are_told(
    hub: SigningHub, model: dict[str, Any], url: str, hosts: set[str]
) -> None:
    known = EvaluatorCatalogue({KIND.name: KIND})
    block = {"model": model, "rubric": "Polite.", "labels": {"fault": ["rude"], "ok": ["polite"]}}
    found = known.resolve(EvaluatorBlock("judge", "brand", {**block, **({"address": url} if url else {})}))
    assert isinstance(found, ResolvedEvaluator), found
    assert hub.marks
    traffic = marked_egress(found, hub.marks)
    assert ({one.host for one in traffic.at} if traffic else set()) == hosts
    assert traffic is None or traffic.origin == "judge"
