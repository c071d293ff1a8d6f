"""Rows of the comparison of two revisions: failed requests, the first token, and each evaluation's flagged share."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import accumulate

from modelward.api.compare_view import CompareRow
from modelward.api.evaluation import WindowResult
from modelward.api.history import BOUNDS
from modelward.api.quantity import PPM, duration_text, percent_ppm, percent_text
from modelward.evaluate.evidence import seen, share_flagged
from modelward.evaluate.interval import Interval, wilson
from modelward.evaluate.obstacles import usable
from modelward.evaluate.pool import Pooled, pool
from modelward.evaluate.statistics.change import Difference, difference, relation
from modelward.hub.history.totals import PartTotals
from modelward.hub.people.checks import PolicySpec, asked_in
from modelward.status.comparison import points

ERROR_MARGIN = 0.001
"""Shares of failed requests that differ surely by less are equal."""
MARGIN = 0.01
"""The same of evaluations without `notWorseThan`, whose margin counts where there is one."""
TTFT_MARGIN = 0.05
"""Times to first token that differ surely by less than this share of the earlier one are equal."""
_P95 = 0.95


def request_rows(parts: Sequence[PartTotals], a: str, b: str) -> Iterator[CompareRow]:
    """Return the rows about requests."""
    yield _errors(_of(parts, a), _of(parts, b))
    yield _first_token(_of(parts, a), _of(parts, b))


def _of(parts: Sequence[PartTotals], revision: str) -> list[PartTotals]:
    return [part for part in parts if part.revision == revision]


def _errors(a: list[PartTotals], b: list[PartTotals]) -> CompareRow:
    (bad_a, n_a), (bad_b, n_b) = (
        (
            sum(part.outcomes["error"] for part in some),
            sum(part.outcomes[name] for part in some for name in ("ok", "error", "cancelled")),
        )
        for some in (a, b)
    )
    row = CompareRow(name="errors", kind="Requests", a_samples=n_a, b_samples=n_b)
    shown = {"a": _share(bad_a, n_a), "b": _share(bad_b, n_b)}
    if not n_a or not n_b:
        return row.model_copy(update=shown)
    found = difference(bad_b, n_b, bad_a, n_a)
    result = relation(found, ERROR_MARGIN, more_is_worse=True)
    return row.model_copy(update={**shown, **_points(found), "result": result})


def _share(bad: int, n: int) -> str:
    return percent_text(round(bad * PPM / n)) if n else ""


def _points(found: Difference) -> dict[str, str]:
    return {"difference": points(found.value), "low": points(found.low), "high": points(found.high)}


def _first_token(a: list[PartTotals], b: list[PartTotals]) -> CompareRow:
    buckets = [
        [sum(values) for values in zip(*(part.latencies["ttft"] for part in some), strict=True)] for some in (a, b)
    ]
    n_a, n_b = map(sum, buckets)
    row = CompareRow(name="ttft p95", kind="Requests", unit="Duration", a_samples=n_a, b_samples=n_b)
    ends = [percentile(one, BOUNDS["ttft"], _P95) if sum(one) else None for one in buckets]
    texts = {name: duration_text(round(one.value * 1_000)) for name, one in zip("ab", ends, strict=True) if one}
    first, second = ends
    if first is None or second is None or math.isinf(first.high) or math.isinf(second.high):
        return row.model_copy(update=texts)
    found = spread(second, first)
    shown = {"difference": _ms(found.value), "low": _ms(found.low), "high": _ms(found.high)}
    result = relation(found, TTFT_MARGIN * first.value, more_is_worse=True)
    return row.model_copy(update={**texts, **shown, "result": result})


def percentile(buckets: Sequence[int], bounds: Sequence[float], share: float) -> Interval:
    """Return a percentile in seconds, linear inside its bucket, with 95 % bounds at edges of buckets.

    A percentile is at most x where at least its share of all is at most x, and that share has a Wilson interval. The
    upper bound is infinite where it lies above the last edge.
    """
    n, grown = sum(buckets), list(accumulate(buckets))
    ranks = wilson(share * n, n)
    low, place, high = (bisect_left(grown, rank * n) for rank in (ranks.low, share, ranks.high))
    edges = (0.0, *bounds, math.inf)
    if place >= len(bounds):
        return Interval(bounds[-1], edges[low], math.inf)
    before = grown[place - 1] if place else 0
    value = edges[place] + (edges[place + 1] - edges[place]) * (share * n - before) / buckets[place]
    return Interval(value, edges[low], edges[min(high, len(bounds)) + 1])


def spread(one: Interval, other: Interval) -> Difference:
    """Return the difference of two independent numbers from the interval of each, by square and add."""
    value = one.value - other.value
    down = math.hypot(one.value - one.low, other.high - other.value)
    return Difference(value, value - down, value + math.hypot(one.high - one.value, other.value - other.low))


def _ms(seconds: float) -> str:
    ms = round(seconds * 1_000)
    return f"{'-' if ms < 0 else '+'}{duration_text(abs(ms))}"


def evaluation_rows(
    results: Sequence[WindowResult], specs: Mapping[str, PolicySpec], a: str, b: str, time: tuple[int, int]
) -> Iterator[CompareRow]:
    """Return a row for each evaluation with samples of either; `time` is now and how far back, in ms.

    Evaluations whose limit is on another statistic than a share are left out: what was flagged says little of them.
    """
    of = defaultdict[tuple[str, str], list[WindowResult]](list)
    for one in results:
        of[one.policy, one.evaluation].append(one)
    for (policy, name), own in sorted(of.items()):
        asked = asked_in(specs.get(policy, {}), "evaluations", name)
        if asked.get("statistic", "Share") != "Share":
            continue
        sides = [pool(own, revisions=(one,), now_ms=time[0], over_ms=time[1]) for one in (a, b)]
        if any(side.counts.samples for side in sides):
            yield _evaluation(CompareRow(policy=policy, name=name, kind="Evaluation"), sides[0], sides[1], asked)


def _evaluation(row: CompareRow, a: Pooled, b: Pooled, asked: PolicySpec) -> CompareRow:
    row = row.model_copy(update={"a_samples": a.counts.samples, "b_samples": b.counts.samples})
    rates = usable(b.facts) if b.facts else None
    if rates is None:
        return row
    told = {
        key: percent_text(round(share_flagged(side.counts, rates).interval.value * PPM))
        for key, side in (("a", a), ("b", b))
        if side.counts.samples
    }
    if len(told) < 2 or a.facts != b.facts:
        return row.model_copy(update=told)
    (share, size), (other_share, other_size) = seen(b.counts), seen(a.counts)
    found = difference(share * size, size, other_share * other_size, other_size, rates.discrimination)
    above = bool(asked.get("failAbove")) or not asked.get("failBelow")
    result = relation(found, _margin(asked), more_is_worse=above)
    return row.model_copy(update={**told, **_points(found), "result": result})


def _margin(asked: PolicySpec) -> float:
    with suppress(ValueError, KeyError, TypeError):
        return percent_ppm(str(asked["notWorseThan"]["margin"])) / PPM
    return MARGIN
