"""From readings and results to verdicts: every objective and evaluation that policies ask of one endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modelward.api.base import Severity
from modelward.api.calibration import OwnLabels
from modelward.api.endpoint_status import CheckStatus, EvaluationStatus, MetricStatus, MovedPart
from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.monitoringpolicy import Evaluation, PolicyObjective
from modelward.api.objectives import OBJECTIVES
from modelward.api.quantity import PPM, duration_ms, limit_millionths, percent_ppm, percent_text, timestamp
from modelward.api.window_answer import Moved, WindowTest
from modelward.desired.monitoring_plan import BoundEvaluation, BoundObjective
from modelward.evaluate import objective as objectives
from modelward.evaluate.calibration.in_force import why_uncalibrated
from modelward.evaluate.pool import MAX_ID_CHARS, Pooled, pool
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.sequence import CRITICAL, CRITICAL_READINGS, WARNING, Odds
from modelward.evaluate.verdict import Verdict, decide
from modelward.evaluate.watched import SlidingSet
from modelward.evaluate.window_verdict import change_text, decide_change, newest, p_text
from modelward.metrics.histogram import Histogram
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason
from modelward.status.checks import Check, Concern
from modelward.status.comparison import compared
from modelward.status.error_rates import rate_counts, uncounted, untimed
from modelward.status.evaluator_container import ContainerFailure
from modelward.status.objective_events import DEFAULT_PERCENTILE
from modelward.status.revision import Revision
from modelward.status.standing import S, since_then, spec_hash, stand

SEEN_ENOUGH_PPM = 900_000
"""Below this share of the engine's own count, what we see is no fair sample of the traffic."""
ODDS: dict[Severity, Odds] = {"Info": WARNING, "Warning": WARNING, "Critical": CRITICAL}
"""How sure a failure is where it is asked after each window."""
READING_ODDS: Mapping[Severity, Odds] = ODDS | {"Critical": CRITICAL_READINGS}
"""And where it is asked at each reading of metrics."""


@dataclass(frozen=True, slots=True)
class JudgementInput:
    """What may be relied on when judging: the serving revision, the share of traffic seen, whether the hub is up.

    `failing` says by policy and evaluation what keeps an evaluator's container from answering, `labels` what people
    said of the endpoint's exchanges.
    """

    revision: Revision
    traffic_seen_ppm: int | None = None
    hub_problem: str = ""
    failing: Mapping[tuple[str, str], ContainerFailure] = field(default_factory=dict)
    labels: Mapping[tuple[str, str], OwnLabels] = field(default_factory=dict)


def judge_objective(
    bound: BoundObjective, history: History, sight: JudgementInput, now_ms: int, before: MetricStatus | None = None
) -> tuple[Check, MetricStatus]:
    """Decide one objective over its window of readings; `before` is what status says of it.

    Readings older than the present revision do not count. A paused policy keeps its last verdict, however old.
    """
    found = _objective(bound, history, sight, now_ms)
    told = _told(bound.paused, found, before, sight, now_ms)
    return _check(bound, bound.objective, "Objectives", found, told), told


def _told(paused: bool, found: S, before: S | None, sight: JudgementInput, now_ms: int) -> S:
    if paused and found.verdict == "Unknown" and before is not None and before.verdict != "Unknown":
        return before
    return stand(found, before, sight.revision.hashes, now_ms)


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
    if outcome != "Unknown" and (blind := _bypassed(sight)):
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


def _check(
    bound: BoundObjective | BoundEvaluation,
    asked: PolicyObjective | Evaluation,
    concern: Concern,
    found: CheckStatus,
    told: CheckStatus,
) -> Check:
    return Check(
        policy=bound.policy,
        name=asked.name,
        concern=concern,
        severity=asked.severity,
        verdict=told.verdict,
        reason=CheckReason.named(told.reason),
        message=since_then(found, told),
        was=told.was or "",
        found_verdict=found.verdict,
        found_reason=CheckReason.named(found.reason),
    )


def _paused(policy: str) -> str:
    return f"policy {policy} is paused: nothing is judged"


