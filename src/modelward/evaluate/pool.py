"""The sliding set behind one verdict: recent, disjoint windows of one revision, scored by one evaluator version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult
from modelward.desired.runs import is_scheduled
from modelward.reasons.checks import CheckReason

MAX_EXAMPLES = 3
BASELINE_MS = 24 * 3_600_000
"""How far back a baseline goes, of the results that there are within `HELD_MS`."""
HELD_MS = 26 * 3_600_000
"""Results of windows that ended before are forgotten: an `over` is at most 24 hours, and results come late."""
MAX_ID_CHARS = 128
"""Longer ids have no room in a status, and half an id finds nothing."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """What `verdict.decide` needs; `facts` is None when no window is in reach, `newest_ms` then 0.

    `unlisted` examples have ids too long to list. `heard_ms` is the end of the newest window with an exchange of the
    revision, 0 where there is none. `newest_first` are its counts in each window; those cover `covered_ms`.
    """

    counts: Counts
    facts: EvaluatorFacts | None
    examples: tuple[Example, ...]
    unlisted: int
    missing: str
    windows: int
    newest_ms: int
    heard_ms: int
    run: str
    newest_first: tuple[Counts, ...] = ()
    covered_ms: int = 0


def pool(results: Iterable[WindowResult], *, revisions: Collection[str], now_ms: int, over_ms: int) -> Pooled:
    """Pool the windows that overlap [now - over, now] and are over, for one revision, newest first.

    `revisions` are its names, one for each time that its pods were only restarted; none at all is the name "".
    No exchange counts twice: a window that overlaps a newer one is left out, and one that a person asked for where
    anything scheduled is, or a run over five minutes would hide an hour. So is one that another version or calibration
    of the evaluator scored, because its error rates differ.
    """
    taken = _disjoint(results, now_ms - over_ms, now_ms)
    facts = taken[0].evaluator if taken else None
    taken = [result for result in taken if result.evaluator == facts]
    of_it = [(result, list(_of(result, revisions or ("",)))) for result in taken]
    examples = [example for result in taken for name in revisions or ("",) for example in result.examples.get(name, ())]
    return Pooled(
        counts=sum((counts for _, found in of_it for counts in found), Counts()),
        facts=facts,
        examples=tuple(one for one in examples if len(one.id) <= MAX_ID_CHARS)[:MAX_EXAMPLES],
        unlisted=sum(len(one.id) > MAX_ID_CHARS for one in examples),
        missing=_missing(of_it),
        windows=len(taken),
        newest_ms=taken[0].to_ms if taken else 0,
        heard_ms=max((result.to_ms for result, found in of_it if any(one != Counts() for one in found)), default=0),
        run=taken[0].run if taken else "",
        newest_first=tuple(sum(found, Counts()) for _, found in of_it),
        covered_ms=_covered_ms(of_it),
    )


def _covered_ms(of_it: list[tuple[WindowResult, list[Counts]]]) -> int:
    """Return the time from the oldest window with an exchange of the revision to the end of the newest."""
    oldest_ms = min((result.from_ms for result, found in of_it if any(one != Counts() for one in found)), default=None)
    return of_it[0][0].to_ms - oldest_ms if oldest_ms is not None else 0


def earlier(results: Iterable[WindowResult], *, now_ms: int, over_ms: int) -> Pooled:
    """Pool the windows of the day before the sliding set, of all revisions: what the endpoint was."""
    rows = [result for result in results if result.to_ms <= now_ms - over_ms]
    names = {name for result in rows for name in result.revisions}
    return pool(rows, revisions=sorted(names), now_ms=now_ms - over_ms, over_ms=BASELINE_MS)


def previous(results: Iterable[WindowResult], *, revisions: Collection[str], now_ms: int) -> tuple[str, Pooled] | None:
    """Pool the windows of the day for the revision that was evaluated before the present one; None where none was."""
    rows = list(results)
    others = [
        (result.to_ms, counts.samples, name)
        for result in rows
        for name, counts in result.revisions.items()
        if name and name not in revisions and counts.samples and result.to_ms <= now_ms
    ]
    if not others or not revisions:
        return None
    name = max(others)[2]
    return name, pool(rows, revisions=(name,), now_ms=now_ms, over_ms=BASELINE_MS)


def _disjoint(results: Iterable[WindowResult], since_ms: int, now_ms: int) -> list[WindowResult]:
    in_reach = [result for result in results if since_ms < result.to_ms <= now_ms]
    in_reach.sort(key=lambda one: (one.to_ms, one.from_ms, one.run), reverse=True)
    taken: list[WindowResult] = []
    for result in in_reach:
        if is_scheduled(result.run) and (not taken or result.to_ms <= taken[-1].from_ms):
            taken.append(result)
    for result in in_reach:
        if not is_scheduled(result.run) and not any(_overlap(result, one) for one in taken):
            taken.append(result)
    return sorted(taken, key=lambda one: one.to_ms, reverse=True)


def _overlap(one: WindowResult, other: WindowResult) -> bool:
    return one.from_ms < other.to_ms and other.from_ms < one.to_ms


def _of(result: WindowResult, revisions: Collection[str]) -> Iterator[Counts]:
    return (result.revisions[name] for name in revisions if name in result.revisions)


def _missing(of_it: list[tuple[WindowResult, list[Counts]]]) -> str:
    """Return why there is nothing of this revision: the newest window that says something else than NoTraffic."""
    reasons = [result.reason for result, found in of_it if result.reason and (found or not result.revisions)]
    return next(
        (reason for reason in reasons if reason != CheckReason.NO_TRAFFIC),
        CheckReason.NO_TRAFFIC if not of_it or reasons else "",
    )
