"""The page Transcripts: the list of exchanges, and the one that is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from modelward.api.exchange_page import ExchangePage, ExchangeView
from modelward.api.views import EndpointView
from modelward.console.pages.exchange import ShownExchange, shown_exchange
from modelward.console.pages.links import Link, address, tabs
from modelward.console.pages.masked_text import Piece, pieces
from modelward.console.pages.moment import ShownMoment, moment
from modelward.console.pages.transcript_filter import SLOWER, STATUSES, TranscriptQuery
from modelward.console.text import clock, count, duration

_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class ListRow:
    """One exchange in the list."""

    href: str
    first: tuple[Piece, ...]
    at: ShownMoment
    flags: tuple[str, ...]
    trouble: str
    took: str
    current: bool


@dataclass(frozen=True, slots=True)
class ShownTranscripts:
    """What the template writes."""

    namespace: str
    name: str
    tabs: tuple[Link, ...]
    headline: str
    subline: str
    kept: str
    query: TranscriptQuery
    action: str
    checks: tuple[str, ...]
    rows: tuple[ListRow, ...]
    one: ShownExchange | None
    following: str
    stopped: str
    may_label: bool
    record: str
    back: str
    person: str
    statuses: tuple[tuple[str, str], ...] = STATUSES
    slower: tuple[tuple[str, str], ...] = SLOWER


def shown_transcripts(
    view: EndpointView, found: ExchangePage, query: TranscriptQuery, person: str, now_ms: int
) -> ShownTranscripts:
    """Return the page: the list, and the exchange that is chosen or else the first."""
    place = view.namespace, view.name
    chosen = next((row for row in found.rows if row.id == query.chosen), None) or next(iter(found.rows), None)
    following = replace(query, cursor=found.cursor, chosen="").href(*place) if found.cursor else ""
    return ShownTranscripts(
        namespace=view.namespace,
        name=view.name,
        tabs=tabs(*place, "Transcripts"),
        headline=_headline(found, query),
        subline="Masks are set before anything is stored; the originals are nowhere.",
        kept=f"{count(view.kept)} exchanges kept" if view.kept else "nothing kept yet",
        query=query,
        action=address(*place, "transcripts"),
        checks=found.evaluations,
        rows=tuple(_row(one, query, place, chosen, now_ms) for one in found.rows),
        one=shown_exchange(chosen, now_ms) if chosen else None,
        following=following,
        stopped=_stopped(found, now_ms),
        may_label=found.may_label,
        record=_record(found, person, now_ms),
        back=replace(query, chosen=chosen.id if chosen else "").href(*place),
        person=person,
    )


def _headline(found: ExchangePage, query: TranscriptQuery) -> str:
    flagged = sum(any(score.flagged for score in row.scores) for row in found.rows)
    if not found.rows:
        return "No exchange matches" if query.filters() else "No text is kept of this endpoint"
    shown = f"{len(found.rows)} exchanges, newest first"
    return f"{shown}; {flagged} flagged" if flagged else shown


def _stopped(found: ExchangePage, now_ms: int) -> str:
    back = f", back to {clock(found.reached_ms, now_ms)}" if found.reached_ms else ""
    if found.stopped == "Budget":
        return f"Looked through {count(found.scanned)} exchanges{back}, then stopped so as not to slow others."
    if found.stopped == "PageFull":
        return f"There are more{back}."
    return f"That is all{back}."


def _record(found: ExchangePage, person: str, now_ms: int) -> str:
    if not found.recorded:
        return "The audit did not take the record of this reading."
    shown = f"{len(found.rows)} exchanges"
    return f"This reading is on record: {person}, {clock(now_ms, now_ms)} UTC, {shown}. The namespace’s admins see it."


def _row(
    one: ExchangeView, query: TranscriptQuery, place: tuple[str, str], chosen: ExchangeView | None, now_ms: int
) -> ListRow:
    asked = next((turn.text for turn in reversed(one.turns) if turn.role == "user"), "")
    first = " ".join(asked.split())[:120] or ("no text kept" if not one.turns else "…")
    return ListRow(
        href=replace(query, chosen=one.id).href(*place),
        first=pieces(first),
        at=moment(one.time_ms, now_ms),
        flags=tuple(f"{score.evaluation}" for score in one.scores if score.flagged),
        trouble=f"{one.status}, {one.outcome.replace('_', ' ')}" if one.outcome != "ok" else "",
        took=duration(one.duration_us / _PPM) if one.duration_us else "",
        current=one is chosen,
    )
