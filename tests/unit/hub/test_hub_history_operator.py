"""What the operator's leader reads of pods is what a person asks the hub for, hub restarts and a new leader between."""

from __future__ import annotations

from hub_fixtures import Running, running_hub
from waiting import until

from modelward.api.history import MINUTE_MS
from modelward.api.series import HistoryQuery
from modelward.hub_client.client import HubClient
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.operator.minutes.ledger import MinuteLedger
from modelward.operator.minutes.recorder import MinuteRecorder
from modelward.operator.minutes.rows import MinuteFacts
from modelward.operator.observe.objective_ledger import ObjectiveLedger
from modelward.operator.observe.observer import Observer

START_MS = 1_795_480_020_000 // MINUTE_MS * MINUTE_MS
REQUESTS = SignalKey(Signal.REQUESTS, "m")


class Leader:
    """An operator that leads: what it has read, and its recorder."""

    def __init__(self, clock: list[int], hub: list[HubClient | None]) -> None:
        self.clock, self.observer, ledger = clock, Observer(lambda _: None), MinuteLedger()
        ledger.note("retail/chat", MinuteFacts({"pod": "r1"}, ready=1))
        self.recorder = MinuteRecorder(ledger, self.observer, ObjectiveLedger(), lambda: hub[0], lambda: clock[0])

    async def minute(self, count: float) -> None:
        """Read the pod each 15 s for a minute, in which it serves 40 requests."""
        for quarter in range(5):
            at_ms = self.clock[0] + quarter * 15_000
            page = Snapshot("pod", at_ms, "collector", {}, {REQUESTS: count + 10 * quarter})
            self.observer.of("retail/chat").history.add(page)
        self.clock[0] += MINUTE_MS
        self.clock[0] += 4_000
        await self.recorder.count_due()
        self.clock[0] -= 4_000
        await self.recorder.outbox.send(self.recorder.hub())


async def asked(r: Running, minutes: int) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    query = HistoryQuery("requests", START_MS, START_MS + minutes * MINUTE_MS, "revision")
    series = await r.client.history("retail", "chat", query)
    (line,) = [line for line in series.lines if line.name == "ok"]
    assert (line.revision, series.step_ms) == ("r1", MINUTE_MS)
    return line.values, series.seen


async def test_readings_of_pods_become_the_history_that_is_asked_for(file_url: str) -> None:
    clock, hub = [START_MS], list[HubClient | None]([None])
    leader, count = Leader(clock, hub), 1_000.0
    for until_minute in (4, 8):  # the hub is away in between, and finds its database again
        async with running_hub(file_url, now=lambda: clock[0]) as r:
            await until(lambda: r.hub.history.state == "Ready")
            hub[0] = r.client
            while clock[0] < START_MS + until_minute * MINUTE_MS:
                await leader.minute(count)
                count += 40
            hub[0] = None
        await leader.minute(count)
        count += 40
    next_leader = Leader(clock, hub)
    async with running_hub(file_url, now=lambda: clock[0]) as r:
        await until(lambda: r.hub.history.state == "Ready")
        hub[0] = r.client
        await leader.recorder.outbox.send(r.client)
        clock[0] += MINUTE_MS  # nobody leads
        await next_leader.minute(count)
        values, seen = await asked(r, 11)
    assert values == (40,) * 9 + (None, 40)
    assert seen == (1_000_000,) * 9 + (0, 1_000_000)
