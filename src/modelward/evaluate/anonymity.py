"""What may be told of texts: only what many conversations of several callers share, and no detector calls private."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from modelward.api.exchange import Exchange
from modelward.privacy.redaction import found_in

ExchangeText: TypeAlias = tuple[Exchange, str]

CONVERSATIONS = 20
"""A group of fewer is not shown at all."""
CALLERS = 5
WORD_CONVERSATIONS = 5
"""A word of fewer is not shown."""
MAX_CHECKED = 50
"""Texts with a word in which the detectors look for it."""
_MASK = re.compile(r"\[[A-Z][A-Z_]*\]")
_WORD = re.compile(r"[^\W\d_]{3,24}")


def conversation_of(exchange: Exchange) -> str:
    """Return the key of an exchange's conversation; one that names none is a conversation of its own.

    Only for what may be shown. Those who begin with the same words share a key where they name no conversation; they
    may be one person, so here they count as one, and statistics (`conversations_of`) may take them for many.
    """
    return exchange.conversation or f"exchange {exchange.id}"


def callers(exchanges: Iterable[Exchange]) -> int:
    """Return of how many callers these are at least.

    Where callers are named, all that are not count as one. Where none is named, nothing tells callers apart but their
    conversations, so these stand for them.
    """
    rows = list(exchanges)
    named = {one.caller for one in rows}
    return len(named) if named - {""} else len({conversation_of(one) for one in rows})


def may_be_shown(exchanges: Sequence[Exchange]) -> bool:
    """Return whether a group is large enough that its words are not of one person."""
    return len({conversation_of(one) for one in exchanges}) >= CONVERSATIONS and callers(exchanges) >= CALLERS


def words_in(text: str) -> list[str]:
    """Return the words of a text in lower case: letters only, without masks, numbers and what is shorter than 3."""
    return [word.lower() for word in _WORD.findall(_MASK.sub(" ", text))]


def shown_words(rows: Sequence[ExchangeText]) -> Mapping[str, int]:
    """Return the words of these texts that enough conversations of enough callers share, with how many do.

    What a detector finds in any text checked is left out; ask `clear` before one is shown.
    """
    of_word: dict[str, set[str]] = defaultdict(set)
    by_caller: dict[str, set[str]] = defaultdict(set)
    named = any(exchange.caller for exchange, _ in rows)
    for exchange, text in rows:
        for word in set(words_in(text)):
            of_word[word].add(conversation_of(exchange))
            by_caller[word].add(exchange.caller if named else conversation_of(exchange))
    return {
        word: len(found)
        for word, found in of_word.items()
        if len(found) >= WORD_CONVERSATIONS and len(by_caller[word]) >= CALLERS
    }


def clear(word: str, texts: Iterable[str]) -> bool:
    """Return whether no detector of personal data or secrets finds the word in the texts that hold it."""
    holding = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    checked = 0
    for text in texts:
        places = [match.span() for match in holding.finditer(text)]
        if not places:
            continue
        if any(span.start < end and start < span.end for span in found_in(text) for start, end in places):
            return False
        checked += 1
        if checked == MAX_CHECKED:
            break
    return True


def telling_words(
    group: Sequence[ExchangeText], all_counts: Mapping[str, int], conversations: int, most: int = 3
) -> list[str]:
    """Return the words that are frequent in a group and rare elsewhere, the most telling first (class-based TF-IDF).

    `all_counts` are conversations with a word among all `conversations`; none where the group may not be shown.
    """
    if not may_be_shown([exchange for exchange, _ in group]):
        return []
    ranked = Counter(
        {
            word: count * math.log((1 + conversations) / max(count, all_counts.get(word, 0)))
            for word, count in shown_words(group).items()
        }
    )
    texts = [text for _, text in group]
    ordered = sorted(ranked.items(), key=lambda row: (-row[1], row[0]))
    found: list[str] = []
    for word, _ in ordered:
        if len(found) == most:
            break
        if clear(word, texts):
            found.append(word)
    return found


def conversations_with(rows: Iterable[ExchangeText]) -> Mapping[str, int]:
    """Return in how many conversations each word stands."""
    of_word: dict[str, set[str]] = defaultdict(set)
    for exchange, text in rows:
        for word in set(words_in(text)):
            of_word[word].add(conversation_of(exchange))
    return {word: len(found) for word, found in of_word.items()}
