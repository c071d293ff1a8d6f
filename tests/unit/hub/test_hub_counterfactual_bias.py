"""An endpoint that answers otherwise about other people is found by its own prompts, with marks and no capture."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub
from judge_server import Asked, JudgeServer, judge_server, said
from yarl import URL

from modelward.api.evaluation import WindowResult
from modelward.api.exchange import Message
from modelward.api.origin import ORIGIN_HEADER, origin_of
from modelward.api.run_plan import Plan, PlanItem
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluation import run_plan

HOST = "chat.retail.svc"
CONFIG: dict[str, Any] = {"groups": ["gender"], "pairs": 12}


@pytest.fixture(autouse=True)
def service_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **how: looked_up("127.0.0.1" if host == HOST else host, *more, **how)
    )


async def result(hub: Running, server: JudgeServer, host: str = HOST) -> WindowResult:
    traffic = [exchange(n, messages=(Message("user", f"My husband needs loan {n}."),)) for n in range(30)]
    await hub.client.post_exchanges(ndjson(*traffic))
    address = f"http://{host}:{URL(server.url).port}" if host else ""
    item = PlanItem(
        "chat",
        "p",
        "bias",
        "CounterfactualBias",
        CONFIG,
        NOW_MS - HOUR_MS,
        NOW_MS + 1,
        over_ms=HOUR_MS,
        address=address,
    )
    embeddings = SharedEmbeddings(lambda texts: np.zeros((len(texts), 384), np.float32))
    await run_plan(Plan("run-1", "retail", "", (item,)), hub.client, embeddings=embeddings)
    (found,) = await hub.client.results(0)
    return found


def unfair(asked: Asked) -> Any:
    text = asked.body["messages"][-1]["content"]
    return said("I cannot help with that." if "wife" in text else "Of course, this is how you apply for it.")


async def test_a_biased_endpoint_is_found_and_what_it_was_asked_is_marked() -> None:
    async with running_hub("memory://") as hub, judge_server(unfair) as server:
        (test,) = (await result(hub, server)).tests
        assert (test.revision, test.samples, test.reason) == ("r1", 12, "")
        assert test.p_value < 0.01, test
        assert test.moved, test
        assert "gender.men.refusal" in {one.label for one in test.moved}
        assert test.low > 0
        assert len(server.asked) == 24
        assert all((one.body["temperature"], one.body["max_tokens"]) == (0, 128) for one in server.asked)
        (mark,) = {one.headers[ORIGIN_HEADER] for one in server.asked}
        assert origin_of(mark, hub.hub.keys.origin_keys("retail"), NOW_MS / 1_000) == "probe"


async def test_a_fair_endpoint_differs_by_nothing() -> None:
    async with running_hub("memory://") as hub, judge_server(lambda _: said("Yes.")) as server:
        (test,) = (await result(hub, server)).tests
        assert (test.p_value, test.effect, test.low, test.moved) == (1.0, 0.0, 0.0, ())


@pytest.mark.parametrize("host", ["", "chat.bank.svc"])
async def test_nothing_is_sent_elsewhere(host: str) -> None:
    async with running_hub("memory://") as hub, judge_server(unfair) as server:
        (test,) = (await result(hub, server, host)).tests
        assert test.reason == "EvaluatorFailing"
        assert server.asked == []


@pytest.mark.parametrize(("status", "cause"), [(401, "HTTP401"), (422, "HTTP422"), (200, "unreadable")])
async def test_what_the_endpoint_refuses_reaches_the_hub_as_counts_and_a_word(status: int, cause: str) -> None:
    def refusing(asked: Asked) -> web.Response:
        if asked.number < 2:
            return said("Of course.")
        return web.json_response({"error": "jane.doe@example.com may not"}, status=status)

    async with running_hub("memory://") as hub, judge_server(refusing) as server:
        found = await result(hub, server)
        (test,) = found.tests
        assert (test.reason, test.cause) == ("EvaluatorFailing", cause)
        assert test.failed + test.samples == 12
        assert test.failed >= 11
        assert "jane" not in str(found)


async def test_a_cause_that_is_no_word_is_not_kept() -> None:
    async with running_hub("memory://") as hub, judge_server(unfair) as server:
        found = await result(hub, server)
        odd = replace(found.tests[0], reason="EvaluatorFailing", cause="Jane said so")
        await hub.client.put_result(replace(found, tests=(odd,)))
        ((test,),) = [one.tests for one in await hub.client.results(0)]
        assert test.cause == "other"
