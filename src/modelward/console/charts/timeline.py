"""A span of time as the horizontal axis that all charts of a page share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UNITS = 1000
"""Width of a stretched drawing."""
_STEPS = (
    5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
    DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled moment; `share` is its place between 0 and 1."""

    share: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """[from, to) in Unix milliseconds."""

    from_ms: int
    to_ms: int

    @property
    def span_ms(self) -> int:
        """How long it is; at least 1."""
        return max(self.to_ms - self.from_ms, 1)

    def share(self, at_ms: float) -> float:
        """Return the place of a moment between 0 and 1; outside moments stand at the ends."""
        return min(max((at_ms - self.from_ms) / self.span_ms, 0.0), 1.0)

    def x(self, at_ms: float) -> float:
        """Return the place of a moment in a stretched drawing."""
        return self.share(at_ms) * UNITS

    def xs(self, times_ms: Iterable[float]) -> list[float]:
        """Return the places of many moments: as `x` of each, in a tenth of its time."""
        from_ms, span_ms = self.from_ms, self.span_ms
        return [min(max((one - from_ms) / span_ms, 0.0), 1.0) * UNITS for one in times_ms]

    def holds(self, at_ms: float) -> bool:
        """Return whether a moment lies within."""
        return self.from_ms <= at_ms <= self.to_ms

    def ticks(self, most: int = 9) -> tuple[Tick, ...]:
        """Return round moments of UTC, at most so many."""
        step = next((one for one in _STEPS if self.span_ms / one <= most), self.span_ms)
        first = -(-self.from_ms // step) * step
        found = range(first, self.to_ms, step)
        return tuple(Tick(self.share(one), tick_text(one, step)) for one in found)


def tick_text(at_ms: int, step_ms: int) -> str:
    """Return a moment as an axis names it: the time, the day, or the month."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    if step_ms < DAY and (moment.hour or moment.minute):
        return f"{moment:%H:%M}"
    if step_ms >= 30 * DAY:
        return f"{moment:%b %Y}"
    return f"{moment:%a} {moment.day} {moment:%b}" if step_ms <= DAY else f"{moment.day} {moment:%b}"


def gaps(starts_ms: Sequence[int], step_ms: int, seen: Sequence[float], line: Timeline) -> tuple[tuple[int, int], ...]:
    """Return the spans of a timeline of which nothing was seen: rows with no share, and time without rows."""
    free: list[tuple[int, int]] = []
    at = line.from_ms
    for start, share in sorted(zip(starts_ms, seen, strict=True)):
        if share <= 0 or start + step_ms <= line.from_ms:
            continue
        if start - at >= step_ms:
            free.append((at, start))
        at = max(at, start + step_ms)
    if line.to_ms - at >= step_ms:
        free.append((at, line.to_ms))
    return tuple(free)


def span_text(span_ms: int) -> str:
    """Return a length of time in one unit, two where the second tells something: `4 min`, `3 h 27 min`, `9 d`."""
    minutes = max(span_ms, 0) // MINUTE
    if minutes < 1:
        return f"{max(span_ms, 0) // 1000} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 10 and rest:
        return f"{hours} h {rest} min"
    if hours < 48:
        return f"{hours} h"
    return f"{timedelta(minutes=minutes).days} d"
