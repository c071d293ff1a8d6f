"""What is drawn over one axis: lines, bands, stacks, bars and steps. None of them bridges a gap or draws it as zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from modelward.console.charts.scale import Axis
from modelward.console.charts.shapes import SvgElement, path, polyline, rect
from modelward.console.charts.timeline import UNITS, Timeline
from modelward.console.charts.track import Track, TrackColumn, runs


@dataclass(frozen=True, slots=True)
class Pen:
    """Where things are drawn: rows, the time they lie on, and the axis of their values."""

    track: Track
    line: Timeline
    axis: Axis

    def curve(self, name: str, column: TrackColumn) -> list[SvgElement]:
        """Return a line through the middles of rows; a single row between gaps is a short dash."""
        return self._joined(name, column, self._points)

    def steps(self, name: str, column: TrackColumn) -> list[SvgElement]:
        """Return a line that holds each value for its row."""
        return self._joined(name, column, self._stairs)

    def band(self, name: str, low: TrackColumn, high: TrackColumn) -> list[SvgElement]:
        """Return what lies between two columns, in steps."""
        return self._between(name, low, high, self._stairs)

    def stack(self, layers: Sequence[tuple[str, TrackColumn]]) -> list[SvgElement]:
        """Return areas on top of each other, the first at the bottom; a row must be known in all of them."""
        floor: TrackColumn = tuple(0.0 for _ in self.track.starts_ms)
        shapes: list[SvgElement] = []
        for name, column in layers:
            top = tuple(None if a is None or b is None else a + b for a, b in zip(floor, column, strict=True))
            shapes += self._between(name, floor, top, self._points)
            floor = top
        return shapes

    def bars(self, name: str, column: TrackColumn) -> list[SvgElement]:
        """Return a bar for each row."""
        shapes = []
        for index, value in enumerate(column):
            if value:
                left, right = self._ends(index)
                room = min((right - left) * 0.16, 3.0)
                y = self.axis.y(value)
                shapes.append(rect(name, left + room, y, max(right - left - 2 * room, 0.5), self.axis.height - y))
        return shapes

    def _joined(self, name: str, column: TrackColumn, points: _Points) -> list[SvgElement]:
        parts = [polyline(points(run, column)) for run in runs(self.track, column)]
        return [path(name, "".join(parts))] if parts else []

    def _between(self, name: str, low: TrackColumn, high: TrackColumn, points: _Points) -> list[SvgElement]:
        parts = [
            polyline([*points(run, high), *reversed(list(points(run, low)))]) + "Z"
            for run in runs(self.track, low, high)
        ]
        return [path(name, "".join(parts))] if parts else []

    def _points(self, run: range, column: TrackColumn) -> Iterator[tuple[float, float]]:
        """Yield the middles of rows, and the outer ends of the first and the last."""
        if not run:
            return
        ys = self.axis.ys(column[run.start : run.stop])
        yield self._ends(run[0])[0], ys[0]
        yield from zip(self.line.xs(self.track.middle_ms(index) for index in run), ys, strict=True)
        yield self._ends(run[-1])[1], ys[-1]

    def _stairs(self, run: range, column: TrackColumn) -> Iterator[tuple[float, float]]:
        for index in run:
            left, right = self._ends(index)
            y = self.axis.y(column[index] or 0.0)
            yield left, y
            yield right, y

    def _ends(self, index: int) -> tuple[float, float]:
        start = self.track.starts_ms[index]
        return self.line.x(start), self.line.x(start + self.track.step_ms)


_Points = Callable[[range, TrackColumn], Iterator[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class DrawnLimit:
    """A bound that held from a moment on; `worse` says on which side bad values lie."""

    from_ms: int
    value: float


def limit_line(limits: Sequence[DrawnLimit], pen: Pen, worse: str = "Above") -> list[SvgElement]:
    """Return the zone of bad values and the line of the limit, each for as long as it held."""
    ends = [pen.line.x(one.from_ms) for one in limits[1:]] + [float(UNITS)]
    zone: list[SvgElement] = []
    border: list[str] = []
    height = pen.axis.height
    for held, end in zip(limits, ends, strict=True):
        left, y = pen.line.x(held.from_ms), pen.axis.y(held.value)
        zone.append(rect("zone", left, 0 if worse == "Above" else y, end - left, y if worse == "Above" else height - y))
        border.append(f"{'L' if border else 'M'}{left:.1f} {y:.1f}H{end:.1f}")
    return [*zone, path("ll", "".join(border))] if border else []
