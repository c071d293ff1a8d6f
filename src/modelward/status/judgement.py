"""From readings and results to verdicts: every objective and evaluation that policies ask of one endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.llmendpoint import EvaluationStatus, MetricStatus
from modelward.api.monitoringpolicy import PolicyObjective
from modelward.api.quantity import PPM, duration_ms, duration_text, percent_ppm, percent_text, timestamp, timestamp_ms
from modelward.desired.watch import BoundEvaluation, BoundObjective
from modelward.evaluate import objective as objectives
from modelward.evaluate.pool import Pooled, pool
from modelward.evaluate.verdict import Rule, Verdict, decide
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.status.checks import Check
from modelward.status.error_rates import RATES, rate_counts, uncounted

SEEN_ENOUGH_PPM = 900_000
"""Below this share of the engine's own count, what we see is no fair sample of the traffic."""
LAST_VERDICT_MS = 24 * 3_600_000
_LATENCY = {
    "TimeToFirstToken": Signal.TTFT,
    "TimePerOutputToken": Signal.TPOT,
    "RequestDuration": Signal.DURATION,
}
_DEFAULT_PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class Sight:
    """What may be relied on when judging: the serving revision, the share of traffic seen, whether the hub is up."""

    revision: str
    traffic_seen_ppm: int | None = None
    hub_problem: str = ""


def judge_objective(
    bound: BoundObjective, history: History, sight: Sight, now_ms: int, before: MetricStatus | None = None
) -> tuple[Check, MetricStatus]:
    """Decide one objective over its window of readings.

    `before` is what status says of it: an operator that has just started has no readings yet, and forgets no verdict
    for that. Of a paused policy the last verdict stays.
    """
    asked = bound.objective
    kept = _of_paused(bound, before) if bound.paused else _kept(bound, history, now_ms, before)
    if kept is not None:
        return _check(bound, kept), kept
    verdict = _measured(asked, history, now_ms, duration_ms(asked.over))
    outcome, reason, message = verdict.verdict, verdict.reason, verdict.message
    if outcome != "Unknown" and (blind := _bypassed(sight)):
        outcome, reason, message = "Unknown", "Bypassed", blind
    value = _value(verdict.value, verdict.unit)
    status = MetricStatus(
        policy=bound.policy,
        name=asked.name,
        value=value,
        samples=verdict.samples,
        verdict=outcome,
        reason=reason,
        message=message[:256],
        observed_at=timestamp(now_ms) if value else "",  # a time that goes on alone would be written for ever
    )
    return _check(bound, status), status


def _check(bound: BoundObjective, status: MetricStatus) -> Check:
    severity = bound.objective.severity
    return Check(bound.policy, status.name, "Objectives", severity, status.verdict, status.reason, status.message)


def _of_paused(bound: BoundObjective, before: MetricStatus | None) -> MetricStatus:
    """Return the last verdict as it was told, its time too; where none was reached, that none will be."""
    if before is not None and before.verdict != "Unknown":
        return before
    message = f"policy {bound.policy} is paused: nothing is judged"
    return MetricStatus(
        policy=bound.policy, name=bound.objective.name, verdict="Unknown", reason="PolicyPaused", message=message
    )


def _kept(bound: BoundObjective, history: History, now_ms: int, before: MetricStatus | None) -> MetricStatus | None:
    """Return the verdict in status while it is younger than its window and our own readings do not fill that yet."""
    if before is None or before.verdict == "Unknown" or not before.observed_at:
        return None
    over_ms = duration_ms(bound.objective.over)
    age_ms = now_ms - timestamp_ms(before.observed_at)
    if not 0 <= age_ms < over_ms:
        return None
    requests = _count(history, Signal.REQUESTS, now_ms, over_ms)
    return before if requests < bound.objective.min_requests and history.watched_ms(now_ms) < over_ms else None


def _measured(asked: PolicyObjective, history: History, now_ms: int, over_ms: int) -> objectives.ObjectiveVerdict:
    if asked.metric in RATES:
        rate = rate_counts(asked.metric, history, now_ms, over_ms)
        if rate is None:
            return _unmeasured(uncounted(asked.metric, asked.over, history, now_ms, over_ms))
        return objectives.decide_rate(
            requests=rate.requests,
            errors=rate.counted,
            max_rate_ppm=percent_ppm(asked.max_rate or "0%"),
            min_requests=asked.min_requests,
        )
    requests = history.increase(Signal.REQUESTS, None, now_ms, over_ms)
    found = history.histogram_increase(_LATENCY[asked.metric], None, now_ms, over_ms)
    if found is None and (requests is None or requests.value > 0):
        return _unmeasured(f"no pod has measured {asked.metric} in the last {asked.over}")
    return objectives.decide_latency(
        _requests_by_duration(found),
        percentile_ppm=(asked.percentile or _DEFAULT_PERCENTILE) * PPM // 100,
        max_duration_ms=duration_ms(asked.max_duration or "0s"),
        min_requests=asked.min_requests,
    )


