"""What an inference engine exports about itself, in the names of vLLM and of llama.cpp's server."""

from dataclasses import dataclass, field

_FIRST_TOKEN_BOUNDS_SECONDS = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Counters:
    """Counts since the start, and gauges of now."""

    model: str
    slots: int
    requests: int = 0
    finished: int = 0
    prompt: int = 0
    generated: int = 0
    running: int = 0
    waiting: int = 0
    first_token_buckets: list[int] = field(default_factory=lambda: [0] * len(_FIRST_TOKEN_BOUNDS_SECONDS))
    first_token_count: int = 0
    first_token_sum: float = 0.0

    def started(self, prompt_tokens: int, seconds: float) -> None:
        """Note that a request came to its first token."""
        self.prompt += prompt_tokens
        self.first_token_count += 1
        self.first_token_sum += seconds
        for index, bound in enumerate(_FIRST_TOKEN_BOUNDS_SECONDS):
            self.first_token_buckets[index] += seconds <= bound


def render(counters: Counters, dialect: str) -> str:
    """Prometheus text 0.0.4 in the dialect `vllm` or `llamacpp`."""
    return _vllm(counters) if dialect == "vllm" else _llamacpp(counters)


def _llamacpp(counters: Counters) -> str:
    return "".join(
        f"# TYPE llamacpp:{name} {kind}\nllamacpp:{name} {value}\n"
        for name, kind, value in (
            ("prompt_tokens_total", "counter", counters.prompt),
            ("tokens_predicted_total", "counter", counters.generated),
            ("n_decode_total", "counter", counters.generated),
            ("requests_processing", "gauge", counters.running),
            ("requests_deferred", "gauge", counters.waiting),
        )
    )


def _vllm(counters: Counters) -> str:
    label = f'{{model_name="{counters.model}"}}'
    usage = counters.running / counters.slots
    lines = []
    for name, kind, value in (
        ("num_requests_running", "gauge", counters.running),
        ("num_requests_waiting", "gauge", counters.waiting),
        ("kv_cache_usage_perc", "gauge", usage),
        ("prompt_tokens_total", "counter", counters.prompt),
        ("generation_tokens_total", "counter", counters.generated),
    ):
        lines += [f"# TYPE vllm:{name} {kind}", f"vllm:{name}{label} {value}"]
    succeeded = f'{{finished_reason="stop",model_name="{counters.model}"}}'
    lines += ["# TYPE vllm:request_success_total counter", f"vllm:request_success_total{succeeded} {counters.finished}"]
    return "\n".join([*lines, *_first_token(counters)]) + "\n"


def _first_token(counters: Counters) -> list[str]:
    name = "vllm:time_to_first_token_seconds"
    model = f'model_name="{counters.model}"'
    bounds = [*map(str, _FIRST_TOKEN_BOUNDS_SECONDS), "+Inf"]
    counts = [*counters.first_token_buckets, counters.first_token_count]
    buckets = [f'{name}_bucket{{le="{le}",{model}}} {n}' for le, n in zip(bounds, counts, strict=True)]
    return [
        f"# TYPE {name} histogram",
        *buckets,
        f"{name}_sum{{{model}}} {counters.first_token_sum}",
        f"{name}_count{{{model}}} {counters.first_token_count}",
    ]
