"""What a report could not look at, so that it is neither called well nor held against anybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read, and the API server's word on it."""

    why: str
