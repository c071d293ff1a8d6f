"""Each engine's own words, in one language."""

import pytest

from modelward.metrics.dialects import NEUTRAL_NAMES, neutral
from modelward.metrics.exposition import parse

WAITING, RUNNING, KV, REQUESTS, PROMPT, GENERATION = NEUTRAL_NAMES

VLLM = b"""
vllm:num_requests_waiting{engine="0",model_name="m"} 2
vllm:num_requests_waiting{engine="1",model_name="m"} 1
vllm:num_requests_running{engine="0",model_name="m"} 5
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:request_success_total{finished_reason="stop",model_name="m"} 10
vllm:request_success_total{finished_reason="length",model_name="m"} 4
vllm:prompt_tokens_total{model_name="m"} 1000
vllm:generation_tokens_total{model_name="m"} 500
"""


def test_sums_ranks_and_takes_the_fullest_cache() -> None:
    assert neutral(parse(VLLM), "vllm") == {
        WAITING: 3,
        RUNNING: 5,
        KV: 0.75,
        REQUESTS: 14,
        PROMPT: 1000,
        GENERATION: 500,
    }


@pytest.mark.parametrize(
    ("engine", "page", "expected"),
    [
        ("vllm", b"vllm:gpu_cache_usage_perc 0.5", {KV: 0.5}),
        ("vllm", b"vllm:gpu_cache_usage_perc 0.5\nvllm:kv_cache_usage_perc 0.6", {KV: 0.6}),
        ("sglang", b"sglang:num_queue_reqs 1\nsglang:num_running_reqs 2", {WAITING: 1, RUNNING: 2}),
        ("sglang", b"sglang:token_usage 0.3\nsglang:num_requests_total 9", {KV: 0.3, REQUESTS: 9}),
        ("tgi", b"tgi_queue_size 4\ntgi_batch_current_size 8", {WAITING: 4, RUNNING: 8}),
        ("tgi", b"tgi_request_input_length_sum 70\ntgi_request_generated_tokens_sum 30", {PROMPT: 70, GENERATION: 30}),
        ("trtllm", b"trtllm_num_requests_waiting 6\ntrtllm_kv_cache_utilization 0.9", {WAITING: 6, KV: 0.9}),
        ("trtllm", b"trtllm:num_requests_waiting 6", {WAITING: 6}),
        ("llamacpp", b"llamacpp:requests_deferred 3\nllamacpp:requests_processing 1", {WAITING: 3, RUNNING: 1}),
        ("llamacpp", b"llamacpp:tokens_predicted_total 42", {GENERATION: 42}),
        ("ollama", VLLM, {}),
        ("openai", VLLM, {}),
        ("generic", b"something_else 1", {}),
        ("generic", b"vllm:num_requests_waiting 1\nsglang:num_queue_reqs 2", {}),
        ("an engine of tomorrow", VLLM, {}),
    ],
)
def test_knows_the_engines_names(engine: str, page: bytes, expected: dict[str, float]) -> None:
    assert neutral(parse(page), engine) == expected


@pytest.mark.parametrize(
    ("engine", "page"),
    [
        ("vllm", VLLM),
        ("sglang", b"sglang:num_queue_reqs 1\nsglang:num_running_reqs 2"),
        ("tgi", b"tgi_queue_size 4\ntgi_batch_current_size 8"),
        ("trtllm", b"trtllm:num_requests_waiting 6"),
        ("llamacpp", b"llamacpp:requests_deferred 3\nllamacpp:requests_processing 1"),
    ],
)
def test_an_engine_that_nobody_named_is_recognised_by_its_words(engine: str, page: bytes) -> None:
    assert neutral(parse(page + b"\npython_info 1"), "generic") == neutral(parse(page), engine) != {}


def test_what_is_not_on_the_page_is_absent() -> None:
    assert neutral(parse(b"something_else 1"), "vllm") == {}


def test_a_value_that_is_no_number_is_absent() -> None:
    page = parse(b"vllm:num_requests_waiting NaN\nvllm:num_requests_running -1\nvllm:kv_cache_usage_perc +Inf")
    assert neutral(page, "vllm") == {}


def test_a_ratio_stays_a_ratio() -> None:
    assert neutral(parse(b"vllm:kv_cache_usage_perc 1.02"), "vllm") == {KV: 1.0}
