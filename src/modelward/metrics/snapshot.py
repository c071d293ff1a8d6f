"""One reading of one pod, in neutral signals: the only form in which metrics travel through the operator."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from modelward.metrics import dialects
from modelward.metrics.dialects import Dialect, dialect, first
from modelward.metrics.exposition import Families, Sample
from modelward.metrics.histogram import Histogram, histogram, merged
from modelward.metrics.signals import Key, Signal

Accept = Callable[[Mapping[str, str]], bool]

_REQUESTS = "modelward_requests_total"
_TOKENS = "gen_ai_client_token_usage_sum"
_CONFIG_INFO = "modelward_collector_config_info"
_ENGINE_GAUGES = {
    "modelward_engine_up": Signal.ENGINE_UP,
    dialects.WAITING: Signal.ENGINE_WAITING,
    dialects.RUNNING: Signal.ENGINE_RUNNING,
    dialects.KV_CACHE_USAGE: Signal.ENGINE_KV_USAGE,
}
_ENGINE_COUNTERS = {
    dialects.REQUESTS: Signal.ENGINE_REQUESTS,
    dialects.PROMPT_TOKENS: Signal.ENGINE_PROMPT_TOKENS,
    dialects.GENERATION_TOKENS: Signal.ENGINE_GENERATION_TOKENS,
}


class NotACollectorError(ValueError):
    """The page is well formed, but no collector wrote it: something else answers on the collector's port."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one pod said at one moment; a signal that it did not give is absent, never zero.

    `config_generation` is the configuration that the collector says it runs, empty when it runs none;
    `collector_version` is empty for an engine's page.
    """

    pod: str
    at_ms: int
    source: Literal["collector", "engine"]
    gauges: Mapping[Key, float] = field(default_factory=dict)
    counters: Mapping[Key, float] = field(default_factory=dict)
    histograms: Mapping[Key, Histogram] = field(default_factory=dict)
    config_generation: str = ""
    collector_version: str = ""

    @property
    def models(self) -> frozenset[str]:
        """The models that the pod named."""
        keys = (*self.gauges, *self.counters, *self.histograms)
        return frozenset(key.model for key in keys if key.model)


def snapshot_from_collector(families: Families, pod: str, at_ms: int) -> Snapshot:
    """A collector's own page. Raises NotACollectorError when there is not one `modelward_` series on it."""
    if not any(name.startswith("modelward_") for name in families.samples):
        raise NotACollectorError("no modelward_ series on the page")
    in_flight = _summed(families.of("modelward_requests_in_flight"), Signal.IN_FLIGHT, "model")
    counters = _collector_requests(families)
    counters |= _tokens(families, "input", Signal.INPUT_TOKENS)
    counters |= _tokens(families, "output", Signal.OUTPUT_TOKENS)
    counters |= _summed(families.of("modelward_chunks_total"), Signal.CHUNKS, "model")
    return Snapshot(
        pod,
        at_ms,
        "collector",
        (in_flight or {Key(Signal.IN_FLIGHT): 0.0}) | _renamed(families, _ENGINE_GAUGES),
        counters | _renamed(families, _ENGINE_COUNTERS),
        _histograms(families, "gen_ai_server_time_to_first_token_seconds", Signal.TTFT, "model")
        | _histograms(families, "gen_ai_server_time_per_output_token_seconds", Signal.TPOT, "model")
        | _histograms(families, "gen_ai_server_request_duration_seconds", Signal.DURATION, "model", _succeeded),
        _label(families, _CONFIG_INFO, "generation"),
        _label(families, "modelward_collector_info", "version"),
    )


def snapshot_from_engine(families: Families, engine: str, pod: str, at_ms: int) -> Snapshot:
    """An engine's page, for endpoints without a collector: its own counts then stand for the requests."""
    names = dialect(engine)
    neutral = dialects.neutral(families, engine)
    label = names.model_label
    waiting = _summed(first(families, names.waiting), Signal.IN_FLIGHT, label)
    running = _summed(first(families, names.running), Signal.IN_FLIGHT, label)
    counters = (
        _summed(first(families, names.requests), Signal.REQUESTS, label)
        | _failures(families, names)
        | _summed(first(families, names.prompt_tokens), Signal.INPUT_TOKENS, label)
        | _summed(first(families, names.generation_tokens), Signal.OUTPUT_TOKENS, label)
        | {Key(signal): neutral[name] for name, signal in _ENGINE_COUNTERS.items() if name in neutral}
    )
    return Snapshot(
        pod,
        at_ms,
        "engine",
        _added(waiting, running)
        | {Key(signal): neutral[name] for name, signal in _ENGINE_GAUGES.items() if name in neutral},
        counters,
        _first_histograms(families, names.time_to_first_token, Signal.TTFT, label)
        | _first_histograms(families, names.time_per_output_token, Signal.TPOT, label)
        | _first_histograms(families, names.duration, Signal.DURATION, label),
    )