def _measured(asked: PolicyObjective, history: History, now_ms: int, over_ms: int) -> objectives.ObjectiveVerdict:
    metric = OBJECTIVES[asked.metric]
    if metric.kind == "Rate":
        rate = rate_counts(asked.metric, history, now_ms, over_ms)
        if rate is None:
            return _unmeasured(uncounted(asked.metric, asked.over, history, now_ms, over_ms))
        return objectives.decide_rate(
            requests=rate.requests,
            errors=rate.counted,
            max_rate_ppm=percent_ppm(asked.max_rate or "0%"),
            min_requests=asked.min_requests,
            odds=READING_ODDS[asked.severity],
        )
    requests = history.increase(Signal.REQUESTS, None, now_ms, over_ms)
    found = history.histogram_increase(metric.signal, None, now_ms, over_ms)
    if found is None and (requests is None or requests.value > 0):
        return _unmeasured(untimed(asked.metric, metric.signal, asked.over, history, now_ms))
    return objectives.decide_latency(
        _requests_by_duration(found),
        percentile_ppm=(asked.percentile or DEFAULT_PERCENTILE) * PPM // 100,
        max_duration_ms=duration_ms(asked.max_duration or "0s"),
        min_requests=asked.min_requests,
        odds=READING_ODDS[asked.severity],
    )


def _unmeasured(message: str) -> objectives.ObjectiveVerdict:
    return _undecided_objective(CheckReason.MISSING, message)


def _undecided_objective(reason: Reason, message: str) -> objectives.ObjectiveVerdict:
    return objectives.ObjectiveVerdict("Unknown", None, None, None, "ms", 0, reason, message)


def judge_evaluation(
    bound: BoundEvaluation,
    results: Sequence[WindowResult],
    sight: JudgementInput,
    now_ms: int,
    before: EvaluationStatus | None = None,
) -> tuple[Check, EvaluationStatus]:
    """Decide one evaluation over its sliding set of windows, for the revision that serves now.

    `before` is what status says of it.
    """
    found = _evaluation(bound, results, sight, now_ms)
    told = _told(bound.paused, found, before, sight, now_ms)
    return _check(bound, bound.evaluation, bound.evaluation.affects, found, told), told


def _evaluation(
    bound: BoundEvaluation, results: Sequence[WindowResult], sight: JudgementInput, now_ms: int
) -> EvaluationStatus:
    """Return what the windows say now."""
    asked = bound.evaluation
    pooled = pool(results, revisions=sight.revision.hashes, now_ms=now_ms, over_ms=duration_ms(asked.over))
    window, test = newest(results if _is_change(bound) else (), sight.revision.hashes, now_ms, duration_ms(asked.over))
    rule = watched_rule(bound)
    endpoint = results[0].endpoint if results else ""
    verdict, change = _verdict(bound, pooled, sight, window, test, endpoint), None
    if not _is_change(bound):
        verdict, change = compared(asked, rule, (verdict, pooled), results, sight.revision, now_ms)
    return EvaluationStatus(
        policy=bound.policy,
        name=asked.name,
        rate=_shown(verdict.rate_ppm, rule),
        low=_shown(verdict.low_ppm, rule),
        high=_shown(verdict.high_ppm, rule),
        samples=verdict.samples,
        verdict=verdict.verdict,
        reason=verdict.reason,
        message=verdict.message + _unlisted(pooled.unlisted),
        observed_at=timestamp(pooled.newest_ms) if pooled.newest_ms else "",
        heard_at=timestamp(pooled.heard_ms) if pooled.heard_ms else "",
        run=pooled.run,
        examples=tuple(example.id for example in pooled.examples),
        p_value=p_text(test.p_value) if test and not test.reason else "",
        moved=tuple(_part(one) for one in test.moved) if test else (),
        revision=sight.revision.name if verdict.verdict != "Unknown" else "",
        spec_hash=spec_hash(_definition(asked)),
        change=change,
    )


def _definition(asked: Evaluation) -> Mapping[str, Any]:
    """Return what a verdict speaks of; another one is another check."""
    definition = asked.model_dump(mode="json", include={"check", "evaluator_ref", "fail_above", "fail_below"})
    if asked.statistic != "Share":
        definition["statistic"] = asked.statistic
    if asked.not_worse_than is not None:
        definition["not_worse_than"] = asked.not_worse_than.wire()
    return definition


def _unlisted(ids: int) -> str:
    return f"; {ids} flagged exchanges have ids over {MAX_ID_CHARS} characters, which are not listed" if ids else ""


