"""All requests of a time by revision and model, as counts to compare; no percentiles, no points."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from modelward.api.history import BOUNDS, OUTCOMES, Latency
from modelward.api.outcome import RequestClass
from modelward.hub.history.lines import ChartForm, wanted
from modelward.hub.history.points import GroupKey, Points, grid_of
from modelward.hub.history.reading import held
from modelward.hub.history.record import PART, parts_of
from modelward.hub.history.tiers import MOST_ROWS, tier_for

_FIELDS = {name: tuple(f"{name}.{place}" for place in range(len(bounds) + 1)) for name, bounds in BOUNDS.items()}
_FORM = ChartForm(PART, frozenset((*OUTCOMES, *(field for some in _FIELDS.values() for field in some))), lambda _: ())
_POINTS = 400


@dataclass(frozen=True, slots=True)
class PartTotals:
    """What passed of one revision and model in a time; seen first in the point at `first_ms`.

    `latencies` are counts per bucket of `BOUNDS`, not cumulative.
    """

    revision: str
    model: str
    outcomes: Mapping[RequestClass, int]
    latencies: Mapping[Latency, tuple[int, ...]]
    first_ms: int


@dataclass(frozen=True, slots=True)
class HistoryTotals:
    """Whole rows of [from_ms, to_ms); `known` are the classes that the metrics page told apart."""

    from_ms: int
    to_ms: int
    known: frozenset[RequestClass]
    parts: tuple[PartTotals, ...]


def row_step_ms(from_ms: int, to_ms: int, now_ms: int) -> int:
    """Return how long a row is of the tier that a question about this time reads."""
    return tier_for(from_ms, to_ms, now_ms).step_ms


def totals(
    connection: sqlite3.Connection, endpoint: tuple[str, str], from_ms: int, to_ms: int, now_ms: int
) -> HistoryTotals:
    """Return the sums of the rows that begin in the time; at most as many rows are read as any question may."""
    tier = tier_for(from_ms, to_ms, now_ms)
    from_ms = max(from_ms, to_ms - MOST_ROWS * tier.step_ms)
    grid = grid_of(from_ms, max(to_ms, from_ms + 1), tier.step_ms, _POINTS)
    points = Points(grid)
    points.add(held(connection, endpoint, tier, (grid.from_ms, to_ms), wanted(_FORM)).segments, _group_of)
    known = frozenset(name for name in OUTCOMES if any(points.of((), f"given.{name}")))
    return HistoryTotals(grid.from_ms, to_ms, known, tuple(_part(points, group) for group in points.groups()))


def _group_of(text: str) -> GroupKey | None:
    kind, *rest = parts_of(text)
    return tuple(rest[:2]) if kind == PART else None


def _part(points: Points, group: GroupKey) -> PartTotals:
    counted = [points.of(group, name) for name in OUTCOMES]
    asked = [sum(values) for values in zip(*counted, strict=True)]
    first = next((at for at, n in zip(points.grid.at_ms, asked, strict=True) if n), points.grid.from_ms)
    latencies = {name: tuple(sum(points.of(group, field)) for field in fields) for name, fields in _FIELDS.items()}
    outcomes = {name: sum(values) for name, values in zip(OUTCOMES, counted, strict=True)}
    return PartTotals(group[0], group[1], outcomes, latencies, first)
