"""Two processes, one Lease, clocks passed in: never two that may write, and a takeover as soon as it is safe."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from modelward.kube.client import Client
from modelward.kube.errors import Conflict, LeadershipLost, NotFound, Unavailable
from modelward.kube.kinds import Object
from modelward.kube.lease import Clocks, Lease


class Server:
    """One Lease object behind optimistic concurrency, and a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.lease: Object | None = None
        self.down = False
        self.swallow_answers = False
        self.on_sleep: Callable[[], Awaitable[None]] | None = None

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: datetime(2026, 11, 24, tzinfo=UTC), self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.on_sleep is not None:
            await self.on_sleep()

    async def find(self, *_args: Any, **_kwargs: Any) -> Object | None:
        self._answer()
        return self.lease

    async def get(self, *_args: Any, **_kwargs: Any) -> Object:
        self._answer()
        if self.lease is None:
            raise NotFound(404, "NotFound", "no lease")
        return self.lease

    async def create(self, obj: Object, **_kwargs: Any) -> Object:
        self._answer()
        if self.lease is not None:
            raise Conflict(409, "AlreadyExists", "there is one")
        return self.store(obj, 1)

    async def replace(self, obj: Object, **_kwargs: Any) -> Object:
        self._answer()
        if self.lease is None:
            raise NotFound(404, "NotFound", "no lease")
        version = int(self.lease["metadata"]["resourceVersion"])
        if obj["metadata"].get("resourceVersion") != str(version):
            raise Conflict(409, "Conflict", "changed meanwhile")
        stored = self.store(obj, version + 1)
        if self.swallow_answers:
            raise Unavailable(0, "NoAnswer", "the answer was lost")
        return stored

    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])

    def _answer(self) -> None:
        if self.down:
            raise Unavailable(0, "NoAnswer", "down")

    def store(self, obj: Object, version: int) -> Object:
        self.lease = obj | {"metadata": obj["metadata"] | {"resourceVersion": str(version)}}
        return self.lease


def claimant(server: Server, identity: str) -> Lease:
    return Lease(cast("Client", server), "modelward-system", "modelward", identity, server.clocks())


async def test_lease_the_first_that_asks_leads_for_ten_seconds() -> None:
    server = Server()
    lease = claimant(server, "a")
    assert lease.seconds_left() < 0
    await lease.acquire()
    assert (lease.seconds_left(), server.holder()) == (10.0, "a")


async def test_lease_a_released_one_is_taken_within_two_seconds() -> None:
    server = Server()
    first, second = claimant(server, "a"), claimant(server, "b")
    await first.acquire()

    async def give_up() -> None:
        server.on_sleep = None
        await first.release()

    server.on_sleep = give_up
    start = server.now
    await second.acquire()
    assert server.now - start <= 2.0
    assert first.seconds_left() < 0
    assert second.seconds_left() == 10.0


async def test_lease_is_given_up_though_a_renewal_was_cut_short() -> None:
    server = Server()
    lease = claimant(server, "a")
    await lease.acquire()

    async def sent_and_cut_short() -> None:
        assert server.lease is not None
        await server.replace(server.lease)
        raise asyncio.CancelledError

    server.on_sleep = sent_and_cut_short
    with pytest.raises(asyncio.CancelledError):
        await lease.hold()
    await lease.release()
    assert server.holder() == ""


async def test_lease_that_another_took_meanwhile_is_not_given_up_for_it() -> None:
    server = Server()
    lease = claimant(server, "a")
    await lease.acquire()
    assert server.lease is not None
    await server.replace(server.lease | {"spec": server.lease["spec"] | {"holderIdentity": "b"}})
    await lease.release()
    assert server.holder() == "b"


async def test_lease_of_a_dead_holder_is_taken_within_twenty_seconds_and_not_before_it_ended() -> None:
    server = Server()
    dead, standby = claimant(server, "a"), claimant(server, "b")
    await dead.acquire()
    start = server.now
    await standby.acquire()
    assert server.now - start == pytest.approx(15.0)
    assert dead.seconds_left() < 0
    assert server.lease is not None
    assert server.lease["spec"]["leaseTransitions"] == 1


