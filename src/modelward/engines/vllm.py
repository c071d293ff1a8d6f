"""vLLM: https://docs.vllm.ai/en/latest/usage/metrics.html."""

from modelward.engines.engine import Dialect, Engine

ENGINE = Engine(
    name="vllm",
    title="vLLM",
    metrics_path="/metrics",
    health_path="/health",
    dialect=Dialect(
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
    ),
)
