"""From the hub's series to the tracks that charts draw: units become seconds, shares of 1, and money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from modelward.api.budget import COST_UNITS
from modelward.api.quantity import shown_number
from modelward.api.series import HistoryMetric, HistorySeries, SeriesLine
from modelward.api.views import CheckView, EndpointView
from modelward.console.charts.layers import DrawnLimit
from modelward.console.charts.strip import Mark
from modelward.console.charts.timeline import Timeline
from modelward.console.charts.track import EMPTY, Track, TrackColumn
from modelward.console.pages.history import EndpointHistory, QualityTrack
from modelward.console.pages.moment import read_time

_PPM = 1_000_000
_QUALITY = 4
"""Checks that are drawn, those that need attention first."""


def history_of(view: EndpointView, found: Mapping[HistoryMetric, HistorySeries], line: Timeline) -> EndpointHistory:
    """Return all that is drawn of an endpoint."""
    cost = found.get("cost")
    currency = next((one.currency for one in cost.lines if one.currency), "") if cost else ""
    history = EndpointHistory(
        line=line,
        outcomes=track(found.get("requests"), 1),
        first_token=track(found.get("ttft"), _PPM),
        per_token=track(found.get("tpot"), _PPM),
        tokens=track(found.get("tokens"), 1),
        cost=_summed(track(cost, COST_UNITS), "cost"),
        replicas=_levels(found.get("replicas")),
        quality=tuple(_quality(view, found.get("checks"), line)),
        health=_health(view, line),
        marks=tuple(sorted(_marks(view, line), key=lambda mark: mark.at_ms)),
        currency=currency,
        limits=_limits(view),
    )
    return history if history.currency else replace(history, cost=EMPTY)


def track(series: HistorySeries | None, unit: int) -> Track:
    """Return a series as a track: one column for each of its lines, in one unit of so many of its own."""
    if series is None:
        return EMPTY
    columns = {one.name: _column(one.values, unit) for one in series.lines}
    return Track(series.at_ms, series.step_ms, tuple(share / _PPM for share in series.seen), columns)


def _column(values: Iterable[int | None], unit: int) -> TrackColumn:
    return tuple(None if value is None else value / unit for value in values)


def _summed(found: Track, name: str) -> Track:
    """Return one column in the place of all."""
    rows = zip(*found.columns.values(), strict=True)
    total = tuple(None if all(x is None for x in row) else sum(x for x in row if x is not None) for row in rows)
    return replace(found, columns={name: total} if total else {})


def _levels(series: HistorySeries | None) -> Track:
    return track(series, 1)


def _quality(view: EndpointView, series: HistorySeries | None, line: Timeline) -> Iterable[QualityTrack]:
    if series is None:
        return
    order = {"Failed": 0, "Unknown": 1, "Passed": 2}
    known = {(one.policy, one.name): one for one in series.lines}
    checks = [one for one in view.checks if one.kind == "Evaluation" and (one.policy, one.name) in known]
    leading = view.row.leading
    for check in sorted(checks, key=lambda one: order[one.verdict])[:_QUALITY]:
        cause = bool(leading and leading.name == check.name and check.verdict == "Failed")
        yield _quality_track(check, known[check.policy, check.name], series, line, cause=cause)


def _quality_track(
    check: CheckView, found: SeriesLine, series: HistorySeries, line: Timeline, *, cause: bool
) -> QualityTrack:
    columns = {
        "value": _column(found.values, _PPM),
        "low": _column(found.low or found.values, _PPM),
        "high": _column(found.high or found.values, _PPM),
        "n": _column(found.n or (None,) * len(found.values), 1),
    }
    seen = tuple(0.0 if value is None else 1.0 for value in found.values)
    bar = check.bar
    limit = bar.limit if bar and bar.unit == "Share" else None
    limits = () if limit is None else (DrawnLimit(line.from_ms, limit / _PPM),)
    worse = bar.fails if bar else "Above"
    return QualityTrack(
        check.name, check.evaluator, Track(series.at_ms, series.step_ms, seen, columns), limits, worse, cause
    )


def _health(view: EndpointView, line: Timeline) -> tuple[tuple[int, int, str], ...]:
    """Return the states of the time: the last day from the ribbon, and the one that holds now."""
    states = {"W": "Healthy", "D": "Degraded", "B": "Unhealthy", "U": "Unknown"}
    letters = view.row.ribbon
    now = read_time(view.status.health_since)
    start = line.to_ms - 86_400_000
    step = 86_400_000 // max(len(letters), 1)
    spans = [
        (start + index * step, start + (index + 1) * step, states[letter])
        for index, letter in enumerate(letters)
        if letter in states
    ]
    if now is not None:
        spans = [(a, min(b, now), state) for a, b, state in spans if a < now]
        spans.append((now, line.to_ms, view.status.health))
    return tuple(_merged((max(a, line.from_ms), b, state) for a, b, state in spans if b > line.from_ms))


def _merged(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    for start, end, state in spans:
        if found and found[-1][2] == state and found[-1][1] >= start:
            found[-1] = (found[-1][0], end, state)
        else:
            found.append((start, end, state))
    return found


def _marks(view: EndpointView, line: Timeline) -> Iterable[Mark]:
    for change in view.status.changes:
        at = read_time(change.time)
        if at is not None and line.holds(at) and change.kind != "Scale":
            yield Mark(at, change.kind, f"{change.kind.lower()} {change.message.rpartition('→')[2].strip()[:24]}")
    for alert in view.alerts:
        if alert.since_ms is not None and line.holds(alert.since_ms):
            yield Mark(alert.since_ms, "Alert", f"alert {alert.name}"[:32])
    decisions = view.status.scaling.decisions if view.status.scaling else ()
    for index, one in enumerate(decisions):
        at = read_time(one.time)
        if at is not None and line.holds(at):
            before = decisions[index + 1].replicas if index + 1 < len(decisions) else None
            way = "down" if before is not None and one.replicas < before else "up"
            change_of = f"{before}→{one.replicas}" if before is not None else f"→{one.replicas}"
            yield Mark(at, "Scale", f"{way} {change_of}: {one.reason}")


def _limits(view: EndpointView) -> Mapping[str, tuple[float, int]]:
    names = {"TimeToFirstToken": "first_token", "TimePerOutputToken": "per_token"}
    limits: dict[str, tuple[float, int]] = {}
    for check in view.checks:
        if check.metric in names and check.limit:
            try:
                limits.setdefault(names[check.metric], (shown_number(check.limit), 95))
            except ValueError:
                continue
    return limits
