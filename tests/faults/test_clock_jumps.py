"""The wall clock jumps a day ahead and a day back: no wrong verdict, nothing goes down, nothing waits for a day.

Each place that reads the clock is held to it, with the time passed in. The Lease reads another clock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import sick_pages
from hypothesis import given
from hypothesis import strategies as st
from observed_endpoint import DAY_MS, HOLD_MS, NOON_MS, ObservedEndpoint

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.quantity import timestamp
from modelward.desired import names
from modelward.kube.events import EventRecorder
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History
from modelward.operator.runs.history import tried
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.decision import decide
from modelward.scaling.history import DecisionHistory as Decisions
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import UsageSnapshot, observe
from modelward.status.cadence import worth_writing

JUMPS = pytest.mark.parametrize("jump_ms", [DAY_MS, -DAY_MS], ids=["a day ahead", "a day back"])
SPEC = ScalingSpec(1, 8, HOLD_MS, tokens_per_second=100)


@asynccontextmanager
async def endpoint(error_every: int = 0) -> AsyncIterator[tuple[ObservedEndpoint, list[float]]]:
    """Give an endpoint of two pods after ten busy minutes, and the requests that each has served, to be counted up."""
    served = [1_000.0]

    async def answer(reply: sick_pages.Reply) -> None:
        errors = served[0] // error_every if error_every else 0
        body = sick_pages.vllm(requests=served[0] - errors, tokens=20 * served[0], errors=errors)
        await sick_pages.page(body)(reply)

    async with sick_pages.serving(answer) as server, aiohttp.ClientSession() as session:
        made = ObservedEndpoint(session, (server.url, server.url))
        for _ in range(20):
            served[0] += 60
            await made.step(30_000)
        yield made, served


@JUMPS
@pytest.mark.parametrize(("error_every", "verdict"), [(0, "Passed"), (2, "Failed")])
async def test_a_jump_makes_verdicts_unknown_or_leaves_them_and_they_come_back_by_themselves(
    jump_ms: int, error_every: int, verdict: str
) -> None:
    async with endpoint(error_every) as (bed, served):
        assert bed.status.metrics[0].verdict == verdict
        bed.now_ms += jump_ms
        found = {(await bed.judge()).metrics[0].verdict}
        for _ in range(12):
            served[0] += 30
            found.add((await bed.step()).metrics[0].verdict)
        assert found <= {verdict, "Unknown"}
        assert bed.status.metrics[0].verdict == verdict
        assert bed.condition("MetricsAvailable")[1] == "Fresh"


@JUMPS
async def test_a_jump_between_reading_and_judging_is_no_healthy_silence(jump_ms: int) -> None:
    async with endpoint() as (bed, _):
        bed.now_ms += jump_ms
        status = await bed.judge()
        assert status.health == "Unknown"
        assert bed.condition("MetricsAvailable")[:2] == ("Unknown", "Missing")
        assert bed.condition("ScalingActive")[:2] == ("Unknown", "HoldingOnStaleMetrics")
        assert status.usage is None


@JUMPS
async def test_after_a_jump_nothing_goes_down_before_a_whole_hold_was_watched(jump_ms: int) -> None:
    async with endpoint() as (bed, served):
        bed.scales.asked.clear()
        bed.now_ms += jump_ms
        await bed.judge()
        for _ in range(HOLD_MS // 15_000 - 1):
            served[0] += 1
            await bed.step()
        assert bed.lowered == []
        for _ in range(6):
            served[0] += 1
            await bed.step()
        assert bed.lowered, "and then it does, also after a day back"


@JUMPS
async def test_readings_that_a_jump_left_behind_never_count_again(jump_ms: int) -> None:
    history = History()
    for at_s, pod in ((0, "gone"), (60, "gone"), (0, "here"), (60, "here")):
        counters = {SignalKey(Signal.REQUESTS): 1_000.0 + at_s}
        history.add(Snapshot(pod, NOON_MS + at_s * 1_000, "engine", counters=counters))
    for at_s in (75, 90):
        history.add(
            Snapshot("here", NOON_MS + jump_ms + at_s * 1_000, "engine", counters={SignalKey(Signal.REQUESTS): 1_060})
        )
    assert history.pods() == {"here"}
    for now_ms in (NOON_MS + 60_000, NOON_MS + jump_ms + 90_000):
        gained = history.increase(Signal.REQUESTS, None, now_ms, 900_000)
        assert gained is None or gained.value == 0


@JUMPS
def test_numbers_in_status_do_not_wait_for_the_day_that_was_taken_back(jump_ms: int) -> None:
    before, after = {"usage": {"requestsPerMinute": "1"}}, {"usage": {"requestsPerMinute": "2"}}
    assert not worth_writing(before, after, 1_000, 300_000)
    assert worth_writing(before, after, 1_000 + jump_ms, 300_000)
    assert not worth_writing(before, before, 1_000 + jump_ms, 300_000)


@dataclass
class Events:
    """The API server as far as Events need it."""

    created: list[Any] = field(default_factory=list)
    counted: list[Any] = field(default_factory=list)

    async def create(self, event: Any) -> Any:
        self.created.append(event)
        return event

    async def patch(self, *event: Any) -> Any:
        self.counted.append(event)
        return {}


@JUMPS
async def test_an_event_after_a_jump_is_told_and_not_taken_for_the_last_one(jump_ms: int) -> None:
    now = [datetime(2026, 9, 21, 12, tzinfo=UTC)]
    server, recorder = Events(), EventRecorder("test", lambda: now[0])
    regarding = {"kind": "LLMEndpoint", "metadata": {"name": "chat", "namespace": "retail", "uid": "u"}}
    event = recorder.event(regarding, "Warning", "NotObjectivesMet", "why", "Judge", None)
    for _ in range(3):
        now[0] += timedelta(seconds=10)
        await recorder.post(event, server.create, server.patch)
    assert len(server.created) == 1
    now[0] += timedelta(milliseconds=jump_ms)
    await recorder.post(event, server.create, server.patch)
    assert len(server.created) == 2


def test_a_run_of_the_day_that_was_taken_back_hides_no_run_of_today() -> None:
    def run(name: str, to_ms: int) -> EvaluationRun:
        item = {"endpoint": "chat", "policy": "p", "evaluation": "topic",
                "from": timestamp(to_ms - 60_000), "to": timestamp(to_ms)}  # fmt: skip
        metadata = {"name": name, "namespace": "retail"}
        return EvaluationRun.model_validate({"metadata": metadata, "spec": {"items": [item]}})

    runs = (run(names.run(NOON_MS), NOON_MS), run(names.run(NOON_MS + DAY_MS), NOON_MS + DAY_MS))
    assert tried(runs, NOON_MS + 1_000) == {("chat", "p", "topic"): NOON_MS}


# Whatever was read and however the clock went.

_JUMPS_MS = st.sampled_from([DAY_MS, -DAY_MS, 3_600_000, -3_600_000, 300_000, -300_000, -61_000, 0, 0, 0, 0])
_STEPS = st.lists(st.tuples(_JUMPS_MS, st.integers(1_000, 30_000), st.integers(0, 500)), min_size=2, max_size=40)


@given(_STEPS, st.integers(2, 8))
def test_scaling_never_goes_down_within_a_hold_of_a_jump(steps: list[tuple[int, int, int]], replicas: int) -> None:
    decisions, now_ms, calm_ms = Decisions(), NOON_MS, 0
    for jump_ms, later_ms, work in steps:
        now_ms += jump_ms + later_ms
        calm_ms = calm_ms + later_ms if jump_ms == 0 else 0
        usage = UsageSnapshot(replicas, replicas, 1, 1, float(work), float(work), in_flight=0.0)
        decision = decide(SPEC, usage, decisions, now_ms)
        decisions = decision.history
        if calm_ms < HOLD_MS:
            assert decision.replicas is None or decision.replicas >= replicas


@given(_STEPS)
def test_what_a_window_gained_is_never_more_than_was_served(steps: list[tuple[int, int, int]]) -> None:
    history, now_ms, served = History(), NOON_MS, 0.0
    for jump_ms, later_ms, requests in steps:
        now_ms += jump_ms + later_ms
        served += requests
        counters = {SignalKey(Signal.REQUESTS): 5_000 + served, SignalKey(Signal.ERRORS): 0.0}
        slow = Histogram((0.1, 1.0), (served, served), served, served)
        history.add(
            Snapshot(
                "a", now_ms, "engine", {SignalKey(Signal.IN_FLIGHT): 1.0}, counters, {SignalKey(Signal.TTFT): slow}
            )
        )
        gained = history.increase(Signal.REQUESTS, None, now_ms, 900_000)
        errors = history.increase(Signal.ERRORS, None, now_ms, 900_000)
        first = history.histogram_increase(Signal.TTFT, None, now_ms, 900_000)
        assert gained is None or 0 <= gained.value <= served
        assert errors is None or errors.value == 0
        assert first is None or 0 <= first.count <= served


@given(_STEPS)
def test_load_that_is_not_known_after_a_jump_is_not_taken_for_none(steps: list[tuple[int, int, int]]) -> None:
    history, decisions, now_ms, served = History(), Decisions(), NOON_MS, 0.0
    for jump_ms, later_ms, _ in steps:
        # Busy all along: ten tokens each millisecond need all the replicas that there may be.
        now_ms += jump_ms + later_ms
        served += later_ms
        counters = {
            SignalKey(Signal.REQUESTS): served,
            SignalKey(Signal.OUTPUT_TOKENS): 10 * served,
            SignalKey(Signal.INPUT_TOKENS): 0.0,
        }
        history.add(Snapshot("a", now_ms, "collector", {SignalKey(Signal.IN_FLIGHT): 9.0}, counters))
        usage = observe(history, ("a",), replicas=4, ready=4, now_ms=now_ms)
        decision = decide(SPEC, usage, decisions, now_ms)
        decisions = decision.history
        assert decision.reason is not ScalingReason.IDLE
        assert decision.replicas is None or decision.replicas >= 4
