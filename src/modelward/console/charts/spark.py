"""The last 24 hours of an endpoint in a table's cell: how much was asked, and how well it was."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.console.charts.layers import Pen
from modelward.console.charts.scale import Axis
from modelward.console.charts.shapes import SvgElement, rect
from modelward.console.charts.strip import THICK
from modelward.console.charts.timeline import Timeline
from modelward.console.charts.track import Track

WIDTH, HEIGHT, VOLUME = 118, 28, 19


def spark(track: Track, column: str, spans: Sequence[tuple[int, int, str]], line: Timeline) -> tuple[SvgElement, ...]:
    """Return an area of a column over a ribbon of health: thin is well, thick is bad, hatched was not watched.

    Drawn 1,000 units wide and stretched: give the outer element that view box.
    """
    values = track.column(column)
    top = max((one for one in values if one is not None), default=0.0)
    pen = Pen(track, line, Axis(max(top * 1.1, 0.1), (), VOLUME, str))
    floor = tuple(None if one is None else 0.0 for one in values)
    shapes = [*pen.stack([("vol", values)]), *pen.curve("voll", values)] if floor else []
    shapes += [rect("nowatch", line.x(a), HEIGHT - 7, line.x(b) - line.x(a), 7) for a, b in track.gaps(line)]
    for start, end, state in spans:
        thick, left = THICK.get(state, 7), line.x(start)
        shapes.append(rect(f"rb-{state}", left, HEIGHT - thick, max(line.x(end) - left, 12.0), thick))
    return tuple(shapes)
