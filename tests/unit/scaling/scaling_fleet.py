"""A fleet in virtual time: replicas that serve tokens at a rate, each with a queue of its own, and what scales them.

A fluid model: work flows, requests are not told apart. `bench/scaling` measures with it, the tests promise with it.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.metrics.window import History as Metrics
from modelward.scaling.decision import Decision, decide
from modelward.scaling.history import DecisionHistory
from modelward.scaling.pods import PodUse
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import UsageSnapshot, observe

CARRIED = 1_000.0
"""Output tokens a second of a full replica."""
SLOTS = 32.0
"""Requests that a full replica serves at once."""
TOKENS = 400.0
"""Output tokens of a request."""
LOOK_S = 15
PATIENCE_S = 60.0
"""After this time clients leave a replica that serves nothing."""


@dataclass(slots=True)
class Replica:
    """One replica: what it has written within the last minute, and what waits in it (in tokens)."""

    name: str
    asked_s: float
    queue: float = 0.0
    outputs: deque[float] = field(default_factory=deque)
    written: float = 0.0
    hung: bool = False

    def serve(self, tokens: float, step_s: float) -> None:
        """Take in work and write what it can; a hung one writes nothing, and its clients leave after a while."""
        out = 0.0 if self.hung else min(self.queue + tokens, CARRIED * step_s)
        self.queue += tokens - out
        if self.hung:
            self.queue = min(self.queue, tokens / step_s * PATIENCE_S)
        self.outputs.append(out)
        if len(self.outputs) * step_s > 60:
            self.outputs.popleft()
        self.written += out

    def work(self, over_s: float, step_s: float) -> float:
        """Return tokens a second over the last so many seconds."""
        last = self._last(over_s, step_s)
        return math.fsum(last) / (len(last) * step_s) if last else 0.0

    def served(self, over_s: float, step_s: float) -> float:
        """Return the same as a share of the whole time, though the replica may be younger."""
        return math.fsum(self._last(over_s, step_s)) / max(over_s, step_s)

    def _last(self, over_s: float, step_s: float) -> list[float]:
        return list(self.outputs)[-max(1, round(over_s / step_s)) :]


class Fleet:
    """Replicas behind a Service that gives each ready one its share; what waits is shared out anew as they come.

    `gauge_step_s` is how long a request that has just come is shown as waiting, until the engine's next step.
    """

    def __init__(self, replicas: int, *, cold_s: float = 120, step_s: float = 1, gauge_step_s: float = 0) -> None:
        self.cold_s, self.step_s, self.gauge_step_s = cold_s, step_s, gauge_step_s
        self.random = random.Random(1)
        self.now_s, self._made = 0.0, 0
        self.replicas: list[Replica] = []
        self.metrics = Metrics()
        self.scale(replicas)
        for one in self.replicas:
            one.asked_s = -1e6

    @property
    def ready(self) -> list[Replica]:
        """Return the replicas that have started."""
        return [one for one in self.replicas if self.now_s >= one.asked_s + self.cold_s]

    @property
    def wait_s(self) -> float:
        """Return how long a request waits that comes now."""
        able = [one for one in self.ready if not one.hung]
        return math.fsum(one.queue for one in able) / (CARRIED * len(able)) if able else PATIENCE_S

    def scale(self, replicas: int) -> None:
        """Start replicas, or end the newest."""
        while len(self.replicas) < replicas:
            self._made += 1
            self.replicas.append(Replica(f"pod-{self._made}", self.now_s))
        del self.replicas[replicas:]

    def step(self, load: float) -> None:
        """Let a step of time pass at so many tokens a second."""
        ready = self.ready
        able = [one for one in ready if not one.hung]
        waiting = math.fsum(one.queue for one in able) / max(1, len(able))
        for one in able:
            one.queue = waiting
        for one in ready:
            one.serve(load * self.step_s / len(ready), self.step_s)
        self.now_s += self.step_s

    def use(self, one: Replica) -> PodUse:
        """Return what one replica's page says now."""
        short, long = one.work(30, self.step_s), one.work(60, self.step_s)
        share = one.work(self.step_s, self.step_s) / CARRIED
        waiting = one.queue / TOKENS + self._just_come(long / TOKENS)
        running = SLOTS * share * (0.4 + 0.6 * share)
        return PodUse(one.name, short, long, running + waiting, waiting, long / TOKENS)

    def usage(self, *, gateway: bool = False) -> UsageSnapshot:
        """Return what is known of the fleet; of gateways only sums, without a queue."""
        pods = tuple(self.use(one) for one in self.ready)
        in_flight, waiting = math.fsum(pod.in_flight or 0 for pod in pods), math.fsum(pod.waiting or 0 for pod in pods)
        short, long = math.fsum(pod.work_30s or 0 for pod in pods), math.fsum(pod.work_60s or 0 for pod in pods)
        served = [math.fsum(one.served(over, self.step_s) for one in self.ready) for over in (30, 60)]
        whole = UsageSnapshot(
            len(self.replicas), len(pods), len(pods), len(pods), short, long, TOKENS, in_flight, waiting,
            requests_per_second=long / TOKENS, pods=pods, served_30s=served[0], served_60s=served[1],
        )  # fmt: skip
        return replace(whole, sources=2, fresh=2, waiting=None, pods=()) if gateway else whole

    def read(self) -> UsageSnapshot:
        """Return the same by way of metrics pages."""
        now_ms = round(self.now_s * 1_000)
        for one in self.ready:
            use = self.use(one)
            gauges = {
                SignalKey(Signal.IN_FLIGHT): use.in_flight or 0.0,
                SignalKey(Signal.ENGINE_WAITING): use.waiting or 0.0,
            }
            counts = {SignalKey(Signal.OUTPUT_TOKENS): one.written, SignalKey(Signal.REQUESTS): one.written / TOKENS}
            self.metrics.add(Snapshot(one.name, now_ms, "collector", gauges, counts))
        names = [one.name for one in self.ready]
        return observe(self.metrics, names, replicas=len(self.replicas), ready=len(names), now_ms=now_ms)

    def _just_come(self, rate: float) -> float:
        """Return a Poisson number of requests that came within the engine's step."""
        limit, count, product = math.exp(-rate * self.gauge_step_s), 0, self.random.random()
        while product > limit:
            count, product = count + 1, product * self.random.random()
        return float(count)


