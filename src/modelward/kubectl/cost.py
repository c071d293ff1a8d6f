"""`cost`: what each caller of an endpoint used and cost, by UTC day."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from modelward.kubectl.cluster import Cluster
from modelward.kubectl.errors import PluginError
from modelward.kubectl.hub import HubWay, endpoint_path, hub_of
from modelward.kubectl.table import table

_DAY_MS, _COST_UNITS, _MOST_DAYS = 86_400_000, 10**12, 100
_HEADS = ("CALLER", "COST", "TODAY", "CURRENCY", "REQUESTS", "TOKENS", "IN NO COST")
Line = Mapping[str, Any]


def cost(cluster: Cluster, way: HubWay, name: str, days: int, now: datetime, *, as_csv: bool) -> str:
    """Return callers, those that cost most first; or a line of each caller and day."""
    if not 1 <= days <= _MOST_DAYS:
        raise PluginError(f"--days must be from 1 to {_MOST_DAYS}")
    end_ms = int(now.timestamp() * 1_000) // _DAY_MS * _DAY_MS + _DAY_MS
    span = {"from": end_ms - days * _DAY_MS, "to": end_ms, "points": days}
    with hub_of(cluster, way) as hub:
        found = hub.view(endpoint_path(cluster.here(), name, "history"), metric="callers", **span)
    lines: Sequence[Line] = found.get("lines", ())
    if as_csv:
        return _csv(lines, [datetime.fromtimestamp(at_ms / 1_000, UTC).date().isoformat() for at_ms in found["atMs"]])
    if not lines:
        return f"nothing is known of what {name} cost: usage.prices and usage.callers say what counts"
    told = "" if found.get("metric") == "callers" else "\n\nWho asked is told to those who may read text."
    return table(_HEADS, _rows(lines)) + told


def _rows(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        key = line.get("caller", ""), line["name"]
        sums[key] = sums.get(key, 0) + _sum(line)
    callers = {line.get("caller", "") for line in lines}
    costs = [line for line in lines if line.get("currency")]
    free = callers - {line.get("caller", "") for line in costs}
    rows = [(line.get("caller", ""), _sum(line), line["values"][-1] or 0, line["currency"]) for line in costs]
    rows += [(caller, 0, 0, "") for caller in free]
    rows.sort(key=lambda one: (one[0] in ("", "other"), -one[1], one[0]))
    return [
        (
            caller or "(no name)",
            _money(total) if currency else "-",
            _money(today) if currency else "-",
            currency or "-",
            *_used(sums, caller),
        )
        for caller, total, today, currency in rows
    ]


def _used(sums: Mapping[tuple[str, str], int], caller: str) -> tuple[str, str, str]:
    tokens = sums.get((caller, "input"), 0) + sums.get((caller, "output"), 0)
    return str(sums.get((caller, "asked"), 0)), str(tokens), str(sums.get((caller, "unpriced"), 0))


def _csv(lines: Sequence[Line], days: Sequence[str]) -> str:
    """Return costs to the last digit: a day of a caller is one line, days without a cost are none."""
    text = io.StringIO()
    made = csv.writer(text, lineterminator="\n")
    made.writerow(("day", "caller", "currency", "cost"))
    for line in lines:
        for day, value in zip(days, line["values"], strict=True):
            if line.get("currency") and value:
                whole, rest = divmod(value, _COST_UNITS)
                exact = f"{whole}.{rest:012d}".rstrip("0").rstrip(".")
                made.writerow((day, line.get("caller", ""), line["currency"], exact))
    return text.getvalue().rstrip("\n")


def _sum(line: Line) -> int:
    return sum(value or 0 for value in line["values"])


def _money(units: int) -> str:
    value = units / _COST_UNITS
    return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"
