"""Failed requests by whose doing they were: the counts behind the rate objectives, and why a number is missing."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.objectives import OBJECTIVES
from modelward.metrics.signals import Signal
from modelward.metrics.window import Freshness, History

_OF_STREAMS = frozenset({Signal.TTFT, Signal.TPOT})
OVER_MS = 300_000
"""The window in which an endpoint that had requests must have served one to be Healthy."""
_WORDS = {
    Signal.ERRORS: "errors",
    Signal.CLIENT_ERRORS: "client errors",
    Signal.OVERLOADS: "refused for overload",
    Signal.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class RateCounts:
    """How many requests a rate is taken over, and how many of them count."""

    requests: int
    counted: int


@dataclass(frozen=True, slots=True)
class Unserved:
    """Requests came and none succeeded: the evidence, and whether the endpoint itself failed any of them."""

    message: str
    at_fault: bool


def rate_counts(metric: str, history: History, now_ms: int, over_ms: int) -> RateCounts | None:
    """Return the counts behind a rate; None where a pod does not give what the rate needs.

    Errors of some pods, whether over their own requests or those of all, may look better than things are.
    """
    rate = OBJECTIVES[metric]
    requests = history.increase(Signal.REQUESTS, None, now_ms, over_ms)
    counted = history.increase(rate.signal, None, now_ms, over_ms)
    if requests is None or counted is None or counted.of_pods != requests.of_pods:
        return None
    if _silent(history, now_ms, frozenset({Signal.REQUESTS, rate.signal, *rate.left_out})):
        return None
    left_out = sum(_gained(history, signal, now_ms, over_ms) for signal in rate.left_out)
    # Where they are not counted none are left out: most engines count only the requests that they accepted.
    return RateCounts(max(0, round(requests.value) - left_out), round(counted.value))


def uncounted(metric: str, over: str, history: History, now_ms: int, over_ms: int) -> str:
    """Return why a rate is unknown: nothing was read, what was read counts requests and not this, or some pods do."""
    if _never_given(Signal.REQUESTS, history, now_ms):
        return (
            f"no pod counts requests, of which {metric} is a share: this engine's own metrics do not, a collector does "
            "(spec.collector.mode Sidecar or Gateway)"
        )
    if history.increase(Signal.REQUESTS, None, now_ms, over_ms) is None:
        return f"no pod has measured {metric} in the last {over}"
    if history.increase(OBJECTIVES[metric].signal, None, now_ms, over_ms) is None:
        return (
            f"no pod counts {metric}: engines' own metrics seldom do, a collector does "
            "(spec.collector.mode Sidecar or Gateway)"
        )
    return f"not every pod has measured {metric} in the last {over}"


def unserved(history: History, now_ms: int) -> Unserved | None:
    """Return the evidence where requests ended within the last five minutes and none is known to have succeeded."""
    requests = _gained(history, Signal.REQUESTS, now_ms, OVER_MS)
    failed = {signal: _gained(history, signal, now_ms, OVER_MS) for signal in _WORDS}
    if requests < 1 or sum(failed.values()) < requests:
        return None
    parts = ", ".join(f"{count} {_WORDS[signal]}" for signal, count in failed.items() if count)
    some = "the only request" if requests == 1 else f"none of {requests} requests"
    verb = "did not succeed" if requests == 1 else "succeeded"
    return Unserved(f"{some} of the last 5m {verb}: {parts}", failed[Signal.ERRORS] > 0)


def _gained(history: History, signal: Signal, now_ms: int, over_ms: int) -> int:
    gained = history.increase(signal, None, now_ms, over_ms)
    return round(gained.value) if gained else 0


def _silent(history: History, now_ms: int, asked: frozenset[Signal]) -> bool:
    """Return whether a pod that answers gives no number for one of these signals, which it names or gave before."""
    fresh = (pod for pod in history.pods() if history.freshness(pod, now_ms) is Freshness.FRESH)
    return any(history.lacking(pod) & asked for pod in fresh)


def untimed(metric: str, signal: Signal, over: str, history: History, now_ms: int) -> str:
    """Return why a latency is unknown."""
    if not _never_given(signal, history, now_ms):
        return f"no pod has measured {metric} in the last {over}"
    streamed = " of streamed answers" if signal in _OF_STREAMS else ""
    return f"no pod has measured {metric} so far: engines' own metrics may lack it, a collector measures it{streamed}"


def _never_given(signal: Signal, history: History, now_ms: int) -> bool:
    """Return whether pods are read well and none of them names the signal."""
    fresh = [pod for pod in history.pods() if history.freshness(pod, now_ms) is Freshness.FRESH]
    given = [history.gives(pod) | history.lacking(pod) for pod in fresh]
    return any(given) and not any(signal in one for one in given)
