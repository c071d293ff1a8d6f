"""SGLang, started with `--enable-metrics`: https://docs.sglang.io/references/production_metrics.html."""

from modelward.engines.engine import Dialect, Engine

ENGINE = Engine(
    name="sglang",
    title="SGLang",
    metrics_path="/metrics",
    health_path="/health",
    dialect=Dialect(
        waiting=("sglang:num_queue_reqs",),
        running=("sglang:num_running_reqs",),
        kv_cache_usage=("sglang:token_usage",),
        requests=("sglang:num_requests_total",),
        prompt_tokens=("sglang:prompt_tokens_total",),
        generation_tokens=("sglang:generation_tokens_total",),
        time_to_first_token=("sglang:time_to_first_token_seconds",),
        time_per_output_token=("sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds"),
        duration=("sglang:e2e_request_latency_seconds",),
    ),
)
