"""Whether a text goes round in circles, as a model that has lost its way does."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence

WINDOW, GRAM = 120, 4
"""Words that are looked at together, and how many of them make one piece of it."""
MIN_WORDS = 40
MIN_DISTINCT = 0.45
"""Share of distinct pieces below which a window repeats itself; prose has .9 and more, tables of figures .6."""
MIN_UNBROKEN = 120
"""Characters without a space from which a run of them is looked at as such."""
MAX_DENSITY = 0.2
"""Compressed size of a run of characters, as a share, below which it repeats itself."""
MAX_SENTENCE_REPEATS, MIN_SENTENCE = 4, 20
"""How often the same sentence of so many characters makes a text go round in circles."""
_UNBROKEN = re.compile(rf"(?<!\S)\S{{{MIN_UNBROKEN},}}")
_RULES = frozenset("-=_*#~.|+ \t:")
_SENTENCE_END = re.compile(r"[.!?\n]")
MAX_CHARS = 200_000


def repeats(text: str) -> bool:
    """Return whether a part of the text repeats itself: words, whole sentences, or characters without a space."""
    text = text[:MAX_CHARS]
    return _repeats_words(text.casefold().split()) or _repeats_sentences(text) or _repeats_characters(text)


def _repeats_words(words: Sequence[str]) -> bool:
    if len(words) < MIN_WORDS:
        return False
    for start in range(0, max(1, len(words) - WINDOW // 2), WINDOW // 2):
        window = words[start : start + WINDOW]
        if len(window) < MIN_WORDS:
            window = words[-MIN_WORDS:]
        pieces = [tuple(window[i : i + GRAM]) for i in range(len(window) - GRAM + 1)]
        if len(set(pieces)) < MIN_DISTINCT * len(pieces):
            return True
    return False


def _repeats_sentences(text: str) -> bool:
    counted = Counter(sentence.strip().casefold() for sentence in _SENTENCE_END.split(text))
    said = [times for sentence, times in counted.items() if len(sentence) >= MIN_SENTENCE]
    return max(said, default=0) >= MAX_SENTENCE_REPEATS


def _repeats_characters(text: str) -> bool:
    for run in _UNBROKEN.findall(text):
        part = run[:20_000].encode("utf-8", "replace")
        if not _RULES.issuperset(run[:20_000]) and len(zlib.compress(part, 6)) < MAX_DENSITY * len(part):
            return True
    return False
