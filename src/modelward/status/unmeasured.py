"""Why a number is missing: nothing was read, or what was read has no such number and never will."""

from __future__ import annotations

from modelward.metrics.signals import Signal
from modelward.metrics.window import Freshness, History

_OF_STREAMS = frozenset({Signal.TTFT, Signal.TPOT})


def untimed(metric: str, signal: Signal, over: str, history: History, now_ms: int) -> str:
    """Return why a latency is unknown."""
    if not never_given(signal, history, now_ms):
        return f"no pod has measured {metric} in the last {over}"
    streamed = " of streamed answers" if signal in _OF_STREAMS else ""
    return f"no pod has measured {metric} so far: engines' own metrics may lack it, a collector measures it{streamed}"


def never_given(signal: Signal, history: History, now_ms: int) -> bool:
    """Tell whether pods are read well, and not one of them so much as names the signal."""
    fresh = [pod for pod in history.pods() if history.freshness(pod, now_ms) is Freshness.FRESH]
    given = [history.gives(pod) | history.lacking(pod) for pod in fresh]
    return any(given) and not any(signal in one for one in given)
