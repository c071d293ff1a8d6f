"""The lines of a chart from sums by point: shares with their interval, percentiles after merging, levels, costs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

from modelward.api.collector_config import MOST_CALLERS
from modelward.api.evaluation import Counts
from modelward.api.history import BOUNDS, OUTCOMES, Latency, LevelName
from modelward.api.series import MAX_POINTS, HistoryMetric, HistorySplit, SeriesLine
from modelward.evaluate.interval import wilson
from modelward.evaluate.statistics.conversations import independent_size
from modelward.hub.history.points import GroupKey, Points
from modelward.hub.history.record import (
    CALLER,
    CALLER_FIELDS,
    CHECK,
    ENDPOINT,
    OBJECTIVE,
    PART,
    TOKENS,
    WEIGHTS,
    Column,
    callers_beyond,
    label,
    parts_of,
)

_PPM = 1_000_000
PERCENTILES = (50, 90, 95, 99)
MOST_LINES = 60
MOST_CALLER_LINES, MOST_CALLER_POINTS = 600, 100
"""Every caller has a line for each of what is counted; a point is a day or so."""
_LEFT_OUT = ("client_error", "overload")
"""Requests that an error rate is not taken over, as `ErrorRate` of a policy is not."""
Known: TypeAlias = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ChartForm:
    """What a metric reads: which kind of label, which fields, and how lines are made of their sums."""

    kind: str
    fields: frozenset[str]
    lines: Callable[[Points], Iterable[SeriesLine]]
    most_lines: int = MOST_LINES
    most_points: int = MAX_POINTS


def wanted(form: ChartForm) -> Callable[[Column], bool]:
    """Return which columns a metric needs."""
    kind, fields = form.kind, form.fields

    def asked(column: Column) -> bool:
        text, name = column
        if text == ENDPOINT:
            return name == "covered" or name.startswith("given.") or name in fields
        return name in fields and text.startswith(kind)

    return asked


def grouping(form: ChartForm, by: HistorySplit) -> Callable[[str], GroupKey | None]:
    """Return how labels are grouped into lines; revisions and models are told apart only where that is asked."""

    def group_of(text: str) -> GroupKey | None:
        kind, *rest = parts_of(text)
        if kind != form.kind:
            return None
        if kind in (OBJECTIVE, CALLER):
            return (kind, *rest)
        if kind == CHECK:
            return (kind, *rest[:2], rest[2] if by == "revision" else "")
        revision, model, currency = rest
        currency = currency if "cost" in form.fields else ""
        return kind, revision if by == "revision" else "", model if by == "model" else "", currency

    return group_of


Cells: TypeAlias = tuple[int | None, ...]


def _part_line(
    group: GroupKey, name: str, values: Iterable[int | None], n: Cells = (), low: Cells = (), high: Cells = ()
) -> SeriesLine:
    _, revision, model, currency = group
    return SeriesLine(name, tuple(values), n, low, high, revision=revision, model=model, currency=currency)


def _parts(points: Points) -> list[GroupKey]:
    return points.groups() or [(PART, "", "", "")]


def _known(points: Points, name: str) -> Known:
    return tuple(count > 0 for count in points.of((), f"given.{name}"))


def _where(known: Known, values: Iterable[int]) -> tuple[int | None, ...]:
    return tuple(value if given else None for given, value in zip(known, values, strict=True))


def _requests(points: Points) -> Iterable[SeriesLine]:
    for group in _parts(points):
        for outcome in OUTCOMES:
            known = _known(points, outcome)
            if any(known):
                yield _part_line(group, outcome, _where(known, points.of(group, outcome)))


def _errors(points: Points) -> Iterable[SeriesLine]:
    known = _known(points, "error")
    for group in _parts(points) if any(known) else ():
        counted = [name for name in OUTCOMES if name not in _LEFT_OUT]
        total = [sum(values) for values in zip(*(points.of(group, name) for name in counted), strict=True)]
        bad = points.of(group, "error")
        shares = [_share(k, n) if given else _NO_SHARE for k, n, given in zip(bad, total, known, strict=True)]
        value, low, high = zip(*shares, strict=True)
        yield _part_line(group, "errors", value, n=_where(known, total), low=low, high=high)


_NO_SHARE: tuple[int | None, int | None, int | None] = (None, None, None)


def _share(k: float, n: float) -> tuple[int | None, int | None, int | None]:
    if n <= 0:
        return _NO_SHARE
    found = wilson(min(k, n), n)
    return round(found.value * _PPM), round(found.low * _PPM), round(found.high * _PPM)


def _latency(name: Latency) -> ChartForm:
    bounds = tuple(round(bound * _PPM) for bound in BOUNDS[name])
    fields = tuple(f"{name}.{place}" for place in range(len(bounds) + 1))

    def lines(points: Points) -> Iterable[SeriesLine]:
        known = _known(points, name)
        for group in _parts(points) if any(known) else ():
            sums = list(zip(*(points.of(group, field) for field in fields), strict=True))
            grown = [tuple(accumulate(buckets)) for buckets in sums]
            n = _where(known, (one[-1] for one in grown))
            for percentile in PERCENTILES:
                value, low, high = zip(*(_quantile(bounds, one, percentile) for one in grown), strict=True)
                yield _part_line(group, f"p{percentile}", value, n=n, low=low, high=high)

    return ChartForm(PART, frozenset(fields), lines)


def _quantile(
    bounds: Sequence[int], grown: Sequence[int], percentile: int
) -> tuple[int | None, int | None, int | None]:
    """Return a percentile, linear inside its bucket, and the bucket's bounds; the last has no upper one."""
    total = grown[-1]
    if total <= 0:
        return _NO_SHARE
    rank = percentile * total / 100
    place = bisect_left(grown, rank)
    if place >= len(bounds):
        return bounds[-1], bounds[-1], None
    low, before = (bounds[place - 1], grown[place - 1]) if place else (0, 0)
    high = bounds[place]
    return round(low + (high - low) * (rank - before) / (grown[place] - before)), low, high


