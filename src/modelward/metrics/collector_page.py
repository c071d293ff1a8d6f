"""What a collector's page says, in neutral signals."""

import math
from collections.abc import Mapping

from modelward.api.outcome import class_on_page
from modelward.metrics import dialects
from modelward.metrics.callers import caller_sums
from modelward.metrics.dialects import added_up
from modelward.metrics.exposition import Families, Sample
from modelward.metrics.page_sums import histograms, summed
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import NotACollectorError, PageSignals, Snapshot, UnusableError

_LABEL_CHARS = 128
_REQUESTS = "modelward_requests_total"
_STARTED = "modelward_requests_started_total"
_TOKENS = "gen_ai_client_token_usage_sum"
_COUNTED = "gen_ai_client_token_usage_count"
_UPSTREAM = "modelward_collector_upstream_up"
_OF_CLASS = {
    "error": Signal.ERRORS,
    "client_error": Signal.CLIENT_ERRORS,
    "overload": Signal.OVERLOADS,
    "cancelled": Signal.CANCELLED,
}
_JUDGE = "judge"
_MARKED_REQUESTS = (Signal.JUDGED_REQUESTS, Signal.PROBE_REQUESTS)
_MARKED_IN_FLIGHT = (Signal.JUDGED_IN_FLIGHT, Signal.PROBE_IN_FLIGHT)
_MARKED_TOKENS = {
    "input": (Signal.JUDGED_INPUT_TOKENS, Signal.PROBE_INPUT_TOKENS),
    "output": (Signal.JUDGED_OUTPUT_TOKENS, Signal.PROBE_OUTPUT_TOKENS),
}
_CONFIG_INFO = "modelward_collector_config_info"
ENGINE_GAUGES = {
    "modelward_engine_up": Signal.ENGINE_UP,
    dialects.WAITING: Signal.ENGINE_WAITING,
    dialects.RUNNING: Signal.ENGINE_RUNNING,
    dialects.KV_CACHE_USAGE: Signal.ENGINE_KV_USAGE,
}
ENGINE_COUNTERS = {
    dialects.REQUESTS: Signal.ENGINE_REQUESTS,
    dialects.PROMPT_TOKENS: Signal.ENGINE_PROMPT_TOKENS,
    dialects.GENERATION_TOKENS: Signal.ENGINE_GENERATION_TOKENS,
}


def snapshot_from_collector(families: Families, pod: str, at_ms: int) -> Snapshot:
    """A collector's own page.

    Raises NotACollectorError when there is not one `modelward_` series on it, and UnusableError while the collector
    passes requests without looking at them, for its counts then stand still.
    """
    if not any(name.startswith("modelward_") for name in families.samples):
        raise NotACollectorError("no modelward_ series on the page")
    if any(each.value > 0 for each in families.of("modelward_collector_passing_blind")):
        raise UnusableError("the collector passes requests without counting them; see the log of its container")
    counters = _collector_requests(families)
    counters |= _tokens(families, "input", Signal.INPUT_TOKENS)
    counters |= _tokens(families, "output", Signal.OUTPUT_TOKENS)
    counters |= _tokens(families, "output", Signal.COUNTED_REQUESTS, _COUNTED)
    counters |= summed(families.of("modelward_cached_input_tokens_total"), Signal.CACHED_INPUT_TOKENS, "model")
    counters |= summed(families.of("modelward_chunks_total"), Signal.CHUNKS, "model")
    counters |= _marked(families, "modelward_marked_requests_total", _MARKED_REQUESTS)
    for kind, signals in _MARKED_TOKENS.items():
        counters |= _marked(families, "modelward_marked_token_usage_sum", signals, kind)
    found = PageSignals(
        summed(families.of("modelward_requests_in_flight"), Signal.IN_FLIGHT, "model")
        | _marked(families, "modelward_marked_requests_in_flight", _MARKED_IN_FLIGHT)
        | _renamed(families, ENGINE_GAUGES),
        counters | _renamed(families, ENGINE_COUNTERS),
        histograms(families, "gen_ai_server_time_to_first_token_seconds", Signal.TTFT, "model")
        | histograms(families, "gen_ai_server_time_per_output_token_seconds", Signal.TPOT, "model")
        | histograms(families, "gen_ai_server_request_duration_seconds", Signal.DURATION, "model", _succeeded),
    )
    return found.snapshot(
        pod,
        at_ms,
        "collector",
        config_generation=_label(families, _CONFIG_INFO, "generation"),
        collector_version=_label(families, "modelward_collector_info", "version"),
        engine=_label(families, "modelward_engine_info", "engine"),
        engine_problem=_label(families, "modelward_engine_problem_info", "problem"),
        unreached=any(each.value == 0 for each in families.of(_UPSTREAM)),
        callers=caller_sums(families),
    )


def _collector_requests(families: Families) -> dict[SignalKey, float]:
    samples = families.of(_REQUESTS)
    requests = summed(samples, Signal.REQUESTS, "model")
    if not requests:
        # A collector that says how much it began, and has counted nothing, did see nothing: here zero is a reading.
        zero = 0.0 if _all_elsewhere(families) else math.nan
        return {SignalKey(signal): zero for signal in (Signal.REQUESTS, *_OF_CLASS.values())}
    counters = dict(requests)
    for name, signal in _OF_CLASS.items():
        counters |= {SignalKey(signal, key.model): 0.0 for key in requests}
        counters |= summed((each for each in samples if _class(each) == name), signal, "model")
    return counters


def _class(sample: Sample) -> str:
    return class_on_page(sample.labels.get("outcome", ""), sample.labels.get("code", ""))


def _all_elsewhere(families: Families) -> bool:
    """Whether all that began is still in flight or asked no model; only then may the count of requests be absent."""
    elsewhere = (*families.of("modelward_requests_in_flight"), *families.of("modelward_other_requests_total"))
    began = families.of(_STARTED)
    return bool(began) and added_up(each.value for each in began) <= added_up(each.value for each in elsewhere)


def _tokens(families: Families, kind: str, signal: Signal, name: str = _TOKENS) -> dict[SignalKey, float]:
    samples = (each for each in families.of(name) if each.labels.get("gen_ai_token_type") == kind)
    return summed(samples, signal, "model")


def _marked(families: Families, name: str, signals: tuple[Signal, Signal], kind: str = "") -> dict[SignalKey, float]:
    """Sums over questions to judges, and over all other marked requests; absent where there are none."""
    judged, probes = signals
    found: dict[SignalKey, float] = {}
    for signal, wanted in ((judged, True), (probes, False)):
        found |= summed(
            (
                each
                for each in families.of(name)
                if (each.labels.get("origin") == _JUDGE) is wanted and each.labels.get("gen_ai_token_type", "") == kind
            ),
            signal,
            "",
        )
    return found


def _renamed(families: Families, names: Mapping[str, Signal]) -> dict[SignalKey, float]:
    values: dict[SignalKey, float] = {}
    for name, signal in names.items():
        values |= {SignalKey(signal): total for total in summed(families.of(name), signal, "").values()}
    return values


def _succeeded(labels: Mapping[str, str]) -> bool:
    # A refusal in 2 ms is no fast answer; latency is that of requests that were served.
    return labels.get("code", "200").startswith(("1", "2", "3"))


def _label(families: Families, name: str, label: str) -> str:
    return next((each.labels.get(label, "")[:_LABEL_CHARS] for each in families.of(name) if each.value == 1), "")
