"""Deadlines of many connections without a timer for each."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Expiry(Generic[T]):
    """Members that expire a fixed time after they joined.

    The time is the same for all, so a dict's insertion order is the order of expiry: a pass costs what expired.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadlines: dict[T, float] = {}

    def join(self, member: T, now: float) -> None:
        """Start or restart the member's time."""
        self._deadlines.pop(member, None)
        self._deadlines[member] = now + self._seconds

    def leave(self, member: T) -> None:
        """Stop the member's time."""
        self._deadlines.pop(member, None)

    def expired(self, now: float) -> list[T]:
        """Remove and return the members whose time is up."""
        late: list[T] = []
        for member, deadline in self._deadlines.items():
            if deadline > now:
                break
            late.append(member)
        for member in late:
            del self._deadlines[member]
        return late
