"""Random texts that a regular expression matches: values of formats that are only known by their expressions."""

from __future__ import annotations

import re
import string
from functools import cache
from random import Random
from typing import Any

_SPACES = " "
_CLASSES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_SPACE": _SPACES,
    "CATEGORY_NOT_SPACE": string.ascii_letters + string.digits,
    "CATEGORY_NOT_WORD": _SPACES,
    "CATEGORY_NOT_DIGIT": string.ascii_letters,
}
_PRINTABLE = string.ascii_letters + string.digits + "-._/ "
_MOST_REPEATS = 40
"""Of an open repetition beyond its least."""


def as_python(pattern: str) -> str:
    """Return an expression of Go in the syntax of Python, flags inside included."""
    pattern = pattern.replace("[[:alnum:]]", "[A-Za-z0-9]").replace("[:alnum:]", "A-Za-z0-9").replace(r"\z", r"\Z")
    flags = "(?i)" if "(?i)" in pattern else ""
    return flags + pattern.replace("(?i)", "")


def drawn(pattern: str, rng: Random) -> str:
    """Return a random text that an expression of Go matches whole, in its shortest optional parts."""
    return "".join(_draw(token, rng) for token in _parsed(pattern))


@cache
def _parsed(pattern: str) -> Any:
    from re import _parser  # type: ignore[attr-defined]  # the standard library's own, there since 3.11

    return _parser.parse(as_python(pattern))


def _draw(token: Any, rng: Random, *, repeated: bool = False) -> str:
    name, value = str(token[0]), token[1]
    match name:
        case "LITERAL":
            return chr(value)
        case "ANY":
            return rng.choice(_PRINTABLE) if repeated else "."  # a dot that was not escaped, as of a host
        case "NOT_LITERAL":
            return rng.choice(_PRINTABLE)
        case "IN":
            return _member(value, rng)
        case "SUBPATTERN":
            return "".join(_draw(part, rng) for part in value[-1])
        case "BRANCH":
            return "".join(_draw(part, rng) for part in rng.choice(value[1]))
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, part = value
            # What may be left out is left out: it is text around a value, such as a name before a key.
            times = least if least == 0 else rng.randint(least, min(int(most), least + _MOST_REPEATS))
            return "".join(_draw(one, rng, repeated=True) for _ in range(times) for one in part)
        case "AT" | "ASSERT" | "ASSERT_NOT":
            return ""
    raise ValueError(f"no way to draw {name}")


def _member(members: Any, rng: Random) -> str:
    if str(members[0][0]) == "NEGATE":
        return rng.choice(_PRINTABLE)
    pool: list[str] = []
    for kind, value in members:
        if str(kind) == "LITERAL":
            pool.append(chr(value))
        elif str(kind) == "RANGE":
            pool += map(chr, range(value[0], value[1] + 1))
        else:
            pool += _CLASSES[str(value)]
    return rng.choice(pool)


def matches(pattern: str, text: str) -> bool:
    """Return whether an expression of Go is found in a text."""
    return re.search(as_python(pattern), text) is not None
