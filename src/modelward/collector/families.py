"""Every metric family that a collector exports, with its labels and buckets.

Names and boundaries follow the OpenTelemetry GenAI conventions (`docs/gen-ai/gen-ai-metrics.md` of
open-telemetry/semantic-conventions-genai); their time to first token ends at 10 s, which is too early for long prompts,
so 15 to 120 s are added, and 1 to 5 ms below their first bound for fast engines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TTFT = "gen_ai_server_time_to_first_token_seconds"
DURATION = "gen_ai_server_request_duration_seconds"
TPOT = "gen_ai_server_time_per_output_token_seconds"
INTER_CHUNK = "modelward_inter_chunk_seconds"
TOKENS = "gen_ai_client_token_usage"
REQUESTS = "modelward_requests_total"
OTHER_REQUESTS = "modelward_other_requests_total"
STARTED = "modelward_requests_started_total"
IN_FLIGHT = "modelward_requests_in_flight"
CHUNKS = "modelward_chunks_total"
CALLER_REQUESTS = "modelward_caller_requests_total"
CALLER_TOKENS = "modelward_caller_tokens_total"
CALLER_COST = "modelward_caller_cost_total"
CALLER_UNPRICED = "modelward_caller_unpriced_requests_total"
CACHED_TOKENS = "modelward_cached_input_tokens_total"
MARKED_REQUESTS = "modelward_marked_requests_total"
MARKED_IN_FLIGHT = "modelward_marked_requests_in_flight"
MARKED_TOKENS = "modelward_marked_token_usage"
CONFIG_INFO = "modelward_collector_config_info"
CONFIG_ERRORS = "modelward_collector_config_errors_total"
CAPTURED = "modelward_collector_captured_total"
DROPPED = "modelward_collector_capture_dropped_total"
SENT = "modelward_collector_sent_total"
OBSERVER_ERRORS = "modelward_collector_observer_errors_total"
UNREAD = "modelward_unread_answers_total"
UPSTREAM_ERRORS = "modelward_collector_upstream_errors_total"
UPSTREAM_UP = "modelward_collector_upstream_up"
REFUSED = "modelward_collector_refused_requests_total"
REFUSED_CONNECTIONS = "modelward_collector_refused_connections_total"
RESTARTS = "modelward_collector_restarts_total"
BLIND = "modelward_collector_passing_blind"
INFO = "modelward_collector_info"
ENGINE_UP = "modelward_engine_up"
ENGINE_INFO = "modelward_engine_info"
ENGINE_PROBLEM = "modelward_engine_problem_info"
HANDED_BYTES = "handed_bytes"
TAKEN_BYTES = "taken_bytes"
HEARTBEAT = "heartbeat"
LEAVING = "leaving"
ENGINE_QUEUE = "engine_queue"
ORIGIN_KEYS, ORIGIN_KEY_WORDS = "origin_keys", 8
"""The last six are read by the collector's own processes and not exported."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family: its Prometheus type, help text, label names and, for a histogram, bucket bounds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Values that a series of this family holds: for a histogram its buckets, +Inf and the sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


