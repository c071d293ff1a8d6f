"""The page Revisions: B against A, better, worse, or can't tell."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.compare_view import CompareRow, RevisionsView
from modelward.console.charts.shapes import SvgElement, circle, line, path, rect
from modelward.console.pages.check import DrawnBar, spaced
from modelward.console.pages.links import Link, tabs
from modelward.console.pages.number import parse
from modelward.console.text import count

WIDTH, EDGE, MIDDLE = 176, 4, 9
_WORDS = {
    "Better": ("Passed", "better"),
    "Worse": ("Failed", "worse"),
    "Equal": ("Info", "the same"),
    "CannotTell": ("Unknown", "can’t tell"),
}


@dataclass(frozen=True, slots=True)
class ShownRevisionRow:
    """One measure of two revisions."""

    name: str
    kind: str
    a: str
    b: str
    a_samples: str
    b_samples: str
    difference: str
    interval: str
    sign: str
    word: str
    bar: DrawnBar


@dataclass(frozen=True, slots=True)
class ShownRevisions:
    """What the template writes."""

    namespace: str
    name: str
    tabs: tuple[Link, ...]
    a: str
    b: str
    revisions: tuple[str, ...]
    headline: str
    rows: tuple[ShownRevisionRow, ...]


def shown_revisions(found: RevisionsView) -> ShownRevisions:
    """Return the page."""
    worse = [row.name for row in found.rows if row.result == "Worse"]
    better = [row.name for row in found.rows if row.result == "Better"]
    return ShownRevisions(
        namespace=found.namespace,
        name=found.endpoint,
        tabs=tabs(found.namespace, found.endpoint, "Revisions"),
        a=found.a,
        b=found.b,
        revisions=found.revisions,
        headline=_headline(found, worse, better),
        rows=tuple(_row(row) for row in found.rows),
    )


def _headline(found: RevisionsView, worse: list[str], better: list[str]) -> str:
    if len(found.revisions) < 2:
        return "One revision has been seen so far"
    if worse:
        also = f", better in {', '.join(better)}" if better else ""
        return f"{found.b} is worse in {', '.join(worse)}{also}"
    if better:
        return f"{found.b} is better in {', '.join(better)}, and worse in nothing"
    return f"It can’t be told that {found.b} differs from {found.a}"


def _row(row: CompareRow) -> ShownRevisionRow:
    sign, word = _WORDS[row.result]
    within = f"{row.low} to {row.high}" if row.low and row.high else ""
    return ShownRevisionRow(
        name=row.name,
        kind=f"{row.kind} · {row.policy}" if row.policy else row.kind,
        a=spaced(row.a) or "–",
        b=spaced(row.b) or "–",
        a_samples=count(row.a_samples),
        b_samples=count(row.b_samples),
        difference=spaced(row.difference),
        interval=within,
        sign=sign,
        word=word,
        bar=_bar(row, word),
    )


def _bar(row: CompareRow, word: str) -> DrawnBar:
    """Draw the difference's interval around zero, which is where nothing changed."""
    value, low, high = (parse(text) for text in (row.difference, row.low, row.high))
    says = f"{row.name}: difference {row.difference or 'not known'}; {word}"
    trunk = line("trk", EDGE, MIDDLE, WIDTH - EDGE, MIDDLE)
    zero = line("lim", WIDTH / 2, 0, WIDTH / 2, 18)
    if value is None or low is None or high is None:
        return DrawnBar((trunk, rect("nowatch", EDGE, 3, WIDTH - 2 * EDGE, 12), zero), WIDTH, says)
    reach = max(abs(low), abs(high), 1e-9) * 1.1
    style = {"Better": "P", "Worse": "F"}.get(row.result, "U")

    def x(one: float) -> float:
        return WIDTH / 2 + (WIDTH / 2 - EDGE) * max(min(one / reach, 1), -1)

    body: SvgElement = (
        rect("U box", x(low), 4.5, x(high) - x(low), 9)
        if style == "U"
        else line(f"bar {style}", x(low), MIDDLE, x(high), MIDDLE)
    )
    caps = [path(f"cap {style}", f"M{x(one):.1f} 3.500v11") for one in (low, high)]
    return DrawnBar((trunk, body, *caps, zero, circle(f"pt {style}", x(value), MIDDLE, 3.4)), WIDTH, says)
