"""At which times a preview judges: at the end of each row of the history, as a reconcile would have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelward.alerts.episode import AlertInput
from modelward.hub.history.counts import KNOWN
from modelward.hub.history.points import Points


@dataclass(frozen=True, slots=True)
class Heard:
    """What an alert hears when a row ends, Unix milliseconds."""

    at_ms: int
    seen: AlertInput


@dataclass(frozen=True, slots=True)
class PastRow:
    """A row: its place, when it ended, and the last millisecond within it, which all of it is judged at."""

    place: int
    ends_ms: int

    @property
    def now_ms(self) -> int:
        """When it is judged."""
        return self.ends_ms - 1


def moments(points: Points, from_ms: int) -> Iterator[PastRow]:
    """Yield the rows that end after a time; those before are only there to be looked back at.

    Where a row is missing no operator judged: alerts stood as they were.
    """
    grid, there = points.grid, present(points)
    for place in range(grid.count):
        ends_ms = grid.from_ms + (place + 1) * grid.step_ms
        if ends_ms > from_ms and there[place]:
            yield PastRow(place, ends_ms)


def present(points: Points) -> list[bool]:
    """Return of each row whether an operator knew the endpoint then, whether its pods could be read or not."""
    both = zip(points.of((), KNOWN), points.of((), "covered"), strict=True)
    return [known > 0 or covered > 0 for known, covered in both]
