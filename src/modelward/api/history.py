"""An endpoint's history as the operator sends it to the hub: counts that can be added up, and times in Unix ms.

A row is one endpoint and minute. No row means that it was not watched, a row with counts of zero that no request came.
Costs are in `api.budget.COST_UNITS`, shares in millionths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from modelward.api.budget import MAX_COUNTED, counted
from modelward.api.collector_config import MOST_CALLERS
from modelward.api.outcome import RequestClass

MINUTE_MS = 60_000
OUTCOMES: tuple[RequestClass, ...] = get_args(RequestClass)
Latency = Literal["ttft", "tpot", "duration"]
BOUNDS: Mapping[Latency, tuple[float, ...]] = {
    "ttft": (
        *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0),
        *(30.0, 60.0, 120.0),
    ),
    "tpot": (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
    "duration": tuple(0.01 * 2**n for n in range(14)),
}
"""Upper bounds of the buckets in seconds, those of collectors; one more bucket holds what is above the last."""
LevelName = Literal["ready", "desired", "queue", "in_flight", "kv"]
LEVELS: tuple[LevelName, ...] = get_args(LevelName)
"""What has a level and no count: replicas that are ready and wanted, requests that wait and that are in flight, and how
full the KV cache is, on average of the pods, in millionths."""
OTHER = "other"
"""The revision and the model of all that are not among the most used."""
MOST_PARTS = 5
"""Revisions and models that a row tells apart."""
_MOST_OBJECTIVES = 200
_MOST_CURRENCIES, _LONGEST_CALLER = 5, 63
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class HistoryPart:
    """What passed in a minute of one revision and model; None, or no buckets, where the metrics page does not say.

    `latencies` are counts per bucket of `BOUNDS` and not cumulative. `cost` is at the price of that minute.
    """

    revision: str = ""
    model: str = ""
    outcomes: Mapping[RequestClass, int] = field(default_factory=dict)
    latencies: Mapping[Latency, tuple[int, ...]] = field(default_factory=dict)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: int | None = None
    currency: str = ""
    cached_tokens: int | None = None
    """Of the input: what the server had read before."""

    @property
    def requests(self) -> int:
        """All that finished."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class LevelSpread:
    """Readings of a level: how many, their sum, the lowest and the highest."""

    readings: int
    total: int
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class ObjectiveCount:
    """What an objective counts of a minute: events, and how many of them were bad."""

    policy: str
    name: str
    events: int
    bad: int


