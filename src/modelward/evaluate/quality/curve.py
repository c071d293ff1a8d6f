"""The reliability curve drawn: as SVG, and in characters for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from modelward.evaluate.quality.reliability import ReliabilityBin
from modelward.evaluate.verdict import spread

_WIDTH, _HEIGHT = 560, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 48, 16, 52
_TICKS = 5
_COLUMNS = 40


def curve_svg(bins: Sequence[ReliabilityBin], title: str, threshold: float | None = None) -> str:
    """Return a file that any browser shows: the share at fault over the value, each bin with its 95 % interval.

    The x axis spans the values; a threshold is a dashed line where it lies among them.
    """
    low, high = _span(bins)

    def x(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="14">{escape(title)}</text>',
        *_axes(low, high, x(low), x(high)),
    ]
    if threshold is not None and low <= threshold <= high:
        at = x(threshold)
        parts.append(_line(at, _y(0), at, _y(1), 'stroke="#b00" stroke-dasharray="4 3"'))
        parts.append(f'<text x="{at + 4:.1f}" y="{_y(1) + 12:.1f}" fill="#b00">threshold {threshold:g}</text>')
    points = " ".join(f"{x(one.mean):.1f},{_y(one.share.value):.1f}" for one in bins)
    parts.append(f'<polyline points="{points}" fill="none" stroke="#888"/>')
    for one in bins:
        parts.extend(_point(x(one.mean), one))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _point(x: float, one: ReliabilityBin) -> Iterator[str]:
    yield _line(x, _y(one.share.low), x, _y(one.share.high), 'stroke="#135" stroke-width="2"')
    told = f"<title>{one.low:g} to {one.high:g}: {one.faults} of {one.rows}</title>"
    yield f'<circle cx="{x:.1f}" cy="{_y(one.share.value):.1f}" r="4" fill="#135">{told}</circle>'


def drawn_curve(bins: Sequence[ReliabilityBin]) -> list[str]:
    """Return a line for each bin: values, the share at fault as a point in its interval from 0 to 100 %, and rows."""
    names = [f"{one.low:g} to {one.high:g}" if one.low < one.high else f"{one.low:g}" for one in bins]
    width = max([*map(len, names), len("value")])
    ruler = "0 %".ljust(_COLUMNS - 5) + "100 %"
    return [
        f"{'value'.ljust(width)}  {ruler}  at fault",
        *(
            f"{name.ljust(width)}  {_bar(one)}  {spread(one.share)} of {one.rows}"
            for name, one in zip(names, bins, strict=True)
        ),
    ]


def _bar(one: ReliabilityBin) -> str:
    first, point, last = (round(share * (_COLUMNS - 1)) for share in (one.share.low, one.share.value, one.share.high))
    return "".join("●" if i == point else "─" if first <= i <= last else " " for i in range(_COLUMNS))


def _span(bins: Sequence[ReliabilityBin]) -> tuple[float, float]:
    low, high = min((one.low for one in bins), default=0.0), max((one.high for one in bins), default=1.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _y(share: float) -> float:
    return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)


def _axes(low: float, high: float, left: float, right: float) -> Iterator[str]:
    for i in range(_TICKS):
        part = i / (_TICKS - 1)
        yield _line(left, _y(part), right, _y(part), 'stroke="#ddd"')
        yield f'<text x="{left - 8:.1f}" y="{_y(part) + 4:.1f}" text-anchor="end">{part:.0%}</text>'
        at = left + part * (right - left)
        yield _line(at, _y(0), at, _y(0) + 5, 'stroke="#333"')
        yield f'<text x="{at:.1f}" y="{_y(0) + 18:.1f}" text-anchor="middle">{low + part * (high - low):.3g}</text>'
    yield _line(left, _y(0), right, _y(0), 'stroke="#333"')
    yield f'<text x="{(left + right) / 2:.1f}" y="{_HEIGHT - 10}" text-anchor="middle">value</text>'
    middle = (_y(0) + _y(1)) / 2
    yield f'<text x="16" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 16 {middle:.1f})">at fault</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'
