"""Official clients leave at the end mark, compress, and upload slowly: what is measured stays what the model did."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest
from collector_rig import (
    CHAT,
    DONE,
    ROLE,
    STREAM_HEAD,
    TOKEN,
    USAGE,
    Rig,
    Script,
    chunk,
    json_answer,
    post,
    read_answer,
    rig,
    run,
)
from waiting import until

from modelward.collector import families
from modelward.collector.content_coding import ANSWER_BYTES, READ_BYTES, Decoder

BODY = (
    b'{"id":"c","model":"m","choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":7,"completion_tokens":5}}'
)


def outcomes(one: Rig) -> dict[str, float]:
    """The finished requests by outcome."""
    found: dict[str, float] = {}
    for (name, labels), values in one.board.read():
        if name == families.REQUESTS and values[0]:
            found[labels[4]] = found.get(labels[4], 0) + values[0]
    return found


async def leave_at(one: Rig, mark: bytes) -> None:
    """Send a chat, and close as soon as these bytes came."""
    reader, writer = await one.connect()
    writer.write(CHAT)
    await reader.readuntil(mark)
    writer.close()
    await until(lambda: bool(outcomes(one)))


def streaming(*events: bytes, end: bytes = b"") -> Script:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + b"".join(chunk(event) for event in events) + end)

    return script


def test_a_client_that_closes_at_the_end_mark_had_a_whole_answer() -> None:
    async def work() -> None:
        async with rig(streaming(ROLE, TOKEN, TOKEN, USAGE, DONE)) as one:
            await leave_at(one, b"[DONE]\n\n")
            assert outcomes(one) == {"ok": 1}
            assert sum(one.histogram(families.TPOT, "m", "r1")[:-1]) == 1
            assert sum(one.histogram(families.DURATION, "m", "r1", "chat", "200")[:-1]) == 1

    run(work())


def test_a_client_that_closes_before_the_end_mark_cancelled() -> None:
    async def work() -> None:
        async with rig(streaming(ROLE, TOKEN)) as one:
            await leave_at(one, b"tok")
            assert outcomes(one) == {"cancelled": 1}

    run(work())


def test_a_server_that_breaks_after_the_end_mark_had_answered() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(ROLE) + chunk(TOKEN) + chunk(DONE))
        await writer.drain()
        writer.close()

    async def work() -> None:
        async with rig(script) as one:
            await one.ask(CHAT)
            await until(lambda: bool(outcomes(one)))
            assert outcomes(one) == {"ok": 1}

    run(work())


def test_a_server_that_breaks_before_the_end_mark_failed() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(ROLE) + chunk(TOKEN))
        await writer.drain()
        writer.close()

    async def work() -> None:
        async with rig(script) as one:
            await one.ask(CHAT)
            await until(lambda: bool(outcomes(one)))
            assert outcomes(one) == {"error": 1}

    run(work())


def test_a_stream_of_events_is_known_whatever_its_content_type_says() -> None:
    head = STREAM_HEAD.replace(b"text/event-stream", b"text/plain; charset=utf-8")

    async def script(_: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head + b"".join(chunk(event) for event in (ROLE, TOKEN, USAGE, DONE)))

    async def work() -> None:
        async with rig(script) as one:
            await leave_at(one, b"[DONE]\n\n")
            assert outcomes(one) == {"ok": 1}
            assert sum(one.histogram(families.TTFT, "m", "r1")[:-1]) == 1

    run(work())


def compressed(pieces: list[bytes]) -> list[bytes]:
    """Compress as servers do that flush after each event."""
    stream = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return [*(stream.compress(piece) + stream.flush(zlib.Z_SYNC_FLUSH) for piece in pieces), stream.flush()]


@pytest.mark.parametrize("coding", [(b"gzip", gzip.compress), (b"deflate", zlib.compress)])
def test_tokens_of_a_compressed_answer_are_counted(coding: tuple[bytes, Callable[[bytes], bytes]]) -> None:
    answer = json_answer(coding[1](BODY)).replace(b"\r\n\r\n", b"\r\ncontent-encoding: " + coding[0] + b"\r\n\r\n", 1)

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async def work() -> None:
        async with rig(script) as one:
            assert await one.ask(CHAT) == answer
            assert one.histogram(families.TOKENS, "m", "r1", "input")[-1] == 7
            assert one.histogram(families.TOKENS, "m", "r1", "output")[-1] == 5
            assert one.value(families.UNREAD) == 0

    run(work())


def test_a_compressed_stream_has_a_first_token_and_an_end() -> None:
    head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n", 1)
    pieces = compressed([ROLE, TOKEN, TOKEN, USAGE, DONE])

    async def script(_: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for piece in pieces:
            writer.write(chunk(piece) if piece else b"")
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async def work() -> None:
        async with rig(script) as one:
            await one.ask(CHAT)
            assert sum(one.histogram(families.TTFT, "m", "r1")[:-1]) == 1
            assert one.histogram(families.TOKENS, "m", "r1", "output")[-1] == 3
            assert one.value(families.CHUNKS) == 5

    run(work())


@pytest.mark.parametrize(
    ("coding", "body"),
    [(b"br", b"\x8b\x03\x80"), (b"gzip", b"this is none"), (b"gzip", gzip.compress(b"\0" * 4 * READ_BYTES))],
)
def test_an_answer_that_cannot_be_decoded_passes_and_is_counted_as_unread(coding: bytes, body: bytes) -> None:
    answer = json_answer(body).replace(b"\r\n\r\n", b"\r\ncontent-encoding: " + coding + b"\r\n\r\n", 1)

    async def script(head: bytes, _: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async def work() -> None:
        async with rig(script) as one:
            assert await one.ask(CHAT) == answer
            assert one.value(families.UNREAD) == 1
            assert outcomes(one) == {"ok": 1}
            assert sum(one.histogram(families.TOKENS, "m", "r1", "output")) == 0

    run(work())


def test_decoding_does_a_bounded_amount_of_work() -> None:
    bomb = gzip.compress(b"\0" * 16 * READ_BYTES)
    decoder = Decoder()
    assert decoder.decode(bomb) == b""
    assert decoder.lost
    patient, decoded = Decoder(), 0
    whole = gzip.compress(b"ab" * ANSWER_BYTES)
    for start in range(0, len(whole), 256):
        decoded += len(patient.decode(whole[start : start + 256]))
    assert patient.lost
    assert decoded <= ANSWER_BYTES


def test_reading_an_answer_takes_its_bytes_from_the_one_budget_and_gives_them_back() -> None:
    async def work() -> None:
        async with rig(streaming(ROLE, TOKEN)) as one:
            budget = one.proxy.budget
            reader, writer = await one.connect()
            writer.write(CHAT)
            await reader.readuntil(b"tok")
            assert budget.held > 0
            writer.close()
            await until(lambda: bool(outcomes(one)))
            assert budget.held == 0
            assert one.value(families.UNREAD) == 0

    run(work())


def test_without_memory_an_answer_passes_unread_and_is_counted() -> None:
    async def work() -> None:
        async with rig(streaming(ROLE, TOKEN, USAGE, DONE, end=b"0\r\n\r\n")) as one:
            budget = one.proxy.budget
            budget.must_take(budget.limit)
            assert b"tok" in await one.ask(CHAT)
            await until(lambda: bool(outcomes(one)))
            assert outcomes(one) == {"ok": 1}
            assert one.value(families.UNREAD) == 1
            assert budget.held == budget.limit

    run(work())


def _begun(*parts: bytes) -> bytes:
    return b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (_begun(b"content-length: 28\r\n\r\n"), b'{"model":"m","messages":[] }'),
        (_begun(b"transfer-encoding: chunked\r\n\r\n", chunk(b'{"model":"m"}')), b"0\r\n\r\n"),
    ],
)
def test_a_slow_upload_is_not_the_models_time(first: bytes, rest: bytes, measured: list[float]) -> None:
    async def work() -> None:
        async with rig(streaming(TOKEN, DONE, end=b"0\r\n\r\n")) as one:
            reader, writer = await one.connect()
            writer.write(first)
            await until(lambda: any(each.meter is not None for each in one.proxy.connections))
            measured[0] += 30.0
            writer.write(rest)
            await read_answer(reader)
            assert one.histogram(families.TTFT, "m", "r1")[-1] == 0.0
            assert one.histogram(families.DURATION, "m", "r1", "chat", "200")[-1] == 0.0
            writer.close()

    run(work())


def test_counting_tokens_and_moderation_are_no_requests_to_the_model() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(json_answer(b'{"input_tokens":5}'))

    async def work() -> None:
        async with rig(script) as one:
            for path in (b"/v1/messages/count_tokens", b"/v1/moderations"):
                await one.ask(post(b'{"model":"m"}', path))
            assert one.value(families.REQUESTS) == 0
            assert one.value(families.OTHER_REQUESTS, code="200") == 2

    run(work())


def test_a_models_name_is_the_same_however_it_is_escaped_and_never_lost_for_its_length() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(json_answer(b"{}"))

    async def work() -> None:
        async with rig(script) as one:
            await one.ask(post(b'{"model":"meta-llama/Llama-3"}'))
            await one.ask(post(b'{"model":"meta-llama\\/Llama-3"}'))
            await one.ask(post(b'{"model":"meta-llama\\u002fLlama-3"}'))
            assert one.value(families.REQUESTS, model="meta-llama/Llama-3") == 3
            await one.ask(post(b'{"model":"%b"}' % (b"long/" * 40)))
            assert one.value(families.REQUESTS, model=("long/" * 40)[:128]) == 1

    run(work())
