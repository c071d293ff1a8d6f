"""What was counted of an endpoint in each row of a time: requests by outcome, and latencies by bucket."""

from __future__ import annotations

import sqlite3

from modelward.api.history import BOUNDS, OUTCOMES
from modelward.hub.history.points import Grid, Points
from modelward.hub.history.reading import held
from modelward.hub.history.record import ENDPOINT, PART, Column
from modelward.hub.history.tiers import MOST_ROWS, tier_for

_FIELDS = frozenset({*OUTCOMES, *(f"{name}.{n}" for name, bounds in BOUNDS.items() for n in range(len(bounds) + 1))})
KNOWN = "ready.n"
"""Of the endpoint: above 0 in each row in which the leader knew how many of its replicas were ready."""
_LEVELS = frozenset({KNOWN, "ready.max", "desired.n", "desired.max"})
COUNTED = (PART,)
"""The group under which all revisions and models are added up."""


def counts(connection: sqlite3.Connection, endpoint: tuple[str, str], span: tuple[int, int], now_ms: int) -> Points:
    """Return the sums of each row of the finest tier that reaches back so far, of all revisions and models."""
    tier = tier_for(*span, now_ms)
    first_ms = max(span[0], span[1] - MOST_ROWS * tier.step_ms) // tier.step_ms * tier.step_ms
    points = Points(Grid(first_ms, tier.step_ms, max(1, -(-(span[1] - first_ms) // tier.step_ms))))
    points.add(
        held(connection, endpoint, tier, (first_ms, span[1]), _wanted).segments,
        lambda text: COUNTED if text.startswith(PART) else None,
    )
    return points


def _wanted(column: Column) -> bool:
    text, name = column
    if text.startswith(PART):
        return name in _FIELDS
    return text == ENDPOINT and (name in _LEVELS or name.startswith(("covered", "given.")))
