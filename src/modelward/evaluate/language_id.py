"""In which language a text is, by py3langid's model of 140 languages (BSD-3-Clause), which lies in its package."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MAX_CHARS = 4_000
"""More text tells a language no better."""
_NOT_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]{1,200}`|https?://\S+|\S+@\S+|\[[A-Z_]{2,32}\]|[<{][^<>{}\n]{1,200}[>}]", re.DOTALL
)
_LETTERS = re.compile(r"[^\W\d_]")
_CLOSE = (
    frozenset({"no", "nn", "da"}), frozenset({"hr", "bs", "sr"}), frozenset({"id", "ms"}), frozenset({"gl", "pt"}),
    frozenset({"zh", "wuu", "yue"}), frozenset({"ar", "ary", "arz"}), frozenset({"uz", "uzs"}),
)  # fmt: skip
"""Languages that a short text does not tell apart."""


class Language(NamedTuple):
    """ISO 639 code and how sure that is, in [0, 1]."""

    code: str
    confidence: float


def prose(text: str) -> str:
    """Return the beginning of a text without code, addresses and the masks of the redaction."""
    return _NOT_PROSE.sub(" ", text[: 2 * MAX_CHARS])[:MAX_CHARS]


def letters(text: str) -> int:
    """Return how many letters a text has; ideographs and syllables count as three, because they say as much."""
    return sum(3 if "\u2e80" <= letter <= "\ud7af" else 1 for letter in _LETTERS.findall(text))


def identify(text: str) -> Language:
    """Return the most likely language of a text. ImportError where py3langid is not installed."""
    return Language(*_identifier().classify(text.encode("utf-8", "replace").decode()))


def same(one: str, other: str) -> bool:
    """Return whether two codes are one language, or languages that a short text does not tell apart."""
    return one == other or any(one in close and other in close for close in _CLOSE)


@cache
def known_languages() -> frozenset[str]:
    """Return the codes that the model tells."""
    return frozenset(_identifier().labels) - {"zxx"}


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
