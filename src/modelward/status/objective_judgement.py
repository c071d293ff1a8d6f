"""From readings to the verdict of an objective."""

from __future__ import annotations

from modelward.api.check_status import MetricStatus
from modelward.api.objectives import OBJECTIVES
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import PPM, duration_ms, percent_ppm, timestamp
from modelward.desired.monitoring_plan import BoundObjective
from modelward.evaluate import objective as objectives
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason
from modelward.status.checks import Check
from modelward.status.error_rates import rate_counts, uncounted, untimed
from modelward.status.judgement import READING_ODDS, JudgementInput, bypassed, check_of, told_of
from modelward.status.objective_events import DEFAULT_PERCENTILE
from modelward.status.standing import spec_hash


def judge_objective(
    bound: BoundObjective, history: History, sight: JudgementInput, now_ms: int, before: MetricStatus | None = None
) -> tuple[Check, MetricStatus]:
    """Decide one objective over its window of readings; `before` is what status says of it.

    Readings older than the present revision do not count. A paused policy keeps its last verdict, however old.
    """
    found = _objective(bound, history, sight, now_ms)
    told = told_of(bound.paused, found, before, sight, now_ms)
    return check_of(bound, bound.objective, "Objectives", found, told), told


def _objective(bound: BoundObjective, history: History, sight: JudgementInput, now_ms: int) -> MetricStatus:
    """Return what readings say now."""
    asked = bound.objective
    if bound.problem is not None:
        verdict = _undecided_objective(bound.problem.reason, bound.problem.message)
    elif bound.paused:
        verdict = _undecided_objective(CheckReason.POLICY_PAUSED, _paused(bound.policy))
    else:
        over_ms = min(duration_ms(asked.over), now_ms - sight.revision.since_ms)
        verdict = _measured(asked, history, now_ms, over_ms)
    outcome, reason, message = verdict.verdict, verdict.reason, verdict.message
    if outcome != "Unknown" and (blind := bypassed(sight)):
        outcome, reason, message = "Unknown", CheckReason.BYPASSED, blind
    seen_at = timestamp(now_ms) if verdict.shown else ""  # a time that goes on alone would be written for ever
    return MetricStatus(
        policy=bound.policy,
        name=asked.name,
        value=verdict.shown,
        samples=verdict.samples,
        verdict=outcome,
        reason=reason,
        message=message,
        observed_at=seen_at,
        heard_at=seen_at,
        revision=sight.revision.name if outcome != "Unknown" else "",
        spec_hash=spec_hash(
            {"metric": asked.metric, "percentile": asked.percentile, "at": asked.max_duration or asked.max_rate}
        ),
    )


def _paused(policy: str) -> str:
    return f"policy {policy} is paused: nothing is judged"


def _measured(asked: PolicyObjective, history: History, now_ms: int, over_ms: int) -> objectives.ObjectiveVerdict:
    metric = OBJECTIVES[asked.metric]
    if metric.kind == "Rate":
        rate = rate_counts(asked.metric, history, now_ms, over_ms)
        if rate is None:
            return _unmeasured(uncounted(asked.metric, asked.over, history, now_ms, over_ms))
        return decided_rate(asked, rate.requests, rate.counted)
    requests = history.increase(Signal.REQUESTS, None, now_ms, over_ms)
    found = history.histogram_increase(metric.signal, None, now_ms, over_ms)
    if found is None and (requests is None or requests.value > 0):
        return _unmeasured(untimed(asked.metric, metric.signal, asked.over, history, now_ms))
    return decided_latency(asked, _requests_by_duration(found))


def decided_rate(asked: PolicyObjective, requests: int, counted: int) -> objectives.ObjectiveVerdict:
    """Decide an objective on a rate by its counts, wherever they come from."""
    return objectives.decide_rate(
        requests=requests,
        errors=counted,
        max_rate_ppm=percent_ppm(asked.max_rate or "0%"),
        min_requests=asked.min_requests,
        odds=READING_ODDS[asked.severity],
    )


def decided_latency(asked: PolicyObjective, found: objectives.DurationBins) -> objectives.ObjectiveVerdict:
    """Decide an objective on a latency by its counts, wherever they come from."""
    return objectives.decide_latency(
        found,
        percentile_ppm=(asked.percentile or DEFAULT_PERCENTILE) * PPM // 100,
        max_duration_ms=duration_ms(asked.max_duration or "0s"),
        min_requests=asked.min_requests,
        odds=READING_ODDS[asked.severity],
    )


def _unmeasured(message: str) -> objectives.ObjectiveVerdict:
    return _undecided_objective(CheckReason.MISSING, message)


def _undecided_objective(reason: Reason, message: str) -> objectives.ObjectiveVerdict:
    return objectives.ObjectiveVerdict("Unknown", None, None, None, "ms", 0, reason, message)


def _requests_by_duration(found: Histogram | None) -> objectives.DurationBins:
    if found is None:
        return objectives.DurationBins((), (0,))
    cumulative = (*found.counts, found.count)
    bounds_ms = tuple(bound * 1_000 for bound in found.bounds)
    return objectives.histogram_from_cumulative(bounds_ms, [round(count) for count in cumulative])
