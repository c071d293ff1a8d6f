"""The numbers of the traffic that a policy can bound, one row each: enum, rules, help, docs and verdicts follow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelward.api.signals import Signal


@dataclass(frozen=True, slots=True)
class ObjectiveMetric:
    """One value of `objectives[].metric`.

    A Latency is a percentile of the histogram `signal`, bounded by `maxDuration`. A Rate is the share of requests that
    the counter `signal` counts, bounded by `maxRate`; `left_out` are the requests that must not dilute it. `means` is
    what users read, `counts` says in brackets what a rate counts.
    """

    name: str
    kind: Literal["Latency", "Rate"]
    signal: Signal
    means: str
    counts: str = ""
    left_out: tuple[Signal, ...] = ()


_TABLE = (
    ObjectiveMetric("TimeToFirstToken", "Latency", Signal.TTFT, "request complete to first content, of streams"),
    ObjectiveMetric("TimePerOutputToken", "Latency", Signal.TPOT, "time for each further token, where `usage` tells"),
    ObjectiveMetric("RequestDuration", "Latency", Signal.DURATION, "request complete to last byte of the answer"),
    ObjectiveMetric(
        "ErrorRate",
        "Rate",
        Signal.ERRORS,
        "what the endpoint did wrong, of the requests that it did not refuse",
        counts="5xx, broken answers, errors inside a 200",
        left_out=(Signal.CLIENT_ERRORS, Signal.OVERLOADS),
    ),
    ObjectiveMetric(
        "ClientErrorRate", "Rate", Signal.CLIENT_ERRORS, "what callers did wrong, of all requests", counts="4xx but 429"
    ),
    ObjectiveMetric(
        "OverloadRate",
        "Rate",
        Signal.OVERLOADS,
        "what was refused for lack of room, of the requests without a caller's error",
        counts="429, and 503 with Retry-After or while the engine reports a queue",
        left_out=(Signal.CLIENT_ERRORS,),
    ),
)
OBJECTIVES: dict[str, ObjectiveMetric] = {row.name: row for row in _TABLE}


def of_kind(kind: Literal["Latency", "Rate"]) -> tuple[ObjectiveMetric, ...]:
    """Return the metrics of one kind, in the order of the enum."""
    return tuple(row for row in OBJECTIVES.values() if row.kind == kind)


def metric_help() -> str:
    """Return what `kubectl explain` says of the field: every metric, and what the rates count."""
    latencies = ", ".join(row.name for row in of_kind("Latency"))
    rates = ", ".join(f"{row.name} ({row.counts})" for row in of_kind("Rate"))
    return f"{latencies}; {rates}."
