"""Cutting a long text into passages, because one sentence at fault drowns in the mean of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_PASSAGES = 32
"""Of one text: the first half and the last half, so that a megabyte costs no more than a page."""
MAX_CHARS = 20_000
"""Of each end of a text that is cut at all."""
PASSAGE_CHARS = 400
"""About 90 tokens."""
SHORTEST = 3
_END = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of a text, the long ones cut; at most MAX_PASSAGES, from both ends."""
    if len(text) > 2 * MAX_CHARS:
        text = f"{text[:MAX_CHARS]}\n{text[-MAX_CHARS:]}"
    found = [
        part[start : start + PASSAGE_CHARS]
        for part in map(str.strip, _END.split(text))
        for start in range(0, len(part), PASSAGE_CHARS)
    ]
    return _ends([part for part in found if len(part) >= SHORTEST])


def passages(text: str) -> list[str]:
    """Return neighbouring sentences joined up to PASSAGE_CHARS; a text that fits stays whole."""
    joined: list[str] = []
    for part in sentences(text):
        if joined and len(joined[-1]) + len(part) < PASSAGE_CHARS:
            joined[-1] = f"{joined[-1]} {part}"
        else:
            joined.append(part)
    return joined


def _ends(parts: Sequence[str]) -> list[str]:
    if len(parts) <= MAX_PASSAGES:
        return list(parts)
    return [*parts[: MAX_PASSAGES // 2], *parts[-MAX_PASSAGES // 2 :]]
