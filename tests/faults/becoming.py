"""Waiting for what a reconcile, or another process, brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from driver import Driver
from user import User
from waiting import PROCESS_PATIENCE_S

from modelward.kube.kinds import Kind


async def becomes(driver: Driver, user: User, name: str, type_: str, reason: str) -> str:
    """Reconcile until a condition has this reason; return its message."""
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PROCESS_PATIENCE_S):
            while found.get("reason") != reason:
                await driver.sync()
                await driver.round()
                found = await user.condition(name, type_)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{type_} of {name} is {found}, not {reason}; failed: {driver.failed}") from None
    return str(found.get("message", ""))


async def fails(driver: Driver, says: str) -> None:
    """Reconcile until all that fails does so with these words; a conflict with other controllers may come first."""

    async def as_it_says() -> bool:
        await driver.sync()
        await driver.round()
        return bool(driver.failed) and all(says in str(one) for one in driver.failed.values())

    await eventually(as_it_says)


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while not await look():  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)


async def gone(user: User, kind: Kind, name: str) -> None:
    """Wait until the garbage collector has been there, which learns of new kinds every 30 s."""

    async def went() -> bool:
        return await user.find(kind, name) is None

    await eventually(went)


async def tried_again(driver: Driver, rounds: int = 6) -> list[str]:
    """Reconcile some more times; return what was written, or tried to be, in the last."""
    mark = 0
    for _ in range(rounds):
        mark = len(driver.writes)
        await driver.sync()
        await driver.round()
    return [one.partition("/")[2] for one in driver.writes[mark:]]
