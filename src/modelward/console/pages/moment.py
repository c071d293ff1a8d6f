"""A time for people and for machines."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.quantity import timestamp, timestamp_ms
from modelward.console.text import clock, day_and_time


@dataclass(frozen=True, slots=True)
class ShownMoment:
    """As short as it can be told, whole for a title, and as RFC 3339."""

    text: str
    full: str
    iso: str


def moment(at_ms: int, now_ms: int) -> ShownMoment:
    """Return a moment as seen from now."""
    return ShownMoment(clock(at_ms, now_ms), day_and_time(at_ms), timestamp(at_ms))


def to_the_second(at_ms: int) -> ShownMoment:
    """Return the moment that a page is of."""
    whole = day_and_time(at_ms)
    return ShownMoment(whole.partition(" ")[2], whole, timestamp(at_ms))


def read_time(text: str) -> int | None:
    """Return the Unix milliseconds of a time in a status; None for an empty or odd one."""
    try:
        return timestamp_ms(text) if text else None
    except ValueError:
        return None
