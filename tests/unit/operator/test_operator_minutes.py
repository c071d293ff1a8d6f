"""Every request is in one minute of the history and in no two, whatever pods, clocks, leaders and hubs do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.history import BOUNDS, MINUTE_MS, BatchKey, CallerCount, HistoryRow, LevelSpread
from modelward.api.usage import ModelPrice, Prices
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.operator.minutes.ledger import MinuteLedger
from modelward.operator.minutes.outbox import MAX_BYTES, Outbox, PackedBatch
from modelward.operator.minutes.recorder import MinuteRecorder
from modelward.operator.minutes.rows import MinuteFacts
from modelward.operator.observe.objective_ledger import ObjectiveLedger
from modelward.operator.observe.observer import Observation, Observer
from modelward.status.objective_events import ObjectiveEvents

START_MS = 1_795_480_020_000 // MINUTE_MS * MINUTE_MS
SERVED = {Signal.REQUESTS: 0.0, Signal.ERRORS: 0.0, Signal.INPUT_TOKENS: 0.0}


def page(pod: str, at_ms: int, requests: float, errors: float = 0.0, model: str = "m", **more: object) -> Snapshot:
    counters = {
        SignalKey(Signal.REQUESTS, model): requests,
        SignalKey(Signal.ERRORS, model): errors,
        SignalKey(Signal.INPUT_TOKENS, model): requests * 10,
        SignalKey(Signal.OUTPUT_TOKENS, model): requests * 20,
        SignalKey(Signal.CACHED_INPUT_TOKENS, model): requests * 4,
    }
    bounds = BOUNDS["ttft"]
    ttft = Histogram(bounds, (0.0,) * 9 + (requests,) * (len(bounds) - 9), requests, requests)
    base = Snapshot(pod, at_ms, "collector", {}, counters, {SignalKey(Signal.TTFT, model): ttft})
    return replace(base, **more)  # type: ignore[arg-type]


class Rig:
    """One endpoint, its readings and its ledger."""

    def __init__(self, facts: MinuteFacts | None = None) -> None:
        self.ledger, self.seen = MinuteLedger(), Observation()
        self.ledger.note("retail/chat", facts or MinuteFacts())

    def row(self, minute: int, objectives: Mapping[tuple[str, str], ObjectiveEvents] | None = None) -> HistoryRow:
        row = self.ledger.row("retail/chat", START_MS + minute * MINUTE_MS, self.seen, objectives or {})
        assert row is not None
        return row


def requests(rows: list[HistoryRow]) -> int:
    return sum(part.requests for row in rows for part in row.parts)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9), st.booleans()), min_size=1, max_size=60))
def test_minutes_add_up_to_what_pods_counted(steps: list[tuple[int, int, bool]]) -> None:
    """Readings come late and unevenly, and processes restart at 0: what they then say is what they counted since."""
    rig, at_ms, count, rows, minute = Rig(), START_MS, 500, list[HistoryRow](), 0
    rig.seen.history.add(page("a", at_ms, count))
    for seconds, served, restarted in steps:
        at_ms += seconds * 1_000
        while at_ms > START_MS + (minute + 1) * MINUTE_MS:
            rows.append(rig.row(minute))
            minute += 1
        count = served if restarted else count + served
        rig.seen.history.add(page("a", at_ms, count))
    rows += [rig.row(minute), rig.row(minute + 1)]
    counted = rig.seen.history.newest()["a"].totals[SignalKey(Signal.REQUESTS, "m")]
    assert requests(rows) == counted
    assert sum(sum(part.latencies["ttft"]) for row in rows for part in row.parts) == counted
    assert sum(part.input_tokens or 0 for row in rows for part in row.parts) == sum(
        one.totals[SignalKey(Signal.INPUT_TOKENS, "m")] for one in rig.seen.history.newest().values()
    )
    assert sum(row.covered_ms for row in rows) == at_ms - START_MS


def test_what_was_counted_before_it_was_watched_is_in_no_minute() -> None:
    rig = Rig()
    rig.seen.history.add(page("a", START_MS + 1, 9_000, 50))
    rig.seen.history.add(page("a", START_MS + 30_000, 9_010, 51))
    (part,) = rig.row(0).parts
    assert (part.outcomes["ok"], part.outcomes["error"]) == (9, 1)
    assert "client_error" not in part.outcomes, "the page does not tell"


def test_a_minute_without_traffic_is_a_row_and_one_without_readings_covers_nothing() -> None:
    rig = Rig(MinuteFacts(ready=2, desired=3))
    for second in (0, 20, 40, 60):
        rig.seen.history.add(page("a", START_MS + second * 1_000, 70))
    quiet, unread = rig.row(0), rig.row(5)
    assert (quiet.covered_ms, requests([quiet])) == (60_000, 0)
    assert quiet.parts[0].outcomes == {"ok": 0, "error": 0}
    assert quiet.levels["ready"] == LevelSpread(1, 2, 2, 2)
    assert quiet.levels["desired"] == LevelSpread(1, 3, 3, 3)
    assert unread.covered_ms == 0


def test_revisions_and_models_beyond_the_most_used_are_counted_as_others() -> None:
    revisions = {f"pod{n}": f"rev{n}" for n in range(8)}
    rig = Rig(MinuteFacts(revisions, Prices(currency="USD", models=(_price("m", "1"),))))
    for pod in revisions:
        rig.seen.history.add(page(pod, START_MS, 0))
        rig.seen.history.add(page(pod, START_MS + 50_000, 10 + int(pod[3:])))
    row = rig.row(0)
    assert [part.revision for part in row.parts] == ["rev7", "rev6", "rev5", "rev4", "rev3", "other"]
    assert row.parts[-1].requests == 10 + 11 + 12
    assert sum(part.cost or 0 for part in row.parts) == requests([row]) * 30 * 1_000_000
    assert {part.currency for part in row.parts} == {"USD"}


def test_costs_are_of_models_with_a_price_at_that_time() -> None:
    rig = Rig(MinuteFacts(prices=Prices(currency="EUR", models=(_price("m", "2"),))))
    for second, count in ((0, 0), (50, 5), (110, 10)):
        for model in ("m", "free"):
            rig.seen.history.add(page(f"pod-{model}", START_MS + second * 1_000, count, model=model))
    first = {part.model: part.cost for part in rig.row(0).parts}
    rig.ledger.note("retail/chat", MinuteFacts(prices=Prices(currency="EUR", models=(_price("m", "4"),))))
    second_row = {part.model: part.cost for part in rig.row(1).parts}
    assert first == {"m": 5 * 30 * 2_000_000, "free": None}
    assert second_row == {"m": 5 * 30 * 4_000_000, "free": None}


def test_cached_tokens_cost_their_own_price() -> None:
    price = ModelPrice(
        model="m",
        per_million_input_tokens="2",
        per_million_output_tokens="2",
        per_million_cached_input_tokens="1",
    )
    rig = Rig(MinuteFacts(prices=Prices(currency="EUR", models=(price,))))
    for second, count in ((0, 0), (50, 5)):
        rig.seen.history.add(page("a", START_MS + second * 1_000, count))
    (part,) = rig.row(0).parts
    assert (part.input_tokens, part.cached_tokens, part.output_tokens) == (50, 20, 100)
    assert part.cost == (30 * 2 + 20 * 1 + 100 * 2) * 1_000_000


def _price(model: str, per_million: str) -> ModelPrice:
    return ModelPrice(model=model, per_million_input_tokens=per_million, per_million_output_tokens=per_million)


def test_an_engines_bucket_across_two_goes_to_the_one_of_its_upper_bound() -> None:
    """So no percentile looks better than the page allows."""
    rig, key = Rig(), SignalKey(Signal.TTFT, "m")
    for at_ms, count in ((START_MS, 0.0), (START_MS + 50_000, 4.0)):
        hist = Histogram((0.03, 20.0), (count / 4, count), count, count + count / 4)
        rig.seen.history.add(page("a", at_ms, count, histograms={key: hist}))
    (part,) = rig.row(0).parts
    found = {BOUNDS["ttft"][n] if n < 20 else None: count for n, count in enumerate(part.latencies["ttft"]) if count}
    assert found == {0.04: 1, 30.0: 3, None: 1}


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30))
def test_objectives_of_minutes_add_up_to_their_sums(bad: list[float]) -> None:
    rig, total, rows = Rig(), ObjectiveEvents(), list[HistoryRow]()
    for minute, more in enumerate(bad):
        total += ObjectiveEvents(5, more)
        rows.append(rig.row(minute, {("p", "errors"): total}))
    counts = [one for row in rows for one in row.objectives]
    assert sum(one.events for one in counts) == total.events
    assert sum(one.bad for one in counts) == round(total.bad)


def test_an_endpoint_that_is_gone_has_no_row() -> None:
    rig = Rig()
    rig.ledger.forget("retail/chat")
    assert rig.ledger.row("retail/chat", START_MS, rig.seen, {}) is None


class FakeHub:
    """A hub that answers as a test says, and notes what it was sent."""

    def __init__(self) -> None:
        self.taken: list[BatchKey] = []
        self.error: HubUnavailableError | None = None

    async def put_history(self, key: BatchKey, body: bytes) -> int:
        if self.error is not None:
            raise self.error
        self.taken.append(key)
        return 0 if body else 1


def packed(minute: int, size: int = 10) -> PackedBatch:
    return PackedBatch(BatchKey("e", START_MS + minute * MINUTE_MS), b"x" * size, 1)


async def test_an_hour_waits_while_the_hub_is_away_and_goes_in_order() -> None:
    dropped: list[tuple[str, int]] = []
    outbox, hub = Outbox(lambda reason, rows: dropped.append((reason, rows))), FakeHub()
    hub.error = HubUnavailableError("away")
    for minute in range(75):
        outbox.add(packed(minute))
        assert not await outbox.send(hub)  # type: ignore[arg-type]
    hub.error = None
    assert await outbox.send(hub)  # type: ignore[arg-type]
    assert [key.minute_ms for key in hub.taken] == [START_MS + minute * MINUTE_MS for minute in range(14, 75)]
    assert dropped == [("late", 1)] * 14


async def test_what_waits_is_bounded_in_bytes() -> None:
    outbox = Outbox()
    for minute in range(40):
        outbox.add(packed(minute, 1 << 20))
        assert outbox.bytes <= MAX_BYTES
    assert len(outbox) == 16


@pytest.mark.parametrize(("status", "left"), [(404, 0), (413, 0), (503, 3), (507, 3), (403, 3), (0, 3)])
async def test_what_a_hub_will_never_take_does_not_wait(status: int, left: int) -> None:
    outbox, hub = Outbox(), FakeHub()
    hub.error = HubUnavailableError("no", status)
    for minute in range(3):
        outbox.add(packed(minute))
    await outbox.send(hub)  # type: ignore[arg-type]
    assert len(outbox) == left


class Recording:
    """A recorder of many endpoints with a clock of a test's own."""

    def __init__(self, endpoints: int = 3) -> None:
        self.ms, self.observer, self.ledger = START_MS, Observer(lambda _: None), MinuteLedger()
        self.hub: HubClient | None = None
        for number in range(endpoints):
            self.ledger.note(f"retail/e{number}", MinuteFacts(ready=1))
        objectives = ObjectiveLedger()
        self.recorder = MinuteRecorder(self.ledger, self.observer, objectives, lambda: self.hub, lambda: self.ms)

    def read(self, count: float) -> None:
        for endpoint in self.ledger.endpoints():
            self.observer.of(endpoint).history.add(page("a", self.ms, count))

    def keys(self) -> list[BatchKey]:
        return [batch.key for batch in self.recorder.outbox.batches]


