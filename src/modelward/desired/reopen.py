"""Which windows are judged once more, because exchanges of theirs came after they were judged.

A collector that cannot send spools, and what it spooled arrives later. Judging a window again puts its new result in
the place of the old one, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modelward.api.evaluation import Late, WindowResult
from modelward.api.evaluationrun import RunItem
from modelward.api.quantity import duration_ms
from modelward.desired.due import WindowKey, able, window_item
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.runs import begun_ms

MAX_REOPENED = 20
"""Windows of one evaluation that one batch judges again, the newest ones."""
SETTLED_MS = 10_000
"""For what comes in a row: a spool is sent in several batches."""
KeyedWindow = tuple[WindowKey, int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """One evaluation whose windows may be judged again."""

    key: WindowKey
    every_ms: int
    over_ms: int


def reopened(
    now_ms: int,
    watches: Mapping[str, MonitoringPlan],
    results: Mapping[WindowKey, Sequence[WindowResult]],
    late: Mapping[str, Sequence[Late]],
    tried: Mapping[KeyedWindow, int],
) -> tuple[RunItem, ...]:
    """Return the windows of one namespace that are to be judged again; the newest of each evaluation first.

    `late` is by endpoint. `tried` says when a run last took a window, whatever came of it: it is taken again no sooner
    than `every` after that, and only while its result is older than what came.
    """
    found: list[RunItem] = []
    for endpoint, bound in able(watches, late):
        key = (endpoint, bound.policy, bound.evaluation.name)
        asked = Asked(key, duration_ms(bound.evaluation.every), duration_ms(bound.evaluation.over))
        windows = sorted(_missed(asked, results.get(key, ()), late[endpoint], tried, now_ms), reverse=True)
        found += [window_item(key, from_ms, to_ms) for to_ms, from_ms in windows[:MAX_REOPENED]]
    return tuple(found)


def _missed(
    asked: Asked, results: Sequence[WindowResult], late: Sequence[Late], tried: Mapping[KeyedWindow, int], now_ms: int
) -> Iterator[tuple[int, int]]:
    """Yield end and start of each window that still counts and lacks what came late."""
    for result in results:
        read_ms = begun_ms(result.run)
        if read_ms is None or not now_ms - asked.over_ms < result.to_ms <= now_ms:
            continue
        came = [one.at_ms for one in late if one.first_ms < result.to_ms and one.last_ms >= result.from_ms]
        missed = [at_ms for at_ms in came if read_ms <= at_ms <= now_ms - SETTLED_MS]
        last_ms = tried.get((asked.key, result.from_ms, result.to_ms), 0)
        if missed and (last_ms <= read_ms or now_ms - last_ms >= asked.every_ms):
            yield result.to_ms, result.from_ms
