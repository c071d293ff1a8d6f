"""How far a text is carried by others: shares of its words, word pairs, numbers and names that stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

MAX_CHARS = 60_000
"""Of either side; what follows is not compared."""
_WORD = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
_NAME = re.compile(r"(?<![.!?:\n] )(?<=[\w,;] )[A-Z][a-zà-ÿ]{2,}")
_STOP_WORDS = """
    a about after all also am an and any are as at be because been before being but by can could did do does doing down
    each few for from further had has have having he her here hers him his how i if in into is it its itself just me
    more most my no nor not now of off on once only or other our out over own really s same she should so some such t
    than that the their them then there these they this those through to too under until up very was we were what when
    where which while who whom why will with would yes you your yeah well oh like think know lot great good sure
"""
_STOP = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Support:
    """Shares in [0, 1]: of content words and of word pairs that are there, of numbers and names that are missing."""

    words: float
    pairs: float
    missing_numbers: float
    missing_names: float

    @property
    def features(self) -> tuple[float, ...]:
        """What a head weighs."""
        return astuple(self)


def support(text: str, sources: Sequence[str]) -> Support | None:
    """Return how far the sources carry a text; None where it says nothing that could be carried."""
    text, source = text[:MAX_CHARS], "\n".join(sources)[:MAX_CHARS]
    said, known = _WORD.findall(text.lower()), _WORD.findall(source.lower())
    content = [_stem(word) for word in said if word not in _STOP]
    if not content:
        return None
    stems, pairs, digits = {_stem(word) for word in known}, set(pairwise(known)), set(known)
    numbers = {word for word in said if word[0].isdigit()}
    names = {name.lower() for name in _NAME.findall(text)}
    return Support(
        _share(word in stems for word in content),
        _share(pair in pairs for pair in pairwise(said)),
        _share(number not in digits for number in numbers) if numbers else 0.0,
        _share(_stem(name) not in stems for name in names) if names else 0.0,
    )


def _share(found: Iterable[bool]) -> float:
    flags = list(found)
    return sum(flags) / len(flags) if flags else 0.0


def _stem(word: str) -> str:
    """Return a word without the endings that a sentence gives it; enough to tell that two are one."""
    for ending in ("ing", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
