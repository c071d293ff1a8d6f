"""The page Alerts: what fires, what is held, what is silenced, and who was told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelward.api.alert_status import DeliveryStatus
from modelward.api.views import AlertPage, AlertView, SilenceView
from modelward.console.pages.moment import ShownMoment, moment, read_time
from modelward.console.text import clock, plural, since

UNTIL: tuple[tuple[str, str, int], ...] = (
    ("1h", "1 hour", 1),
    ("8h", "8 hours", 8),
    ("24h", "1 day", 24),
    ("72h", "3 days", 72),
    ("168h", "7 days", 168),
)
HOUR_MS = 3_600_000
ACKNOWLEDGED_FOR_H = 168
"""An acknowledgement ends when the alert does; a week is its longest."""
_ORDER = {"Critical": 0, "Warning": 1, "Info": 2}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one receiver knows."""

    sign: str
    state: str
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """One alert."""

    anchor: str
    sign: str
    word: str
    name: str
    policy: str
    namespace: str
    endpoint: str
    href: str
    age: str
    message: str
    note: str
    deliveries: tuple[Delivery, ...]
    may_silence: bool
    hold: bool


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts of one kind, with what the kind means."""

    title: str
    note: str
    rows: tuple[ShownAlert, ...]


@dataclass(frozen=True, slots=True)
class ShownSilence:
    """One silence."""

    what: str
    who: str
    until: str
    comment: str
    state: str
    sign: str
    command: str
    """What ends it before its time; the console has no right to."""


@dataclass(frozen=True, slots=True)
class ReceiverRow:
    """What came through to one receiver."""

    name: str
    told: int
    asked: int
    problem: str


@dataclass(frozen=True, slots=True)
class ShownAlerts:
    """What the template writes."""

    headline: str
    subline: str
    as_of: ShownMoment
    groups: tuple[AlertGroup, ...]
    silences: tuple[ShownSilence, ...]
    receivers: tuple[ReceiverRow, ...]
    namespace: str
    namespaces: tuple[str, ...]
    until: tuple[tuple[str, str, int], ...] = UNTIL
    total: int = 0
    firing: int = 0


def shown_alerts(found: AlertPage, namespace: str, readable: Sequence[str], now_ms: int) -> ShownAlerts:
    """Return the page."""
    silences = {(one.namespace, one.name): one for one in found.silences if one.name}
    rows = sorted(found.rows, key=lambda one: (_ORDER.get(one.severity, 3), -(one.since_ms or 0)))

    def group(title: str, note: str, *states: str, quiet: bool | None) -> AlertGroup:
        chosen = [one for one in rows if one.state in states and (quiet is None or bool(one.silence) == quiet)]
        shown = tuple(_alert(one, silences, one.namespace in found.silence_in, now_ms) for one in chosen)
        return AlertGroup(title, note, shown)

    groups = (
        group("Firing", "by severity, then the newest first", "Firing", quiet=False),
        group("Held", "fired, and nothing shows that it is over", "Held", quiet=False),
        group("Acknowledged and silenced", "told to no receiver until then", "Firing", "Held", quiet=True),
        group("Pending", "not for long enough to be told", "Pending", quiet=None),
        group("Over", "Closed: without evidence of recovery", "Resolved", "Closed", quiet=None),
    )
    firing = len(groups[0].rows)
    return ShownAlerts(
        headline=_headline(found),
        subline=_subline(groups),
        as_of=moment(now_ms, now_ms),
        groups=tuple(one for one in groups if one.rows),
        silences=tuple(_silence(one, now_ms) for one in found.silences),
        receivers=_receivers(found.rows),
        namespace=namespace,
        namespaces=tuple(sorted({*readable, *(one.namespace for one in found.rows), namespace} - {""})),
        total=found.total,
        firing=firing,
    )


def _headline(found: AlertPage) -> str:
    firing = [one for one in found.rows if one.state == "Firing" and not one.silence]
    failed = sum(bool(each.problem) for one in found.rows for each in one.deliveries)
    if not firing:
        text = "Nothing fires."
    else:
        critical = sum(one.severity == "Critical" for one in firing)
        text = f"{len(firing)} firing" + (f", {critical} of them critical." if critical else ".")
    if failed:
        text += f" {plural(failed, 'message')} did not get through."
    return text


def _subline(groups: Sequence[AlertGroup]) -> str:
    held = len(groups[1].rows)
    if held:
        words = ("is", "it watches") if held == 1 else ("are", "they watch")
        return f"{held} {words[0]} held: what {words[1]} can’t be judged, and silence is not taken for recovery."
    return "An alert ends when its check has passed, not when its data stop."


def _alert(one: AlertView, silences: Mapping[tuple[str, str], SilenceView], may: bool, now_ms: int) -> ShownAlert:
    quiet = silences.get((one.namespace, one.silence)) if one.silence else None
    hold = one.state == "Held"
    word = one.state if one.state in ("Held", "Pending", "Resolved", "Closed") else one.severity
    sign = {"Held": "Held", "Pending": "Unknown", "Resolved": "Healthy", "Closed": "Unknown"}.get(
        one.state, one.severity
    )
    age = since(one.since_ms, now_ms) if one.since_ms else ""
    return ShownAlert(
        anchor=f"{one.namespace}.{one.endpoint}.{one.policy}.{one.name}".replace("/", "."),
        sign=sign or "Unknown",
        word=word or one.state,
        name=one.name,
        policy=one.policy,
        namespace=one.namespace,
        endpoint=one.endpoint,
        href=f"/e/{one.namespace}/{one.endpoint}",
        age=f"held {age}" if hold else age,
        message=one.message,
        note=_note(one, quiet, now_ms),
        deliveries=tuple(_delivery(each, now_ms) for each in one.deliveries),
        may_silence=may and one.state in ("Firing", "Held", "Pending") and not one.silence,
        hold=hold,
    )


def _note(one: AlertView, quiet: SilenceView | None, now_ms: int) -> str:
    if quiet is not None:
        until = f" until {clock(quiet.until_ms, now_ms)}" if quiet.until_ms else ""
        end = ", or until it is resolved" if quiet.until_resolved else ""
        said = f": “{quiet.comment}”" if quiet.comment else ""
        how = "Acknowledged" if quiet.until_resolved else "Silenced"
        return f"{how} by {quiet.by or 'an unnamed person'}{until}{end}{said}"
    if one.state == "Held":
        return f"{one.held or 'No data'}: resolves only when the check passes; closes after its time, without evidence."
    if one.by:
        return f"Waits behind {one.by}; told when that is over."
    return ""


def _delivery(one: DeliveryStatus, now_ms: int) -> Delivery:
    if one.problem:
        return Delivery("cross", "bad", f"{one.receiver}: {one.problem}", "not told")
    at = read_time(one.at)
    if one.told:
        return Delivery("check", "ok", f"{one.receiver}, {one.told.lower()}", clock(at, now_ms) if at else "")
    return Delivery("clock", "mut2", one.receiver, "being sent" if one.sending else "waits")


def _silence(one: SilenceView, now_ms: int) -> ShownSilence:
    what = ", ".join(one.alerts) or "all alerts"
    place = f"{one.namespace}/{one.endpoint}" if one.endpoint else one.namespace
    until = f"until {clock(one.until_ms, now_ms)}" if one.until_ms else ""
    words = {"Requested": "asked for", "InForce": "in force", "Ended": "ended", "Refused": one.problem or "refused"}
    sign = {"Requested": "clock", "InForce": "check", "Ended": "check", "Refused": "cross"}[one.state]
    end = "until resolved, " if one.until_resolved else ""
    command = f"kubectl delete llmsil -n {one.namespace} {one.name}" if one.state == "InForce" else ""
    return ShownSilence(f"{what} of {place}", one.by, end + until, one.comment, words[one.state], sign, command)


def _receivers(rows: Sequence[AlertView]) -> tuple[ReceiverRow, ...]:
    told: dict[str, int] = defaultdict(int)
    asked: dict[str, int] = defaultdict(int)
    problem: dict[str, str] = {}
    for one in rows:
        for each in one.deliveries:
            asked[each.receiver] += 1
            told[each.receiver] += bool(each.told) and not each.problem
            problem[each.receiver] = each.problem or problem.get(each.receiver, "")
    return tuple(ReceiverRow(name, told[name], asked[name], problem[name]) for name in sorted(asked))


def until_ms(key: str, now_ms: int) -> int | None:
    """Return when a silence of a form ends; None for a length that is not offered."""
    hours = next((hours for name, _, hours in UNTIL if name == key), None)
    return None if hours is None else now_ms + hours * HOUR_MS
