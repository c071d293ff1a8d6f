"""Text Generation Inference: https://huggingface.co/docs/text-generation-inference/reference/metrics."""

from modelward.engines.engine import Dialect, Engine

ENGINE = Engine(
    name="tgi",
    title="TGI",
    metrics_path="/metrics",
    health_path="/health",
    dialect=Dialect(
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
    ),
)
