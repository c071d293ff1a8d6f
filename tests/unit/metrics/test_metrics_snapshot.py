"""Pages become readings in neutral signals."""

import pytest

from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.engine_page import snapshot_from_engine
from modelward.metrics.exposition import parse
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import MAX_MODELS, NotACollectorError, UnusableError

COLLECTOR = b"""
modelward_requests_total{model="m",revision="r",operation="chat",code="200",outcome="ok"} 90
modelward_requests_total{model="m",revision="r",operation="chat",code="500",outcome="error"} 7
modelward_requests_total{model="m",revision="r",operation="embeddings",code="200",outcome="cancelled"} 3
modelward_requests_total{model="n",revision="r",operation="chat",code="200",outcome="ok"} 5
modelward_requests_in_flight{model="m",revision="r"} 4
modelward_chunks_total{model="m",revision="r"} 800
gen_ai_client_token_usage_sum{model="m",gen_ai_token_type="input"} 1000
gen_ai_client_token_usage_sum{model="m",gen_ai_token_type="output"} 400
gen_ai_client_token_usage_count{model="m",gen_ai_token_type="output"} 80
gen_ai_server_request_duration_seconds_bucket{model="m",operation="chat",code="200",le="1"} 80
gen_ai_server_request_duration_seconds_bucket{model="m",operation="chat",code="200",le="+Inf"} 90
gen_ai_server_request_duration_seconds_sum{model="m",operation="chat",code="200"} 60
gen_ai_server_request_duration_seconds_count{model="m",operation="chat",code="200"} 90
gen_ai_server_request_duration_seconds_bucket{model="m",operation="embeddings",code="200",le="1"} 3
gen_ai_server_request_duration_seconds_bucket{model="m",operation="embeddings",code="200",le="+Inf"} 3
gen_ai_server_request_duration_seconds_sum{model="m",operation="embeddings",code="200"} 1
gen_ai_server_request_duration_seconds_bucket{model="m",operation="chat",code="500",le="1"} 7
gen_ai_server_request_duration_seconds_bucket{model="m",operation="chat",code="500",le="odd"} 7
gen_ai_server_request_duration_seconds_bucket{model="m",operation="chat",code="500",le="+Inf"} 7
modelward_engine_up 1
modelward_engine_requests_waiting 2
modelward_engine_requests_total 101
modelward_collector_config_info{generation="abc"} 1
modelward_collector_info{version="0.1.0"} 1
"""


def test_reads_a_collectors_page() -> None:
    seen = snapshot_from_collector(parse(COLLECTOR), "pod", 5)
    assert (seen.pod, seen.at_ms, seen.source) == ("pod", 5, "collector")
    assert seen.models == {"m", "n"}
    assert seen.counters == {
        SignalKey(Signal.REQUESTS, "m"): 100,
        SignalKey(Signal.REQUESTS, "n"): 5,
        SignalKey(Signal.ERRORS, "m"): 7,
        SignalKey(Signal.ERRORS, "n"): 0,
        SignalKey(Signal.CLIENT_ERRORS, "m"): 0,
        SignalKey(Signal.CLIENT_ERRORS, "n"): 0,
        SignalKey(Signal.OVERLOADS, "m"): 0,
        SignalKey(Signal.OVERLOADS, "n"): 0,
        SignalKey(Signal.CANCELLED, "m"): 3,
        SignalKey(Signal.CANCELLED, "n"): 0,
        SignalKey(Signal.INPUT_TOKENS, "m"): 1000,
        SignalKey(Signal.OUTPUT_TOKENS, "m"): 400,
        SignalKey(Signal.COUNTED_REQUESTS, "m"): 80,
        SignalKey(Signal.CHUNKS, "m"): 800,
        SignalKey(Signal.ENGINE_REQUESTS): 101,
    }
    assert seen.gauges == {
        SignalKey(Signal.IN_FLIGHT, "m"): 4,
        SignalKey(Signal.ENGINE_UP): 1,
        SignalKey(Signal.ENGINE_WAITING): 2,
    }
    assert (seen.config_generation, seen.collector_version) == ("abc", "0.1.0")
    assert not seen.unreached


def test_a_collector_tells_whether_it_reaches_a_model_server() -> None:
    for value, unreached in ((b"0", True), (b"1", False)):
        page = COLLECTOR + b"modelward_collector_upstream_up " + value + b"\n"
        assert snapshot_from_collector(parse(page), "pod", 5).unreached is unreached


def test_failed_requests_do_not_make_latency_look_better() -> None:
    seen = snapshot_from_collector(parse(COLLECTOR), "pod", 5)
    assert seen.histograms == {SignalKey(Signal.DURATION, "m"): Histogram((1.0,), (83,), 61.0, 93)}


