"""A check in one line of sight: value, interval, limit, n, and the bar that draws them."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.views import CheckView
from modelward.console.charts.interval_bar import BarReading, interval_bar
from modelward.console.charts.shapes import SvgElement
from modelward.console.text import count


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """An interval bar and the sentence that it is read out as."""

    shapes: tuple[SvgElement, ...]
    width: int
    says: str


def drawn(reading: BarReading, says: str, width: int = 148) -> DrawnBar:
    """Draw an interval bar."""
    return DrawnBar(interval_bar(reading, width), width, says)


def reading_of(check: CheckView) -> BarReading:
    """Return the numbers of a check for its bar; none where it has none."""
    bar = check.bar
    if bar is None:
        return BarReading(check.verdict)
    return BarReading(check.verdict, bar.value, bar.low, bar.high, bar.limit, bar.fails)


def bar_of(check: CheckView, width: int = 148) -> DrawnBar:
    """Draw a check's bar."""
    sides = {"Above": "fails above", "Below": "fails below"}
    limit = f", {sides[check.bar.fails if check.bar else 'Above']} {check.limit}" if check.limit else ""
    known = f"{spaced(check.value)}{f', {interval_text(check)}' if interval_text(check) else ''}"
    says = f"{check.name}: {known if check.value else 'not known'}{limit}; {word_of(check)}"
    return drawn(reading_of(check), says, width)


def word_of(check: CheckView) -> str:
    """Return the verdict as people say it."""
    return "Undecided" if check.verdict == "Unknown" else check.verdict


def interval_text(check: CheckView) -> str:
    """Return the interval, its ends without the unit that the value has already."""
    if not check.low or not check.high:
        return ""
    unit = check.value.lstrip("0123456789.<>")
    return f"{check.low.removesuffix(unit)}–{check.high.removesuffix(unit)}"


def value_text(check: CheckView) -> str:
    """Return the value with its interval in brackets."""
    within = interval_text(check)
    return f"{spaced(check.value)} ({within})" if within else spaced(check.value)


def samples_text(check: CheckView) -> str:
    """Return how many samples a check rests on."""
    return count(check.samples)


def spaced(text: str) -> str:
    """Return a number with a space before its unit that no line ends at: `31%` → `31 %`, `410ms` → `410 ms`."""
    digits = text.rstrip("%abcdefghijklmnopqrstuvwxyzµ")
    unit = text[len(digits) :]
    return f"{digits}\u00a0{unit}" if digits and unit and digits[-1].isdigit() else text
