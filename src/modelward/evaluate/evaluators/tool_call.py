"""An answer that calls a tool says nothing to a reader; where it is captured, its text is the call."""

from __future__ import annotations

from modelward.api.exchange import Exchange

_REASONS = frozenset({"tool_calls", "tool_use", "function_call"})


def is_tool_call(exchange: Exchange) -> bool:
    """Return whether the model ended its answer to call a tool."""
    return exchange.finish_reason.lower() in _REASONS
