"""The numbers of charts in other forms: what the cursor reads, and a table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from modelward.console.charts.timeline import Timeline
from modelward.console.charts.track import Track, TrackColumn
from modelward.console.text import clock

NumberForm = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What the cursor reads: the middles of slots, and a text for each key and slot."""

    times: tuple[str, ...]
    shares: tuple[float, ...]
    texts: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """The same numbers for those who do not see the charts."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


NOT_WATCHED = "not watched"


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """One column for legend, cursor and table."""

    key: str
    head: str
    track: Track
    column: TrackColumn
    form: NumberForm
    end: TrackColumn = ()
    """Where the column is the lower end of an interval: the upper one."""

    def newest(self) -> str:
        """Return the newest known value."""
        known = [index for index, one in enumerate(self.column) if one is not None]
        return self._text(known[-1]) if known else "–"

    def near(self, at_ms: float) -> str:
        """Return the value at a moment."""
        index = bisect_right(self.track.starts_ms, at_ms) - 1
        if index < 0 or at_ms >= self.track.starts_ms[index] + self.track.step_ms or self.column[index] is None:
            return NOT_WATCHED
        return self._text(index)

    def _text(self, index: int) -> str:
        text = self.form(self.column[index])
        if not self.end:
            return text
        upper = self.form(self.end[index])
        unit = " %" if text.endswith(" %") and upper.endswith(" %") else ""
        return f"{text.removesuffix(unit)}–{upper}"


def read_out(columns: Sequence[ReadColumn], line: Timeline, now_ms: int, slots: int = 240) -> ReadOut:
    """Return what the cursor reads in so many places of a timeline."""
    places = [line.from_ms + line.span_ms * (2 * index + 1) / (2 * slots) for index in range(slots)]
    texts = {one.key: tuple(one.near(place) for place in places) for one in columns}
    return ReadOut(
        tuple(clock(int(place), now_ms) for place in places),
        tuple(round(line.share(place), 4) for place in places),
        texts,
    )


def table(columns: Sequence[ReadColumn], line: Timeline, now_ms: int, rows: int = 24) -> Table:
    """Return the numbers at so many moments."""
    places = [line.from_ms + line.span_ms * (2 * index + 1) / (2 * rows) for index in range(rows)]
    cells = tuple((clock(int(place), now_ms), *(one.near(place) for one in columns)) for place in places)
    return Table(("Time, UTC", *(one.head for one in columns)), cells)
