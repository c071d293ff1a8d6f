"""How much of an error budget is left, with its interval where it rests on a sample."""

from __future__ import annotations

from modelward.console.charts.shapes import SvgElement, path, rect

WIDTH, HEIGHT = 44, 10
LOW = 0.25
"""Share of the budget below which the bar warns."""


def budget_bar(remaining: float | None, low: float | None = None, high: float | None = None) -> tuple[SvgElement, ...]:
    """Return the bar of a share that is left; hatched where too little was seen to tell."""
    if remaining is None:
        return (rect("nowatch", 0.5, 0.5, WIDTH - 1, HEIGHT - 1),)
    left = min(max(remaining, 0.0), 1.0)
    state = "out" if remaining <= 0 else "low" if remaining < LOW else ""
    shapes = [rect("t", 0.5, 0.5, WIDTH - 1, HEIGHT - 1), rect(f"v {state}".strip(), 1, 1, (WIDTH - 2) * left, 8)]
    if low is not None and high is not None:
        start, end = WIDTH * max(low, 0.0), WIDTH * min(high, 1.0)
        shapes.append(path("w", f"M{start:.1f} 2v6m0-3H{end:.1f}m0-3v6"))
    return tuple(shapes)
