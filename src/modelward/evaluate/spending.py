"""What a request to a model may spend at most, and what its answer says was spent; by the forms of OpenAI's API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelward.api.budget import MAX_COUNTED, Spend, TokenPrices
from modelward.evaluate.port import PortError, ScoringReply

TEMPLATE_TOKENS = 64
"""What a server's chat template adds around the messages."""
_ASKS = ("messages", "prompt", "input")
_MOST_OUTPUT = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_CHOICES = ("n", "best_of")
_NOT_SERVED = (*range(400, 500), 503)
"""Statuses of answers for which nothing was generated: the request was refused before it began."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of a request and of its answer."""

    input: int = 0
    output: int = 0

    def spend(self, prices: TokenPrices | None) -> Spend:
        """Return them with their cost; without prices they cost nothing."""
        cost = self.input * prices.input + self.output * prices.output if prices else 0
        return Spend(self.input + self.output, cost)


def worst_case(body: bytes) -> TokenCount | None:
    """Return the most tokens that a request can spend; None of one that asks no model. Raises PortError.

    No token is shorter than a byte of the text that it stands for, so a body has no more of them than bytes. An answer
    has no more than the request allows, which therefore must say it.
    """
    request = _object(body)
    if not request or not any(name in request for name in _ASKS):
        return None
    most = next((request[name] for name in _MOST_OUTPUT if _is_count(request.get(name))), None)
    if most is None:
        raise PortError("the request sets no max_tokens, so it is not known what it may spend")
    answers = max(1, *(request[name] for name in _CHOICES if _is_count(request.get(name))), 1)
    return TokenCount(len(body) + TEMPLATE_TOKENS, most * answers)


def used(reply: ScoringReply) -> TokenCount | None:
    """Return the tokens that an answer says were spent; None where it does not say."""
    if reply.status in _NOT_SERVED:
        return TokenCount()
    usage = _object(reply.body).get("usage")
    if not isinstance(usage, Mapping):
        return None
    asked: Any = usage.get("prompt_tokens")
    answered: Any = usage.get("completion_tokens")
    if asked is None:  # the Messages API counts what was read from and written to a cache apart
        parts = [usage.get(name) or 0 for name in _INPUT]
        asked, answered = (sum(parts) if all(map(_is_count, parts)) else None), usage.get("output_tokens")
    answered = 0 if answered is None and _is_count(usage.get("total_tokens")) else answered
    return TokenCount(int(asked), int(answered)) if _is_count(asked) and _is_count(answered) else None


_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNTED >> 8


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}
