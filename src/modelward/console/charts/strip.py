"""One chart of a column of charts that share their time axis, their marks and their cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.console.charts.scale import Axis
from modelward.console.charts.shapes import SvgElement, at, label, line, path, percent, rect, stretched
from modelward.console.charts.timeline import Timeline

PAD = 8
AXIS_WIDTH = 46
MarkKind = str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: Revision, Policy, Version, Scale or Alert."""

    at_ms: int
    kind: MarkKind
    text: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A row of a legend: the swatch's class and form, what it means, the newest value, and its key for the cursor."""

    swatch: str
    text: str
    value: str
    key: str = ""
    form: str = "area"


@dataclass(frozen=True, slots=True)
class Strip:
    """A chart ready to be written: its heading, its legend, its axis and its drawing; `says` is read out."""

    title: str
    unit: str
    legend: tuple[LegendEntry, ...]
    axis: tuple[SvgElement, ...]
    drawing: tuple[SvgElement, ...]
    height: float
    says: str
    cause: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What all strips share: the time, the spans that were not watched, and the marks."""

    line: Timeline
    gaps: tuple[tuple[int, int], ...] = ()
    marks: tuple[Mark, ...] = ()

    def drawing(
        self, axis: Axis, inner: Sequence[SvgElement], over: Sequence[SvgElement] = (), named: bool = False
    ) -> Shapes:
        """Return a whole drawing: grid, hatched gaps, the data, and marks through it."""
        whole = axis.height + PAD + 6
        shapes = [line("z" if not one else "g", 0, PAD + axis.y(one), "100%", PAD + axis.y(one)) for one in axis.ticks]
        shapes += [hatch(self.line, gap, PAD, axis.height) for gap in self.gaps]
        shapes.append(stretched(PAD, axis.height, inner))
        shapes += [self._rule(mark, 0, whole) for mark in self.marks if mark.kind != "Scale"]
        if named and self.gaps:
            shapes += self._gap_name(axis.height)
        return (*shapes, *over, cursor(whole))

    def axis(self, axis: Axis) -> Shapes:
        """Return the numbers beside a drawing."""
        return tuple(label("", "100%", PAD + axis.y(one) + 4, axis.form(one), "end") for one in axis.ticks)

    def _rule(self, mark: Mark, top: float, bottom: float) -> SvgElement:
        x = percent(self.line.share(mark.at_ms))
        return line("ev a" if mark.kind == "Alert" else "ev", x, top, x, bottom)

    def _gap_name(self, height: float) -> list[SvgElement]:
        start, end = max(self.gaps, key=lambda gap: gap[1] - gap[0])
        if (end - start) * 40 < self.line.span_ms:
            return []
        middle = self.line.share((start + end) / 2)
        anchor = "start" if middle < 0.06 else "end" if middle > 0.94 else "middle"
        return [label("unkt", percent(middle), PAD + height / 2 + 4, "not watched", anchor)]

    def lane(self, spans: Sequence[tuple[int, int, str]], height: float = 52) -> Shapes:
        """Return the ribbon of health with the marks above it and the times below."""
        shapes = [ribbon_part(self.line, span, 29) for span in spans]
        shapes += [hatch(self.line, gap, 22, 7) for gap in self.gaps]
        for place, tick in enumerate(self.line.ticks()):
            if 0.02 < tick.share < 0.98:
                x = percent(tick.share)
                shapes += [line("g", x, 30, x, 34), label("odd" if place % 2 else "", x, 46, tick.text, "middle")]
        shown = [mark for mark in self.marks if mark.kind != "Scale"]
        for place, mark in enumerate(shown):
            shapes += self._flag(mark, shown[place + 1 :], shown[:place], height)
        return (*shapes, cursor(height))

    def _flag(self, mark: Mark, later: Sequence[Mark], before: Sequence[Mark], height: float) -> list[SvgElement]:
        """Return a mark's sign and, where there is room for it, its name."""
        share = self.line.share(mark.at_ms)
        room_right = min([self.line.share(one.at_ms) for one in later], default=1.0) - share
        room_left = share - max([self.line.share(one.at_ms) for one in before], default=0.0)
        x, bad = percent(share), mark.kind == "Alert"
        shapes = [self._rule(mark, 14, height), at(x, 3, [_sign(mark)])]
        needs = (len(mark.text) * 6.2 + 16) / 860
        name = "badt" if bad else "hd evt"
        if needs < room_right:
            shapes.append(at(x, 0, [label(name, 11, 13, mark.text)]))
        elif needs < room_left - 0.02 and not before:
            shapes.append(at(x, 0, [label(name, -11, 13, mark.text, "end")]))
        return shapes


Shapes = tuple[SvgElement, ...]
_SIGNS = {"Revision": "M0 0 6 6 0 12-6 6Z", "Alert": "M0 0 6.500 11.500H-6.500Z", "Policy": "M-5 1H5V11H-5Z"}
THICK = {"Healthy": 3, "Degraded": 7, "Unhealthy": 8, "Unknown": 7}
"""How high a part of the ribbon is: state is told by height too."""


def _sign(mark: Mark) -> SvgElement:
    shape = path(
        "evm a" if mark.kind == "Alert" else "evm", _SIGNS.get(mark.kind, "M-5 6a5 5 0 1 0 10 0a5 5 0 1 0-10 0")
    )
    return SvgElement(shape.tag, shape.attributes, inside=(SvgElement("title", {}, mark.text),))


def hatch(over: Timeline, gap: tuple[int, int], y: float, height: float) -> SvgElement:
    """Return the hatching of a span that was not watched."""
    start, end = over.share(gap[0]), over.share(gap[1])
    return rect("nowatch", percent(start), y, percent(end - start), height)


def ribbon_part(over: Timeline, span: tuple[int, int, str], bottom: float) -> SvgElement:
    """Return the part of the ribbon for one state."""
    start, end, state = span
    thick = THICK.get(state, 7)
    left = over.share(start)
    return rect(f"rb-{state}", percent(left), bottom - thick, percent(max(over.share(end) - left, 0.002)), thick)


def cursor(height: float) -> SvgElement:
    """Return the line that the cursor moves; it is hidden until then."""
    return line("cur", 0, 0, 0, height)
