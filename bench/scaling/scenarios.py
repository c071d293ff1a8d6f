"""The stretches of virtual time that scaling is measured over, each with what must not happen in it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from controls import Autoscaler, Oracle, Restarted
from scaling_fleet import CARRIED, SLOTS, TOKENS, Control, Fleet, Lived, Modelward, day, live

from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import UsageSnapshot

HOUR, MINUTE, DAY = 3600.0, 60.0, 86_400.0
DECLARED, LEARNED = "capacity declared", "capacity learned"
Row = dict[str, Any]


def spec(rule: str, most: int, **more: Any) -> ScalingSpec:
    """Return bounds, with a hold of ten minutes."""
    return ScalingSpec(1, most, 600_000, tokens_per_second=round(CARRIED) if rule == DECLARED else None, **more)


def row(scenario: str, rule: str, lives: list[Lived], **more: Any) -> Row:
    """Return the numbers of some lives as one row."""
    return {
        "scenario": scenario,
        "rule": rule,
        "replicaTimeOfIdeal": round(statistics.mean(one.of_ideal for one in lives), 2),
        "latePercent": round(statistics.mean(one.late_percent for one in lives), 2),
        "peak": max(one.peak() for one in lives),
        "last": max(one.trail[-1][1] for one in lives),
        "moves": round(statistics.mean(one.moves for one in lives)),
        "reasonFlips": round(statistics.mean(one.reason_flips for one in lives)),
        **more,
    }


def days() -> Iterator[Row]:
    """A day with a peak of eight replicas of load, three seeds; and one with a gauge that shows what has just come."""
    loads = [day(seed) for seed in range(3)]
    restarts = (8 * HOUR, 10 * HOUR, 14 * HOUR, 18 * HOUR)
    rules: Mapping[str, Callable[[list[float]], Control]] = {
        "oracle": lambda load: Oracle(load, 40),
        DECLARED: lambda _: Modelward(spec(DECLARED, 40)),
        LEARNED: lambda _: Modelward(spec(LEARNED, 40)),
        "capacity learned, operator restarts 4 times": lambda _: Restarted(spec(LEARNED, 40), restarts),
        **{
            f"HPA, {share:.0%} of the slots": partial(lambda share, _: Autoscaler(share, 40), share)
            for share in (0.5, 0.6, 0.7)
        },
    }
    for rule, made in rules.items():
        lives = [live(Fleet(3, step_s=5), made(load), lambda at, load=load: load[int(at)], DAY) for load in loads]
        yield row("a day", rule, lives)
    for rule in (DECLARED, LEARNED):
        fleet = Fleet(3, step_s=5, gauge_step_s=0.05)
        yield row(
            "a day, noisy gauge", rule, [live(fleet, Modelward(spec(rule, 40)), lambda at: loads[0][int(at)], DAY)]
        )


def steps() -> Iterator[Row]:
    """Load goes from three replicas to twelve within a minute, with cold starts of different length."""
    for cold_s in (30, 120, 300):
        for rule, control in (
            (DECLARED, Modelward(spec(DECLARED, 100))),
            (LEARNED, Modelward(spec(LEARNED, 100))),
            ("HPA, 60% of the slots", Autoscaler(0.6, 100)),
        ):
            lived = live(
                Fleet(5, cold_s=cold_s),
                control,
                lambda at: CARRIED * (3 + 9 * max(0.0, min(1.0, (at - HOUR) / 60))),
                3 * HOUR,
            )
            yield row(f"3 to 12 replicas of load, cold start {cold_s} s", rule, [lived])


def hung() -> Iterator[Row]:
    """One of four replicas hangs from minute 20 to 50, at the load of two."""
    for rule in (DECLARED, LEARNED):
        fleet = Fleet(4, step_s=5)

        def load(at: float, fleet: Fleet = fleet) -> float:
            fleet.replicas[0].hung = 20 * MINUTE <= at < 50 * MINUTE
            return 3_990.0 if at < 4 * MINUTE else 2_000.0

        lived = live(fleet, Modelward(spec(rule, 50), Fleet.read), load, 6 * HOUR)
        more = {"peak": lived.peak(20 * MINUTE), "after30Minutes": lived.at(80 * MINUTE)}
        yield row("one of 4 hangs for 30 min, load of 2", rule, [lived], **more)


def gauges() -> Iterator[Row]:
    """Steady loads at 60 % under gauges that show requests which are not in a queue."""
    for share in (0.02, 0.08):
        fleet = Fleet(20, step_s=15, gauge_step_s=-math.log(1 - share) / (0.6 * CARRIED / TOKENS))
        lived = live(fleet, Modelward(spec(LEARNED, 200)), lambda _: 12_000.0, 4 * HOUR)
        yield row(f"20 replicas at 60 %, one waits at {share:.0%} of readings", LEARNED, [lived])
    for rate, step_s, replicas in ((5, 0.05, 4), (15, 0.05, 10), (30, 0.05, 20), (30, 0.2, 20)):
        fleet = Fleet(replicas, step_s=15, gauge_step_s=step_s)
        lived = live(fleet, Modelward(spec(LEARNED, 200)), lambda _, rate=rate: rate * TOKENS, 6 * HOUR)
        yield row(f"{rate} requests/s on {replicas}, engine steps of {step_s * 1000:.0f} ms", LEARNED, [lived])


def latencies() -> Iterator[Row]:
    """First tokens that replicas do not bring sooner: some prompts are long, whatever the load."""
    for name, work, replicas in (("low use", 100.0, 1), ("60 % use", 600.0, 1), ("60 % use", 6_000.0, 10)):

        def late(fleet: Fleet, work: float = work) -> UsageSnapshot:
            return replace(_steady(fleet, work), first_token_ms=(3_000.0, 2_900.0))

        bounds = spec(DECLARED, 40, time_to_first_token_ms=2_000)
        lived = live(Fleet(replicas, step_s=15), Modelward(bounds, late), lambda _, work=work: work, 12 * HOUR)
        yield row(f"late whatever the replicas, {replicas} at {name}", DECLARED, [lived])


def gateways() -> Iterator[Row]:
    """Clients in closed loops behind a gateway, which tells no queue, with one replica to begin with."""
    for clients, within_s, how in ((60, 1, "at once"), (60, 30 * MINUTE, "within 30 min"), (300, 1, "at once")):

        def asked(fleet: Fleet, clients: int = clients, within_s: float = within_s) -> UsageSnapshot:
            there = clients * min(1.0, fleet.now_s / within_s)
            work = min(CARRIED * len(fleet.ready), there * CARRIED / SLOTS)
            sums = replace(_steady(fleet, work), in_flight=there, waiting=None)
            return replace(sums, sources=2, fresh=2)

        control = Modelward(spec(LEARNED, 20), asked)
        ideal = clients * CARRIED / SLOTS
        lived = live(Fleet(1, step_s=15), control, lambda _, ideal=ideal: ideal, 2 * HOUR)
        yield row(f"gateway, {clients} clients in closed loops, {how}", LEARNED, [lived], latePercent=None)


def _steady(fleet: Fleet, work: float) -> UsageSnapshot:
    replicas, ready = len(fleet.replicas), len(fleet.ready)
    return UsageSnapshot(
        replicas, ready, ready, ready, work, work, TOKENS, work / 50, 0.0, requests_per_second=work / TOKENS
    )


SCENARIOS = (days, steps, hung, gauges, latencies, gateways)
