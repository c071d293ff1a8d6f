"""Questions to the history of an endpoint, and their answers: lines of a chart, and sums of objectives over a period.

Times are Unix ms, shares in millionths, latencies in microseconds, costs in `api.budget.COST_UNITS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from modelward.api.budget import counted
from modelward.api.evaluation import Counts
from modelward.api.exchange import real_number

MAX_POINTS = 1_000
HistoryMetric = Literal[
    "requests",
    "errors",
    "ttft",
    "tpot",
    "duration",
    "tokens",
    "cost",
    "replicas",
    "queue",
    "kv",
    "objectives",
    "checks",
    "callers",
]
HISTORY_METRICS: tuple[HistoryMetric, ...] = get_args(HistoryMetric)
HistorySplit = Literal["none", "revision", "model"]
HISTORY_SPLITS: tuple[HistorySplit, ...] = get_args(HistorySplit)


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What is asked of one endpoint's history: at most `points` points of [from_ms, to_ms)."""

    metric: HistoryMetric
    from_ms: int
    to_ms: int
    by: HistorySplit = "none"
    points: int = MAX_POINTS


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """One line of a chart, a value for each point; None where nothing is known.

    `name` is what the values are: an outcome, `p95`, `mean`, `input`, an objective. `n` is how many observations a
    value rests on. `low` and `high` are the 95 % interval of a share, the bounds of the bucket that a percentile lies
    in, the extremes of a level; a percentile above the last bound has no `high`.
    """

    name: str
    values: tuple[int | None, ...]
    n: tuple[int | None, ...] = ()
    low: tuple[int | None, ...] = ()
    high: tuple[int | None, ...] = ()
    revision: str = ""
    model: str = ""
    policy: str = ""
    currency: str = ""
    caller: str = ""


@dataclass(frozen=True, slots=True)
class HistorySeries:
    """The answer to a query: point i is [at_ms[i], at_ms[i] + step_ms), and `seen` the share of it that was watched.

    `tier` is the step at which the counts are kept. `problem` says what is missing, and why.
    """

    metric: HistoryMetric
    by: HistorySplit
    tier: str
    step_ms: int
    at_ms: tuple[int, ...]
    seen: tuple[int, ...]
    lines: tuple[SeriesLine, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ObjectiveSums:
    """Events and bad ones of an objective over a period."""

    policy: str
    name: str
    events: int
    bad: int


@dataclass(frozen=True, slots=True)
class CheckSums:
    """What an evaluation found of all revisions over a period; `first_ms` is about when it was scored first in it."""

    policy: str
    name: str
    first_ms: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class ObjectivePeriod:
    """What all objectives count over [from_ms, to_ms), and the share of that time that was watched, in millionths.

    `checks` is None in the answer of an older hub.
    """

    from_ms: int
    to_ms: int
    seen: int
    objectives: tuple[ObjectiveSums, ...]
    problem: str = ""
    checks: tuple[CheckSums, ...] | None = None


def series_to_json(series: HistorySeries) -> dict[str, Any]:
    """Return the JSON object; the inverse of `series_from_json`."""
    plain = {"metric": series.metric, "by": series.by, "tier": series.tier, "stepMs": series.step_ms}
    lines = [_without_empty(asdict(line)) for line in series.lines]
    return {**plain, "atMs": series.at_ms, "seen": series.seen, "lines": lines, "problem": series.problem}


def series_from_json(data: Mapping[str, Any]) -> HistorySeries:
    """Read an answer; KeyError, TypeError or ValueError when it is none."""
    return HistorySeries(
        data["metric"],
        data["by"],
        str(data["tier"]),
        int(data["stepMs"]),
        tuple(data["atMs"]),
        tuple(data["seen"]),
        tuple(_line(row) for row in data["lines"]),
        str(data.get("problem", "")),
    )


def period_to_json(period: ObjectivePeriod) -> dict[str, Any]:
    """Return the JSON object; the inverse of `period_from_json`."""
    rows = [asdict(one) for one in period.objectives]
    span = {"fromMs": period.from_ms, "toMs": period.to_ms, "seen": period.seen}
    checks = {} if period.checks is None else {"checks": [_check_to_json(one) for one in period.checks]}
    return {**span, "objectives": rows, "problem": period.problem, **checks}


def period_from_json(data: Mapping[str, Any]) -> ObjectivePeriod:
    """Read an answer; KeyError, TypeError or ValueError when it is none."""
    sums = tuple(
        ObjectiveSums(str(row["policy"]), str(row["name"]), counted(row["events"]), counted(row["bad"]))
        for row in data["objectives"]
    )
    checks = tuple(_check(row) for row in data["checks"]) if "checks" in data else None
    return ObjectivePeriod(
        int(data["fromMs"]), int(data["toMs"]), int(data["seen"]), sums, str(data.get("problem", "")), checks
    )


_COUNTED = ("samples", "flagged")
_WEIGHED = tuple(name for name, value in asdict(Counts()).items() if isinstance(value, float))


def _check_to_json(one: CheckSums) -> dict[str, Any]:
    numbers = {name: getattr(one.counts, name) for name in (*_COUNTED, *_WEIGHED)}
    return {"policy": one.policy, "name": one.name, "firstMs": one.first_ms, **numbers}


def _check(row: Mapping[str, Any]) -> CheckSums:
    numbers: dict[str, Any] = {name: counted(row[name]) for name in _COUNTED}
    numbers |= {name: real_number(row[name]) for name in _WEIGHED}
    return CheckSums(str(row["policy"]), str(row["name"]), counted(row["firstMs"]), Counts(**numbers))


def _without_empty(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in ("name", "values") or value}


def _line(row: Mapping[str, Any]) -> SeriesLine:
    def column(name: str) -> tuple[int | None, ...]:
        return tuple(row.get(name, ()))

    texts = {name: str(row.get(name, "")) for name in ("name", "revision", "model", "policy", "currency", "caller")}
    return SeriesLine(values=column("values"), n=column("n"), low=column("low"), high=column("high"), **texts)
