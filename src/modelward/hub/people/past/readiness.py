"""NotReady at each row of an endpoint's history, from how many replicas were ready."""

from __future__ import annotations

from collections.abc import Iterator

from modelward.alerts.episode import AlertInput, AlertVerdict
from modelward.alerts.kinds import ALERT_KINDS
from modelward.hub.history.counts import KNOWN
from modelward.hub.history.points import Points
from modelward.hub.people.past.heard import Heard, moments
from modelward.reasons.workload import WorkloadReason


def past_readiness(policy: str, points: Points, from_ms: int) -> Iterator[Heard]:
    """Yield what NotReady would have heard at the end of each row from a time on.

    A longer row fails only where no replica was ready in any of its minutes. Nothing fails that the scaler wanted at 0.
    """
    known, ready = points.of((), KNOWN), points.of((), "ready.max")
    told, desired = points.of((), "desired.n"), points.of((), "desired.max")
    kind = ALERT_KINDS["NotReady"]
    for moment in moments(points, from_ms):
        place = moment.place
        asleep = bool(told[place]) and not desired[place]
        serves: AlertVerdict = "Passed" if ready[place] or asleep else "Failed"
        verdict: AlertVerdict = serves if known[place] else "Unknown"
        reason = str(WorkloadReason.NOT_READY if verdict == "Failed" else WorkloadReason.SERVING)
        what = f"{kind.means}: {reason}, no replica was ready" if verdict == "Failed" else f"{kind.means}: {reason}"
        yield Heard(moment.ends_ms, AlertInput(policy, "NotReady", verdict, kind.severity, reason, what, kind.for_ms))