@dataclass(slots=True)
class Lived:
    """What a stretch of time came to."""

    replica_s: float = 0.0
    ideal_s: float = 0.0
    tokens: float = 0.0
    late_tokens: float = 0.0
    moves: int = 0
    reason_flips: int = 0
    trail: list[tuple[float, int]] = field(default_factory=list)
    """Replicas at each reading, with its time in seconds."""
    decision: Decision | None = None

    @property
    def of_ideal(self) -> float:
        """Return replica time over what the load needs at full use."""
        return self.replica_s / self.ideal_s

    @property
    def late_percent(self) -> float:
        """Return the share of the work that waited for more than two seconds."""
        return 100 * self.late_tokens / self.tokens

    def peak(self, from_s: float = 0) -> int:
        """Return the most replicas from a time on."""
        return max(count for at_s, count in self.trail if at_s >= from_s)

    def at(self, at_s: float) -> int:
        """Return the replicas at a time."""
        return next(count for when, count in self.trail if when >= at_s)


Control = Callable[[Fleet, float], int | None]
"""Looks at a fleet at a time and says how many replicas there should be."""


class Modelward:
    """The rule under test."""

    def __init__(self, spec: ScalingSpec, look: Callable[[Fleet], UsageSnapshot] = Fleet.usage) -> None:
        self.spec, self.look, self.history = spec, look, DecisionHistory()
        self.decision: Decision | None = None
        self.reason_flips = 0

    def __call__(self, fleet: Fleet, now_s: float) -> int | None:
        """Decide once."""
        decision = decide(self.spec, self.look(fleet), self.history, round(now_s * 1_000))
        self.reason_flips += self.decision is not None and self.decision.reason is not decision.reason
        self.history, self.decision = decision.history, decision
        return decision.replicas


def live(fleet: Fleet, control: Control, load: Callable[[float], float], for_s: float) -> Lived:
    """Let time pass, with a reading every 15 s; the first minute is not counted."""
    lived = Lived()
    while fleet.now_s < for_s:
        now_s, tokens = fleet.now_s, load(fleet.now_s) * fleet.step_s
        fleet.step(tokens / fleet.step_s)
        if now_s >= 60 and now_s % LOOK_S < fleet.step_s:
            before, wanted = len(fleet.replicas), control(fleet, now_s)
            if wanted is not None:
                fleet.scale(wanted)
            lived.moves += abs(len(fleet.replicas) - before)
            lived.trail.append((now_s, len(fleet.replicas)))
        lived.replica_s += len(fleet.replicas) * fleet.step_s
        lived.ideal_s += tokens / CARRIED
        lived.tokens += tokens
        lived.late_tokens += tokens if fleet.wait_s > 2 else 0
    if isinstance(control, Modelward):
        lived.reason_flips, lived.decision = control.reason_flips, control.decision
    return lived


def day(seed: int, peak: float = 8) -> list[float]:
    """Return the load of each second of a day: a hump of so many replicas, a ramp at nine, four bursts, and noise."""
    chance = random.Random(seed)
    bursts = [(chance.randrange(6 * 3600, 22 * 3600), chance.uniform(1.3, 1.8)) for _ in range(4)]
    load, noise = [], 0.0
    for second in range(86_400):
        hour = second / 3600
        hump = max(0.0, math.sin(math.pi * (hour - 6) / 16)) ** 1.2 if 6 <= hour <= 22 else 0.0
        ramp = min(0.25, 1.5 * (hour - 9)) if 9 <= hour < 12 else 0.0
        noise = 0.96 * noise + chance.gauss(0, 0.028) if second % 10 == 0 else noise
        burst = max((by for start, by in bursts if start <= second < start + 300), default=1.0)
        load.append(max(0.0, peak * CARRIED * (0.15 + 0.85 * hump + ramp) * (1 + noise) * burst))
    return load
