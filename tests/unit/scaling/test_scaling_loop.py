"""The whole loop against simulated replicas: what a cost owner would see over an hour."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History as Metrics
from modelward.scaling.decision import Decision, decide
from modelward.scaling.history import DecisionHistory
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import observe

SECOND, MINUTE = 1000, 60_000
TOKENS_PER_REQUEST = 50.0
CARRIED = 100.0


@dataclass
class Fleet:
    """Replicas that each write 100 tokens/s, share one queue, and take a while to start."""

    cold_start_ms: int
    started: list[int] = field(default_factory=lambda: [-MINUTE])
    queue: float = 0.0
    written: dict[int, float] = field(default_factory=dict)
    waited: float = 0.0

    def ready(self, now_ms: int) -> int:
        return sum(now_ms >= at + self.cold_start_ms for at in self.started)

    def serve(self, tokens: float, now_ms: int) -> None:
        self.queue += tokens
        ready = max(1, self.ready(now_ms))
        share = min(self.queue / ready, CARRIED)
        for place in range(ready):
            self.written[place] = self.written.get(place, 0.0) + share
        self.queue = max(0.0, self.queue - share * ready)
        self.waited += self.queue / TOKENS_PER_REQUEST

    def pages(self, now_ms: int) -> list[Snapshot]:
        ready, waiting = self.ready(now_ms), self.queue / TOKENS_PER_REQUEST
        return [
            Snapshot(
                f"pod-{self.started[place]}-{place}",
                now_ms,
                "collector",
                {SignalKey(Signal.IN_FLIGHT): waiting / ready, SignalKey(Signal.ENGINE_WAITING): waiting / ready},
                {
                    SignalKey(Signal.OUTPUT_TOKENS): self.written.get(place, 0.0),
                    SignalKey(Signal.REQUESTS): self.written.get(place, 0.0) / TOKENS_PER_REQUEST,
                },
            )
            for place in range(ready)
        ]

    def scale(self, replicas: int, now_ms: int) -> None:
        while len(self.started) < replicas:
            self.started.append(now_ms)
            self.written.pop(len(self.started) - 1, None)
        del self.started[replicas:]


def lived(spec: ScalingSpec, fleet: Fleet, load: Callable[[int], float], for_ms: int) -> list[tuple[int, Decision]]:
    metrics, history, decisions = Metrics(), DecisionHistory(), []
    for now_ms in range(0, for_ms, SECOND):
        fleet.serve(load(now_ms), now_ms)
        if now_ms % (15 * SECOND) == 0:
            pages = fleet.pages(now_ms)
            for page in pages:
                metrics.add(page)
            usage = observe(
                metrics,
                [page.pod for page in pages],
                replicas=len(fleet.started),
                ready=fleet.ready(now_ms),
                now_ms=now_ms,
            )
            decision = decide(spec, usage, history, now_ms)
            history = decision.history
            decisions.append((now_ms, decision))
            if decision.replicas is not None:
                fleet.scale(decision.replicas, now_ms)
    return decisions


def wanted(decisions: list[tuple[int, Decision]]) -> list[int]:
    found: list[int] = []
    for _, decision in decisions:
        if decision.replicas is not None and (not found or found[-1] != decision.replicas):
            found.append(decision.replicas)
    return found


def step(before: float, after: float, at_ms: int) -> Callable[[int], float]:
    return lambda now_ms: before if now_ms < at_ms else after


@pytest.mark.parametrize("cold_start_ms", [SECOND, 90 * SECOND], ids=["1 s", "90 s"])
@pytest.mark.parametrize("told", [100, None], ids=["told", "learned"])
def test_a_step_up_is_served_and_not_overshot(told: int | None, cold_start_ms: int) -> None:
    fleet = Fleet(cold_start_ms)
    decisions = lived(
        ScalingSpec(1, 12, 5 * MINUTE, tokens_per_second=told), fleet, step(30, 400, 5 * MINUTE), 60 * MINUTE
    )
    assert fleet.queue < 1
    assert 5 <= len(fleet.started) <= 7
    assert max(wanted(decisions)) <= 12


def test_a_step_down_gives_replicas_back_one_way() -> None:
    fleet = Fleet(30 * SECOND)
    decisions = lived(
        ScalingSpec(1, 12, 5 * MINUTE, tokens_per_second=100), fleet, step(400, 50, 20 * MINUTE), 60 * MINUTE
    )
    peak = max(wanted(decisions))
    after = wanted([each for each in decisions if each[0] >= 25 * MINUTE])
    assert after == sorted(after, reverse=True)
    assert after[0] <= peak
    assert after[-1] == 1
    assert fleet.queue < 1


def test_a_steady_load_moves_nothing_once_it_is_met() -> None:
    fleet = Fleet(30 * SECOND)
    decisions = lived(ScalingSpec(1, 12, 5 * MINUTE), fleet, lambda _: 330.0, 90 * MINUTE)
    assert len(wanted([each for each in decisions if each[0] >= 40 * MINUTE])) == 1
    assert fleet.queue < 1
