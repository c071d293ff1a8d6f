"""llama.cpp's `llama-server`, started with `--metrics`: https://github.com/ggml-org/llama.cpp/tree/master/tools/server."""

from modelward.engines.engine import Dialect, Engine

ENGINE = Engine(
    name="llamacpp",
    title="llama.cpp",
    metrics_path="/metrics",
    health_path="/health",
    dialect=Dialect(
        waiting=("llamacpp:requests_deferred",),
        running=("llamacpp:requests_processing",),
        kv_cache_usage=("llamacpp:kv_cache_usage_ratio",),
        prompt_tokens=("llamacpp:prompt_tokens_total",),
        generation_tokens=("llamacpp:tokens_predicted_total",),
    ),
)
