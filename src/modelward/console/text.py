"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from modelward.console.charts.timeline import span_text

__all__ = [
    "clock",
    "count",
    "day_and_time",
    "duration",
    "money",
    "plain",
    "plural",
    "share",
    "short_since",
    "since",
    "span_text",
]


def count(value: float | None) -> str:
    """Return a whole number with its thousands set apart: 12480 → `12,480`."""
    return "–" if value is None else f"{value:,.0f}"


def money(value: float | None) -> str:
    """Return an amount of money: two decimals, or two digits of what is small."""
    if value is None:
        return "–"
    return f"{value:,.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"


def plain(value: float | None) -> str:
    """Return a number of three digits or so: `0.4`, `12.5`, `1,240`, `18 k`, `2.1 M`."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 1_000_000:
        return f"{value / 1_000_000:.1f} M"
    if size >= 20_000:
        return f"{value / 1_000:.0f} k"
    if size >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 1 else f"{value:.2g}"


def share(value: float | None) -> str:
    """Return a share of 1 in percent: 0.315 → `32 %`, 0.002 → `0.2 %`."""
    if value is None:
        return "–"
    part = value * 100
    return f"{part:.0f} %" if part >= 10 or part == 0 else f"{part:.1f} %" if part >= 0.1 else f"{part:.2g} %"


def duration(seconds: float | None) -> str:
    """Return a duration: `18 ms`, `410 ms`, `2.9 s`, `3 min`."""
    if seconds is None:
        return "–"
    if seconds >= 120:
        return span_text(int(seconds * 1000))
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def since(then_ms: int, now_ms: int) -> str:
    """Return how long ago a moment was."""
    return span_text(now_ms - then_ms)


def short_since(then_ms: int, now_ms: int) -> str:
    """Return how long ago a moment was, in one unit."""
    words = span_text(now_ms - then_ms).split(" ")
    return " ".join(words[:2])


def clock(at_ms: int, now_ms: int) -> str:
    """Return a moment in UTC as short as it can be told from others: `11:05`, `Wed 19:20`, `3 Dec`, `3 Dec 2025`."""
    moment, now = datetime.fromtimestamp(at_ms / 1000, UTC), datetime.fromtimestamp(now_ms / 1000, UTC)
    days = abs((now.date() - moment.date()).days)
    if days == 0:
        return f"{moment:%H:%M}"
    if days < 7:
        return f"{moment:%a} {moment:%H:%M}"
    return f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment.day} {moment:%b} {moment.year}"


def day_and_time(at_ms: int) -> str:
    """Return a moment in UTC to the second, for a title or a record: `2026-11-27 11:05:12`."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def plural(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 endpoint`, `2 endpoints`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
