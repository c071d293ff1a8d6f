"""Questions to the history as PromQL, and Prometheus' answers as the same sums that the hub's own rows give.

The namespace and the endpoint stand in each query because we put them there; nothing of a question becomes PromQL.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from modelward.api.budget import COST_UNITS
from modelward.api.history import BOUNDS, OUTCOMES, Latency, LevelName
from modelward.api.series import HistoryMetric, HistorySplit
from modelward.hub.history.points import Grid, GroupKey, Points
from modelward.hub.history.record import OBJECTIVE, PART, TOKENS

_FAMILIES: Mapping[Latency, str] = {
    "ttft": "gen_ai_server_time_to_first_token_seconds",
    "tpot": "gen_ai_server_time_per_output_token_seconds",
    "duration": "gen_ai_server_request_duration_seconds",
}
_LEVELS: Mapping[HistoryMetric, Mapping[LevelName, tuple[str, str, int]]] = {
    "replicas": {"ready": ("max", "modelward_replicas", 1), "desired": ("max", "modelward_replicas_desired", 1)},
    "queue": {
        "queue": ("sum", "modelward_engine_requests_waiting", 1),
        "in_flight": ("sum", "modelward_requests_in_flight", 1),
    },
    "kv": {"kv": ("avg", "modelward_engine_kv_cache_usage_ratio", 1_000_000)},
}
_OBJECTIVES = {"events": "modelward_objective_events_total", "bad": "modelward_objective_bad_total"}


@dataclass(frozen=True, slots=True)
class PrometheusQuery:
    """One query, and what its values are: a level and its statistic, a field, or a label that names the field."""

    text: str
    field: str = ""
    field_label: str = ""
    latency: Latency | None = None
    scale: int = 1


def queries(metric: HistoryMetric, by: HistorySplit, endpoint: tuple[str, str], step_ms: int) -> list[PrometheusQuery]:
    """Return the queries of a metric, each over the step before the time that it is asked for; none it cannot tell."""
    here, window = f'namespace="{endpoint[0]}",endpoint="{endpoint[1]}"', f"{step_ms // 1_000}s"
    split = "" if by == "none" else f",{by}"
    found = [PrometheusQuery(f"sum_over_time((max(modelward_health{{{here}}}) >= bool 0)[{window}:60s])", "covered")]
    if metric in ("requests", "errors"):
        text = f"sum by (outcome{split}) (increase(modelward_requests_total{{{here}}}[{window}]))"
        found.append(PrometheusQuery(text, field_label="outcome"))
    elif metric == "tokens":
        text = f"sum by (gen_ai_token_type{split}) (increase(gen_ai_client_token_usage_sum{{{here}}}[{window}]))"
        found.append(PrometheusQuery(text, field_label="gen_ai_token_type"))
        plain = f"sum by ({split[1:]})" if split else "sum"
        cached = f"{plain} (increase(modelward_cached_input_tokens_total{{{here}}}[{window}]))"
        found.append(PrometheusQuery(cached, "cached"))
    elif metric == "cost":
        model = ",model" if by == "model" else ""
        text = f"sum by (currency{model}) (increase(modelward_cost_total{{{here}}}[{window}]))"
        found.append(PrometheusQuery(text, "cost", scale=COST_UNITS))
    elif metric == "objectives":
        for field, family in _OBJECTIVES.items():
            text = f"sum by (policy,objective) (increase({family}{{{here}}}[{window}]))"
            found.append(PrometheusQuery(text, field))
    elif metric in ("ttft", "tpot", "duration"):
        served = ',code!~"[45].."' if metric == "duration" else ""
        text = f"sum by (le{split}) (increase({_FAMILIES[metric]}_bucket{{{here}{served}}}[{window}]))"
        found.append(PrometheusQuery(text, latency=metric))
    else:
        for name, (together, family, scale) in _LEVELS.get(metric, {}).items():
            level = f"{together}({family}{{{here}}})[{window}:15s]"
            for what, over in (("n", "count"), ("sum", "sum"), ("min", "min"), ("max", "max")):
                own = 1 if what == "n" else scale
                found.append(PrometheusQuery(f"{over}_over_time({level})", f"{name}.{what}", scale=own))
    return found if len(found) > 1 else []


def add_answer(points: Points, query: PrometheusQuery, answer: Mapping[str, Any]) -> None:
    """Add what Prometheus answers to a query; KeyError, TypeError or ValueError where it is no matrix."""
    by_group: dict[GroupKey, list[tuple[float, list[float | None]]]] = {}
    for series in answer["data"]["result"]:
        labels, values = series["metric"], _values(points.grid, series["values"])
        if query.latency is not None:
            bound = math.inf if labels["le"] == "+Inf" else float(labels["le"])
            by_group.setdefault(_part(labels), []).append((bound, values))
        elif query.field_label:
            field = str(labels.get(query.field_label, ""))
            if field in (*OUTCOMES, *TOKENS):
                _add(points, _part(labels), field, values, query.scale)
                _given(points, field, values)
        else:
            _add_named(points, query, labels, values)
    for group, buckets in by_group.items():
        _add_buckets(points, query.latency or "ttft", group, sorted(buckets, key=lambda one: one[0]))


def _add_named(
    points: Points, query: PrometheusQuery, labels: Mapping[str, str], values: Sequence[float | None]
) -> None:
    if query.field == "covered":
        _add(points, (), query.field, values, 60_000)
    elif query.field == "cached":
        _add(points, _part(labels), "cached", values, query.scale)
        _given(points, "cached", values)
    elif query.field == "cost":
        _add(points, (PART, "", labels.get("model", ""), labels.get("currency", "")), "cost", values, query.scale)
        _given(points, "cost", values)
    elif query.field in _OBJECTIVES:
        _add(points, (OBJECTIVE, labels.get("policy", ""), labels.get("objective", "")), query.field, values, 1)
    else:
        own = [None if v is None else v + (1 / query.scale if query.field.endswith(".min") else 0) for v in values]
        _add(points, (), query.field, own, query.scale)


def _part(labels: Mapping[str, str]) -> GroupKey:
    return PART, labels.get("revision", ""), labels.get("model", ""), ""


def _values(grid: Grid, pairs: Iterable[Sequence[Any]]) -> list[float | None]:
    """Return the values by point: what is asked at a time is of the point that ends then."""
    found: list[float | None] = [None] * grid.count
    for at_s, text in pairs:
        place = round((float(at_s) * 1_000 - grid.from_ms) / grid.step_ms) - 1
        value = float(text)
        if 0 <= place < grid.count and math.isfinite(value):
            found[place] = max(0.0, value)
    return found


def _add(points: Points, group: GroupKey, field: str, values: Sequence[float | None], scale: int) -> None:
    sums = points.sums.setdefault((group, field), [0] * points.grid.count)
    for place, value in enumerate(values):
        sums[place] += round((value or 0.0) * scale)


def _given(points: Points, field: str, values: Sequence[float | None]) -> None:
    _add(points, (), f"given.{field}", [None if value is None else 1.0 for value in values], 1)


def _add_buckets(
    points: Points, name: Latency, group: GroupKey, buckets: Sequence[tuple[float, list[float | None]]]
) -> None:
    bounds = BOUNDS[name]
    nothing: tuple[float, list[float | None]] = (0.0, [None] * points.grid.count)
    for (_, below), (bound, grown) in pairwise([nothing, *buckets]):
        counts = [None if b is None else max(0.0, b - (a or 0.0)) for a, b in zip(below, grown, strict=True)]
        _add(points, group, f"{name}.{bisect_left(bounds, bound)}", counts, 1)
    if buckets:
        _given(points, name, buckets[-1][1])
