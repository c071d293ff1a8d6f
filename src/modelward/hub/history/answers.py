"""Answers to questions about one endpoint's history, from what the database holds of it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from modelward.api.evaluation import Counts
from modelward.api.history import MINUTE_MS
from modelward.api.series import CheckSums, HistoryQuery, HistorySeries, ObjectivePeriod, ObjectiveSums, SeriesLine
from modelward.hub.history.lines import FORMS, ChartForm, grouping, wanted
from modelward.hub.history.points import Grid, GroupKey, Points, grid_of
from modelward.hub.history.reading import HeldRows, held
from modelward.hub.history.record import CHECK, OBJECTIVE, WEIGHTS, Column, parts_of
from modelward.hub.history.tiers import MOST_ROWS, Tier, tier_for

_PPM = 1_000_000
_PARTS = 100
"""By which it is told when something was scored first in a period."""
_PERIOD = (
    wanted(FORMS["objectives"]),
    wanted(ChartForm(CHECK, frozenset({"samples", "flagged", *WEIGHTS}), lambda _: ())),
)


def answer(
    connection: sqlite3.Connection, endpoint: tuple[str, str], query: HistoryQuery, now_ms: int
) -> HistorySeries:
    """Return the lines of a metric; what cannot be read is left out, and said."""
    form, tier = FORMS[query.metric], tier_for(query.from_ms, query.to_ms, now_ms)
    from_ms = max(query.from_ms, query.to_ms - MOST_ROWS * tier.step_ms, now_ms - tier.keep_ms - tier.span_ms)
    to_ms = max(query.to_ms, from_ms + 1)
    grid = grid_of(from_ms, to_ms, tier.step_ms, min(query.points, form.most_points))
    found = held(connection, endpoint, tier, (grid.from_ms, to_ms), wanted(form))
    points = Points(grid)
    points.add(found.segments, grouping(form, query.by))
    return made_of(points, query, tier.name, now_ms, _damage(found))


def made_of(points: Points, query: HistoryQuery, tier: str, now_ms: int, said: Sequence[str] = ()) -> HistorySeries:
    """Return the lines of a metric from sums by point; `said` is what is missing in them."""
    grid, form = points.grid, FORMS[query.metric]
    lines, dropped = _most_used(tuple(form.lines(points)), form.most_lines)
    said = [*said, *([f"{dropped} lines with the fewest requests are left out"] if dropped else [])]
    seen = _seen(points, min(query.to_ms, now_ms))
    return HistorySeries(query.metric, query.by, tier, grid.step_ms, grid.at_ms, seen, lines, "; ".join(said))


def _most_used(lines: Sequence[SeriesLine], most: int) -> tuple[tuple[SeriesLine, ...], int]:
    if len(lines) <= most:
        return tuple(lines), 0
    ranked = sorted(lines, key=lambda line: -sum(n or 0 for n in line.n or line.values))
    kept = {id(line) for line in ranked[:most]}
    return tuple(line for line in lines if id(line) in kept), len(lines) - most


def _damage(found: HeldRows) -> list[str]:
    return [f"{found.damaged} stored parts of this time are damaged and left out"] if found.damaged else []


def _seen(points: Points, until_ms: int) -> tuple[int, ...]:
    """Return which share of each point was watched, of the part of it that is over."""
    grid = points.grid
    spans = (max(1, min(grid.step_ms, until_ms - at_ms)) for at_ms in grid.at_ms)
    covered = points.of((), "covered")
    return tuple(min(_PPM, value * _PPM // span) for value, span in zip(covered, spans, strict=True))


def period(
    connection: sqlite3.Connection, endpoint: tuple[str, str], from_ms: int, to_ms: int, now_ms: int
) -> ObjectivePeriod:
    """Return what objectives count over a time, in whole rows of the finest tier that reaches back so far."""
    tier = tier_for(from_ms, to_ms, now_ms)
    first_ms = max(from_ms // tier.step_ms * tier.step_ms, to_ms - MOST_ROWS * tier.step_ms)
    last_ms = _last_ms(tier, first_ms, to_ms, now_ms)
    found = held(connection, endpoint, tier, (first_ms, last_ms), _of_period)
    points = Points(Grid(first_ms, max(1, last_ms - first_ms), 1))
    points.add(found.segments, lambda text: tuple(parts_of(text)) if text.startswith(OBJECTIVE) else None)
    scored = Points(grid_of(first_ms, last_ms, tier.step_ms, _PARTS))
    scored.add(found.segments, lambda text: tuple(parts_of(text)[:3]) if text.startswith(CHECK) else None)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for group in points.groups():
        one = sums[group[1], group[2]]
        one[0] += points.of(group, "events")[0]
        one[1] += points.of(group, "bad")[0]
    (seen,) = _seen(points, min(last_ms, now_ms))
    rows = tuple(ObjectiveSums(*name, events, bad) for name, (events, bad) in sorted(sums.items()))
    checks = tuple(_check(scored, group) for group in scored.groups())
    return ObjectivePeriod(first_ms, last_ms, seen, rows, "; ".join(_damage(found)), checks)


def _of_period(column: Column) -> bool:
    return any(asked(column) for asked in _PERIOD)


def _check(points: Points, group: GroupKey) -> CheckSums:
    samples = points.of(group, "samples")
    first_ms = next((at for at, n in zip(points.grid.at_ms, samples, strict=True) if n), points.grid.from_ms)
    weights: dict[str, Any] = {name: sum(points.of(group, name)) / 1_000 for name in WEIGHTS}
    counts = Counts(sum(samples), sum(points.of(group, "flagged")), **weights)
    return CheckSums(group[1], group[2], first_ms, counts)


def _last_ms(tier: Tier, first_ms: int, to_ms: int, now_ms: int) -> int:
    step_ms = MINUTE_MS if to_ms >= now_ms else tier.step_ms
    return max(first_ms + step_ms, -(-to_ms // step_ms) * step_ms)
