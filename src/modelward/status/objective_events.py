"""What an objective counts: the requests that it is about, and those of them that were over its bound."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from modelward.api.objectives import OBJECTIVES
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import PPM, duration_ms, percent_ppm
from modelward.metrics.histogram import Histogram
from modelward.metrics.series import Reading
from modelward.metrics.signals import Signal, SignalKey

DEFAULT_PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class ObjectiveEvents:
    """Requests, and those of them that broke the bound; fractions come of bounds inside a histogram's bucket."""

    events: float = 0.0
    bad: float = 0.0

    def __add__(self, other: ObjectiveEvents) -> ObjectiveEvents:
        """Return both together."""
        return ObjectiveEvents(self.events + other.events, self.bad + other.bad)


def allowance_ppm(asked: PolicyObjective) -> int:
    """Return the share of requests that may be over the bound: what an error budget is made of."""
    if OBJECTIVES[asked.metric].kind == "Rate":
        return percent_ppm(asked.max_rate or "0%")
    return PPM - (asked.percentile or DEFAULT_PERCENTILE) * PPM // 100


def events_in(asked: PolicyObjective, reading: Reading) -> ObjectiveEvents | None:
    """Return what one pod counted since it was first read; None where it had requests and does not say which were bad.

    Both numbers only grow from reading to reading, so that those of two readings may be subtracted.
    """
    metric = OBJECTIVES[asked.metric]
    if metric.kind == "Rate":
        return _rate(metric.signal, metric.left_out, reading.totals)
    limit_s = duration_ms(asked.max_duration or "0s") / 1_000
    counted = [slower(hist, limit_s) for key, hist in reading.distributions.items() if key.signal is metric.signal]
    return ObjectiveEvents(sum(events for events, _ in counted), sum(bad for _, bad in counted))


def _rate(signal: Signal, left_out: tuple[Signal, ...], totals: Mapping[SignalKey, float]) -> ObjectiveEvents | None:
    requests = sum(value for key, value in totals.items() if key.signal is Signal.REQUESTS)
    if requests and not any(key.signal is signal for key in totals):
        return None
    apart = sum(value for key, value in totals.items() if key.signal in left_out)
    bad = sum(value for key, value in totals.items() if key.signal is signal)
    return ObjectiveEvents(max(0.0, requests - apart), bad)


def slower(hist: Histogram, limit_s: float) -> tuple[float, float]:
    """Return the requests of which it is known on which side they are, and the slower ones; linear inside a bucket.

    Of those beyond the last bound that is all that is known: with a limit beyond it too, they are neither.
    """
    place = bisect_left(hist.bounds, limit_s)
    if place == len(hist.bounds):
        return (hist.counts[-1] if hist.counts else 0.0), 0.0
    low, below = (hist.bounds[place - 1], hist.counts[place - 1]) if place else (0.0, 0.0)
    inside = (hist.bounds[place] - limit_s) / (hist.bounds[place] - low)
    return hist.count, hist.count - hist.counts[place] + inside * (hist.counts[place] - below)