async def test_each_minute_is_counted_once_and_a_clock_that_is_set_back_begins_another_epoch() -> None:
    rec = Recording()
    for count in range(4):
        rec.ms += MINUTE_MS
        rec.read(count)
        rec.ms += 4_000
        await rec.recorder.count_due()
        await rec.recorder.count_due()
        rec.ms -= 4_000
    first = rec.keys()
    assert [key.minute_ms for key in first] == [START_MS + minute * MINUTE_MS for minute in range(4)]
    rec.ms -= 2 * MINUTE_MS
    rec.ms += 4_000
    await rec.recorder.count_due()
    again = rec.keys()[-1]
    assert again.minute_ms == START_MS + MINUTE_MS
    assert again.epoch != first[0].epoch


async def test_other_work_has_its_turn_while_a_minute_is_counted() -> None:
    rec = Recording(400)
    rec.read(1)
    rec.ms += MINUTE_MS + 4_000
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await rec.recorder.count_due()
    beside.cancel()
    assert turns > 3
    assert [batch.rows for batch in rec.recorder.outbox.batches] == [400]


def test_what_callers_used_is_in_the_minute_in_which_it_was_read() -> None:
    rig, key = Rig(), ("retail", "cost", "EUR")
    for minute, cost in enumerate((500, 800, 800)):
        rig.seen.latest["a"] = page("a", START_MS + minute * MINUTE_MS, 10.0, callers={key: cost})
        callers = rig.row(minute).callers
        assert callers == ((CallerCount("retail", costs={"EUR": 300}),) if minute == 1 else ())
