"""Two intervals on one scale: what the sentence beside it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelward.api.compare_view import BadShare
from modelward.console.charts.shapes import SvgElement, circle, label, line, rect
from modelward.console.text import clock, count, share

_PPM = 1_000_000
LEFT, RIGHT = 4, 300


@dataclass(frozen=True, slots=True)
class EvidenceFigure:
    """A figure beside the sentence that it is the evidence of."""

    shapes: tuple[SvgElement, ...]
    height: int
    caption: str
    says: str


def share_text(one: BadShare) -> str:
    """Return a share with what it is a share of."""
    if one.share_ppm is None:
        return f"not known (n = {count(one.requests)})"
    return f"{share(one.share_ppm / _PPM)} of {count(one.requests)}"


def spans_figure(before: BadShare, after: BadShare, now_ms: int, height: int = 104) -> EvidenceFigure:
    """Draw two intervals on one linear scale: before the flip, and after."""
    highest = max((one.high_ppm or one.share_ppm or 0) for one in (before, after)) / _PPM
    top = next((one for one in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if one >= highest), 1.0)

    def x(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * min(value / top, 1)

    compact = height < 90
    rows = ((before, "before", 24 if compact else 31, "P"), (after, "after", 52 if compact else 71, "F"))
    shapes: list[SvgElement] = []
    for part in range(6) if not compact else ():
        value = top * part / 5
        anchor = "start" if part == 0 else "end" if part == 5 else "middle"
        text = share(value) if part == 5 else f"{value * 100:g}"
        shapes += [line("trk", x(value), 83, x(value), 89), label("", x(value), 101, text, anchor)]
    for span, word, y, style in rows:
        shapes += _row(span, word, y, style, x, now_ms, compact=compact)
    says = f"before: {share_text(before)}; after: {share_text(after)}"
    return EvidenceFigure(tuple(shapes), height, "share at fault, 95 % interval", says)


def _row(
    span: BadShare, word: str, y: int, style: str, x: Callable[[float], float], now_ms: int, *, compact: bool
) -> list[SvgElement]:
    until = clock(span.to_ms, now_ms)
    text = f"{word}, to {until}: n = {count(span.requests)}" if not compact else f"{word}: {share_text(span)}"
    shapes = [label("hd", LEFT + 2, y - 11, text), line("trk", LEFT, y, RIGHT, y)]
    if span.share_ppm is None:
        return [*shapes, rect("nowatch", LEFT, y - 5, RIGHT - LEFT, 10)]
    value = span.share_ppm / _PPM
    low = (span.low_ppm if span.low_ppm is not None else span.share_ppm) / _PPM
    high = (span.high_ppm if span.high_ppm is not None else span.share_ppm) / _PPM
    shapes.append(line(f"bar {style}", x(low), y, x(high), y))
    shapes += [line(f"cap {style}", x(one), y - 6, x(one), y + 6) for one in (low, high)]
    return [*shapes, circle(f"pt {style}", x(value), y, 3.8)]
