"""The page Why: what was different when it went bad, or that it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.compare_view import LikelyCause, WhyView
from modelward.console.pages.evidence import EvidenceFigure, share_text, spans_figure
from modelward.console.pages.links import Link, LogRow, address, tabs
from modelward.console.pages.moment import ShownMoment, moment, read_time
from modelward.console.text import share

_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class ShownCause:
    """One group of requests that went bad."""

    title: str
    before: str
    after: str
    rise: str
    part: str
    evidence: EvidenceFigure


@dataclass(frozen=True, slots=True)
class ShownWhy:
    """What the template writes."""

    namespace: str
    name: str
    tabs: tuple[Link, ...]
    headline: str
    sentence: str
    flip: ShownMoment | None
    evidence: EvidenceFigure | None
    causes: tuple[ShownCause, ...]
    changes: tuple[LogRow, ...]
    checks: tuple[Link, ...]
    source: str
    missing: str
    """What stands in the place of causes."""


_SOURCES = {
    "History": "Counted from every request of the two spans.",
    "Exchanges": "Counted from the captured exchanges of the two spans: a sample, with its interval.",
    "None": "Neither history nor exchanges of this time are kept.",
}
_FEW = 1_000
"""Requests below which more of them may tell."""


def shown_why(found: WhyView, checks: tuple[str, ...], now_ms: int) -> ShownWhy:
    """Return the page; `checks` are those that can be asked about, as `policy/name`."""
    place = found.namespace, found.endpoint
    offered = (
        Link("Failed requests", address(*place, "why"), not found.check),
        *(Link(one, address(*place, "why", check=one), one == found.check) for one in checks),
    )
    evidence = spans_figure(found.before, found.after, now_ms) if found.before and found.after else None
    return ShownWhy(
        namespace=found.namespace,
        name=found.endpoint,
        tabs=tabs(*place, "Why"),
        headline=_headline(found),
        sentence=found.sentence,
        flip=moment(found.flip_ms, now_ms) if found.flip_ms else None,
        evidence=evidence,
        causes=tuple(_cause(one, now_ms) for one in found.causes),
        changes=tuple(
            LogRow(
                moment(read_time(one.time) or now_ms, now_ms),
                one.kind if one.kind in ("Revision", "Policy") else "Version",
                one.message,
                kind=one.kind,
            )
            for one in found.changes
        ),
        checks=offered,
        source=_SOURCES[found.source],
        missing=_missing(found),
    )


def _headline(found: WhyView) -> str:
    if found.verdict == "NoFlip":
        return "Nothing flipped in the time that is kept"
    if found.verdict == "NotRisen":
        return "No more of them are bad than before"
    if found.verdict == "Explained" and found.causes:
        first = found.causes[0]
        return f"{first.by} {first.value} explains most of it"
    return "It can’t be told what explains it"


def _missing(found: WhyView) -> str:
    if found.verdict == "NoFlip":
        return "Health did not change in the time that the hub keeps."
    if found.verdict == "NotRisen":
        return "What flipped is not in these requests. Ask about the check that failed."
    fewest = min((one.requests for one in (found.before, found.after) if one), default=0)
    unsure = "No revision, code, caller or model stands out of the interval."
    if fewest >= _FEW:
        return f"{unsure} All were hit alike, or by what is not counted."
    return f"{unsure} More samples would tell: capture.sample decides how many are kept."


def _cause(one: LikelyCause, now_ms: int) -> ShownCause:
    low, high = one.low_ppm / _PPM, one.high_ppm / _PPM
    return ShownCause(
        title=f"{one.by} {one.value}",
        before=share_text(one.before),
        after=share_text(one.after),
        rise=f"{_signed(one.rise_ppm / _PPM)} ({_signed(low)} to {_signed(high)})",
        part=f"{share(one.of_rise_ppm / _PPM)} of the rise" if one.of_rise_ppm is not None else "",
        evidence=spans_figure(one.before, one.after, now_ms, height=62),
    )


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{share(abs(value))}"
