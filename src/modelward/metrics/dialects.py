"""What each engine calls the signals that all of them have, so that nothing above this file knows an engine by name.

Queue, running and cache names follow the Gateway API Inference Extension's model server protocol
(docs/proposals/003-model-server-protocol); counters and histograms follow each engine's own metrics page. Where an
engine renamed a metric, both names are listed, the newer first: the first one on the page counts.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from modelward.metrics.exposition import Families, Sample, countable

WAITING = "modelward_engine_requests_waiting"
RUNNING = "modelward_engine_requests_running"
KV_CACHE_USAGE = "modelward_engine_kv_cache_usage_ratio"
REQUESTS = "modelward_engine_requests_total"
PROMPT_TOKENS = "modelward_engine_prompt_tokens_total"
GENERATION_TOKENS = "modelward_engine_generation_tokens_total"
NEUTRAL_NAMES = (WAITING, RUNNING, KV_CACHE_USAGE, REQUESTS, PROMPT_TOKENS, GENERATION_TOKENS)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One engine's names: per signal the sample names to try in turn, empty where the engine has no such signal.

    A counter may be a histogram's `_sum` or `_count`. `failures` is the counter whose `outcome_label` tells how a
    request ended badly: as one of `cancelled_outcomes`, `client_error_outcomes` or `overload_outcomes`, or as an error
    (any other one where `error_outcomes` is None). An engine without names for the callers' errors does not count them.
    """

    waiting: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    kv_cache_usage: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    prompt_tokens: tuple[str, ...] = ()
    generation_tokens: tuple[str, ...] = ()
    time_to_first_token: tuple[str, ...] = ()
    time_per_output_token: tuple[str, ...] = ()
    duration: tuple[str, ...] = ()
    model_label: str = "model_name"
    failures: tuple[str, ...] = ()
    outcome_label: str = ""
    error_outcomes: frozenset[str] | None = None
    cancelled_outcomes: frozenset[str] = field(default_factory=frozenset)
    client_error_outcomes: frozenset[str] = field(default_factory=frozenset)
    overload_outcomes: frozenset[str] = field(default_factory=frozenset)