def rule_of(bound: BoundEvaluation) -> VerdictRule:
    """Return the evaluation's limit and minimum in the terms of the verdict."""
    asked = bound.evaluation
    return VerdictRule(
        fail_above_ppm=limit_millionths(asked.fail_above) if asked.fail_above else None,
        fail_below_ppm=limit_millionths(asked.fail_below) if asked.fail_below else None,
        min_samples=asked.min_samples,
        statistic=asked.statistic,
        unit=bound.evaluator.number_unit if bound.evaluator and asked.statistic != "Share" else "",
    )


def watched_rule(bound: BoundEvaluation) -> VerdictRule:
    """Return the same for a verdict that is taken after each window, with odds by its severity."""
    return replace(rule_of(bound), odds=ODDS[bound.evaluation.severity])


def _is_change(bound: BoundEvaluation) -> bool:
    return bound.evaluator is not None and bound.evaluator.answers == "Change"


def _part(one: Moved) -> MovedPart:
    share, low, high = (percent_text(round(value * PPM)) for value in (one.share, one.low, one.high))
    return MovedPart(label=one.label, share=share, low=low, high=high, change=change_text(one.change), id=one.id)


def _verdict(
    bound: BoundEvaluation,
    pooled: Pooled,
    sight: JudgementInput,
    window: WindowResult | None,
    test: WindowTest | None,
    endpoint: str,
) -> Verdict:
    if bound.problem is not None:
        return _undecided(bound.problem.reason, bound.problem.message)
    if sight.hub_problem and not pooled.windows:
        return _undecided(CheckReason.HUB_UNAVAILABLE, sight.hub_problem)
    facts = pooled.facts or (bound.evaluator.facts if bound.evaluator else EvaluatorFacts("", ""))
    if _is_change(bound):
        verdict = decide_change(window, test, rule_of(bound), bound.evaluation.severity, missing=pooled.missing)
    else:
        sliding = SlidingSet(pooled.newest_first, pooled.covered_ms, duration_ms(bound.evaluation.over))
        why = why_uncalibrated(bound.evaluator, pooled.facts)
        verdict = decide(
            pooled.counts,
            facts,
            watched_rule(bound),
            missing=pooled.missing,
            sliding=sliding,
            uncalibrated=why,
            own=_own(bound, sight, endpoint),
        )
    failure = sight.failing.get((bound.policy, bound.evaluation.name))
    if failure and verdict.verdict == "Unknown" and failure.to_ms >= pooled.newest_ms:
        return _container_failing(verdict, failure.cause)
    blind = _bypassed(sight)
    if verdict.verdict == "Unknown" or not blind:
        return verdict
    return Verdict(
        "Unknown", verdict.rate_ppm, verdict.low_ppm, verdict.high_ppm, verdict.samples, CheckReason.BYPASSED, blind
    )


def _own(bound: BoundEvaluation, sight: JudgementInput, endpoint: str) -> OwnLabels | None:
    """Return the labels of the endpoint's own exchanges: those of a calibration, and those of people who read them."""
    calibrated = bound.evaluator.own_labels.get(endpoint) if bound.evaluator else None
    said = sight.labels.get((bound.policy, bound.evaluation.name))
    return calibrated + said if calibrated and said else calibrated or said


def _container_failing(verdict: Verdict, cause: str) -> Verdict:
    counted = verdict.reason == CheckReason.EVALUATOR_FAILING
    message = f"{verdict.message}: {cause}" if counted else f"its newest run could not ask the evaluator: {cause}"
    return replace(verdict, reason=CheckReason.EVALUATOR_FAILING, message=message)


def _undecided(reason: Reason, message: str) -> Verdict:
    return Verdict("Unknown", None, None, None, 0, reason, message)


def _bypassed(sight: JudgementInput) -> str:
    if sight.traffic_seen_ppm is None or sight.traffic_seen_ppm >= SEEN_ENOUGH_PPM:
        return ""
    return f"only {percent_text(sight.traffic_seen_ppm)} of the engine's requests come through the collector"


def _requests_by_duration(found: Histogram | None) -> objectives.DurationBins:
    if found is None:
        return objectives.DurationBins((), (0,))
    cumulative = (*found.counts, found.count)
    bounds_ms = tuple(bound * 1_000 for bound in found.bounds)
    return objectives.histogram_from_cumulative(bounds_ms, [round(count) for count in cumulative])


def _shown(millionths: int | None, rule: VerdictRule) -> str:
    return "" if millionths is None else rule.shown(millionths)