def test_a_collector_that_saw_nothing_saw_zero_requests() -> None:
    page = b"modelward_requests_started_total 3\nmodelward_other_requests_total 2\nmodelward_requests_in_flight 1"
    seen = snapshot_from_collector(parse(page), "pod", 5)
    failed = (Signal.ERRORS, Signal.CLIENT_ERRORS, Signal.OVERLOADS, Signal.CANCELLED)
    assert seen.counters == {SignalKey(signal): 0.0 for signal in (Signal.REQUESTS, *failed)}
    assert seen.gauges == {SignalKey(Signal.IN_FLIGHT): 1.0}
    assert (seen.models, seen.histograms, seen.config_generation) == (frozenset(), {}, "")


@pytest.mark.parametrize(
    "page",
    [
        b"modelward_collector_info 1",
        b"modelward_requests_started_total 4\nmodelward_requests_in_flight 1",
        b"modelward_requests_started_total NaN",
        b"modelward_requests_started_total 0\nmodelward_requests_total NaN",
        b'modelward_requests_total{outcome="ok"} 5\nmodelward_requests_total{outcome="error"} -1',
    ],
)
def test_a_collector_that_does_not_tell_its_requests_did_not_see_zero(page: bytes) -> None:
    seen = snapshot_from_collector(parse(page), "pod", 5)
    assert SignalKey(Signal.REQUESTS) not in seen.counters
    assert Signal.REQUESTS in seen.unknown


def test_a_collector_that_passes_blindly_is_not_a_quiet_one() -> None:
    with pytest.raises(UnusableError, match="without counting"):
        snapshot_from_collector(parse(COLLECTOR + b"modelward_collector_passing_blind 1\n"), "pod", 5)


@pytest.mark.parametrize("page", [b"", b"up 1", b"go_goroutines 5"])
def test_another_programs_page_is_not_taken_for_a_quiet_collector(page: bytes) -> None:
    with pytest.raises(NotACollectorError):
        snapshot_from_collector(parse(page), "pod", 5)


VLLM = b"""
vllm:num_requests_waiting{model_name="m"} 2
vllm:num_requests_running{model_name="m"} 3
vllm:kv_cache_usage_perc{model_name="m"} 0.4
vllm:request_success_total{finished_reason="stop",model_name="m"} 10
vllm:request_success_total{finished_reason="error",model_name="m"} 2
vllm:request_success_total{finished_reason="abort",model_name="m"} 1
vllm:prompt_tokens_total{model_name="m"} 1000
vllm:generation_tokens_total{model_name="m"} 500
vllm:time_to_first_token_seconds_bucket{le="0.1",model_name="m"} 5
vllm:time_to_first_token_seconds_bucket{le="+Inf",model_name="m"} 10
vllm:time_to_first_token_seconds_sum{model_name="m"} 2
vllm:time_per_output_token_seconds_bucket{le="0.1",model_name="m"} 7
vllm:time_per_output_token_seconds_bucket{le="+Inf",model_name="m"} 10
vllm:e2e_request_latency_seconds_bucket{le="10",model_name="m"} 10
vllm:e2e_request_latency_seconds_bucket{le="+Inf",model_name="m"} 10
"""


def test_an_engines_own_counts_stand_for_requests_nobody_else_saw() -> None:
    seen = snapshot_from_engine(parse(VLLM), "vllm", "pod", 5)
    assert seen.source == "engine"
    assert seen.gauges == {
        SignalKey(Signal.IN_FLIGHT, "m"): 5,
        SignalKey(Signal.ENGINE_WAITING): 2,
        SignalKey(Signal.ENGINE_RUNNING): 3,
        SignalKey(Signal.ENGINE_KV_USAGE): 0.4,
    }
    assert seen.counters == {
        SignalKey(Signal.REQUESTS, "m"): 13,
        SignalKey(Signal.ERRORS, "m"): 2,
        SignalKey(Signal.CANCELLED, "m"): 1,
        SignalKey(Signal.INPUT_TOKENS, "m"): 1000,
        SignalKey(Signal.OUTPUT_TOKENS, "m"): 500,
        SignalKey(Signal.ENGINE_REQUESTS): 13,
        SignalKey(Signal.ENGINE_PROMPT_TOKENS): 1000,
        SignalKey(Signal.ENGINE_GENERATION_TOKENS): 500,
    }
    assert seen.histograms[SignalKey(Signal.TTFT, "m")] == Histogram((0.1,), (5,), 2.0, 10)
    assert seen.histograms[SignalKey(Signal.TPOT, "m")].counts == (7,)
    assert seen.histograms[SignalKey(Signal.DURATION, "m")].counts == (10,)


