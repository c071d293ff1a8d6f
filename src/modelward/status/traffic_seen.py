"""Which part of the model server's traffic comes through collectors, and which Services lead past them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from modelward.api.objects import KubeObject
from modelward.api.quantity import PPM
from modelward.metrics.signals import Signal
from modelward.metrics.window import History

_OVER_MS = 900_000
_NOT_SERVED = (Signal.ERRORS, Signal.CLIENT_ERRORS, Signal.OVERLOADS)
_MARKED_REQUESTS = (Signal.JUDGED_REQUESTS, Signal.PROBE_REQUESTS)
_MARKED_TOKENS = (Signal.JUDGED_OUTPUT_TOKENS, Signal.PROBE_OUTPUT_TOKENS)
_FROM_REQUESTS = 20
_FROM_TOKENS = 1_000
"""Fewer requests or tokens than these say nothing about the share that we see."""


def traffic_seen_ppm(history: History, now_ms: int) -> int | None:
    """Return our traffic over the engine's own count in ppm, over 15 minutes; None where the two cannot be compared.

    Engines count requests, generated tokens, or both. One request with `n: 4` or a list of prompts is several to an
    engine, and a stream without `usage` has no tokens for us, so that either count alone may be too low: the larger
    share of the two counts. Traffic past the collector lowers both.
    """
    shares = [share for share in (_by_requests(history, now_ms), _by_tokens(history, now_ms)) if share is not None]
    return min(PPM, round(max(shares) * PPM)) if shares else None


def _by_requests(history: History, now_ms: int) -> float | None:
    served, engine = _served(history, now_ms), _gained(history, Signal.ENGINE_REQUESTS, now_ms)
    if served is None or engine is None or engine < _FROM_REQUESTS:
        return None
    return (served + _marked(history, _MARKED_REQUESTS, now_ms)) / engine


def _by_tokens(history: History, now_ms: int) -> float | None:
    served, engine = _served(history, now_ms), _gained(history, Signal.ENGINE_GENERATION_TOKENS, now_ms)
    if served is None or engine is None or engine < _FROM_TOKENS:
        return None
    marked = _marked(history, _MARKED_TOKENS, now_ms)
    if not served:
        return marked / engine
    counted = _gained(history, Signal.COUNTED_REQUESTS, now_ms) or 0.0
    tokens = _gained(history, Signal.OUTPUT_TOKENS, now_ms) or 0.0
    events = _gained(history, Signal.CHUNKS, now_ms) or 0.0
    whole = tokens / counted * max(served, counted) if counted else 0.0
    return (max(whole, events) + marked) / engine or None


def _marked(history: History, signals: Iterable[Signal], now_ms: int) -> float:
    """Return what no user asked: it reached the engine through us all the same."""
    return sum(_gained(history, signal, now_ms) or 0.0 for signal in signals)


def _served(history: History, now_ms: int) -> float | None:
    """Return the requests that reached the engine: what it refuses is not in its own count."""
    requests = _gained(history, Signal.REQUESTS, now_ms)
    if requests is None:
        return None
    return max(0.0, requests - sum(_gained(history, signal, now_ms) or 0.0 for signal in _NOT_SERVED))


def _gained(history: History, signal: Signal, now_ms: int) -> float | None:
    found = history.increase(signal, None, now_ms, _OVER_MS)
    return None if found is None else found.value


def past_the_collector(services: Iterable[KubeObject], workload: KubeObject, port: int) -> tuple[str, ...]:
    """Return the names of Services that lead clients of this workload's pods to the model server's own port.

    Services of ours are left out.
    """
    template = workload["spec"]["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    ports = (row for container in template["spec"]["containers"] for row in container.get("ports") or ())
    port_names = {str(row["name"]) for row in ports if row.get("containerPort") == port and "name" in row}
    return tuple(
        str(service["metadata"]["name"])
        for service in services
        if not _ours(service) and _selects(service, labels) and any(_leads(service, port, port_names))
    )


def _ours(service: KubeObject) -> bool:
    owners = service["metadata"].get("ownerReferences", ())
    return any(owner.get("kind") == "LLMEndpoint" for owner in owners)


def _selects(service: KubeObject, labels: Mapping[str, str]) -> bool:
    selector = service.get("spec", {}).get("selector") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _leads(service: KubeObject, port: int, port_names: Collection[str]) -> Iterator[bool]:
    for row in service.get("spec", {}).get("ports", ()):
        target = row.get("targetPort", row.get("port"))
        yield target == port or target in port_names
