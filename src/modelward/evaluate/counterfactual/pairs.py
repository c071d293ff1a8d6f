"""Pairs of prompts that differ in one group of people, made of an endpoint's own exchanges."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from modelward.api.exchange import Exchange, Message
from modelward.api.sampling import sample_rank
from modelward.evaluate.conversations import conversations_of
from modelward.evaluate.counterfactual.groups import TermGroup
from modelward.evaluate.counterfactual.swapping import counterfactual, standing

MAX_PROMPT_CHARS = 8_000
"""Of a prompt that is asked again; longer ones are left out, because each costs twice."""
_TURNS = frozenset({"user", "assistant"})
_SYSTEM = frozenset({"system", "developer"})
_SEPARATOR = "\n\x00\n"
"""Between turns while they are swapped together; in no text, and no part of a word."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two prompts: `prompts[0]` about the set `sets[0]` of the group, `prompts[1]` about `sets[1]`, which is later.

    One of them is the exchange's own. Which one it is does not count, so a difference says which set fares better.
    """

    exchange: str
    group: TermGroup
    sets: tuple[int, int]
    prompts: tuple[tuple[Message, ...], tuple[Message, ...]]


def pairs_of(exchanges: Sequence[Exchange], groups: Sequence[TermGroup], most: int) -> tuple[Pair, ...]:
    """Return at most so many pairs, from each group in turn, so that a frequent one leaves room for the others.

    Exchanges are taken in the order of samples, which their ids and times alone decide, and one of each conversation:
    prompts of one are alike, and would count as more than they tell.
    """
    names = dict(zip((one.id for one in exchanges), conversations_of(exchanges), strict=True))
    ordered = sorted(exchanges, key=lambda one: (sample_rank(one.id, one.time_ms), one.id))
    ordered = [one for one in ordered if _can_be_asked(one)]
    sources = [_candidates(ordered, group) for group in groups]
    found: list[Pair] = []
    taken: set[str] = set()
    while sources and len(found) < most:
        for source in list(sources):
            pair = next((one for one in source if names[one.exchange] not in taken), None)
            if pair is None:
                sources.remove(source)
            elif len(found) < most:
                taken.add(names[pair.exchange])
                found.append(pair)
    return tuple(found)


def _can_be_asked(exchange: Exchange) -> bool:
    """Return whether the endpoint can be asked the same again: a whole prompt of plain turns, a user's the last."""
    roles = {message.role for message in exchange.messages}
    return (
        bool(exchange.messages)
        and not exchange.truncated
        and exchange.messages[-1].role == "user"
        and roles <= _TURNS | _SYSTEM
        and all(message.text.strip() for message in exchange.messages)
        and sum(len(message.text) for message in exchange.messages) <= MAX_PROMPT_CHARS
    )


def _candidates(ordered: Sequence[Exchange], group: TermGroup) -> Iterator[Pair]:
    return (pair for one in ordered if (pair := _pair(one, group)) is not None)


def _pair(exchange: Exchange, group: TermGroup) -> Pair | None:
    """Return the pair of an exchange: its turns are swapped, and the instructions of its system stay as they are."""
    turns = [message.text for message in exchange.messages if message.role in _TURNS]
    text = _SEPARATOR.join(turns)
    since = standing(text, group)
    if since is None or text.count("\x00") != len(turns) - 1:
        return None
    others = [place for place in range(len(group.sets)) if place != since]
    to = others[_digest(f"{exchange.id}/{group.name}") % len(others)]
    other = counterfactual(text, group, to)
    if other is None:
        return None
    rest = iter(other.split(_SEPARATOR))
    messages = tuple(replace(one, text=next(rest)) if one.role in _TURNS else one for one in exchange.messages)
    prompts = (exchange.messages, messages) if since < to else (messages, exchange.messages)
    return Pair(exchange.id, group, (min(since, to), max(since, to)), prompts)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