def test_an_engine_that_nobody_named_is_read_as_the_one_that_its_page_speaks_of() -> None:
    assert snapshot_from_engine(parse(VLLM), "generic", "pod", 5) == snapshot_from_engine(parse(VLLM), "vllm", "pod", 5)


def test_requests_that_clients_dropped_are_no_errors() -> None:
    page = b'tgi_request_failure{err="dropped"} 3\ntgi_request_failure{err="overloaded"} 2\ntgi_request_count 50'
    seen = snapshot_from_engine(parse(page), "tgi", "pod", 5)
    assert seen.counters[SignalKey(Signal.ERRORS)] == 0
    assert seen.counters[SignalKey(Signal.OVERLOADS)] == 2
    assert seen.counters[SignalKey(Signal.CANCELLED)] == 3
    assert seen.counters[SignalKey(Signal.REQUESTS)] == 50


@pytest.mark.parametrize(
    ("engine", "page", "why"),
    [
        ("ollama", VLLM, "none of its 10 metrics is one that engine ollama is known by"),
        ("sglang", VLLM, "engine sglang is known by; set spec.engine: vllm, which they are of"),
        ("generic", b"up 1", r"none of its 1 metrics is one that an engine is known by \(vllm, sglang, tgi"),
        ("generic", VLLM + b"tgi_queue_size 1\n", "metrics of vllm and tgi; set spec.engine to the one that serves"),
        ("generic", b"tgi_queue_size NaN", "no number in any metric that engine tgi is known by"),
        ("vllm", b"", "none of its 0 metrics"),
        (
            "vllm",
            b"vllm:num_requests_running NaN\nvllm:e2e_request_latency_seconds_bucket 5",
            "no number in any metric",
        ),
    ],
)
def test_an_engines_page_that_says_nothing_is_no_reading(engine: str, page: bytes, why: str) -> None:
    with pytest.raises(UnusableError, match=why):
        snapshot_from_engine(parse(page), engine, "pod", 5)


def test_a_part_of_what_is_in_flight_is_not_taken_for_the_whole() -> None:
    seen = snapshot_from_engine(parse(VLLM.replace(b"num_requests_running", b"renamed")), "vllm", "pod", 5)
    assert SignalKey(Signal.IN_FLIGHT, "m") not in seen.gauges
    assert seen.unknown == {Signal.IN_FLIGHT}


def test_one_series_without_a_number_makes_its_sum_unknown_and_nothing_else() -> None:
    page = VLLM.replace(b'{finished_reason="error",model_name="m"} 2', b'{finished_reason="error",model_name="m"} NaN')
    seen = snapshot_from_engine(parse(page), "vllm", "pod", 5)
    assert seen.unknown == {Signal.REQUESTS, Signal.ERRORS, Signal.ENGINE_REQUESTS}
    assert not {SignalKey(Signal.REQUESTS, "m"), SignalKey(Signal.ERRORS, "m")} & seen.counters.keys()
    assert seen.counters[SignalKey(Signal.CANCELLED, "m")] == 1


def test_values_too_large_to_count_are_unknown_and_break_no_sum() -> None:
    page = (
        b'vllm:num_requests_waiting 1\nvllm:num_requests_running{e="0"} 1e308\nvllm:num_requests_running{e="1"} 1e308'
    )
    seen = snapshot_from_engine(parse(page), "vllm", "pod", 5)
    assert seen.gauges == {SignalKey(Signal.ENGINE_WAITING): 1}
    assert seen.unknown == {Signal.IN_FLIGHT, Signal.ENGINE_RUNNING}


def test_a_page_of_too_many_models_is_refused_and_a_long_name_is_cut() -> None:
    many = b"".join(b'vllm:prompt_tokens_total{model_name="m%d"} 1\n' % place for place in range(MAX_MODELS + 1))
    with pytest.raises(UnusableError, match="it names 101 models, at most 100"):
        snapshot_from_engine(parse(many), "vllm", "pod", 5)
    long = b'vllm:prompt_tokens_total{model_name="%b"} 1\n' % (b"m" * 1000)
    assert snapshot_from_engine(parse(long), "vllm", "pod", 5).models == {"m" * 253}


def test_a_broken_histogram_is_absent_and_the_rest_stays() -> None:
    page = VLLM.replace(b'_seconds_bucket{le="+Inf",model_name="m"} 10', b'_seconds_bucket{le="+Inf",model_name="m"} 1')
    seen = snapshot_from_engine(parse(page), "vllm", "pod", 5)
    assert seen.histograms == {}
    assert SignalKey(Signal.REQUESTS, "m") in seen.counters
