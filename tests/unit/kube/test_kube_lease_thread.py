"""The Lease is renewed whatever holds the operator's loop up, but not for a loop that stands still."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from modelward.kube.client import Client
from modelward.kube.errors import Conflict, LeadershipLost
from modelward.kube.kinds import Object
from modelward.kube.lease import Clocks, Lease
from modelward.kube.lease_thread import LeaseThread

PATIENCE_S = 30.0


class Server:
    """One Lease object, and by which threads it was renewed."""

    def __init__(self) -> None:
        self.holder, self.renewals = "us", list[str]()
        self.renewed, self.left = threading.Event(), threading.Event()

    async def find(self, *_: Any, **__: Any) -> None:
        return None

    async def create(self, obj: Object, **_: Any) -> Object:
        return obj

    async def get(self, *_: Any, **__: Any) -> Object:
        return {"metadata": {}, "spec": {"holderIdentity": self.holder}}

    async def replace(self, obj: Object, **_: Any) -> Object:
        if self.holder != "us":
            raise Conflict(409, "Conflict", "changed meanwhile")
        self.renewals.append(threading.current_thread().name)
        if len(self.renewals) >= 3:
            self.renewed.set()
        return obj

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        try:
            yield cast("Client", self)
        finally:
            self.left.set()


async def acquired(server: Server) -> Lease:
    clocks = Clocks(seconds=lambda: 0.0, sleep=lambda _: asyncio.sleep(0))
    lease = Lease(cast("Client", server), "system", "modelward", "us", clocks)
    await lease.acquire()
    return lease


async def test_the_lease_is_renewed_while_the_operators_loop_is_busy() -> None:
    server = Server()
    lease = await acquired(server)
    holding = asyncio.create_task(LeaseThread(lease, server.connected, beat_s=0.001).run())
    await asyncio.sleep(0)
    assert server.renewed.wait(PATIENCE_S), "this loop has no turn meanwhile"
    assert set(server.renewals) == {"lease"}
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    assert server.left.is_set()
    assert lease.seconds_left() > 0, "it is not lost but to be released"


async def test_a_lease_that_another_took_ends_leading() -> None:
    server = Server()
    lease = await acquired(server)
    server.holder = "another"
    with pytest.raises(LeadershipLost, match="held by another"):
        await LeaseThread(lease, server.connected, beat_s=0.001).run()
    assert lease.seconds_left() < 0
    assert server.left.is_set()


async def test_a_loop_that_stands_still_leads_no_longer() -> None:
    server, now_s = Server(), [0.0]
    holding = asyncio.create_task(
        LeaseThread(await acquired(server), server.connected, clock=lambda: now_s[0], beat_s=0.001).run()
    )
    await asyncio.sleep(0)
    assert server.renewed.wait(PATIENCE_S)
    now_s[0] = 61.0
    assert server.left.wait(PATIENCE_S)
    with pytest.raises(LeadershipLost, match="stood still for 60 s"):
        await holding
