"""The page Endpoint: is it well, and if not, why and since when?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from modelward.api.base import Condition
from modelward.api.compare_view import WhyView
from modelward.api.endpoint_status import Change, ErrorBudgetStatus, ScalingDecision
from modelward.api.views import CheckView, EndpointView
from modelward.console.charts.strip import Strip
from modelward.console.charts.timeline import DAY, HOUR, Timeline, span_text
from modelward.console.pages.budget import DrawnBudget, error_budget
from modelward.console.pages.check import DrawnBar, bar_of, interval_text, samples_text, spaced, value_text, word_of
from modelward.console.pages.evidence import EvidenceFigure, spans_figure
from modelward.console.pages.history import EndpointHistory, strips
from modelward.console.pages.links import Fact, Link, LogRow, address, tabs
from modelward.console.pages.moment import moment, read_time
from modelward.console.pages.read_out import ReadOut, Table, read_out, table
from modelward.console.text import count, plural, since

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
class CheckRow:
    """A check in the table."""

    name: str
    kind: str
    verdict: str
    word: str
    reason: str
    message: str
    value: str
    interval: str
    bar: DrawnBar
    limit: str
    samples: str
    over: str
    budget: DrawnBudget | None


@dataclass(frozen=True, slots=True)
class ShownScaling:
    """Decisions, each with its reason."""

    mode: str
    decisions: tuple[LogRow, ...]
    missing: str
    capacity: str


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


@dataclass(frozen=True, slots=True)
class ShownEndpoint:
    """What the template writes."""

    namespace: str
    name: str
    health: str
    since: str
    because: str
    context: tuple[str, ...]
    evidence: EvidenceFigure | None
    actions: tuple[Link, ...]
    command: str
    trust: tuple[Fact, ...]
    tabs: tuple[Link, ...]
    checks: tuple[CheckRow, ...]
    charts: ShownCharts
    scaling: ShownScaling
    changes: tuple[LogRow, ...]
    conditions: tuple[LogRow, ...]
    facts: tuple[Fact, ...]


def range_of(text: str) -> str:
    """Return a range that there is; a day for any other."""
    return text if any(text == key for key, _, _ in RANGES) else "24h"


def line_of(key: str, now_ms: int) -> Timeline:
    """Return the time that a range covers."""
    return Timeline(now_ms - next(span for name, _, span in RANGES if name == key), now_ms)


def shown_endpoint(
    view: EndpointView, history: EndpointHistory | None, key: str, now_ms: int, why: WhyView | None = None
) -> ShownEndpoint:
    """Return the page; without a history its place says what is missing."""
    status = view.status
    leading = view.row.leading
    budgets = {(one.policy, one.objective): one for one in status.budgets}
    return ShownEndpoint(
        namespace=view.namespace,
        name=view.name,
        health=status.health,
        since=_since(status.health_since, now_ms),
        because=because(view),
        context=_context(view, leading),
        evidence=spans_figure(why.before, why.after, now_ms) if why and why.before and why.after else None,
        actions=_actions(view, leading),
        command=f"kubectl modelward why {view.name} -n {view.namespace}",
        trust=_trust(view, history, now_ms),
        tabs=tabs(view.namespace, view.name, "Overview"),
        checks=tuple(_check(one, budgets.get((one.policy, one.name))) for one in _ordered(view.checks)),
        charts=_charts(view, history, key, now_ms),
        scaling=_scaling(view, now_ms),
        changes=tuple(_change(one, now_ms) for one in status.changes),
        conditions=tuple(_condition(one, now_ms) for one in status.conditions),
        facts=_facts(view),
    )


def because(view: EndpointView) -> str:
    """Return the sentence that the state rests on."""
    leading = view.row.leading
    if view.status.health == "Healthy" and not leading:
        return view.status.summary or "Nothing speaks against it."
    if leading is None or not leading.value or leading.verdict == "Passed":
        return view.status.summary or "Nothing is known of it yet."
    of = f"{leading.name} is {value_text(leading)}"
    limit = f", where the policy allows {spaced(leading.limit)}" if leading.limit else ""
    sure = {"Failed": "surely beyond the limit", "Unknown": "not decided"}.get(leading.verdict, "")
    return f"{of}{limit}: {sure}. n = {samples_text(leading)}."


def _context(view: EndpointView, leading: CheckView | None) -> tuple[str, ...]:
    lines = []
    if leading and leading.message and leading.verdict != "Passed":
        lines.append(leading.message)
    open_checks = [one for one in view.checks if one.verdict == "Unknown" and one is not leading]
    if open_checks and view.status.health != "Unknown":
        names = ", ".join(one.name for one in open_checks[:3])
        lines.append(f"{plural(len(open_checks), 'check')} undecided ({names}): not counted as good.")
    newest = view.status.changes[0] if view.status.changes else None
    if newest and view.status.health != "Healthy":
        lines.append(f"Last change: {newest.kind.lower()} {newest.message}.")
    return tuple(lines)


def _actions(view: EndpointView, leading: CheckView | None) -> tuple[Link, ...]:
    place = (view.namespace, view.name)
    links = []
    if view.status.health != "Healthy":
        links.append(Link("Why?", address(*place, "why"), first=True))
    if leading and leading.examples and "Text" in view.rights:
        flagged = f"{leading.policy}/{leading.name}"
        links.append(Link("Read the flagged", address(*place, "transcripts", flagged=flagged)))
    elif "Text" in view.rights and view.kept:
        links.append(Link("Read transcripts", address(*place, "transcripts")))
    links.append(Link("Compare revisions", address(*place, "revisions")))
    firing = sum(alert.state in ("Firing", "Held") for alert in view.alerts)
    if firing:
        links.append(Link(plural(firing, "alert"), f"/alerts?ns={quote(view.namespace)}"))
    return tuple(links)


def _trust(view: EndpointView, history: EndpointHistory | None, now_ms: int) -> tuple[Fact, ...]:
    collector = view.status.collector
    facts = [_told(view, now_ms)]
    if collector:
        short = collector.ready < collector.desired
        seen = f"{spaced(collector.traffic_seen)}, by {collector.mode.lower()}" if collector.traffic_seen else "–"
        facts.append(Fact("Collectors", f"{collector.ready} of {collector.desired} answer", "warn" if short else ""))
        facts.append(Fact("Traffic seen", seen))
    judged = max((one.samples for one in view.checks if one.kind == "Evaluation"), default=0)
    facts.append(Fact("Judged answers", count(judged) if judged else "none", "" if judged else "unk"))
    facts.append(Fact("Exchanges kept", count(view.kept) if view.kept else "none"))
    agreed = [one.agreement for one in view.checks if one.agreement and one.agreement.flags]
    if agreed:
        flags, right = sum(one.flags for one in agreed), sum(one.flags_agreed for one in agreed)
        facts.append(Fact("People agreed with", f"{right} of {plural(flags, 'flag')}"))
    facts.append(Fact("Checks decided", view.status.checks or "no checks"))
    if history and history.outcomes.starts_ms:
        unseen = sum(end - start for start, end in history.outcomes.gaps(history.line))
        text = span_text(unseen) if unseen >= 60_000 else "nothing"
        facts.append(Fact("Not watched", f"{text} of {span_text(history.line.span_ms)}", "unk" if unseen else ""))
    return tuple(facts)


def _told(view: EndpointView, now_ms: int) -> Fact:
    if view.told_ms is None:
        return Fact("Numbers", "not told since the hub started", "unk")
    age = now_ms - view.told_ms
    return Fact("Numbers", f"{span_text(age)} old", "unk" if age > 10 * 60_000 else "")


def _since(text: str, now_ms: int) -> str:
    then = read_time(text)
    return f"for {since(then, now_ms)}, since {moment(then, now_ms).text}" if then else ""


def _ordered(checks: Sequence[CheckView]) -> list[CheckView]:
    """Return what failed first, then what is undecided, evaluations before objectives."""
    order = {"Failed": 0, "Unknown": 1, "Passed": 2}
    return sorted(checks, key=lambda one: (order[one.verdict], one.kind == "Objective", one.policy, one.name))


def _check(check: CheckView, budget: ErrorBudgetStatus | None) -> CheckRow:
    what = check.metric or check.evaluator
    kind = f"{what} · {check.policy}" if what else check.policy
    return CheckRow(
        name=check.name,
        kind=kind,
        verdict=check.verdict,
        word=word_of(check),
        reason=check.reason,
        message=check.message,
        value=spaced(check.value) or "–",
        interval=interval_text(check),
        bar=bar_of(check, 176),
        limit=spaced(check.limit),
        samples=samples_text(check),
        over=check.over,
        budget=error_budget(budget),
    )


def _charts(view: EndpointView, history: EndpointHistory | None, key: str, now_ms: int) -> ShownCharts:
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


def _scaling(view: EndpointView, now_ms: int) -> ShownScaling:
    scaling = view.status.scaling
    mode = str(view.facts.scaling.get("mode", "Off")) if view.facts.scaling else "Off"
    decisions = scaling.decisions if scaling else ()
    rows = (
        tuple(_decision(one, before, now_ms) for one, before in zip(decisions, (*decisions[1:], None), strict=True))
        if decisions
        else ()
    )
    missing = "Scaling is off: nothing but people and other scalers changes the replicas."
    if mode != "Off":
        missing = (scaling.message if scaling else "") or "No decision yet: nothing had to change."
    return ShownScaling(f"mode {mode}", rows, missing, scaling.capacity if scaling else "")


def _decision(one: ScalingDecision, before: ScalingDecision | None, now_ms: int) -> LogRow:
    then = read_time(one.time) or now_ms
    sign = (
        "same"
        if before is None or before.replicas == one.replicas
        else "up"
        if one.replicas > before.replicas
        else "down"
    )
    text = f"{before.replicas} → {one.replicas}" if before and before.replicas != one.replicas else f"→ {one.replicas}"
    return LogRow(moment(then, now_ms), sign, text, one.reason, one.message)


def _change(one: Change, now_ms: int) -> LogRow:
    sign = {"Revision": "Revision", "Policy": "Policy", "Scale": "same"}.get(one.kind, "Version")
    return LogRow(moment(read_time(one.time) or now_ms, now_ms), sign, one.message, kind=one.kind)


def _condition(one: Condition, now_ms: int) -> LogRow:
    sign = {"True": "Healthy", "False": "Unhealthy"}.get(one.status, "Unknown")
    then = read_time(one.last_transition_time) or now_ms
    return LogRow(moment(then, now_ms), sign, "", one.reason, one.message, type=one.type)


def _facts(view: EndpointView) -> tuple[Fact, ...]:
    status, facts = view.status, view.facts
    usage = status.usage
    rows = [
        Fact("Engine", facts.engine or status.engine or "–"),
        Fact("Models", ", ".join(status.models) or "–"),
        Fact("Revision", status.revision or "–"),
        Fact("Replicas", status.replicas_summary or "–"),
        Fact("Traffic seen by", facts.mode or "–"),
        Fact("Address", status.address.url if status.address else "–"),
        Fact("Policies", ", ".join(one.name for one in status.applied_policies) or "none"),
    ]
    if usage:
        rows.append(Fact("Requests", f"{usage.requests_per_minute or '–'} / min"))
        rows.append(Fact("Cost", f"{usage.cost_per_hour} / h" if usage.cost_per_hour else "no price declared"))
    return tuple(rows)
