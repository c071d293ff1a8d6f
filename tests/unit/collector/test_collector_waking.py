"""A judge that sleeps behind a gateway wakes by what it is asked, and answers a later try of the same request."""

from __future__ import annotations

from collector_rig import Rig, json_answer, post, rig, run
from raw_server import raw_server
from waiting import until

from modelward.api.origin import origin_key, signed_mark
from modelward.collector import families
from modelward.collector.origin import MarkedTraffic
from modelward.collector.rendering import render
from modelward.collector.targets import Targets
from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.exposition import parse
from modelward.metrics.window import History
from modelward.scaling.decision import Decision, decide
from modelward.scaling.history import DecisionHistory
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import observe

KEY = origin_key(b"k" * 32)
NOW = 1_790_000_000
BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
OK = json_answer(b'{"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}')
ASLEEP = ScalingSpec(0, 2, 600_000, wakes=True)


def asked(origin: str) -> bytes:
    mark = signed_mark("judge" if origin == "judge" else "probe", NOW + 60, KEY)
    return post(BODY, more=b"X-Modelward-Origin: %b\r\n" % mark.encode())


def decided(one: Rig, history: History, at_ms: int) -> Decision:
    """Decide by the gateway's page as the operator reads it, while no replica is there."""
    page = render(one.board.read(), {}, "r1").encode()
    history.add(snapshot_from_collector(parse(page), "gateway", at_ms))
    usage = observe(history, ("gateway",), replicas=0, ready=0, now_ms=at_ms, attainment=0.99)
    return decide(ASLEEP, usage, DecisionHistory(), at_ms)


async def after_a_refusal(one: Rig, origin: str) -> int | None:
    """Ask while nothing is there, and return the replicas that are decided then."""
    one.proxy.marked = MarkedTraffic(one.proxy.recorder, lambda: (KEY,), lambda: NOW)
    history = History()
    assert decided(one, history, 0).replicas == 0
    answer = await one.ask(asked(origin))
    assert answer.startswith((b"HTTP/1.1 502", b"HTTP/1.1 503"))
    await until(lambda: one.value(families.MARKED_REQUESTS) == 1)
    assert one.value(families.REQUESTS) == 0
    return decided(one, history, 30_000).replicas


def test_a_question_to_a_sleeping_judge_wakes_it_and_is_answered_when_it_is_asked_again() -> None:
    async def work() -> None:
        with raw_server(OK) as server:
            port = server.port
        targets = Targets([f"http://127.0.0.1:{port}"])
        async with rig(None, targets=targets) as one:
            assert await after_a_refusal(one, "judge") == 1
        with raw_server(OK) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                one.proxy.marked = MarkedTraffic(one.proxy.recorder, lambda: (KEY,), lambda: NOW)
                assert (await one.ask(asked("judge"))).startswith(b"HTTP/1.1 200")

    run(work())


def test_a_probe_of_a_sleeping_endpoint_wakes_nothing() -> None:
    async def work() -> None:
        with raw_server(OK) as server:
            port = server.port
        async with rig(None, targets=Targets([f"http://127.0.0.1:{port}"])) as one:
            assert await after_a_refusal(one, "probe") == 0

    run(work())
