"""TensorRT-LLM as `trtllm-serve`; Dynamo passes the same names on under `trtllm:`."""

from modelward.engines.engine import Dialect, Engine

ENGINE = Engine(
    name="trtllm",
    title="TensorRT-LLM",
    metrics_path="/prometheus/metrics",
    health_path="/health",
    dialect=Dialect(
        waiting=("trtllm_num_requests_waiting", "trtllm:num_requests_waiting"),
        running=("trtllm_num_requests_running", "trtllm:num_requests_running"),
        kv_cache_usage=("trtllm_kv_cache_utilization", "trtllm:kv_cache_utilization"),
        requests=("trtllm_request_success_total", "trtllm:request_success_total"),
        time_to_first_token=("trtllm_time_to_first_token_seconds", "trtllm:time_to_first_token_seconds"),
        time_per_output_token=("trtllm_time_per_output_token_seconds", "trtllm:time_per_output_token_seconds"),
        duration=("trtllm_e2e_request_latency_seconds", "trtllm:e2e_request_latency_seconds"),
    ),
)