async def test_lease_of_a_dead_holder_runs_out_while_the_next_one_prepares() -> None:
    server = Server()
    await claimant(server, "dead").acquire()
    other = claimant(server, "other")
    prepared = server.now + 10.0

    async def until_prepared() -> None:
        await asyncio.sleep(0)
        if server.now >= prepared:
            observing.cancel()

    server.on_sleep = until_prepared
    observing = asyncio.create_task(other.observe())
    await asyncio.gather(observing, return_exceptions=True)
    assert server.holder() == "dead"
    server.on_sleep = None
    await other.acquire()
    assert server.holder() == "other"
    assert server.now == 1015.0


async def test_lease_is_observed_though_the_api_server_is_down_for_a_while() -> None:
    server = Server()
    await claimant(server, "dead").acquire()
    server.down = True

    async def back() -> None:
        await asyncio.sleep(0)
        server.down = server.now < 1004.0
        if server.now >= 1010.0:
            observing.cancel()

    server.on_sleep = back
    other = claimant(server, "other")
    observing = asyncio.create_task(other.observe())
    await asyncio.gather(observing, return_exceptions=True)
    server.on_sleep = None
    await other.acquire()
    assert server.now == 1019.0


async def test_lease_a_living_holder_is_left_alone() -> None:
    server = Server()
    holder, standby = claimant(server, "a"), claimant(server, "b")
    await holder.acquire()

    async def renew() -> None:
        assert holder.seconds_left() > 0
        if server.now > 1060:
            raise TimeoutError
        await holder.acquire()

    server.on_sleep = renew
    with pytest.raises(TimeoutError):
        await standby.acquire()
    assert server.holder() == "a"


async def test_lease_that_cannot_be_renewed_is_lost_after_ten_seconds() -> None:
    server = Server()
    lease = claimant(server, "a")
    await lease.acquire()
    server.down, start = True, server.now
    with pytest.raises(LeadershipLost):
        await lease.hold()
    assert server.now - start == pytest.approx(10.0)
    assert lease.seconds_left() == float("-inf")


async def test_lease_taken_by_another_is_lost_at_once() -> None:
    server = Server()
    lease = claimant(server, "a")
    await lease.acquire()
    assert server.lease is not None
    server.store(server.lease | {"spec": server.lease["spec"] | {"holderIdentity": "b"}}, 9)
    start = server.now
    with pytest.raises(LeadershipLost, match="held by b"):
        await lease.hold()
    assert server.now - start == 2.0


async def test_lease_that_somebody_deleted_is_lost() -> None:
    server = Server()
    lease = claimant(server, "a")
    await lease.acquire()
    server.lease = None
    with pytest.raises(LeadershipLost):
        await lease.hold()


async def test_lease_survives_lost_answers_and_edits_by_others() -> None:
    server = Server()
    lease = claimant(server, "a")
    await lease.acquire()
    server.swallow_answers = True
    rounds = 0

    async def alternate() -> None:
        nonlocal rounds
        rounds += 1
        server.swallow_answers = rounds % 3 == 0
        if rounds > 30:
            raise TimeoutError

    server.on_sleep = alternate
    with pytest.raises(TimeoutError):
        await lease.hold()
    assert lease.seconds_left() > 0
    assert server.holder() == "a"


async def test_lease_a_machine_that_slept_does_not_lead_any_more() -> None:
    server = Server()
    lease = claimant(server, "a")
    await lease.acquire()
    server.now += 3600
    assert lease.seconds_left() < 0


async def test_lease_is_waited_for_while_the_api_server_is_down() -> None:
    server = Server()
    server.down = True

    async def back_up() -> None:
        server.down = server.now < 1010

    server.on_sleep = back_up
    lease = claimant(server, "a")
    await lease.acquire()
    assert lease.seconds_left() == 10.0


async def test_lease_releasing_what_is_not_held_asks_nothing() -> None:
    server = Server()
    server.down = True
    await claimant(server, "a").release()
    assert server.lease is None
