"""The interval bar, the mark of the product: two ends, a point, and the limit that they are judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from modelward.api.base import VerdictValue
from modelward.console.charts.shapes import SvgElement, circle, line, path, rect

Worse = Literal["Above", "Below"]
SPAN = 4
"""Limits that the scale covers; what lies beyond is an arrow."""
_EDGE = 4
_STYLE: dict[VerdictValue, str] = {"Passed": "P", "Failed": "F", "Unknown": "U"}


@dataclass(frozen=True, slots=True)
class BarReading:
    """A number with its 95 % interval, in the unit of its limit; None where it is not known.

    `worse` says on which side of the limit the bad values are.
    """

    verdict: VerdictValue = "Unknown"
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    worse: Worse = "Above"


def interval_bar(reading: BarReading, width: int = 148, height: int = 18) -> tuple[SvgElement, ...]:
    """Return the bar's shapes.

    x = √(value ÷ limit), 0 to 4 limits, so the limit stands in the middle whatever the unit, and one reads down a
    column along one line. Decided is solid, undecided hollow and hatched, and what is not known is hatched all over.
    """
    limit = reading.limit
    scale = _Scale(width, limit if limit and limit > 0 else _any_limit(reading))
    middle = height / 2
    shapes = [*_zone(reading, scale, height), line("trk", _EDGE, middle, width - _EDGE, middle)]
    if reading.value is None:
        shapes.append(rect("nowatch", _EDGE, 3, width - 2 * _EDGE, height - 6))
    else:
        shapes += _marks(reading, scale, middle)
    if limit is not None:
        shapes.append(line("lim", scale.at(scale.limit), 0, scale.at(scale.limit), height))
    return tuple(shapes)


@dataclass(frozen=True, slots=True)
class _Scale:
    width: int
    limit: float

    def at(self, value: float) -> float:
        return _EDGE + (self.width - 2 * _EDGE) * min(math.sqrt(max(value, 0) / self.limit) / math.sqrt(SPAN), 1)

    def beyond(self, value: float) -> bool:
        return value >= SPAN * self.limit


def _any_limit(reading: BarReading) -> float:
    known = [one for one in (reading.high, reading.value) if one]
    return max(known) / 2 if known else 1.0


def _zone(reading: BarReading, scale: _Scale, height: int) -> list[SvgElement]:
    if reading.limit is None:
        return []
    limit, end = scale.at(scale.limit), scale.width - _EDGE
    start, stop = (limit, end) if reading.worse == "Above" else (_EDGE, limit)
    return [rect("over", start, 1, stop - start, height - 2)]


def _marks(reading: BarReading, scale: _Scale, y: float) -> list[SvgElement]:
    value = reading.value or 0.0
    low = value if reading.low is None else min(reading.low, value)
    high = value if reading.high is None else max(reading.high, value)
    style, end = _STYLE[reading.verdict], scale.width - _EDGE
    if scale.beyond(low):
        tip = path(f"tip {style}", f"M{end - 8} {y - 5.5}l9 5.500-9 5.500Z")
        return [line(f"bar {style}", end - 22, y, end - 7, y), tip]
    left, right = scale.at(low), scale.at(high)
    body = rect("U box", left, y - 4.5, right - left, 9) if style == "U" else line(f"bar {style}", left, y, right, y)
    shapes = [body, line(f"cap {style}", left, y - 5.5, left, y + 5.5)]
    if scale.beyond(high):
        shapes.append(path(f"cap open {style}", f"M{end - 4} {y - 4.5}l4 4.500-4 4.500"))
    else:
        shapes.append(line(f"cap {style}", right, y - 5.5, right, y + 5.5))
    wide = right - left
    if (wide > 8 or wide == 0) and not scale.beyond(value):
        shapes.append(circle(f"pt {style}", scale.at(value), y, 3.4 if wide > 14 else 2.6))
    return shapes
