"""The page Fleet: what needs me?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from modelward.api.endpoint_status import Health
from modelward.api.views import FLEET_PAGE, Attention, CheckView, FleetPage, FleetRow, FleetSort
from modelward.console.charts.interval_bar import BarReading
from modelward.console.charts.shapes import SvgElement
from modelward.console.charts.spark import spark
from modelward.console.charts.timeline import DAY, Timeline
from modelward.console.charts.track import Track
from modelward.console.pages.budget import DrawnBudget, budget_of
from modelward.console.pages.check import DrawnBar, bar_of, drawn, spaced, value_text
from modelward.console.pages.fleet_filter import HEALTHS, SORTS, FleetFilter
from modelward.console.pages.moment import ShownMoment, to_the_second
from modelward.console.text import plural, short_since, span_text

_TITLES: Mapping[Attention, tuple[str, str, str]] = {
    "NeedsYou": ("need", "Needs you", "by severity, then the newest first"),
    "CannotTell": ("cant", "Can’t tell", "evidence is missing or undecided; not counted as good"),
    "Well": ("well", "Well", "nothing to do"),
}
_STATES: Mapping[str, Health] = {"W": "Healthy", "D": "Degraded", "B": "Unhealthy", "U": "Unknown"}


@dataclass(frozen=True, slots=True)
class WorstCheck:
    """The check that health rests on."""

    bar: DrawnBar
    text: str
    short: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row, in words and shapes."""

    href: str
    name: str
    namespace: str
    health: Health
    since: str
    why: str
    tags: tuple[str, ...]
    first_token: str
    errors: str
    worst: WorstCheck | None
    budget: DrawnBudget | None
    replicas: str
    short_of_pods: bool
    spark: tuple[SvgElement, ...]
    spark_says: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with one need."""

    key: str
    title: str
    note: str
    count: int
    rows: tuple[ShownRow, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter by health."""

    health: Health
    count: int | str
    chosen: bool


@dataclass(frozen=True, slots=True)
class KeySample:
    """An entry of the key below the table."""

    bar: DrawnBar
    text: str


@dataclass(frozen=True, slots=True)
class ShownFleet:
    """What the template writes."""

    query: FleetFilter
    headline: str
    subline: str
    as_of: ShownMoment
    seen: str
    chips: tuple[Chip, ...]
    namespaces: tuple[str, ...]
    groups: tuple[Group, ...]
    page: int
    pages: int
    total: int
    first: int
    last: int
    previous: str
    following: str
    hidden: str
    first_run: bool
    readable: str
    key: tuple[KeySample, ...]
    sorts: tuple[tuple[FleetSort, str], ...] = SORTS


def shown_fleet(found: FleetPage, query: FleetFilter, readable: Sequence[str], now_ms: int) -> ShownFleet:
    """Return the page; `readable` are the namespaces that the person may see."""
    counts = found.counts
    first = (found.page - 1) * FLEET_PAGE + 1
    return ShownFleet(
        query=query,
        headline=headline(counts.needs_you, counts.cannot_tell, counts.well),
        subline=_subline(found, query),
        as_of=to_the_second(found.told_ms or now_ms),
        seen=_age(found.told_ms, now_ms),
        chips=tuple(Chip(one, _chip_count(found, one, query), one in query.health) for one in HEALTHS),
        namespaces=tuple(sorted({*found.namespaces, *([query.namespace] if query.namespace else [])})),
        groups=_groups(found, query, now_ms),
        page=found.page,
        pages=found.pages,
        total=found.total,
        first=first,
        last=first + len(found.rows) - 1,
        previous=query.href(found.page - 1) if found.page > 1 else "",
        following=query.href(found.page + 1) if found.page < found.pages else "",
        hidden="all that there are",
        first_run=not found.rows and not query.filtered,
        readable=", ".join(readable[:20]) or "none yet",
        key=_KEY,
    )


def headline(needs: int, cannot: int, well: int) -> str:
    """Return the sentence that answers: what needs me?"""
    if not needs + cannot + well:
        return "No endpoint matches"
    if not needs and not cannot:
        return f"All is well: {plural(well, 'endpoint')}."
    parts = []
    if needs:
        parts.append(f"{plural(needs, 'endpoint')} {'needs' if needs == 1 else 'need'} you.")
    if cannot:
        parts.append(f"{cannot:,} can’t be judged." if needs else f"{plural(cannot, 'endpoint')} can’t be judged.")
    return " ".join(parts)


def _subline(found: FleetPage, query: FleetFilter) -> str:
    counts = found.counts
    total = counts.needs_you + counts.cannot_tell + counts.well
    parts = [f"{counts.well:,} of {total:,} are well." if counts.needs_you + counts.cannot_tell else "Nothing to do."]
    quiet = sum(row.silenced > 0 for row in found.rows)
    if quiet:
        parts.append(f"{plural(quiet, 'endpoint')} on this page {'has' if quiet == 1 else 'have'} silenced alerts.")
    if query.filtered:
        parts.append("Filtered.")
    return " ".join(parts)


def _age(told_ms: int | None, now_ms: int) -> str:
    if told_ms is None:
        return "the operator has not told the hub anything yet"
    return f"told by the operator {span_text(now_ms - told_ms)} ago"


