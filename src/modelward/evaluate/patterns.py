"""Regular expressions of users, in time linear in the text: RE2 has no backtracking that a text could blow up."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

_MAX_MEMORY = 1 << 20
"""Of one compiled expression; it bounds the states, and so the time for each character."""


def readable(pattern: str) -> str:
    """Return the expression; ValueError with what is wrong with it.

    Where RE2 is not installed, as beside the collector, it passes: it is read again where it is used.
    """
    try:
        _compiled(pattern)
    except ImportError:
        return pattern
    return pattern


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1_000), AfterValidator(readable)]
"""An expression in the syntax of RE2: no look-around and no back-references; `\\b`, `\\d` and `\\w` mean ASCII."""


def found(pattern: str, text: str) -> bool:
    """Return whether an expression matches somewhere in a text; `\\A` and `\\z` tie it to the ends."""
    return _compiled(pattern).search(text.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.max_mem, options.log_errors = _MAX_MEMORY, False
    try:
        return re2.compile(pattern.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        told = error.args[0]
        raise ValueError(f"not RE2: {told.decode() if isinstance(told, bytes) else told}") from None
