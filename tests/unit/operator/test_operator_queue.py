"""The workers: one key at a time, failures back off and hurt nobody else, results ask for the next time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, strategies

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

    async def reconcile(self, key: WorkKey) -> float | None:
        assert key not in self.running
        self.calls.append(key)
        self.running.add(key)
        try:
            await (self.gate.wait() if self.gate is not None else asyncio.sleep(0))
        finally:
            self.running.discard(key)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        return step

    async def called(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.calls) < times or self.running:  # noqa: ASYNC110 - counts what others do
                await asyncio.sleep(0)

    def metric(self, name: str, /, **labels: str) -> float:
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def working(work: Work, item_deadline_s: float = 60.0) -> AsyncIterator[WorkerPool]:
    queue = WorkerPool(work.reconcile, work.telemetry, jitter=lambda: 0.0, item_deadline_s=item_deadline_s)
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


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


async def test_queue_comes_back_after_the_seconds_that_a_reconcile_returned() -> None:
    work = Work(0.02)
    async with working(work) as queue:
        queue.add(CHAT)
        await work.called(2)
        await asyncio.sleep(0.05)
    assert len(work.calls) == 2
    assert work.metric("controller_runtime_reconcile_total", controller="endpoint", result="requeue_after") == 1


async def test_queue_retries_failures_and_says_so() -> None:
    work = Work(Unavailable(503, "Unavailable", "busy"), ValueError("odd"))
    async with working(work) as queue:
        queue.add(CHAT)
        await work.called(3)
        await asyncio.sleep(0)
    assert work.metric("controller_runtime_reconcile_errors_total", controller="endpoint") == 2
    assert work.metric("workqueue_retries_total", name="spec") == 2


async def test_queue_leaves_the_server_alone_for_as_long_as_it_asks_whoever_wants_the_key_meanwhile() -> None:
    work = Work(TooManyRequests(429, "TooManyRequests", "later", retry_after=0.2))
    work.gate = asyncio.Event()
    times = []
    async with working(work) as queue:
        queue.add(CHAT)
        await asyncio.sleep(0.01)
        queue.add(CHAT)  # while it is worked on
        work.gate.set()
        await work.called(1)
        start = time.monotonic()
        for lane in (Lane.SPEC, Lane.STATUS):
            queue.add(CHAT, lane)
        queue.add(MAIL)
        await work.called(2)
        times.append(time.monotonic() - start)
        await work.called(3)
        times.append(time.monotonic() - start)
    assert work.calls == [CHAT, MAIL, CHAT]
    assert times[0] < 0.1 < 0.19 < times[1]


async def test_queue_lets_a_change_wait_no_longer_than_the_server_asks_however_long_it_backs_off() -> None:
    failures = 10
    assert backoff(failures, 1.0) > 2
    busy = [Unavailable(503, "Unavailable", "busy") for _ in range(failures)]
    work = Work(*busy, TooManyRequests(429, "TooManyRequests", "later", retry_after=0.1))
    async with working(work) as queue:
        for times in range(1, failures + 2):
            queue.add(CHAT)
            await work.called(times)
        start = time.monotonic()
        queue.add(CHAT)
        await work.called(failures + 2)
    assert 0.09 < time.monotonic() - start < 1


async def test_queue_cuts_off_what_hangs() -> None:
    work = Work()
    work.gate = asyncio.Event()
    async with working(work, item_deadline_s=0.01) as queue:
        queue.add(CHAT)
        async with asyncio.timeout(5):
            timeouts = "controller_runtime_reconcile_timeouts_total"
            while not work.metric(timeouts, controller="endpoint"):  # noqa: ASYNC110 - counts what others do
                await asyncio.sleep(0.005)


async def test_queue_a_hanging_key_does_not_hold_up_the_others() -> None:
    work = Work()
    hang = asyncio.Event()

    async def reconcile(key: WorkKey) -> float | None:
        if key == CHAT:
            await hang.wait()
        return await work.reconcile(key)

    queue = WorkerPool(reconcile, work.telemetry)
    task = asyncio.create_task(queue.run())
    queue.add(CHAT)
    queue.add(MAIL)
    await work.called(1)
    assert work.calls == [MAIL]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_queue_ends_when_leadership_is_lost() -> None:
    work = Work(LeadershipLost("over"))
    queue = WorkerPool(work.reconcile, work.telemetry)
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


async def test_queue_a_key_that_changes_without_end_is_worked_on_once_a_second() -> None:
    work = Work()
    async with working(work) as queue:
        started = time.monotonic()
        while time.monotonic() < started + 1.5:
            queue.add(CHAT, Lane.STATUS)
            await asyncio.sleep(0.01)
        assert work.calls.count(CHAT) == 2
