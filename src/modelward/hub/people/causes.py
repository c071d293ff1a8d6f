"""What explains a rise of bad requests: a group that carries it, and went bad where the rest did not."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest

from modelward.api.compare_view import CauseKind, LikelyCause
from modelward.evaluate.statistics.change import newcombe
from modelward.hub.people.tally import PPM, CauseGroup, CountedSpan, RequestTally, rise, rise_of

MOST_CAUSES = 3
EXPLAINS_PPM = 500_000
"""What carries at least so much of the rise explains it."""
ENOUGH = 30
"""Requests of the rest after the flip below which a new group is compared with those before it too."""
_GROUPS = 200
"""Groups that are considered, those with the most bad requests."""
_ORDER: tuple[CauseKind, ...] = ("Revision", "Model", "Caller", "Pod", "Code")
"""Of causes that carry as much: what a person can act on comes first, the symptom last."""


def causes(before: CountedSpan, after: CountedSpan) -> tuple[LikelyCause, ...]:
    """Return the groups that explain the rise, the first first; none where the rise itself is not sure."""
    whole = rise(before, after)
    if whole.low <= 0:
        return ()
    worst = nlargest(_GROUPS, after.groups, key=lambda name: after.groups[name].bad)
    return ranked(cause for name in worst if (cause := _cause(name, before, after, whole.value)))


def ranked(found: Iterable[LikelyCause]) -> tuple[LikelyCause, ...]:
    """Return those that carry the most of the rise first, to a tenth of it."""
    return tuple(sorted(found, key=_rank))


def _cause(name: CauseGroup, before: CountedSpan, after: CountedSpan, whole: float) -> LikelyCause | None:
    risen = rise_of(name, before, after)
    if risen.low <= 0 or not _apart(name, before, after):
        return None
    return LikelyCause(
        by=name[0],
        value=name[1],
        before=before.share(before.of(name)),
        after=after.share(after.of(name)),
        rise_ppm=round(risen.value * PPM),
        low_ppm=round(risen.low * PPM),
        high_ppm=round(risen.high * PPM),
        of_rise_ppm=min(PPM, round(risen.value / whole * PPM)),
    )


def _apart(name: CauseGroup, before: CountedSpan, after: CountedSpan) -> bool:
    """Return whether a group is surely worse than the rest: else it only has the most requests."""
    if name[0] == "Code":  # of requests that went well nothing is in such a group
        return True
    group = after.of(name)
    rest = _without(after, group)
    if rest.requests < ENOUGH and _is_new(name, before, after):
        rest += _without(before, before.of(name))
    return rest.requests > 0 and newcombe(group.interval, rest.interval).low > 0


def _is_new(name: CauseGroup, before: CountedSpan, after: CountedSpan) -> bool:
    return 2 * before.whole.part(before.of(name).weight).value < after.whole.part(after.of(name).weight).value


def _without(span: CountedSpan, group: RequestTally) -> RequestTally:
    whole = span.whole
    return RequestTally(
        whole.requests - group.requests,
        whole.bad - group.bad,
        max(0.0, whole.weight - group.weight),
        max(0.0, whole.weight_squared - group.weight_squared),
        max(0.0, whole.bad_weight - group.bad_weight),
    )


def _rank(cause: LikelyCause) -> tuple[float, int, int]:
    part = cause.of_rise_ppm or 0
    return (-round(part / PPM, 1), _ORDER.index(cause.by), -part)
