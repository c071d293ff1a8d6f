"""Verdicts on evaluations at each row of an endpoint's history, from the results of windows that the hub keeps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelward.alerts.episode import AlertInput
from modelward.alerts.inputs import input_of_check
from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import WindowResult
from modelward.api.evaluator import EvaluatorStatus
from modelward.api.policy_evaluation import Evaluation
from modelward.api.quantity import duration_ms
from modelward.desired.evaluators import ResolvedEvaluator, block_of
from modelward.desired.monitoring_plan import BoundEvaluation
from modelward.evaluate.calibration.in_force import by_status
from modelward.evaluate.pool import BASELINE_MS, HELD_MS
from modelward.hub.history.points import Points
from modelward.hub.people.past.heard import Heard, moments
from modelward.hub.people.past.revisions import PastRevisions
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.judgement import JudgementInput


@dataclass(frozen=True, slots=True)
class PastScores:
    """What the hub has of one evaluation: results of windows, and what people and calibration say of its scores now."""

    name: str
    results: Sequence[WindowResult]
    labels: OwnLabels | None = None
    calibration: EvaluatorStatus | None = None
    """The status of its Evaluator, where it has one."""


def past_evaluation(
    policy: str, asked: Evaluation, scores: PastScores, points: Points, revisions: PastRevisions, from_ms: int
) -> Iterator[Heard]:
    """Yield what the evaluation's alert would have heard at the end of each row from a time on.

    A result counts from the end of its window on. It is judged again only where a window comes or goes.
    """
    bound = _bound(policy, asked, scores)
    results = sorted(scores.results, key=lambda one: one.to_ms)
    ended = [one.to_ms for one in results]
    over_ms = duration_ms(asked.over)
    edges_ms = (0, over_ms, over_ms + BASELINE_MS, BASELINE_MS, HELD_MS)
    labels = {(policy, asked.name): scores.labels} if scores.labels is not None else {}
    known: tuple[object, ...] = ()
    heard: AlertInput | None = None
    for moment in moments(points, from_ms):
        revision = revisions.at(moment.now_ms)
        places = [bisect_right(ended, moment.now_ms - edge_ms) for edge_ms in edges_ms]
        if heard is None or known != (revision, *places):
            known = (revision, *places)
            within = results[places[-1] : places[0]]
            check, _ = judge_evaluation(bound, within, JudgementInput(revision, labels=labels), moment.now_ms)
            heard = input_of_check(check)
        yield Heard(moment.ends_ms, heard)


def _bound(policy: str, asked: Evaluation, scores: PastScores) -> BoundEvaluation:
    """Return the evaluation with as much of its evaluator as a verdict needs; the rest only the operator knows."""
    newest = max(scores.results, key=lambda one: one.to_ms, default=None)
    if newest is None:
        return BoundEvaluation(policy, asked)
    block = block_of(asked.check) if asked.check is not None else None
    name = block.name if block else asked.evaluator_ref.name if asked.evaluator_ref else ""
    answers = "Change" if any(one.tests for one in scores.results) else "Share"
    found = ResolvedEvaluator(block.kind if block else "", name, {}, newest.evaluator, answers=answers)  # type: ignore[arg-type]
    return BoundEvaluation(policy, asked, by_status(found, scores.calibration) if scores.calibration else found)
