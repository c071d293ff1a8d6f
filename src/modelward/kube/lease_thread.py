"""Renews the Lease from a thread and a loop of its own, so that no long turn of the operator's loop ends leadership.

With thousands of objects, or little CPU time, the operator's loop may need seconds for what a renewal needs of it. It
must not stand still for ever, though: then the Lease is given up to one that works.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from modelward.kube.access import Access
from modelward.kube.client import Client
from modelward.kube.errors import LeadershipLost
from modelward.kube.lease import REQUEST_S, RETRY_S, Lease
from modelward.kube.transport import Observe, Transport

STANDSTILL_S = 60.0
"""For how long the operator's loop may stand still and lead."""

Connect = Callable[[], AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def connected(access: Access, observe: Observe) -> AsyncIterator[Client]:
    """A client of the running loop with credentials that are another client's, which go on refreshing them."""
    transport = Transport(access, observe)
    try:
        yield Client(transport)
    finally:
        await transport.disconnect()


class LeaseThread:
    """Holds one Lease in a thread; `connect` gives the client of that thread's loop."""

    def __init__(
        self,
        lease: Lease,
        connect: Connect,
        clock: Callable[[], float] = time.monotonic,
        beat_s: float = RETRY_S,
    ) -> None:
        self._lease = lease
        self._connect = connect
        self._clock = clock
        self._beat_s = beat_s
        self._beat = clock()
        self._stopping = threading.Event()
        self._stop: Callable[[], object] = lambda: None

    async def run(self) -> None:
        """Renew until cancelled; LeadershipLost as by `Lease.hold`, and where this loop has stood still for 60 s."""
        home = asyncio.get_running_loop()
        ended: asyncio.Future[BaseException | None] = home.create_future()

        def work() -> None:
            error: BaseException | None = None
            try:
                asyncio.run(self._hold())
            except BaseException as raised:  # noqa: BLE001 - the other loop is to raise it
                error = raised
            with suppress(RuntimeError):  # the other loop has ended
                home.call_soon_threadsafe(ended.set_result, error)

        threading.Thread(target=work, name="lease", daemon=True).start()
        try:
            while not ended.done():
                self._beat = self._clock()
                await asyncio.wait({ended}, timeout=self._beat_s)
        finally:
            self._stopping.set()
            with suppress(RuntimeError):  # its loop is closed already
                self._stop()
            await asyncio.wait({ended}, timeout=REQUEST_S)
        raise ended.result() or LeadershipLost("the Lease is not renewed any more")

    async def _hold(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        self._stop = lambda: loop.call_soon_threadsafe(task.cancel) if task else None
        if self._stopping.is_set():
            return
        async with self._connect() as client:
            holding = asyncio.create_task(self._lease.hold(client))
            try:
                while not holding.done():
                    await asyncio.wait({holding}, timeout=self._beat_s)
                    if self._clock() - self._beat > STANDSTILL_S:
                        raise LeadershipLost(f"the operator's loop has stood still for {STANDSTILL_S:.0f} s")
                await holding
            finally:
                holding.cancel()
                await asyncio.gather(holding, return_exceptions=True)
