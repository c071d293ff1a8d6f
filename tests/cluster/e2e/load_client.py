"""An open-loop client: so many requests a second, whole and streamed, each answer compared with the engine's own.

Open loop: a slow answer delays no other request, as it is with many independent users. Every second request goes on
a connection that is kept, the others on one of their own. A server may close a kept connection at any time, also while
a request is on its way to it (RFC 9112, 9.5): such a request is asked again, once and on a new connection, and counted.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from http_exchange import REQUESTS, Answer, Connection, Request

PATIENCE_S = 30.0
AT_ONCE = 64
"""More requests than this are never under way: a machine that cannot keep up lowers the rate, which is reported."""
_KEPT_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that was not answered, or not with what the engine says; times since the load began."""

    target: str
    request: Request
    sent_s: float
    at_s: float
    what: str


@dataclass(slots=True)
class Tally:
    """What became of the requests to one target."""

    sent: int = 0
    reused: int = 0
    asked_again: int = 0
    answered: int = 0
    failed: int = 0
    altered: int = 0
    seconds: list[float] = field(default_factory=list)

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile of the time that an answer took."""
        ordered = sorted(self.seconds) or [math.nan]
        return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))], 1)


class Load:
    """Requests at a rate to all targets in turns, while the `with` block runs and at most `most` of them."""

    def __init__(
        self, targets: Mapping[str, str], expected: Mapping[str, Mapping[Request, Answer]], rate: float, most: int
    ) -> None:
        self._hosts = {name: urlsplit(url).netloc for name, url in targets.items()}
        self._wires = {(name, one): one.wire(host) for name, host in self._hosts.items() for one in REQUESTS}
        self._expected, self._rate, self._most = expected, rate, most
        self._idle: dict[str, list[Connection]] = {name: [] for name in targets}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._began = self._ended = 0.0
        self.tallies = {name: Tally() for name in targets}
        self.failures: list[Failure] = []

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._began = self._ended = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End when what is under way is answered."""
        self._stop.set()
        self._thread.join(2 * PATIENCE_S)

    @property
    def sent(self) -> int:
        """How many requests were sent so far."""
        return sum(tally.sent for tally in self.tallies.values())

    @property
    def at_s(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self._began

    @property
    def per_s(self) -> float:
        """Requests a second over the whole of it."""
        return self.sent / max(self._ended - self._began, 1e-9)

    def report(self) -> dict[str, object]:
        """Return the counts, the rate that was reached and the times that answers took, for a log or a file."""
        seconds = max(self._ended - self._began, 1e-9)
        return {
            "wanted_per_second": self._rate,
            "reached_per_second": round(self.per_s, 1),
            "seconds": round(seconds, 1),
            "targets": {name: _summary(tally) for name, tally in self.tallies.items()},
        }

    async def _run(self) -> None:
        room = asyncio.Semaphore(AT_ONCE)
        names, loop = list(self._hosts), asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as under_way:
            for number in range(self._most):
                await asyncio.sleep(max(0.0, began + number / self._rate - loop.time()))
                await room.acquire()
                if self._stop.is_set():
                    break
                turn, of_target = divmod(number, len(names))
                asked = self._ask(names[of_target], REQUESTS[turn % len(REQUESTS)])
                under_way.create_task(asked).add_done_callback(lambda _: room.release())
            self._ended = time.monotonic()
        for connection in (one for idle in self._idle.values() for one in idle):
            connection.close()

    async def _ask(self, target: str, request: Request) -> None:
        tally, sent_s = self.tallies[target], self.at_s
        tally.sent += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._answer(target, request, tally)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            tally.failed += 1
            self._note(target, request, sent_s, f"{type(error).__name__}: {error}")
            return
        tally.seconds.append(self.at_s - sent_s)
        if answer == self._expected[target][request]:
            tally.answered += 1
        else:
            tally.altered += 1
            self._note(target, request, sent_s, repr(answer)[:600])

    async def _answer(self, target: str, request: Request, tally: Tally) -> Answer:
        kept = self._kept(target) if request.keep else None
        if kept is not None:
            tally.reused += 1
            try:
                return await self._asked(target, request, kept)
            except (OSError, EOFError):
                if kept.answering:
                    raise
                tally.asked_again += 1
        return await self._asked(target, request, await Connection.open(self._hosts[target]))

    async def _asked(self, target: str, request: Request, connection: Connection) -> Answer:
        try:
            answer = await connection.ask(self._wires[target, request])
        except BaseException:
            connection.close()
            raise
        if request.keep and connection.usable:
            self._idle[target].append(connection)
        else:
            connection.close()
        return answer

    def _kept(self, target: str) -> Connection | None:
        idle = self._idle[target]
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    def _note(self, target: str, request: Request, sent_s: float, what: str) -> None:
        if sum(one.target == target for one in self.failures) < _KEPT_FAILURES:
            self.failures.append(Failure(target, request, round(sent_s, 2), round(self.at_s, 2), what))


def _summary(tally: Tally) -> dict[str, float]:
    return {
        "sent": tally.sent,
        "on_a_kept_connection": tally.reused,
        "asked_again": tally.asked_again,
        "answered": tally.answered,
        "failed": tally.failed,
        "altered": tally.altered,
        "p50_ms": tally.percentile_ms(50),
        "p99_ms": tally.percentile_ms(99),
        "max_ms": tally.percentile_ms(100),
    }
