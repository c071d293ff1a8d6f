"""What a pod counted between two of its readings, by model: sums of gains over time are what its counters say."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from modelward.api.history import BOUNDS, Latency
from modelward.api.outcome import RequestClass
from modelward.metrics.histogram import Histogram
from modelward.metrics.series import Reading
from modelward.metrics.signals import Signal, SignalKey

_CLASSES: Mapping[RequestClass, Signal] = {
    "error": Signal.ERRORS,
    "client_error": Signal.CLIENT_ERRORS,
    "overload": Signal.OVERLOADS,
    "cancelled": Signal.CANCELLED,
}
_LATENCIES: Mapping[Signal, Latency] = {Signal.TTFT: "ttft", Signal.TPOT: "tpot", Signal.DURATION: "duration"}


@dataclass(slots=True)
class ModelGains:
    """Requests by outcome, latencies per bucket of `api.history.BOUNDS`, and tokens; what is not told is absent."""

    outcomes: dict[RequestClass, int] = field(default_factory=dict)
    latencies: dict[Latency, list[int]] = field(default_factory=dict)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None

    @property
    def requests(self) -> int:
        """All that finished."""
        return sum(self.outcomes.values())

    def add(self, other: ModelGains) -> None:
        """Add those of another pod or model."""
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count
        for name, counts in other.latencies.items():
            own = self.latencies.get(name) or [0] * len(counts)
            self.latencies[name] = [a + b for a, b in zip(own, counts, strict=True)]
        self.input_tokens = _plus(self.input_tokens, other.input_tokens)
        self.output_tokens = _plus(self.output_tokens, other.output_tokens)
        self.cached_tokens = _plus(self.cached_tokens, other.cached_tokens)


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)


def follows(earlier: Reading, later: Reading) -> bool:
    """Return whether a reading counts on from another: of a pod that was forgotten meanwhile it begins at 0 again."""
    return later.totals is earlier.totals or all(
        later.totals.get(key, 0.0) >= value for key, value in earlier.totals.items()
    )


def gained(earlier: Reading, later: Reading) -> dict[str, ModelGains]:
    """Return what was counted between two readings, by model; "" is the model of a page that names none."""
    found: dict[str, ModelGains] = {}
    for key in later.totals.keys() - later.missing:
        if key.signal is Signal.REQUESTS:
            found.setdefault(key.model, ModelGains()).outcomes = _outcomes(key.model, earlier, later)
        elif key.signal is Signal.INPUT_TOKENS:
            found.setdefault(key.model, ModelGains()).input_tokens = _gain(key, earlier, later)
        elif key.signal is Signal.OUTPUT_TOKENS:
            found.setdefault(key.model, ModelGains()).output_tokens = _gain(key, earlier, later)
        elif key.signal is Signal.CACHED_INPUT_TOKENS:
            found.setdefault(key.model, ModelGains()).cached_tokens = _gain(key, earlier, later)
    for key, hist in later.distributions.items():
        name = _LATENCIES.get(key.signal)
        if name is not None and key not in later.missing:
            buckets = _buckets(name, earlier.distributions.get(key), hist)
            found.setdefault(key.model, ModelGains()).latencies[name] = buckets
    return found


def _gain(key: SignalKey, earlier: Reading, later: Reading) -> int:
    """Rounded sums are subtracted, not their difference rounded: so gains add up to the sum."""
    return max(0, round(later.totals[key]) - round(earlier.totals.get(key, 0.0)))


def _outcomes(model: str, earlier: Reading, later: Reading) -> dict[RequestClass, int]:
    """Return requests by their outcome; `ok` are those of which the page says nothing else."""
    keys = {outcome: SignalKey(signal, model) for outcome, signal in _CLASSES.items()}
    told = {outcome: _gain(key, earlier, later) for outcome, key in keys.items() if key in later.totals}
    requests = _gain(SignalKey(Signal.REQUESTS, model), earlier, later)
    return {"ok": max(0, requests - sum(told.values())), **told}


def _buckets(name: Latency, earlier: Histogram | None, later: Histogram) -> list[int]:
    """Return counts per bucket; one of the page's own that lies across two goes to that of its upper bound."""
    bounds = BOUNDS[name]
    counts = [0] * (len(bounds) + 1)
    if earlier is later:
        return counts
    if earlier is not None and earlier.bounds != later.bounds:
        earlier = None  # cut again: it counts from there
    before = [0, *map(round, (*earlier.counts, earlier.count))] if earlier else [0] * (len(later.bounds) + 2)
    after = [0, *map(round, (*later.counts, later.count))]
    steps = [b - a for a, b in zip(before, after, strict=True)]
    for place, (low, high) in enumerate(pairwise(steps)):
        where = bisect_left(bounds, later.bounds[place]) if place < len(later.bounds) else len(bounds)
        counts[where] += max(0, high - low)
    return counts
