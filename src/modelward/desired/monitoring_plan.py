"""What is watched of one endpoint: all policies that select it, united."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from modelward.api.base import ObjectMeta
from modelward.api.evaluator import Evaluator
from modelward.api.exchange import Content
from modelward.api.llmendpoint import AppliedPolicy, LLMEndpoint
from modelward.api.monitoringpolicy import Evaluation, MonitoringPolicy, PolicyObjective
from modelward.desired import honoured
from modelward.desired.capture import EffectiveCapture, allowed_content, effective_capture, reveals
from modelward.desired.finding import Finding
from modelward.reasons.checks import CheckReason
from modelward.reasons.policy import EvaluatorReason


@dataclass(frozen=True, slots=True)
class BuiltinFacts:
    """What a policy must agree with of a built-in evaluator.

    `fails` is the side on which its value is bad: a share of faults is bad above the limit, a score below it. `needs`
    is the least content of which it can judge. `fault_of` tells what is wrong with a check's config, if anything.
    """

    fails: Literal["Above", "Below"] = "Above"
    needs: Content = "Redacted"
    fault_of: Callable[[Mapping[str, Any]], str | None] | None = None


@dataclass(frozen=True, slots=True)
class BoundObjective:
    """An objective of a policy that selects the endpoint; `problem` says why it cannot be decided."""

    policy: str
    objective: PolicyObjective
    paused: bool = False
    problem: Finding | None = None


@dataclass(frozen=True, slots=True)
class BoundEvaluation:
    """An evaluation of a policy that selects the endpoint, with its evaluator found; `problem` says why it cannot run.

    Of a paused policy the last verdict is kept and nothing new started.
    """

    policy: str
    evaluation: Evaluation
    builtin: str = ""
    config: Mapping[str, Any] | None = None
    problem: Finding | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class MonitoringPlan:
    """Everything that policies ask of one endpoint, in the order of the policies' names."""

    capture: EffectiveCapture = field(default_factory=EffectiveCapture)
    objectives: tuple[BoundObjective, ...] = ()
    evaluations: tuple[BoundEvaluation, ...] = ()
    applied: tuple[AppliedPolicy, ...] = ()


def merge_policies(
    endpoint: LLMEndpoint,
    policies: Sequence[MonitoringPolicy],
    evaluators: Mapping[str, Evaluator],
    known_builtins: Mapping[str, BuiltinFacts],
    *,
    allow_raw: bool = False,
) -> MonitoringPlan:
    """Unite the policies of the endpoint's namespace that select it; the others are left out.

    `evaluators` are those of the namespace by name; `allow_raw` is what the namespace's annotation says.
    """
    selected = sorted((p for p in policies if selects(p, endpoint)), key=lambda policy: policy.metadata.name)
    return _united(selected, evaluators, known_builtins, allow_raw=allow_raw)


def alone(
    policy: MonitoringPolicy, evaluators: Mapping[str, Evaluator], known_builtins: Mapping[str, BuiltinFacts]
) -> MonitoringPlan:
    """Return what a policy asks of an endpoint that no other one selects.

    What is wrong with a policy itself is told from this, for it may come before the endpoints that it is for. Whether
    the namespace allows raw payloads is not looked at.
    """
    return _united((policy,), evaluators, known_builtins, allow_raw=True)


def _united(
    selected: Sequence[MonitoringPolicy],
    evaluators: Mapping[str, Evaluator],
    known_builtins: Mapping[str, BuiltinFacts],
    *,
    allow_raw: bool,
) -> MonitoringPlan:
    capture = effective_capture(selected, allow_raw=allow_raw)
    return MonitoringPlan(
        capture=capture,
        objectives=tuple(
            BoundObjective(policy.metadata.name, objective, policy.spec.paused, honoured.objective(objective))
            for policy in selected
            for objective in policy.spec.objectives
        ),
        evaluations=tuple(
            _bound(policy, evaluation, evaluators, known_builtins, capture, allowed_content(policy, allow_raw))
            for policy in selected
            for evaluation in policy.spec.evaluations
        ),
        applied=tuple(
            AppliedPolicy(name=policy.metadata.name, generation=policy.metadata.generation) for policy in selected
        ),
    )


def selects(policy: MonitoringPolicy, endpoint: LLMEndpoint) -> bool:
    """Tell whether the policy watches the endpoint; one that is being deleted no longer does."""
    return covers(policy, endpoint.metadata)


