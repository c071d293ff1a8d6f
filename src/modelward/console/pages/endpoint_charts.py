"""The charts of the page Endpoint over a range of time, with what they say as text and as a table."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.views import EndpointView
from modelward.console.charts.strip import Strip
from modelward.console.charts.timeline import DAY, HOUR, Timeline, span_text
from modelward.console.pages.history import EndpointHistory, strips
from modelward.console.pages.links import Link, address
from modelward.console.pages.read_out import ReadOut, Table, read_out, table

RANGES: tuple[tuple[str, str, int], ...] = (
    ("1h", "1 h", HOUR),
    ("6h", "6 h", 6 * HOUR),
    ("24h", "24 h", DAY),
    ("7d", "7 d", 7 * DAY),
    ("30d", "30 d", 30 * DAY),
    ("90d", "90 d", 90 * DAY),
    ("1y", "1 y", 365 * DAY),
)


@dataclass(frozen=True, slots=True)
class ShownCharts:
    """The charts and what they say in other forms."""

    title: str
    note: str
    ranges: tuple[Link, ...]
    strips: tuple[Strip, ...]
    read_out: dict[str, object]
    table: Table
    missing: str = ""


def range_of(text: str) -> str:
    """Return a range that there is; a day for any other."""
    return text if any(text == key for key, _, _ in RANGES) else "24h"


def line_of(key: str, now_ms: int) -> Timeline:
    """Return the time that a range covers."""
    return Timeline(now_ms - next(span for name, _, span in RANGES if name == key), now_ms)


def shown_charts(view: EndpointView, history: EndpointHistory | None, key: str, now_ms: int) -> ShownCharts:
    """Return the charts; without a history their place says what is missing."""
    ranges = tuple(Link(text, address(view.namespace, view.name, range=name), name == key) for name, text, _ in RANGES)
    title = f"Last {next(text for name, text, _ in RANGES if name == key)}"
    if history is None:
        missing = "The hub keeps no history, or could not be asked. The numbers above are from the endpoint’s status."
        return ShownCharts(title, "", ranges, (), {}, Table((), ()), missing)
    drawn, columns = strips(history, now_ms)
    if not columns:
        missing = (
            "The hub counts minutes from now on; the first charts appear within a few minutes of the first request."
        )
        return ShownCharts(title, "", ranges, (), {}, Table((), ()), missing)
    step = history.outcomes.step_ms or history.replicas.step_ms
    note = f"{span_text(step)} a point; percentiles are computed after merging. Arrow keys move the cursor."
    read = read_out(columns, history.line, now_ms)
    return ShownCharts(title, note, ranges, drawn, _json(read), table(columns, history.line, now_ms))


def _json(read: ReadOut) -> dict[str, object]:
    return {"at": read.times, "x": read.shares, "texts": dict(read.texts)}
