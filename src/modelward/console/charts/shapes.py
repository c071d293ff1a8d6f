"""SVG elements as data, because a template that writes them escapes whatever stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SvgElement:
    """One SVG element: tag, attributes, text, and what is inside. Lengths are pixels, or a share such as `12.5%`."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    inside: tuple[SvgElement, ...] = ()


SvgLength = float | str


def number(value: SvgLength) -> str:
    """Return a length as SVG writes it: two decimals at most, no trailing zeros."""
    if isinstance(value, str):
        return value
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def percent(share: float) -> str:
    """Return a share of 1 as an SVG length."""
    return f"{number(share * 100)}%"


def rect(name: str, x: SvgLength, y: SvgLength, width: SvgLength, height: SvgLength) -> SvgElement:
    """Return a rectangle."""
    return SvgElement(
        "rect", {"class": name, "x": number(x), "y": number(y), "width": number(width), "height": number(height)}
    )


def line(name: str, x1: SvgLength, y1: SvgLength, x2: SvgLength, y2: SvgLength) -> SvgElement:
    """Return a straight line."""
    return SvgElement("line", {"class": name, "x1": number(x1), "y1": number(y1), "x2": number(x2), "y2": number(y2)})


def circle(name: str, x: SvgLength, y: SvgLength, radius: float) -> SvgElement:
    """Return a circle."""
    return SvgElement("circle", {"class": name, "cx": number(x), "cy": number(y), "r": number(radius)})


def path(name: str, commands: str) -> SvgElement:
    """Return a path."""
    return SvgElement("path", {"class": name, "d": commands})


def label(name: str, x: SvgLength, y: SvgLength, text: str, anchor: str = "start") -> SvgElement:
    """Return a text."""
    return SvgElement("text", {"class": name, "x": number(x), "y": number(y), "text-anchor": anchor}, text)


def at(x: SvgLength, y: SvgLength, shapes: Iterable[SvgElement]) -> SvgElement:
    """Return shapes moved to a place that may be a share of the width, which a transform cannot be."""
    return SvgElement("svg", {"x": number(x), "y": number(y), "overflow": "visible"}, inside=tuple(shapes))


def stretched(y: float, height: float, shapes: Iterable[SvgElement]) -> SvgElement:
    """Return shapes of a 1,000 units wide drawing, stretched to the width that there is."""
    box = {"x": "0", "y": number(y), "width": "100%", "height": number(height)}
    view = {"viewBox": f"0 0 1000 {number(height)}", "preserveAspectRatio": "none"}
    return SvgElement("svg", {**box, **view}, inside=tuple(shapes))


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """Return the commands of a path through points; empty for none."""
    text = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{text}" if text else ""
