"""Which evaluations are due: those whose time has passed and whose endpoint has something new to judge."""

from __future__ import annotations

from collections.abc import Mapping

from modelward.api.evaluationrun import RunItem
from modelward.api.quantity import duration_ms, timestamp
from modelward.desired.watch import BoundEvaluation, Watch

WindowKey = tuple[str, str, str]
"""(endpoint, policy, evaluation), names within one namespace."""


def due(
    now_ms: int,
    watches: Mapping[str, Watch],
    last_windows: Mapping[WindowKey, int],
    newest_exchange_ms: Mapping[str, int],
) -> tuple[RunItem, ...]:
    """Return what is due in one namespace, ordered by endpoint, policy and evaluation.

    `watches` and `newest_exchange_ms` go by the endpoint's name; `last_windows` holds the end of the newest window of
    each evaluation, from the hub's results and from runs in flight. Windows join without gap or overlap; they end on
    whole seconds, as times in a custom resource do, and reach no further back than the verdict's sliding set.
    """
    until_ms = now_ms - now_ms % 1_000
    items = (
        _item(until_ms, endpoint, bound, last_windows, newest_exchange_ms.get(endpoint))
        for endpoint, watched in sorted(watches.items())
        for bound in sorted(watched.evaluations, key=lambda bound: (bound.policy, bound.evaluation.name))
    )
    return tuple(item for item in items if item is not None)


def _item(
    until_ms: int,
    endpoint: str,
    bound: BoundEvaluation,
    last_windows: Mapping[WindowKey, int],
    newest_ms: int | None,
) -> RunItem | None:
    if bound.paused or bound.problem is not None or newest_ms is None:
        return None
    evaluation = bound.evaluation
    last_ms = last_windows.get((endpoint, bound.policy, evaluation.name))
    if last_ms is not None and until_ms - last_ms < duration_ms(evaluation.every):
        return None
    earliest_ms = max(0, until_ms - duration_ms(evaluation.over))
    from_ms = _whole_seconds(max(earliest_ms, last_ms or 0))
    if newest_ms < from_ms or from_ms >= until_ms:
        return None
    return RunItem(
        endpoint=endpoint,
        policy=bound.policy,
        evaluation=evaluation.name,
        from_=timestamp(from_ms),
        to=timestamp(until_ms),
    )


def _whole_seconds(time_ms: int) -> int:
    return time_ms - time_ms % 1_000
