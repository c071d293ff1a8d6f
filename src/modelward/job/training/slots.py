"""Sentences from forms with slots, spread over all fillings, because a full product repeats the same few words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence


def filled(forms: Sequence[str], slots: Mapping[str, Sequence[str]], count: int) -> Iterator[str]:
    """Yield at most `count` sentences, each once; a digest of number and slot draws each filling.

    A filling may hold slots of its own.
    """
    seen = set[str]()
    for number in range(count):
        text = forms[number % len(forms)]
        drawn = {name: options[_draw(number, name, len(options))] for name, options in slots.items()}
        while "{" in text:
            text = text.format(**drawn)
        if text not in seen:
            seen.add(text)
            yield text


def _draw(number: int, slot: str, of: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{slot}/{number}".encode()).digest()[:4], "big") % of