def _tokens(points: Points) -> Iterable[SeriesLine]:
    for group in _parts(points):
        for name in TOKENS:
            known = _known(points, name)
            if any(known):
                yield _part_line(group, name, _where(known, points.of(group, name)))


def _cost(points: Points) -> Iterable[SeriesLine]:
    known = _known(points, "cost")
    for group in points.groups() if any(known) else ():
        if group[3]:
            yield _part_line(group, "cost", _where(known, points.of(group, "cost")))


def _levels(*names: LevelName) -> ChartForm:
    fields = {f"{name}.{what}" for name in names for what in ("n", "sum", "min", "max")}

    def lines(points: Points) -> Iterable[SeriesLine]:
        for name in names:
            n, total, low, high = (points.of((), f"{name}.{what}") for what in ("n", "sum", "min", "max"))
            known = tuple(count > 0 for count in n)
            if any(known):
                mean = (value // max(1, count) for value, count in zip(total, n, strict=True))
                lowest, highest = _where(known, (one - 1 for one in low)), _where(known, high)
                yield SeriesLine(name, _where(known, mean), n=_where(known, n), low=lowest, high=highest)

    return ChartForm("-", frozenset(fields), lines)


def _objectives(points: Points) -> Iterable[SeriesLine]:
    for group in points.groups():
        events, bad = points.of(group, "events"), points.of(group, "bad")
        value, low, high = zip(*map(_share, bad, events), strict=True)
        yield SeriesLine(group[2], value, n=tuple(events), low=low, high=high, policy=group[1])


def _checks(points: Points) -> Iterable[SeriesLine]:
    for group in points.groups():
        samples = points.of(group, "samples")
        weights = zip(*(points.of(group, name) for name in WEIGHTS), strict=True)
        counts = [
            Counts(samples=n, **{name: weight / 1_000 for name, weight in zip(WEIGHTS, some, strict=True)})
            for n, some in zip(samples, weights, strict=True)
        ]
        value, low, high = zip(*map(_flagged, counts), strict=True)
        line = SeriesLine(group[2], value, n=tuple(samples), low=low, high=high, policy=group[1], revision=group[3])
        yield line


def _callers(points: Points) -> Iterable[SeriesLine]:
    """Return what is counted of each caller; chunks name each their own, so there may be too many here again."""
    used = {label(*group): (sum(points.of(group, "cost")), sum(points.of(group, "asked"))) for group in points.groups()}
    beyond = callers_beyond(used, MOST_CALLERS)
    found: dict[tuple[str, str, str], list[int]] = {}
    for group in points.groups():
        _, caller, currency = parts_of(beyond.get(label(*group), label(*group)))
        for name in ("cost",) if currency else CALLER_FIELDS:
            values, key = points.of(group, name), (caller, currency, name)
            found[key] = [a + b for a, b in zip(found[key], values, strict=True)] if key in found else values
    for (caller, currency, name), values in found.items():
        if any(values):
            yield SeriesLine(name, tuple(values), currency=currency, caller=caller)


def _flagged(counts: Counts) -> tuple[int | None, int | None, int | None]:
    """Return the flagged share of scored answers with its interval, as conversations and weights leave it."""
    size = independent_size(counts)
    if not counts.weight or size <= 0:
        return _NO_SHARE
    return _share(counts.flagged_weight / counts.weight * size, size)


FORMS: Mapping[HistoryMetric, ChartForm] = {
    "requests": ChartForm(PART, frozenset(OUTCOMES), _requests),
    "errors": ChartForm(PART, frozenset(OUTCOMES), _errors),
    "ttft": _latency("ttft"),
    "tpot": _latency("tpot"),
    "duration": _latency("duration"),
    "tokens": ChartForm(PART, frozenset(TOKENS), _tokens),
    "cost": ChartForm(PART, frozenset({"cost"}), _cost),
    "replicas": _levels("ready", "desired"),
    "queue": _levels("queue", "in_flight"),
    "kv": _levels("kv"),
    "objectives": ChartForm(OBJECTIVE, frozenset({"events", "bad"}), _objectives),
    "callers": ChartForm(CALLER, frozenset({*CALLER_FIELDS, "cost"}), _callers, MOST_CALLER_LINES, MOST_CALLER_POINTS),
    "checks": ChartForm(CHECK, frozenset({"samples", *WEIGHTS}), _checks),
}