def covers(policy: MonitoringPolicy, endpoint: ObjectMeta) -> bool:
    """Tell whether the policy watches the endpoint of this metadata, whose spec may be unreadable."""
    return (
        policy.metadata.namespace == endpoint.namespace
        and policy.metadata.deletion_timestamp is None
        and policy.spec.endpoint_selector.matches(endpoint.labels)
    )


def _bound(
    policy: MonitoringPolicy,
    evaluation: Evaluation,
    evaluators: Mapping[str, Evaluator],
    known: Mapping[str, BuiltinFacts],
    capture: EffectiveCapture,
    own_content: Content,
) -> BoundEvaluation:
    name, found = policy.metadata.name, _evaluator(evaluation, evaluators)
    if isinstance(found, Finding):
        return BoundEvaluation(name, evaluation, problem=found, paused=policy.spec.paused)
    builtin, config = found
    problem = _problem(evaluation, builtin, config, known, capture, own_content)
    return BoundEvaluation(name, evaluation, builtin, config, problem, policy.spec.paused)


def _evaluator(evaluation: Evaluation, evaluators: Mapping[str, Evaluator]) -> tuple[str, Mapping[str, Any]] | Finding:
    if evaluation.check is not None:
        return evaluation.check.builtin, evaluation.check.config or {}
    reference = evaluation.evaluator_ref
    if reference is None:
        return Finding(
            CheckReason.EVALUATOR_NOT_FOUND, f"evaluation {evaluation.name} names neither check nor evaluatorRef"
        )
    evaluator = evaluators.get(reference.name)
    if evaluator is None:
        return Finding(CheckReason.EVALUATOR_NOT_FOUND, f"there is no Evaluator {reference.name} in this namespace")
    return evaluator.spec.builtin, evaluator.spec.config or {}


def unusable(evaluator: Evaluator, known: Mapping[str, BuiltinFacts]) -> Finding | None:
    """Return why an Evaluator cannot be used by any policy; None where it can."""
    facts = known.get(evaluator.spec.builtin)
    if facts is None:
        return Finding(EvaluatorReason.UNKNOWN_EVALUATOR, unknown_builtin(evaluator.spec.builtin, known))
    fault = facts.fault_of(evaluator.spec.config or {}) if facts.fault_of is not None else None
    return Finding(EvaluatorReason.INVALID_CONFIG, fault) if fault else None


def unknown_builtin(name: str, known: Iterable[str]) -> str:
    """Return that there is no built-in evaluator of this name, and which there are."""
    return f"there is no built-in {name}; known are {', '.join(sorted(known))}"


def _problem(
    evaluation: Evaluation,
    builtin: str,
    config: Mapping[str, Any],
    known: Mapping[str, BuiltinFacts],
    capture: EffectiveCapture,
    own_content: Content,
) -> Finding | None:
    facts = known.get(builtin)
    if facts is None:
        return Finding(CheckReason.UNKNOWN_EVALUATOR, unknown_builtin(builtin, known))
    return (
        _wrong_config(builtin, facts, config)
        or _wrong_side(evaluation, builtin, facts)
        or honoured.evaluation(evaluation, capture)
        or _lost_text(builtin, facts, capture, own_content)
    )


def _wrong_config(builtin: str, facts: BuiltinFacts, config: Mapping[str, Any]) -> Finding | None:
    fault = facts.fault_of(config) if facts.fault_of is not None else None
    return Finding(CheckReason.INVALID_CONFIG, f"config of {builtin}: {fault}") if fault else None


def _wrong_side(evaluation: Evaluation, builtin: str, facts: BuiltinFacts) -> Finding | None:
    written = "Above" if evaluation.fail_above is not None else "Below"
    if written == facts.fails:
        return None
    return Finding(
        CheckReason.INVALID_THRESHOLD, f"{builtin} is bad {facts.fails.lower()} a limit; set fail{facts.fails}"
    )


def _lost_text(builtin: str, facts: BuiltinFacts, capture: EffectiveCapture, own_content: Content) -> Finding | None:
    if reveals(capture.content) >= reveals(facts.needs):
        return None
    if reveals(own_content) < reveals(facts.needs):
        return Finding(
            CheckReason.NO_CAPTURE, f"{builtin} needs capture.content {facts.needs}; the policy has {own_content}"
        )
    message = f"policy {capture.lowered_by} lowered the content to {capture.content}; {builtin} needs {facts.needs}"
    return Finding(CheckReason.CAPTURE_FORBIDDEN, message)