def _collector_requests(families: Families) -> dict[Key, float]:
    samples = families.of(_REQUESTS)
    requests = _summed(samples, Signal.REQUESTS, "model")
    if not requests:
        # A collector that answers and has counted nothing did see nothing: here zero is a reading, not a gap.
        return {Key(signal): 0.0 for signal in (Signal.REQUESTS, Signal.ERRORS, Signal.CANCELLED)}
    counters = dict(requests)
    for outcome, signal in (("error", Signal.ERRORS), ("cancelled", Signal.CANCELLED)):
        counters |= {Key(signal, key.model): 0.0 for key in requests}
        counters |= _summed((each for each in samples if each.labels.get("outcome") == outcome), signal, "model")
    return counters


def _failures(families: Families, names: Dialect) -> dict[Key, float]:
    def errored(outcome: str) -> bool:
        if names.error_outcomes is None:
            return outcome not in names.cancelled_outcomes
        return outcome in names.error_outcomes

    samples = first(families, names.failures)
    ended = [(each.labels.get(names.outcome_label, ""), each) for each in samples]
    errors = _summed((each for outcome, each in ended if errored(outcome)), Signal.ERRORS, names.model_label)
    cancelled = (each for outcome, each in ended if outcome in names.cancelled_outcomes)
    known = {Key(signal, _model(each, names)): 0.0 for each in samples for signal in (Signal.ERRORS, Signal.CANCELLED)}
    return known | errors | _summed(cancelled, Signal.CANCELLED, names.model_label)


def _model(sample: Sample, names: Dialect) -> str:
    return sample.labels.get(names.model_label, "")


def _tokens(families: Families, kind: str, signal: Signal) -> dict[Key, float]:
    samples = (each for each in families.of(_TOKENS) if each.labels.get("gen_ai_token_type") == kind)
    return _summed(samples, signal, "model")


def _summed(samples: Iterable[Sample], signal: Signal, model_label: str) -> dict[Key, float]:
    sums: dict[Key, float] = {}
    for each in samples:
        if math.isfinite(each.value) and each.value >= 0:
            key = Key(signal, each.labels.get(model_label, ""))
            sums[key] = sums.get(key, 0.0) + each.value
    return sums


def _added(one: Mapping[Key, float], other: Mapping[Key, float]) -> dict[Key, float]:
    return {key: one.get(key, 0.0) + other.get(key, 0.0) for key in {*one, *other}}


def _renamed(families: Families, names: Mapping[str, Signal]) -> dict[Key, float]:
    values: dict[Key, float] = {}
    for name, signal in names.items():
        values |= {Key(signal): total for total in _summed(families.of(name), signal, "").values()}
    return values


def _succeeded(labels: Mapping[str, str]) -> bool:
    # A refusal in 2 ms is no fast answer; latency is that of requests that were served.
    return labels.get("code", "200").startswith(("1", "2", "3"))


def _first_histograms(
    families: Families, names: tuple[str, ...], signal: Signal, model_label: str
) -> dict[Key, Histogram]:
    for name in names:
        found = _histograms(families, name, signal, model_label)
        if found:
            return found
    return {}


def _histograms(
    families: Families, name: str, signal: Signal, model_label: str, accept: Accept = lambda _: True
) -> dict[Key, Histogram]:
    buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for each in families.of(name + "_bucket"):
        bound = _bound(each.labels.get("le", ""))
        if accept(each.labels) and bound is not None:
            buckets.setdefault(_series(each.labels), []).append((bound, each.value))
    sums = {_series(each.labels): each.value for each in families.of(name + "_sum") if math.isfinite(each.value)}
    counts = {_series(each.labels): each.value for each in families.of(name + "_count")}
    by_model: dict[str, list[Histogram]] = {}
    for series, pairs in buckets.items():
        one = histogram(pairs, sums.get(series, 0.0), counts.get(series))
        if one is not None:
            by_model.setdefault(dict(series).get(model_label, ""), []).append(one)
    return {Key(signal, model): whole for model, found in by_model.items() if (whole := merged(found)) is not None}


def _series(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in labels.items() if pair[0] != "le"))


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _label(families: Families, name: str, label: str) -> str:
    return next((each.labels.get(label, "") for each in families.of(name) if each.value == 1), "")
