"""What is measured is what happened; what is not known is not made up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from collector_rig import (
    CHAT,
    DONE,
    ROLE,
    STREAM_HEAD,
    TOKEN,
    USAGE,
    chunk,
    json_answer,
    post,
    read_answer,
    rig,
    run,
)
from hypothesis import given
from hypothesis import strategies as st
from raw_server import raw_server
from waiting import until

from modelward.api.exchange import Usage
from modelward.collector import families
from modelward.collector.answer_tail import AnswerTail
from modelward.collector.meter import ExchangeMeter
from modelward.collector.model_labels import MAX_MODELS
from modelward.collector.operations import operation_of
from modelward.collector.stream_signs import FIRST_TOKEN, model_named_in
from modelward.collector.targets import Targets


def test_first_token_waits_for_content_and_the_others_are_counted_from_it(measured: list[float]) -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        sent = 0
        later = ((0.0, STREAM_HEAD + chunk(ROLE)), (0.06, chunk(TOKEN)), (0.02, chunk(TOKEN)), (0.02, chunk(USAGE)))
        for seconds, part in (*later, (0.02, chunk(DONE) + b"0\r\n\r\n")):
            measured[0] += seconds
            writer.write(part)
            sent += len(part)
            await until(lambda whole=sent: len(seen) == whole)  # type: ignore[misc]

    seen = bytearray()

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            while not seen.endswith(b"0\r\n\r\n"):
                seen.extend(await reader.read(65536))
            ttft = one.histogram(families.TTFT, "m", "r1")
            tpot = one.histogram(families.TPOT, "m", "r1")
            assert ttft[-1] == pytest.approx(0.06)
            assert tpot[-1] == pytest.approx(0.06 / 2)
            assert sum(one.histogram(families.INTER_CHUNK, "m", "r1")[:-1]) == 3
            assert one.histogram(families.TOKENS, "m", "r1", "input")[-1] == 7
            writer.close()

    run(work())


class LaterTurns:
    """The loop of a plane whose next turn comes when the test says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._turns: list[Callable[[], object]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_soon(self, turn: Callable[[], object]) -> None:
        """Keep it for later."""
        self._turns.append(turn)

    def come(self) -> None:
        """Take the turns that were kept."""
        for turn in self._turns:
            turn()


def test_a_first_token_has_left_before_it_is_read() -> None:
    async def work() -> None:
        with raw_server(STREAM_HEAD + chunk(TOKEN)) as server:
            async with rig(None, targets=Targets([f"http://127.0.0.1:{server.port}"])) as one:
                later = LaterTurns(one.proxy.loop)
                one.proxy.loop = cast("asyncio.AbstractEventLoop", later)
                alone, other = await one.connect(), await one.connect()
                for read, (reader, writer) in enumerate((alone, other), 1):
                    writer.write(CHAT)
                    await reader.readuntil(TOKEN)
                    assert one.value(families.CHUNKS) == 1, "it waits only where others wait"
                    assert one.value(families.IN_FLIGHT) == read
                later.come()
                assert one.value(families.CHUNKS) == 2
                for _, writer in (alone, other):
                    writer.close()

    run(work())


def test_without_usage_there_are_chunks_and_no_tokens() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(ROLE) + chunk(TOKEN) + chunk(DONE) + b"0\r\n\r\n")

    async def work() -> None:
        async with rig(script) as one:
            await one.ask(CHAT)
            assert one.value(families.CHUNKS) == 3
            assert sum(one.histogram(families.TOKENS, "m", "r1", "output")) == 0
            assert sum(one.histogram(families.TPOT, "m", "r1")) == 0

    run(work())


def test_an_error_inside_a_stream_is_an_error() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(b'data: {"error":{"message":"out of memory"}}\n\n') + b"0\r\n\r\n")

    async def work() -> None:
        async with rig(script) as one:
            await one.ask(CHAT)
            assert one.value(families.REQUESTS, outcome="error", code="200") == 1

    run(work())


def test_invented_model_names_do_not_use_up_the_labels() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        status = b"404 Not Found" if b"bogus" in body else b"200 OK"
        writer.write(json_answer(b"{}", status))

    async def work() -> None:
        async with rig(script) as one:
            for number in range(30):
                await one.ask(post(b'{"messages":[],"model":"bogus-%d"}' % number))
            assert one.value(families.REQUESTS, model="other", code="404") == 30
            for number in range(30):
                await one.ask(post(b'{"messages":[],"model":"real-%d"}' % number))
            assert one.value(families.REQUESTS, model="real-29") == 1
            labelled = {labels[0] for (name, labels), values in one.board.read() if name == families.REQUESTS}
            assert len(labelled - {"other"}) == MAX_MODELS

    run(work())


