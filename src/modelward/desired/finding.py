"""What stands in the way of doing as the user asked, in the words of a condition."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition's reason (CamelCase) and its message: what is wrong and what to do about it."""

    reason: str
    message: str