@dataclass(frozen=True, slots=True)
class CallerCount:
    """What one caller used in a minute, as `usage.callers` names it; `unpriced` requests are in no cost.

    `costs` are by currency. All without a name of their own are `other`, those that named themselves not are empty.
    """

    caller: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced: int = 0
    costs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One endpoint's minute, as far as the leader watched it: `covered_ms` of it, on average of the pods."""

    namespace: str
    endpoint: str
    minute_ms: int
    covered_ms: int
    parts: tuple[HistoryPart, ...] = ()
    levels: Mapping[LevelName, LevelSpread] = field(default_factory=dict)
    objectives: tuple[ObjectiveCount, ...] = ()
    callers: tuple[CallerCount, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchKey:
    """By which the hub knows a batch again: the leader, the minute, and which part of that minute's rows."""

    epoch: str
    minute_ms: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class HistoryBatch:
    """Rows of one minute; put again it changes nothing."""

    key: BatchKey
    rows: tuple[HistoryRow, ...]


@dataclass(frozen=True, slots=True)
class HistoryHealth:
    """How the hub's history is: its state, as `modelward_hub_history_state` has it, and whether its copy is whole."""

    state: str
    copied: bool = True


def health_to_json(health: HistoryHealth) -> dict[str, Any]:
    """Return the JSON object; the inverse of `health_from_json`."""
    return {"state": health.state, "copied": health.copied}


def health_from_json(data: Any) -> HistoryHealth | None:
    """Read it; None where it is none, as of an older hub."""
    if not isinstance(data, Mapping) or not isinstance(data.get("state"), str):
        return None
    return HistoryHealth(data["state"], data.get("copied") is not False)


def row_to_json(row: HistoryRow) -> dict[str, Any]:
    """Return the JSON object without what is empty; the inverse of `row_from_json`."""
    body: dict[str, Any] = {
        "namespace": row.namespace,
        "endpoint": row.endpoint,
        "minuteMs": row.minute_ms,
        "coveredMs": row.covered_ms,
    }
    if row.parts:
        body["parts"] = [_part_to_json(part) for part in row.parts]
    if row.levels:
        body["levels"] = {n: [v.readings, v.total, v.lowest, v.highest] for n, v in row.levels.items()}
    if row.objectives:
        body["objectives"] = [[one.policy, one.name, one.events, one.bad] for one in row.objectives]
    if row.callers:
        body["callers"] = [list(asdict(one).values()) for one in row.callers]
    return body


def row_from_json(data: Mapping[str, Any]) -> HistoryRow:
    """Read a row; KeyError, TypeError, ValueError, AttributeError or OverflowError when it is none.

    Names that a newer operator may send are left out.
    """
    objectives = data.get("objectives", ())
    callers = data.get("callers", ())
    if len(objectives) > _MOST_OBJECTIVES or len(data.get("parts", ())) > MOST_PARTS + 1:
        raise ValueError("too many parts or objectives")
    if len(callers) > MOST_CALLERS + 1:
        raise ValueError("too many callers")
    return HistoryRow(
        _name(data["namespace"]),
        _name(data["endpoint"]),
        counted(data["minuteMs"]) // MINUTE_MS * MINUTE_MS,
        counted(data["coveredMs"]),
        tuple(_part_from_json(part) for part in data.get("parts", ())),
        {name: _level(data["levels"][name]) for name in LEVELS if name in data.get("levels", {})},
        tuple(ObjectiveCount(_name(p), _name(n), counted(events), counted(bad)) for p, n, events, bad in objectives),
        tuple(_caller(*one) for one in callers),
    )


def _caller(
    caller: Any, requests: Any, read: Any, written: Any, unpriced: Any, costs: Mapping[str, Any]
) -> CallerCount:
    if len(costs) > _MOST_CURRENCIES:
        raise ValueError("too many currencies")
    money = {_name(currency)[:8]: counted(cost) for currency, cost in costs.items()}
    name = _name(caller)[:_LONGEST_CALLER]
    return CallerCount(name, counted(requests), counted(read), counted(written), counted(unpriced), money)


def _part_to_json(part: HistoryPart) -> dict[str, Any]:
    plain = asdict(part) | {"outcomes": dict(part.outcomes), "latencies": dict(part.latencies)}
    names = {"input_tokens": "inputTokens", "output_tokens": "outputTokens", "cached_tokens": "cachedTokens"}
    return {names.get(name, name): value for name, value in plain.items() if value not in ("", None, {})}


def _part_from_json(data: Mapping[str, Any]) -> HistoryPart:
    outcomes, latencies = data.get("outcomes", {}), data.get("latencies", {})

    def amount(name: str) -> int | None:
        return None if data.get(name) is None else counted(data[name])

    return HistoryPart(
        _name(data.get("revision", "")),
        _name(data.get("model", "")),
        {name: counted(outcomes[name]) for name in OUTCOMES if name in outcomes},
        {name: _buckets(latencies[name], bounds) for name, bounds in BOUNDS.items() if name in latencies},
        amount("inputTokens"),
        amount("outputTokens"),
        amount("cost"),
        str(data.get("currency", ""))[:8],
        amount("cachedTokens"),
    )


def _buckets(counts: Any, bounds: tuple[float, ...]) -> tuple[int, ...]:
    if len(counts) != len(bounds) + 1:
        raise ValueError("not the buckets of this latency")
    if {*map(type, counts)} == {int} and min(counts) >= 0 and max(counts) <= MAX_COUNTED:
        return tuple(counts)  # what each of them would be, in a fifth of the time
    return tuple(map(counted, counts))


def _level(values: Any) -> LevelSpread:
    readings, total, lowest, highest = map(counted, values)
    return LevelSpread(readings, total, lowest, highest)


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME:
        raise ValueError("not a name")
    return value