def _chip_count(found: FleetPage, health: Health, query: FleetFilter) -> int | str:
    """Return how many there are, where that is known: on one page, or by need."""
    if health == "Healthy":
        return found.counts.well
    if health == "Unknown":
        return found.counts.cannot_tell
    if found.pages <= 1 and not query.health:
        return sum(row.health == health for row in found.rows)
    return ""


def _groups(found: FleetPage, query: FleetFilter, now_ms: int) -> tuple[Group, ...]:
    counts = {"NeedsYou": found.counts.needs_you, "CannotTell": found.counts.cannot_tell, "Well": found.counts.well}
    if query.sort != "need":
        title = next(text for key, text in SORTS if key == query.sort)
        rows = tuple(shown_row(row, now_ms) for row in found.rows)
        return (Group("all", "Endpoints", f"by {title.lower()}", found.total, rows),) if rows else ()
    groups = []
    for need, run in groupby(found.rows, key=lambda row: row.need):
        key, title, note = _TITLES[need]
        groups.append(Group(key, title, note, counts[need], tuple(shown_row(row, now_ms) for row in run)))
    return tuple(groups)


def shown_row(row: FleetRow, now_ms: int) -> ShownRow:
    """Return one row."""
    shapes, says = _spark(row, now_ms)
    ready, _, desired = row.replicas.partition("/")
    return ShownRow(
        href=f"/e/{row.namespace}/{row.name}",
        name=row.name,
        namespace=row.namespace,
        health=row.health,
        since=short_since(row.since_ms, now_ms) if row.since_ms else "–",
        why=row.why or ("all checks passed" if row.need == "Well" else ""),
        tags=_tags(row),
        first_token=spaced(row.first_token_p95),
        errors=spaced(row.error_rate),
        worst=_worst(row.leading),
        budget=budget_of(row.budget),
        replicas=row.replicas,
        short_of_pods=bool(desired) and ready != desired,
        spark=shapes,
        spark_says=says,
    )


def _tags(row: FleetRow) -> tuple[str, ...]:
    tags = []
    if row.held:
        tags.append(f"{row.held} held")
    if row.silenced:
        tags.append(f"{row.silenced} silenced")
    return tuple(tags)


def _worst(check: CheckView | None) -> WorstCheck | None:
    if check is None:
        return None
    text = f"{check.name} {value_text(check)}" if check.value else f"{check.name}: {check.reason or 'not known'}"
    return WorstCheck(bar_of(check, 124), text, spaced(check.value))


def _spark(row: FleetRow, now_ms: int) -> tuple[tuple[SvgElement, ...], str]:
    """Draw the day: one slot for each letter of the ribbon, or for each number that is known."""
    slots = max(len(row.ribbon), len(row.asked))
    if not slots:
        return (), "no history of the last 24 hours"
    step = DAY // slots
    begin = now_ms - step * slots
    starts = tuple(begin + step * index for index in range(slots))
    letters = row.ribbon.ljust(slots, "-") if row.ribbon else _ribbon_of(row, starts, step)
    seen = tuple(0.0 if letter == "-" else 1.0 for letter in letters)
    asked = tuple(None if one is None else float(one) for one in row.asked)
    track = Track(starts, step, seen, {"asked": asked} if len(asked) == slots else {})
    spans = [(at, at + step * size, state) for at, size, state in _spans(letters, begin, step)]
    bad = sum(letter in "DB" for letter in letters)
    says = f"last 24 hours: {_share(bad, slots)} of the time not well, {_share(letters.count('-'), slots)} not watched"
    return spark(track, "asked", spans, Timeline(begin, begin + step * slots)), says


def _ribbon_of(row: FleetRow, starts: Sequence[int], step: int) -> str:
    """Return the state that holds now for as long as it does; what was before is not known, and left blank."""
    now = next(letter for letter, health in _STATES.items() if health == row.health)
    since_ms = row.since_ms if row.since_ms is not None else starts[-1]
    letters = []
    for start, one in zip(starts, row.asked, strict=True):
        letters.append("-" if one is None else now if start + step > since_ms else " ")
    return "".join(letters)


def _spans(letters: str, begin: int, step: int) -> list[tuple[int, int, Health]]:
    spans: list[tuple[int, int, Health]] = []
    at = 0
    for letter, run in groupby(letters):
        size = len(list(run))
        if letter in _STATES:
            spans.append((begin + at * step, size, _STATES[letter]))
        at += size
    return spans


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"


def _sample(low: float | None, value: float | None, high: float | None, verdict: str, text: str) -> KeySample:
    reading = BarReading(verdict, value, low, high, 12)  # type: ignore[arg-type]  # words of a verdict, below
    return KeySample(drawn(reading, text, 92), text)


_KEY = (
    _sample(2, 4, 7, "Passed", "surely within the limit"),
    _sample(4, 12, 26, "Unknown", "undecided: the interval holds the limit, or n is too small"),
    _sample(16, 25, 38, "Failed", "surely beyond it"),
    _sample(None, None, None, "Unknown", "not watched"),
)
