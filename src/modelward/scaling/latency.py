"""Replicas for a latency objective: tried where they could help, and taken back where they did not."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import UsageSnapshot

# Two minutes that were slow from end to end with the same replicas, before more of them are requested.
SLOW_FOR_MS = 120_000
# A step has helped if the objective was kept for so long, or if at least half of what it could bring came.
TRIED_MS = 600_000
WORTH = 0.5
# One that did not is not tried again for six hours, unless a quarter more work is done.
FUTILE_MS = 21_600_000
MORE_WORK = 1.25
# Below 40 % of what they carry, and without a queue, replicas are not why answers are slow.
LOW_USE = 0.4

FIRST_TOKEN = "first token"  # noqa: S105
OUTPUT_TOKEN = "output token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Missed:
    """A latency objective that the last minute did not keep; `lasting` if the minute before did not either.

    `best_ms` is the lower of the two minutes.
    """

    what: str
    objective_ms: int
    last_ms: float
    best_ms: float
    lasting: bool


@dataclass(frozen=True, slots=True)
class LatencyStep:
    """A step that was taken for a latency: from `base` replicas, that took `base_ms`, to `replicas`."""

    what: str
    base: int
    base_ms: float
    replicas: int


@dataclass(frozen=True, slots=True)
class Futile:
    """More than `base` replicas did not help a latency at this work per second."""

    what: str
    base: int
    work: float
    at_ms: int

    def holds(self, work: float, now_ms: int) -> bool:
        """Whether it need not be tried again."""
        return 0 <= now_ms - self.at_ms < FUTILE_MS and work <= MORE_WORK * self.work


def missed(spec: ScalingSpec, usage: UsageSnapshot) -> tuple[Missed, ...]:
    """Return the objectives that the last minute has surely missed."""
    bounds = (
        (FIRST_TOKEN, spec.time_to_first_token_ms, usage.first_token_ms),
        (OUTPUT_TOKEN, spec.time_per_output_token_ms, usage.output_token_ms),
    )
    return tuple(
        Missed(what, objective, last, last if before is None else min(last, before), (before or 0.0) > objective)
        for what, objective, (last, before) in bounds
        if objective is not None and last is not None and last > objective
    )


def judged(
    trial: LatencyStep | None, found: Iterable[Missed], usage: UsageSnapshot, ready_for_ms: int, now_ms: int
) -> tuple[LatencyStep | None, Futile | None]:
    """Return what becomes of a trial: it goes on, has helped (None), or was futile.

    It is judged when all its replicas have been ready for two minutes. From one replica to two, a latency should fall
    by a quarter at least, from ten to eleven by a twentieth; several steps are judged together, by the first latency.
    """
    if trial is None or usage.replicas < trial.replicas:
        return trial, None
    if usage.replicas > trial.replicas:
        return None, None  # load or a person has asked for more: what it would have brought is not seen any more
    if usage.ready < usage.replicas or ready_for_ms < SLOW_FOR_MS:
        return trial, None
    still = next((one for one in found if one.what == trial.what and one.lasting), None)
    if still is None:
        return (trial if ready_for_ms < TRIED_MS else None), None
    if still.best_ms <= trial.base_ms * (1 - WORTH * (1 - trial.base / trial.replicas)):
        return trial, None
    return None, Futile(trial.what, trial.base, usage.work_per_second or 0.0, now_ms)


def more(usage: UsageSnapshot, worst: Missed, ready_for_ms: int) -> int:
    """Return how many more replicas a missed objective asks for: a tenth, once it is missed and settled for long."""
    settled = usage.ready == usage.replicas and ready_for_ms >= SLOW_FOR_MS
    return max(1, math.ceil(usage.ready / 10)) if settled and worst.lasting else 0