_VLLM = Dialect(
    waiting=("vllm:num_requests_waiting",),
    running=("vllm:num_requests_running",),
    kv_cache_usage=("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
    requests=("vllm:request_success_total", "vllm:request_success"),
    prompt_tokens=("vllm:prompt_tokens_total", "vllm:prompt_tokens"),
    generation_tokens=("vllm:generation_tokens_total", "vllm:generation_tokens"),
    time_to_first_token=("vllm:time_to_first_token_seconds",),
    time_per_output_token=(
        "vllm:request_time_per_output_token_seconds",
        "vllm:inter_token_latency_seconds",
        "vllm:time_per_output_token_seconds",
    ),
    duration=("vllm:e2e_request_latency_seconds",),
    failures=("vllm:request_success_total", "vllm:request_success"),
    outcome_label="finished_reason",
    error_outcomes=frozenset({"error"}),
    cancelled_outcomes=frozenset({"abort"}),
)

_SGLANG = Dialect(
    waiting=("sglang:num_queue_reqs",),
    running=("sglang:num_running_reqs",),
    kv_cache_usage=("sglang:token_usage",),
    requests=("sglang:num_requests_total",),
    prompt_tokens=("sglang:prompt_tokens_total",),
    generation_tokens=("sglang:generation_tokens_total",),
    time_to_first_token=("sglang:time_to_first_token_seconds",),
    time_per_output_token=("sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds"),
    duration=("sglang:e2e_request_latency_seconds",),
)

_TGI = Dialect(
    waiting=("tgi_queue_size",),
    running=("tgi_batch_current_size",),
    requests=("tgi_request_count", "tgi_request_count_total"),
    prompt_tokens=("tgi_request_input_length_sum",),
    generation_tokens=("tgi_request_generated_tokens_sum",),
    time_per_output_token=("tgi_request_mean_time_per_token_duration",),
    duration=("tgi_request_duration",),
    failures=("tgi_request_failure", "tgi_request_failure_total"),
    outcome_label="err",
    cancelled_outcomes=frozenset({"dropped"}),
    client_error_outcomes=frozenset({"validation"}),
    overload_outcomes=frozenset({"overloaded"}),
)

_TRTLLM = Dialect(  # Dynamo passes the same names on under `trtllm:`.
    waiting=("trtllm_num_requests_waiting", "trtllm:num_requests_waiting"),
    running=("trtllm_num_requests_running", "trtllm:num_requests_running"),
    kv_cache_usage=("trtllm_kv_cache_utilization", "trtllm:kv_cache_utilization"),
    requests=("trtllm_request_success_total", "trtllm:request_success_total"),
    time_to_first_token=("trtllm_time_to_first_token_seconds", "trtllm:time_to_first_token_seconds"),
    time_per_output_token=("trtllm_time_per_output_token_seconds", "trtllm:time_per_output_token_seconds"),
    duration=("trtllm_e2e_request_latency_seconds", "trtllm:e2e_request_latency_seconds"),
)

_LLAMACPP = Dialect(
    waiting=("llamacpp:requests_deferred",),
    running=("llamacpp:requests_processing",),
    kv_cache_usage=("llamacpp:kv_cache_usage_ratio",),
    prompt_tokens=("llamacpp:prompt_tokens_total",),
    generation_tokens=("llamacpp:tokens_predicted_total",),
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {"vllm": _VLLM, "sglang": _SGLANG, "tgi": _TGI, "trtllm": _TRTLLM, "llamacpp": _LLAMACPP}
)


GENERIC = "generic"
"""The engine that users need not name: it is the one whose words its page speaks."""


def _words(names: Dialect) -> frozenset[str]:
    found = {name for part in fields(names) if isinstance(value := getattr(names, part.name), tuple) for name in value}
    return frozenset(found | {f"{name}_bucket" for name in found})


_WORDS = {engine: _words(names) for engine, names in DIALECTS.items()}


def speakers(families: Families) -> tuple[str, ...]:
    """The engines of whose names the page has at least one."""
    return tuple(engine for engine, words in _WORDS.items() if not words.isdisjoint(families.samples))


def dialect(engine: str, families: Families) -> Dialect:
    """An engine's names for its page; ollama and openai export nothing, so theirs are empty.

    A generic engine is taken for the only one whose names the page has; for none, where it has those of several.
    """
    heard = speakers(families) if engine == GENERIC else ()
    return DIALECTS.get(heard[0] if len(heard) == 1 else engine, Dialect())


def first(families: Families, names: tuple[str, ...]) -> tuple[Sample, ...]:
    """The series of the first of these names that the page has."""
    return next((found for name in names if (found := families.of(name))), ())


def added_up(values: Iterable[float]) -> float:
    """The sum, NaN as soon as one of the values is none: the others alone would be taken for the whole."""
    found = tuple(values)
    return math.fsum(found) if all(map(countable, found)) else math.nan


def neutral(families: Families, engine: str) -> Mapping[str, float]:
    """An engine's page under the neutral names, summed over models and ranks; what it does not export is absent.

    So is what it gives no number for (NaN, infinite, negative) in any of its series: the rest is not the whole.
    """
    return {name: value for name, value in named(families, engine).items() if not math.isnan(value)}


def named(families: Families, engine: str) -> Mapping[str, float]:
    """The same, with NaN where the engine names a signal and gives no number for it.

    Cache usage is a ratio from 0 to 1, the highest of all ranks: the fullest one is where requests start to wait.
    """
    names = dialect(engine, families)
    sums = {
        WAITING: names.waiting,
        RUNNING: names.running,
        REQUESTS: names.requests,
        PROMPT_TOKENS: names.prompt_tokens,
        GENERATION_TOKENS: names.generation_tokens,
    }
    values = {
        name: added_up(sample.value for sample in found)
        for name, sources in sums.items()
        if (found := first(families, sources))
    }
    usage = first(families, names.kv_cache_usage)
    if usage:
        whole = all(countable(sample.value) for sample in usage)
        values[KV_CACHE_USAGE] = min(1.0, max(sample.value for sample in usage)) if whole else math.nan
    return values
