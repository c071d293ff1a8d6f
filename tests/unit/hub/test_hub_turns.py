"""Work that is scarce goes round the namespaces; what one of them has waiting delays no other."""

from __future__ import annotations

import asyncio

import pytest
from hub_fixtures import NOW_MS
from waiting import PATIENCE_S

from modelward.hub.buffer import WriteBuffer
from modelward.hub.errors import HubError, store_full
from modelward.hub.ingest import Record
from modelward.hub.layout import ExchangeObject
from modelward.hub.settings import Limits
from modelward.hub.turns import Turns


async def test_a_namespace_with_a_long_queue_has_others_wait_for_one_turn_only() -> None:
    turns, order = Turns(1, 1), []

    async def work(namespace: str) -> None:
        async with turns.of(namespace):
            order.append(namespace)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(work("loud"))
        group.create_task(work("quiet"))
    assert order.index("quiet") <= 2
    assert turns._own == {}


async def test_only_the_namespace_whose_queue_is_full_is_told_to_come_back() -> None:
    turns = Turns(1, 1, waiting=2)
    async with turns.of("loud"), asyncio.TaskGroup() as group:
        held = [group.create_task(turns.of("loud").__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HubError) as refused:
            await turns.of("loud").__aenter__()
        assert refused.value.status == 503
        quiet = group.create_task(turns.of("quiet").__aenter__())
        await asyncio.sleep(0)
        assert not quiet.done()
        for task in (*held, quiet):
            task.cancel()


def records(namespace: str, count: int = 1) -> list[Record]:
    return [Record(f"{namespace}/chat", NOW_MS - number, b"x" * 100) for number in range(count)]


async def test_what_a_store_refuses_one_namespace_is_no_error_of_another() -> None:
    async def put(item: ExchangeObject, _: bytes) -> None:
        if item.namespace == "full":
            raise store_full("no room")

    buffer = WriteBuffer(put, Limits())
    full, fine = asyncio.create_task(buffer.store(records("full"))), asyncio.create_task(buffer.store(records("fine")))
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await buffer.flush()
        await fine
        with pytest.raises(HubError, match="full"):
            await full
    assert (buffer.bytes_held, dict(buffer._namespaces)) == (0, {})


async def test_a_namespace_whose_writes_hang_holds_up_no_other_and_a_quarter_of_the_buffer() -> None:
    hang = asyncio.Event()

    async def put(item: ExchangeObject, _: bytes) -> None:
        if item.namespace == "slow":
            await hang.wait()

    buffer = WriteBuffer(put, Limits(buffer_bytes=4_000, flush_interval_s=0.001))
    running = asyncio.create_task(buffer.run())
    slow = [asyncio.create_task(buffer.store(records("slow", 5))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(HubError) as refused:
        await buffer.store(records("slow"))
    assert refused.value.code == "Busy"
    async with asyncio.timeout(PATIENCE_S):
        await buffer.store(records("fine", 5))
        hang.set()
        await asyncio.gather(*slow)
    running.cancel()
