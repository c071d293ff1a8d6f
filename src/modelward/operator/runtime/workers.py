"""The workers that reconcile what is due: retries back off per key, results ask for the next time."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from modelward.kube.errors import ApiError, LeadershipLost
from modelward.operator.runtime.rate_limit import MinInterval, TokenBucket
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import Lane, WorkKey, WorkQueue

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.005
LONGEST_DELAY_S = 300.0
ITEM_DEADLINE_S = 60.0
WORKERS: Mapping[Lane, int] = {Lane.SPEC: 4, Lane.STATUS: 4}

Reconcile = Callable[[WorkKey], Awaitable[float | None]]


class WorkerPool:
    """Calls `reconcile` for each key that is due; seconds that it returns ask for the key again in the status lane."""

    def __init__(
        self,
        reconcile: Reconcile,
        telemetry: Telemetry,
        *,
        workers: Mapping[Lane, int] = WORKERS,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        item_deadline_s: float = ITEM_DEADLINE_S,
    ) -> None:
        self._reconcile = reconcile
        self._telemetry = telemetry
        self._workers = workers
        self._jitter = jitter
        self._clock = clock
        self._item_deadline_s = item_deadline_s
        self._schedule = WorkQueue()
        self._rest = MinInterval()
        self._failures: dict[WorkKey, int] = {}
        self._allowance = TokenBucket()
        self._asked_off: dict[WorkKey, float] = {}
        """Until when the API server wants a key to wait, whoever requests it before."""
        self._resting: dict[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in Lane}
        """Workers without work, in the order in which they will be woken."""
        for lane in Lane:
            telemetry.queue.observe_depth(lane, partial(self._depth, lane))
        telemetry.queue.observe_workers(lambda: [clock() - since for since in self._schedule.active().values()])

    def add(self, key: WorkKey, lane: Lane = Lane.SPEC, after: float = 0.0) -> None:
        """Ask for a key in `after` seconds; from the loop that runs the queue."""
        self._put(key, lane, max(self._clock() + after, self._rest.until(key, lane)))

    def _put(self, key: WorkKey, lane: Lane, due: float) -> None:
        if self._schedule.add(key, lane, due, self._clock()):
            self._telemetry.queue.adds.labels(name=lane).inc()
            for each in Lane:
                self._wake(each)

    def _wake(self, lane: Lane) -> None:
        """Let one worker without work ask for some: all at once would take more time than the work.

        It rests last again, so that while any rests there is one that knows when the next key is due.
        """
        resting = self._resting[lane]
        while resting:
            worker = resting.popleft()
            if not worker.done():
                worker.set_result(None)
                return

    async def run(self) -> None:
        """Work until cancelled; LeadershipLost ends it."""
        async with asyncio.TaskGroup() as group:
            for lane, number in self._workers.items():
                self._telemetry.workers_max.labels(controller=lane).set(number)
                for _ in range(number):
                    group.create_task(self._work(lane))

    def _depth(self, lane: Lane) -> int:
        return self._schedule.depth(lane, self._clock())

    async def _work(self, lane: Lane) -> None:
        while True:
            taken = self._schedule.take(lane, self._clock())
            if taken is None:
                await self._wait(lane)
                continue
            key, waited = taken
            if self._put_off(key, lane):
                continue
            self._rest.begin(key, lane, self._clock())
            self._telemetry.queue.waited.labels(name=lane).observe(waited)
            try:
                await self._handle(key, lane)
            finally:
                self._schedule.done(key)
                self._wake(Lane.SPEC)
                self._wake(Lane.STATUS)

    def _put_off(self, key: WorkKey, lane: Lane) -> bool:
        """Requeue a key whose Retry-After has not elapsed."""
        now, until = self._clock(), self._asked_off.pop(key, 0.0)
        if until <= now:
            return False
        self._asked_off[key] = until
        self._schedule.done(key)
        self._schedule.add(key, lane, until, now)
        return True

    async def _wait(self, lane: Lane) -> None:
        """Until something was added or the next key is due."""
        due = self._schedule.next_due(lane)
        seconds = None if due is None else max(0.0, due - self._clock())
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._resting[lane].append(woken)
        try:
            async with asyncio.timeout(seconds):
                await woken
        except TimeoutError:
            with suppress(ValueError):  # woken at the same moment
                self._resting[lane].remove(woken)

    async def _handle(self, key: WorkKey, lane: Lane) -> None:
        telemetry, start = self._telemetry, self._clock()
        telemetry.workers_active.labels(controller=lane).inc()
        try:
            async with asyncio.timeout(self._item_deadline_s):
                again = await self._reconcile(key)
        except (LeadershipLost, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one key must not stop the others
            result = "error"
            self._retry(key, lane, error)
        else:
            result = self._settled(key, again)
        finally:
            telemetry.workers_active.labels(controller=lane).dec()
        seconds = self._clock() - start
        telemetry.reconciles.labels(controller=key.work, result=result).inc()
        telemetry.reconcile_time.labels(controller=key.work).observe(seconds)
        telemetry.queue.worked.labels(name=lane).observe(seconds)

    def _settled(self, key: WorkKey, again: float | None) -> str:
        self._failures.pop(key, None)
        if again is None:
            return "success"
        self.add(key, Lane.STATUS, after=again)
        return "requeue_after"

    def _retry(self, key: WorkKey, lane: Lane, error: Exception) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = max(backoff(failures, self._jitter()), self._allowance.wait(self._clock()))
        if isinstance(error, ApiError) and error.retry_after is not None:
            asked = pause(error.retry_after, self._jitter())
            delay = max(delay, asked)
            self._asked_off[key] = self._clock() + asked  # a change before then waits that long, not for our backoff
        self._telemetry.reconcile_errors.labels(controller=key.work).inc()
        self._telemetry.queue.retries.labels(name=lane).inc()
        if isinstance(error, TimeoutError):
            self._telemetry.reconcile_timeouts.labels(controller=key.work).inc()
        known = isinstance(error, ApiError | TimeoutError)
        what = error if str(error) else type(error).__name__
        log.warning("reconcile failed key=%s retry_s=%.3f error=%s", key, delay, what, exc_info=not known and error)
        self._put(key, lane, self._clock() + delay)


def backoff(failures: int, jitter: float) -> float:
    """Seconds until the next try: 5 ms doubled per failure up to 5 minutes, less up to a half by jitter in [0, 1)."""
    delay = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures, 30))
    return delay * (1 - jitter / 2)


def pause(asked: float, jitter: float) -> float:
    """Seconds to leave the server alone that asked for some: at most 5 minutes, and by jitter up to a half more.

    More and not less, so that it is respected, and those who were all turned away at once do not all come back at once.
    """
    return min(LONGEST_DELAY_S, asked) * (1 + jitter / 2)
