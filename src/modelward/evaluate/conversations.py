"""Which exchanges are of one conversation, because what is of one is alike and tells less than as many of many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from modelward.api.exchange import Exchange


def conversations_of(exchanges: Sequence[Exchange]) -> list[str]:
    """Return a name for the conversation of each exchange, in order; one without a key is a conversation by itself.

    A client that names no conversation is known by how it began. Callers who begin with the same words, as with a
    frequent question or a prompt from a template, have one key then: an exchange that is all opening, of the same words
    as another, is a conversation of its own. Openings of other words under one key are of a conversation with a name,
    whose client sends the newest turn alone.
    """
    begun: dict[str, set[str]] = defaultdict(set)
    openings = [_opening(exchange) for exchange in exchanges]
    for exchange, opening in zip(exchanges, openings, strict=True):
        if opening is not None:
            begun[exchange.conversation].add(opening)
    return [
        f"#{place}"
        if not exchange.conversation or (opening is not None and len(begun[exchange.conversation]) == 1)
        else exchange.conversation
        for place, (exchange, opening) in enumerate(zip(exchanges, openings, strict=True))
    ]


def _opening(exchange: Exchange) -> str | None:
    """Return the words of an exchange that has one turn of the user and none of the model; else None."""
    turns = [message for message in exchange.messages if message.role in ("user", "assistant")]
    return turns[0].text if len(turns) == 1 and turns[0].role == "user" and turns[0].text else None