_SERIES = ("model", "revision")
_TTFT_BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0)
_LONG_BOUNDS = (30.0, 60.0, 120.0)
_DURATION_BOUNDS = tuple(0.01 * 2**n for n in range(14))
_TPOT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKEN_BOUNDS = tuple(float(4**n) for n in range(14))

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            TTFT,
            "histogram",
            "Request complete to first generated content, streams only.",
            _SERIES,
            _TTFT_BOUNDS + _LONG_BOUNDS,
        ),
        Family(
            DURATION,
            "histogram",
            "Request complete to last byte of the answer.",
            (*_SERIES, "operation", "code"),
            _DURATION_BOUNDS,
        ),
        Family(TPOT, "histogram", "(duration - first token) / (output tokens - 1), from usage.", _SERIES, _TPOT_BOUNDS),
        Family(
            INTER_CHUNK, "histogram", "Time between streamed events; an event is not a token.", _SERIES, _TPOT_BOUNDS
        ),
        Family(
            TOKENS,
            "histogram",
            "Tokens per request as the engine counted them.",
            (*_SERIES, "gen_ai_token_type"),
            _TOKEN_BOUNDS,
        ),
        Family(
            REQUESTS,
            "counter",
            "Requests finished, by whose doing the end was.",
            (*_SERIES, "operation", "code", "outcome"),
        ),
        Family(
            OTHER_REQUESTS, "counter", "Finished requests that ask no model: listings, probes.", ("revision", "code")
        ),
        Family(STARTED, "counter", "Requests begun.", ("revision",)),
        Family(IN_FLIGHT, "gauge", "Requests begun and not finished.", ("revision",)),
        Family(CHUNKS, "counter", "Streamed events; not tokens.", _SERIES),
        Family(CALLER_REQUESTS, "counter", "Requests finished, by who asked.", ("caller", *_SERIES)),
        Family(
            CALLER_TOKENS,
            "counter",
            "Tokens by who asked, as the engine counted them.",
            ("caller", *_SERIES, "gen_ai_token_type"),
        ),
        Family(
            CALLER_COST,
            "counter",
            "What tokens cost by who asked, at the price of that moment, in units of the currency.",
            ("caller", *_SERIES, "currency"),
        ),
        Family(
            CALLER_UNPRICED,
            "counter",
            "Requests that are in no cost: a model without a price, or an answer without usage.",
            ("caller", *_SERIES, "reason"),
        ),
        Family(
            CACHED_TOKENS,
            "counter",
            "Input tokens that the server had read before, where it says so; input tokens have them too.",
            _SERIES,
        ),
        Family(
            MARKED_REQUESTS,
            "counter",
            "Requests with a signed mark: no user's, and in none of the series of users' requests.",
            ("origin", "revision", "code", "outcome"),
        ),
        Family(
            MARKED_IN_FLIGHT, "gauge", "Requests with a signed mark, begun and not finished.", ("origin", "revision")
        ),
        Family(
            MARKED_TOKENS,
            "histogram",
            "Tokens per request with a signed mark.",
            ("origin", "revision", "gen_ai_token_type"),
            _TOKEN_BOUNDS,
        ),
        Family(UNREAD, "counter", "Answers that could not be read: no first token and no tokens of them."),
        Family(CONFIG_INFO, "gauge", "The configuration that is in force.", ("generation",)),
        Family(CONFIG_ERRORS, "counter", "Configuration files that could not be read, or not in all fields."),
        Family(CAPTURED, "counter", "Exchanges handed to the capture worker."),
        Family(DROPPED, "counter", "Exchanges that were to be captured and were dropped.", ("reason",)),
        Family(SENT, "counter", "Exchanges that the hub accepted."),
        Family(OBSERVER_ERRORS, "counter", "Exchanges whose observation failed; their bytes passed."),
        Family(UPSTREAM_ERRORS, "counter", "Failures of the model server as seen here.", ("reason",)),
        Family(UPSTREAM_UP, "gauge", "0 once no model server has accepted a connection for 30 s, 1 when one does."),
        Family(REFUSED, "counter", "Requests refused because they were not valid HTTP.", ("code",)),
        Family(REFUSED_CONNECTIONS, "counter", "Connections refused because the open-file limit was reached."),
        Family(RESTARTS, "counter", "Processes started again after they ended.", ("process",)),
        Family(BLIND, "gauge", "1 while bytes are passed without looking at them."),
        Family(INFO, "gauge", "The collector's version.", ("version",)),
        Family(ENGINE_UP, "gauge", "1 if the engine's own metrics could be read."),
        Family(ENGINE_INFO, "gauge", "What the engine's own metrics page was taken for.", ("engine",)),
        Family(ENGINE_PROBLEM, "gauge", "1 while the engine's own metrics cannot be read.", ("problem",)),
    )
}