def test_listings_do_not_count_as_requests_to_the_model() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(json_answer(b"{}", b"404 Not Found"))

    async def work() -> None:
        async with rig(script) as one:
            await one.ask(b"GET /favicon.ico HTTP/1.1\r\nhost: a\r\n\r\n")
            assert one.value(families.REQUESTS) == 0
            assert one.value(families.OTHER_REQUESTS, code="404") == 1

    run(work())


@pytest.mark.parametrize("broken", ["__init__", "request_body", "response_head", "response_body", "finish"])
def test_an_observer_that_fails_costs_its_numbers_and_nothing_else(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("observer")

    monkeypatch.setattr(ExchangeMeter, broken, fail)
    answer = STREAM_HEAD + chunk(ROLE) + chunk(TOKEN) + b"0\r\n\r\n"

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async def work() -> None:
        async with rig(script) as one:
            reader, writer = await one.connect()
            for _ in range(3):
                writer.write(CHAT)
                assert await read_answer(reader) == answer
            assert one.server.connections == 1
            await until(lambda: one.value(families.OBSERVER_ERRORS) == 3)
            assert one.value(families.IN_FLIGHT) == 0
            writer.close()

    run(work())


def test_a_restarted_data_plane_goes_on_with_its_counts() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(json_answer(b"{}"))

    async def work() -> None:
        from modelward.collector.metrics_recorder import MetricsRecorder

        async with rig(script) as one:
            await one.ask(CHAT)
            again = MetricsRecorder(one.board, "r1")
            again.finished(again.model("m", 200).model, "chat", 200, "ok", 0.1)
            assert one.value(families.REQUESTS, model="m", outcome="ok") == 2

    run(work())


@pytest.mark.parametrize(
    ("text", "is_token"),
    [
        (b'{"delta":{"role":"assistant","content":""}}', False),
        (b'{"delta":{"role":"assistant","content":null,"tool_calls":[]}}', False),
        (b'{"delta":{"content":"a"}}', True),
        (b'{"delta": {"reasoning_content": "hm"}}', True),
        (b'{"delta":{"tool_calls":[{"index":0}]}}', True),
        (b'{"type":"response.output_text.delta","delta":"x"}', True),
        (b'{"text":"x"}', True),
        (b'{"choices":[],"usage":{}}', False),
    ],
)
def test_first_tokens_are_told_from_empty_frames(text: bytes, is_token: bool) -> None:
    assert bool(FIRST_TOKEN.search(text)) is is_token


def usage_in(body: bytes) -> Usage:
    tail = AnswerTail()
    tail.add(body)
    return tail.usage()


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.text(max_size=200))
def test_usage_is_read_exactly_and_text_cannot_imitate_it(asked: int, said: int, text: str) -> None:
    import json

    content = json.dumps({"content": text + '"usage":{"prompt_tokens":1}', "usage": None})
    real = json.dumps({"usage": {"prompt_tokens": asked, "completion_tokens": said}})
    assert usage_in((content + real + content).encode()) == Usage(asked, said)


def test_usage_of_other_apis_is_understood() -> None:
    assert usage_in(b'{"usage":{"input_tokens":3,"output_tokens":4,"cache_read_input_tokens":2}}') == Usage(5, 4, 2)
    assert usage_in(b'{"done":true,"prompt_eval_count":26,"eval_count":298}') == Usage(26, 298)
    assert usage_in(b'{"usage":{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":1}}}') == Usage(3, None, 1)
    assert usage_in(b'{"usage":{"prompt_tok') == Usage()


def test_a_model_is_found_after_long_messages_and_not_inside_them() -> None:
    body = b'{"messages":[{"content":"say \\"model\\":\\"evil\\""}' + b" " * 100_000 + b'],"model":"good"}'
    assert model_named_in(body) == "good"


def test_operations_are_told_from_paths() -> None:
    assert operation_of(b"POST", b"/v1/chat/completions") == "chat"
    assert operation_of(b"POST", b"/openai/v1/completions") == "text_completion"
    assert operation_of(b"POST", b"/v1/embeddings") == "embeddings"
    assert operation_of(b"POST", b"/predict") == "other"
    assert operation_of(b"GET", b"/v1/models") == ""
    assert operation_of(b"POST", b"/tokenize") == ""
