"""The page Endpoint: is it well, and if not, why and since when?"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from modelward.api.compare_view import WhyView
from modelward.api.views import CheckView, EndpointView
from modelward.console.charts.timeline import span_text
from modelward.console.pages.check import samples_text, spaced, value_text
from modelward.console.pages.check_table import CheckRow, check_rows
from modelward.console.pages.endpoint_charts import ShownCharts, shown_charts
from modelward.console.pages.endpoint_log import ShownScaling, change_row, condition_row, shown_scaling
from modelward.console.pages.evidence import EvidenceFigure, spans_figure
from modelward.console.pages.history import EndpointHistory
from modelward.console.pages.links import Fact, Link, LogRow, address, tabs
from modelward.console.pages.moment import moment, read_time
from modelward.console.text import count, plural, since


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


def shown_endpoint(
    view: EndpointView, history: EndpointHistory | None, key: str, now_ms: int, why: WhyView | None = None
) -> ShownEndpoint:
    """Return the page; without a history its place says what is missing."""
    status = view.status
    leading = view.row.leading
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
        checks=check_rows(view),
        charts=shown_charts(view, history, key, now_ms),
        scaling=shown_scaling(view, now_ms),
        changes=tuple(change_row(one, now_ms) for one in status.changes),
        conditions=tuple(condition_row(one, now_ms) for one in status.conditions),
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
        asked = {"check": f"{leading.policy}/{leading.name}"} if leading and leading.verdict == "Failed" else {}
        links.append(Link("Why?", address(*place, "why", **asked), first=True))
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
