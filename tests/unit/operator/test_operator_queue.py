"""The workers: one key at a time, failures back off and hurt no other key, results set the next time."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, strategies
from virtual_time import in_virtual_time, now

from modelward.kube.errors import LeadershipLost, TooManyRequests, Unavailable
from modelward.operator.runtime.telemetry import Telemetry
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.operator.runtime.workers import LONGEST_DELAY_S, WorkerPool, backoff, pause

CHAT = WorkKey("endpoint", "retail", "chat")
MAIL = WorkKey("endpoint", "retail", "mail")


class Work:
    """A reconciler that does what its script says, and records what it was called for."""

    def __init__(self, *script: float | BaseException | None) -> None:
        self.script = list(script)
        self.calls: list[WorkKey] = []
        self.running: set[WorkKey] = set()
        self.telemetry = Telemetry()
        self.gate: asyncio.Event | None = None
        self.times: list[float] = []
        self._ended = asyncio.Event()

    async def reconcile(self, key: WorkKey) -> float | None:
        assert key not in self.running
        self.calls.append(key)
        self.times.append(now())
        self.running.add(key)
        try:
            await (self.gate.wait() if self.gate is not None else asyncio.sleep(0))
        finally:
            self.running.discard(key)
            self._ended.set()
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        return step

    async def called(self, times: int) -> None:
        """Wait until there were so many calls and the last has ended."""
        async with asyncio.timeout(1_000):
            while len(self.calls) < times or self.running:
                self._ended.clear()
                await self._ended.wait()

    def metric(self, name: str, /, **labels: str) -> float:
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def working(
    work: Work, item_deadline_s: float = 60.0, *, workers: int = 4, clock: Callable[[], float] = now
) -> AsyncIterator[WorkerPool]:
    queue = WorkerPool(
        work.reconcile,
        work.telemetry,
        workers=dict.fromkeys(Lane, workers),
        jitter=lambda: 0.0,
        clock=clock,
        item_deadline_s=item_deadline_s,
    )
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def clock_readings(workers: int) -> int:
    """Return how often so many workers read the clock while 50 keys are worked on, one after the other."""
    readings, work = itertools.count(), Work()

    def clock() -> float:
        next(readings)
        return now()

    async with working(work, workers=workers, clock=clock) as queue:
        await asyncio.sleep(1.0)
        before = next(readings)
        for number in range(50):
            queue.add(WorkKey("endpoint", "retail", f"chat-{number}"), Lane.STATUS)
            await work.called(number + 1)
        return next(readings) - before


@in_virtual_time
async def test_queue_what_a_change_costs_does_not_grow_with_the_workers() -> None:
    assert await clock_readings(workers=64) == await clock_readings(workers=4)


@in_virtual_time
async def test_queue_a_key_is_worked_on_when_it_is_due_whoever_was_busy_when_it_was_added() -> None:
    work = Work()
    work.gate = asyncio.Event()
    async with working(work, workers=3) as queue:
        await asyncio.sleep(1.0)
        began = now()
        queue.add(CHAT, Lane.STATUS, after=5.0)
        await asyncio.sleep(0.1)
        for number in range(2):  # two of the three workers hang from now on, that which waits for CHAT among them
            queue.add(WorkKey("endpoint", "retail", f"slow-{number}"), Lane.STATUS)
            await asyncio.sleep(0.1)
        await asyncio.sleep(10.0)
        assert [(key.name, round(at - began)) for key, at in zip(work.calls, work.times, strict=True)][-1] == (
            "chat",
            5,
        )
        work.gate.set()


@in_virtual_time
async def test_queue_works_on_what_was_added() -> None:
    work = Work()
    async with working(work) as queue:
        queue.add(CHAT)
        queue.add(MAIL, Lane.STATUS)
        await work.called(2)
    assert set(work.calls) == {CHAT, MAIL}
    assert work.metric("controller_runtime_reconcile_total", controller="endpoint", result="success") == 2
    assert work.metric("workqueue_adds_total", name="spec") == 1
    assert work.metric("workqueue_queue_duration_seconds_count", name="status") == 1


@in_virtual_time
async def test_queue_runs_a_key_once_more_when_it_was_asked_for_meanwhile() -> None:
    work = Work()
    work.gate = asyncio.Event()
    async with working(work) as queue:
        queue.add(CHAT)
        await asyncio.sleep(0.01)
        for _ in range(5):
            queue.add(CHAT)
            queue.add(CHAT, Lane.STATUS)
        await asyncio.sleep(0.01)
        assert work.running == {CHAT}
        work.gate.set()
        await work.called(2)
        await asyncio.sleep(0.01)
    assert work.calls == [CHAT, CHAT]


@in_virtual_time
async def test_queue_comes_back_after_the_seconds_that_a_reconcile_returned() -> None:
    work = Work(20.0)
    async with working(work) as queue:
        queue.add(CHAT)
        await work.called(2)
        await asyncio.sleep(50)
    assert len(work.calls) == 2
    assert work.times[1] - work.times[0] == pytest.approx(20.0)
    assert work.metric("controller_runtime_reconcile_total", controller="endpoint", result="requeue_after") == 1


@in_virtual_time
async def test_queue_retries_failures_and_says_so() -> None:
    work = Work(Unavailable(503, "Unavailable", "busy"), ValueError("odd"))
    async with working(work) as queue:
        queue.add(CHAT)
        await work.called(3)
        await asyncio.sleep(0)
    assert work.metric("controller_runtime_reconcile_errors_total", controller="endpoint") == 2
    assert work.metric("workqueue_retries_total", name="spec") == 2


@in_virtual_time
async def test_queue_leaves_the_server_alone_for_as_long_as_it_asks_whoever_wants_the_key_meanwhile() -> None:
    work = Work(TooManyRequests(429, "TooManyRequests", "later", retry_after=0.2))
    work.gate = asyncio.Event()
    async with working(work) as queue:
        queue.add(CHAT)
        await asyncio.sleep(0.01)
        queue.add(CHAT)  # while it is worked on
        work.gate.set()
        await work.called(1)
        turned_away = now()
        for lane in (Lane.SPEC, Lane.STATUS):
            queue.add(CHAT, lane)
        queue.add(MAIL)
        await work.called(3)
    assert work.calls == [CHAT, MAIL, CHAT]
    assert [at - turned_away for at in work.times[1:]] == [0.0, pytest.approx(0.2)]


@in_virtual_time
async def test_queue_lets_a_change_wait_no_longer_than_the_server_asks_however_long_it_backs_off() -> None:
    failures = 10
    assert backoff(failures, 0.0) > 5
    busy = [Unavailable(503, "Unavailable", "busy") for _ in range(failures)]
    work = Work(*busy, TooManyRequests(429, "TooManyRequests", "later", retry_after=3.0))
    async with working(work) as queue:
        for times in range(1, failures + 2):
            queue.add(CHAT)
            await work.called(times)
        queue.add(CHAT)
        await work.called(failures + 2)
    assert work.times[-1] - work.times[-2] == pytest.approx(3.0)


@in_virtual_time
async def test_queue_cuts_off_what_hangs() -> None:
    work = Work()
    work.gate = asyncio.Event()
    async with working(work, item_deadline_s=7.0) as queue:
        queue.add(CHAT)
        await work.called(1)
        assert now() - work.times[0] == pytest.approx(7.0)
        await asyncio.sleep(0)
    assert work.metric("controller_runtime_reconcile_timeouts_total", controller="endpoint") == 1


@in_virtual_time
async def test_queue_a_hanging_key_does_not_hold_up_the_others() -> None:
    work = Work()
    hang = asyncio.Event()

    async def reconcile(key: WorkKey) -> float | None:
        if key == CHAT:
            await hang.wait()
        return await work.reconcile(key)

    queue = WorkerPool(reconcile, work.telemetry, clock=now)
    task = asyncio.create_task(queue.run())
    queue.add(CHAT)
    queue.add(MAIL)
    await work.called(1)
    assert work.calls == [MAIL]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@in_virtual_time
async def test_queue_ends_when_leadership_is_lost() -> None:
    work = Work(LeadershipLost("over"))
    queue = WorkerPool(work.reconcile, work.telemetry, clock=now)
    queue.add(CHAT)
    with pytest.raises(BaseExceptionGroup) as ended:
        await queue.run()
    assert ended.value.subgroup(LeadershipLost) is not None


@given(strategies.floats(0.001, 1e9), strategies.floats(0, 1, exclude_max=True))
def test_queue_pauses_as_long_as_asked_up_to_five_minutes_and_at_most_half_as_long_again(
    asked: float, jitter: float
) -> None:
    wanted = min(asked, LONGEST_DELAY_S)
    assert wanted <= pause(asked, jitter) <= wanted * 1.5


@given(strategies.integers(0, 10_000), strategies.floats(0, 1, exclude_max=True))
def test_queue_backoff_doubles_up_to_five_minutes_and_jitter_takes_at_most_half(failures: int, jitter: float) -> None:
    whole = backoff(failures, 0.0)
    assert whole == min(LONGEST_DELAY_S, 0.005 * 2 ** min(failures, 20))
    assert whole / 2 <= backoff(failures, jitter) <= whole


@in_virtual_time
async def test_queue_a_key_that_changes_without_end_is_worked_on_once_a_second() -> None:
    work = Work()
    async with working(work) as queue:
        started = now()
        while now() < started + 9.5:
            queue.add(CHAT, Lane.STATUS)
            await asyncio.sleep(0.01)
    assert [round(at - started) for at in work.times] == list(range(10))
