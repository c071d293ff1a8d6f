"""From results of windows to the verdict of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from modelward.api.calibration import OwnLabels
from modelward.api.check_status import EvaluationStatus, MovedPart
from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.policy_evaluation import Evaluation
from modelward.api.quantity import PPM, duration_ms, percent_text, timestamp
from modelward.api.window_answer import Moved, WindowTest
from modelward.desired.monitoring_plan import BoundEvaluation
from modelward.evaluate.calibration.in_force import why_uncalibrated
from modelward.evaluate.pool import MAX_ID_CHARS, Pooled, pool
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.verdict import Verdict, decide
from modelward.evaluate.watched import SlidingSet
from modelward.evaluate.window_verdict import change_text, decide_change, newest, p_text
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason
from modelward.status.checks import Check
from modelward.status.comparison import compared
from modelward.status.evaluation_rule import rule_of, watched_rule
from modelward.status.judgement import JudgementInput, bypassed, check_of, told_of
from modelward.status.standing import spec_hash


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
    told = told_of(bound.paused, found, before, sight, now_ms)
    return check_of(bound, bound.evaluation, bound.evaluation.affects, found, told), told


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
    blind = bypassed(sight)
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


def _shown(millionths: int | None, rule: VerdictRule) -> str:
    return "" if millionths is None else rule.shown(millionths)
