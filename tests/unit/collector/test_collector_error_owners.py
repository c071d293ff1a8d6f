"""Errors have owners: each finished request is counted for the one who ended it."""

from __future__ import annotations

import asyncio

import pytest
from collector_rig import CHAT, STREAM_HEAD, TOKEN, Rig, Script, chunk, json_answer, read_answer, rig, run
from waiting import until

from modelward.collector import families


def answering(answer: bytes) -> Script:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return script


def ended(one: Rig) -> dict[tuple[str, str], float]:
    """The finished requests by code and outcome."""
    return {
        (labels[3], labels[4]): values[0]
        for (name, labels), values in one.board.read()
        if name == families.REQUESTS and values[0]
    }


def with_header(answer: bytes, header: bytes) -> bytes:
    return answer.replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n\r\n", 1)


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (b"400 Bad Request", b"", ("400", "client_error")),
        (b"401 Unauthorized", b"", ("401", "client_error")),
        (b"404 Not Found", b"retry-after: 1", ("404", "client_error")),
        (b"429 Too Many Requests", b"", ("429", "overload")),
        (b"500 Internal Server Error", b"", ("500", "error")),
        (b"502 Bad Gateway", b"retry-after: 1", ("502", "error")),
        (b"503 Service Unavailable", b"", ("503", "error")),
        (b"503 Service Unavailable", b"Retry-After: 1", ("503", "overload")),
        (b"504 Gateway Timeout", b"", ("504", "error")),
        (b"200 OK", b"retry-after: 1", ("200", "ok")),
    ],
)
def test_a_status_is_counted_for_its_owner(status: bytes, header: bytes, expected: tuple[str, str]) -> None:
    answer = json_answer(b"{}", status)

    async def work() -> None:
        async with rig(answering(with_header(answer, header) if header else answer)) as one:
            await one.ask(CHAT)
            assert ended(one) == {expected: 1}

    run(work())


def test_a_503_is_overload_while_the_engine_reports_a_queue() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}", b"503 Service Unavailable"))) as one:
            one.board.cell(families.ENGINE_QUEUE)[0] = 3
            await one.ask(CHAT)
            one.board.cell(families.ENGINE_QUEUE)[0] = 0
            await one.ask(CHAT)
            assert ended(one) == {("503", "overload"): 1, ("503", "error"): 1}

    run(work())


def test_malformed_chunks_of_a_client_are_the_clients_error() -> None:
    async def work() -> None:
        async with rig(answering(json_answer(b"{}"))) as one:
            reader, writer = await one.connect()
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
            await writer.drain()
            writer.write(b"this is no chunk\r\n")
            assert (await read_answer(reader)).startswith(b"HTTP/1.1 400")
            assert ended(one) == {("400", "client_error"): 1}
            writer.close()

    run(work())


def test_an_answer_that_is_not_http_is_the_servers_error() -> None:
    async def work() -> None:
        async with rig(answering(b"HTTP/1.1 200 OK\r\nX Y: z\r\nContent-Length: 3\r\n\r\nabc")) as one:
            _, writer = await one.connect()
            writer.write(CHAT)
            await until(lambda: bool(ended(one)))
            assert ended(one) == {("502", "error"): 1}
            writer.close()

    run(work())


def test_a_client_that_leaves_before_the_end_cancels() -> None:
    async def work() -> None:
        async with rig(answering(STREAM_HEAD + chunk(TOKEN))) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            await reader.readuntil(b"tok")
            writer.close()
            await until(lambda: bool(ended(one)))
            assert ended(one) == {("200", "cancelled"): 1}

    run(work())
