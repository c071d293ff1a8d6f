"""What is measured of an endpoint, in the words of no engine: objectives are set on signals, pages are read as them."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """One neutral signal. Counters are cumulative, durations in seconds, ratios from 0 to 1.

    REQUESTS counts all that finished; ERRORS what the endpoint did wrong, CLIENT_ERRORS and OVERLOADS what it refused.
    """

    REQUESTS = "requests"
    ERRORS = "errors"
    CLIENT_ERRORS = "client_errors"
    OVERLOADS = "overloads"
    CANCELLED = "cancelled"
    IN_FLIGHT = "in_flight"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CACHED_INPUT_TOKENS = "cached_input_tokens"
    """Of the input tokens, those that the server had read before; absent where it never says so."""
    COUNTED_REQUESTS = "counted_requests"
    """Requests of which output tokens are known."""
    CHUNKS = "chunks"
    JUDGED_REQUESTS = "judged_requests"
    JUDGED_IN_FLIGHT = "judged_in_flight"
    JUDGED_INPUT_TOKENS = "judged_input_tokens"
    JUDGED_OUTPUT_TOKENS = "judged_output_tokens"
    """Of requests that a signed mark shows to be questions to a judge; in none of the signals before."""
    PROBE_REQUESTS = "probe_requests"
    PROBE_IN_FLIGHT = "probe_in_flight"
    PROBE_INPUT_TOKENS = "probe_input_tokens"
    PROBE_OUTPUT_TOKENS = "probe_output_tokens"
    """The same of all other marked requests."""
    TTFT = "time_to_first_token"
    TPOT = "time_per_output_token"
    DURATION = "duration"
    ENGINE_UP = "engine_up"
    ENGINE_WAITING = "engine_waiting"
    ENGINE_RUNNING = "engine_running"
    ENGINE_KV_USAGE = "engine_kv_cache_usage"
    ENGINE_REQUESTS = "engine_requests"
    ENGINE_PROMPT_TOKENS = "engine_prompt_tokens"
    ENGINE_GENERATION_TOKENS = "engine_generation_tokens"

    @property
    def of_engine(self) -> bool:
        """Read from the engine, so that it is missing, not zero, whenever the engine does not answer."""
        return self.value.startswith("engine_")