def _unmeasured(message: str) -> objectives.ObjectiveVerdict:
    return objectives.ObjectiveVerdict("Unknown", None, None, None, "ms", 0, "Missing", message)


def judge_evaluation(
    bound: BoundEvaluation, results: Sequence[WindowResult], sight: Sight, now_ms: int
) -> tuple[Check, EvaluationStatus]:
    """Decide one evaluation over its sliding set of windows, for the revision that serves now."""
    asked = bound.evaluation
    pooled = _last_heard(results, sight.revision, now_ms, duration_ms(asked.over))
    verdict = _verdict(bound, pooled, sight)
    check = Check(
        bound.policy, asked.name, asked.affects, asked.severity, verdict.verdict, verdict.reason, verdict.message
    )
    return check, EvaluationStatus(
        policy=bound.policy,
        name=asked.name,
        rate=_share(verdict.rate_ppm),
        low=_share(verdict.low_ppm),
        high=_share(verdict.high_ppm),
        samples=verdict.samples,
        verdict=verdict.verdict,
        reason=verdict.reason,
        message=verdict.message[:256],
        observed_at=timestamp(pooled.newest_ms) if pooled.newest_ms else "",
        run=pooled.run,
        examples=tuple(example.id for example in pooled.examples),
    )


def _last_heard(results: Sequence[WindowResult], revision: str, now_ms: int, over_ms: int) -> Pooled:
    """Pool the sliding set; when traffic has ended, the set as it was when it was last heard, for 24 hours."""
    pooled = pool(results, revision=revision, now_ms=now_ms, over_ms=over_ms)
    if pooled.counts.samples or pooled.counts.failed:
        return pooled
    heard = [r.to_ms for r in results if r.revisions.get(revision) and now_ms - LAST_VERDICT_MS < r.to_ms <= now_ms]
    return pool(results, revision=revision, now_ms=max(heard), over_ms=over_ms) if heard else pooled


def rule_of(bound: BoundEvaluation) -> Rule:
    """Return the evaluation's limit and minimum in the terms of the verdict."""
    asked = bound.evaluation
    return Rule(
        fail_above_ppm=percent_ppm(asked.fail_above) if asked.fail_above else None,
        fail_below_ppm=percent_ppm(asked.fail_below) if asked.fail_below else None,
        min_samples=asked.min_samples,
    )


def _verdict(bound: BoundEvaluation, pooled: Pooled, sight: Sight) -> Verdict:
    if bound.problem is not None:
        return _undecided(bound.problem.reason, bound.problem.message)
    if sight.hub_problem and not pooled.windows:
        return _undecided("HubUnavailable", sight.hub_problem)
    facts = pooled.facts or EvaluatorFacts(bound.builtin, "")
    verdict = decide(pooled.counts, facts, rule_of(bound), missing=pooled.missing)
    blind = _bypassed(sight)
    if verdict.verdict == "Unknown" or not blind:
        return verdict
    return Verdict("Unknown", verdict.rate_ppm, verdict.low_ppm, verdict.high_ppm, verdict.samples, "Bypassed", blind)


def _undecided(reason: str, message: str) -> Verdict:
    return Verdict("Unknown", None, None, None, 0, reason, message)


def _bypassed(sight: Sight) -> str:
    if sight.traffic_seen_ppm is None or sight.traffic_seen_ppm >= SEEN_ENOUGH_PPM:
        return ""
    return f"only {percent_text(sight.traffic_seen_ppm)} of the engine's requests come through the collector"


def _count(history: History, signal: Signal, now_ms: int, over_ms: int) -> int:
    gained = history.increase(signal, None, now_ms, over_ms)
    return round(gained.value) if gained else 0


def _requests_by_duration(found: Histogram | None) -> objectives.Histogram:
    if found is None:
        return objectives.Histogram((), (0,))
    cumulative = (*found.counts, found.count)
    bounds_ms = tuple(bound * 1_000 for bound in found.bounds)
    return objectives.histogram_from_cumulative(bounds_ms, [round(count) for count in cumulative])


def _value(value: int | None, unit: str) -> str:
    if value is None:
        return ""
    return duration_text(value) if unit == "ms" else percent_text(value)


def _share(ppm: int | None) -> str:
    return "" if ppm is None else percent_text(ppm)
