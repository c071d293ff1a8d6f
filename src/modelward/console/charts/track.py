"""Columns of numbers over time, as charts take them: a gap is None, and never zero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modelward.console.charts.timeline import Timeline, gaps

TrackColumn = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Track:
    """Rows that begin at `starts_ms` and last `step_ms`; `seen` is the share of each that was watched."""

    starts_ms: tuple[int, ...]
    step_ms: int
    seen: tuple[float, ...]
    columns: Mapping[str, TrackColumn]

    def column(self, name: str) -> TrackColumn:
        """Return a column; one that there is not holds nothing."""
        return self.columns.get(name, (None,) * len(self.starts_ms))

    def has(self, name: str) -> bool:
        """Return whether any value of a column is known."""
        return any(one is not None for one in self.column(name))

    def gaps(self, line: Timeline) -> tuple[tuple[int, int], ...]:
        """Return the spans that were not watched."""
        return gaps(self.starts_ms, self.step_ms, self.seen, line)

    def middle_ms(self, index: int) -> float:
        """Return the middle of a row, where its point stands."""
        return self.starts_ms[index] + self.step_ms / 2


EMPTY = Track((), 60_000, (), {})


def runs(track: Track, *columns: Sequence[float | None]) -> Iterator[range]:
    """Yield stretches of rows that follow on each other and where all columns are known: no line bridges a gap."""
    begin: int | None = None
    for index, start in enumerate(track.starts_ms):
        known = all(column[index] is not None for column in columns)
        follows = index > 0 and start - track.starts_ms[index - 1] <= track.step_ms
        if begin is not None and not (known and follows):
            yield range(begin, index)
            begin = None
        if known and begin is None:
            begin = index
    if begin is not None:
        yield range(begin, len(track.starts_ms))
