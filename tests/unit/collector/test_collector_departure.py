"""Clients that keep connections are let go when the model server leaves, and at no moment that costs them a request."""

from __future__ import annotations

import asyncio

from collector_rig import CHAT, STREAM_HEAD, ModelServer, chunk, json_answer, read_answer, rig, run
from waiting import a_moment

OK = json_answer(b"{}")


async def ok(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def test_idle_clients_are_let_go_when_their_model_server_is_gone() -> None:
    async def work() -> None:
        async with rig(ok) as one:
            kept, idle = await one.connect(), await one.connect()
            for reader, writer in (kept, idle):
                writer.write(CHAT)
                assert await read_answer(reader) == OK
            one.server.leave()
            assert [await reader.read() for reader, _ in (kept, idle)] == [b"", b""]
            for _, writer in (kept, idle):
                writer.close()

    run(work())


def test_a_model_server_that_crashes_in_an_answer_lets_the_others_go_too() -> None:
    one_server = ModelServer(ok)

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if len(one_server.requests) == 1:
            writer.write(OK)
            return
        writer.write(STREAM_HEAD + chunk(b"data: {}"))
        await writer.drain()
        one_server.leave()

    async def work() -> None:
        nonlocal one_server
        async with rig(script) as one:
            one_server = one.server
            idle, asking = await one.connect(), await one.connect()
            for (reader, writer), answer in ((idle, OK), (asking, STREAM_HEAD + chunk(b"data: {}"))):
                writer.write(CHAT)
                assert await reader.readexactly(len(answer)) == answer
            assert [await reader.read() for reader, _ in (idle, asking)] == [b"", b""]
            for _, writer in (idle, asking):
                writer.close()

    run(work())


def test_a_request_on_a_kept_connection_that_meets_a_server_that_left_is_closed_as_the_server_would_have() -> None:
    one_server = ModelServer(ok)

    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if len(one_server.requests) == 1:
            writer.write(OK)
        else:
            one_server.leave()

    async def work() -> None:
        nonlocal one_server
        async with rig(script) as one:
            one_server = one.server
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await read_answer(reader) == OK
            writer.write(CHAT)
            assert await reader.read() == b"", "an answer of ours would be the client's last word"
            writer.close()
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert (await reader.read()).startswith(b"HTTP/1.1 502"), "a new client gets the reason"
            writer.close()

    run(work())


def test_a_model_server_that_only_closes_idle_connections_costs_its_clients_none() -> None:
    async def work() -> None:
        async with rig(ok) as one:
            reader, writer = await one.connect()
            for _ in range(3):
                writer.write(CHAT)
                assert await read_answer(reader) == OK
                one.server.close_connections()
                await a_moment()
            assert not reader.at_eof()
            writer.close()

    run(work())


def test_who_leaves_closes_a_kept_connection_after_its_next_answer_and_not_before() -> None:
    async def work() -> None:
        async with rig(ok) as one:
            reader, writer = await one.connect()
            writer.write(CHAT)
            assert await read_answer(reader) == OK
            one.proxy.leave()
            await a_moment()
            assert not reader.at_eof()
            writer.write(CHAT)
            assert await reader.read() == OK
            writer.close()

    run(work())
