"""Secrets that stand some words behind the word that announces them, and look like nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.kinds import PASSWORD
from modelward.privacy.span import Span

_FARTHEST = 64
LEAST_NEARBY = 8
"""A shorter rest of a text holds no secret that is known by its form."""
_RANDOM = re.compile(
    r"(?<![\w+/=.:@-])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|/?[A-Za-z0-9+_][A-Za-z0-9+/_-]{26,88}={0,2})(?![\w=.@-])",
    re.ASCII,
)
_LINKED = re.compile(r"[^\d\[\]{};<>\n]*(?:\r?\n[ \t]*[^\d\[\]{};<>\n]{0,2})?")
"""What may stand between: words of one sentence, at most one line break right before the secret."""
_OTHER = re.compile(
    r"\b(?:commit|sha|hash|checksum|digest|trace|request|revision|image|id|count|uuid|for user|path|file)",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?<=[ \t])[\"'`(]?(?P<value>[^\s\"'`,;()<>\[\]{}|]{6,64})")
_SENTENCE_ENDS = re.compile(r"[.!?\n;|{}\[\]]")


def random_nearby(text: str, start: int, end: int) -> Iterator[Span]:
    """Find a long random word, and at most some words before it, between two places."""
    found = _RANDOM.search(text, start, min(end, start + _FARTHEST) + 96)
    if found is None or found.start() - start > _FARTHEST:
        return
    value, between = found.group(), text[start : found.start()]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    if mixed and _LINKED.fullmatch(between) and not _OTHER.search(between):
        yield Span(PASSWORD, *found.span())


def strong_nearby(text: str, start: int, end: int) -> Iterator[Span]:
    """Find a word in the rest of the sentence that no language has: letters and digits, and signs or both cases."""
    for found in _WORD.finditer(text, start, min(end, start + _FARTHEST)):
        if _SENTENCE_ENDS.search(text, start, found.start()):
            return
        value = found["value"].rstrip(".?:")
        if _is_strong(value):
            yield Span(PASSWORD, found.start("value"), found.start("value") + len(value))
            return


def _is_strong(value: str) -> bool:
    digits, letters = sum(map(str.isdigit, value)), sum(map(str.isalpha, value))
    if (
        len(value) < 8
        or not digits
        or letters < 3
        or "://" in value
        or value[0] in "/.$<%-"
        or "(" in value
        or "=" in value
    ):
        return False
    return (
        (not _STRONG_SIGNS.isdisjoint(value) or len(_TURN.findall(value)) > 2)
        and value.count("/") < 2
        and not value.lower().startswith(_NAMES)
    )


_STRONG_SIGNS, _TURN = frozenset("!#$%&*+?@^~"), re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Z])[0-9]")
_NAMES = (
    "sha",
    "aes",
    "rsa",
    "utf",
    "oauth",
    "argon",
    "pbkdf",
    "iso",
    "http",
    "v1",
    "v2",
    "v3",
    "rfc",
    "nist",
    "windows",
    "office",
)
