"""Which exchanges are of one conversation, because what is of one is alike and tells less than as many of many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelward.api.exchange import Exchange
from modelward.evaluate.statistics.permutation import ConversationSums, by_conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def conversations_of(exchanges: Sequence[Exchange]) -> list[str]:
    """Return a name for the conversation of each exchange, in order; one without a key is a conversation by itself.

    Verdicts and comparisons of windows count by it. Two samples that are compared are named together.

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
        f"exchange {exchange.id}"
        if not exchange.conversation or (opening is not None and len(begun[exchange.conversation]) == 1)
        else exchange.conversation
        for exchange, opening in zip(exchanges, openings, strict=True)
    ]


def by_sample(
    features: NDArray[np.float64], weights: NDArray[np.float64], exchanges: Sequence[Exchange], size: int
) -> tuple[ConversationSums, ConversationSums]:
    """Sum up features of exchanges, [exchanges, features], by conversation: of the first `size`, and of the others."""
    names = conversations_of(exchanges)
    first, second = (
        by_conversation(features[part], weights[part], names[part]) for part in (slice(0, size), slice(size, None))
    )
    return first, second


def _opening(exchange: Exchange) -> str | None:
    """Return the words of an exchange that has one turn of the user and none of the model; else None."""
    turns = [message for message in exchange.messages if message.role in ("user", "assistant")]
    return turns[0].text if len(turns) == 1 and turns[0].role == "user" and turns[0].text else None
