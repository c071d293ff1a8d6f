"""What is watched of one endpoint: all policies that select it, united."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from modelward.api.base import ObjectMeta
from modelward.api.exchange import Content
from modelward.api.llmendpoint import AppliedPolicy, LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_evaluation import Evaluation
from modelward.api.policy_objective import PolicyObjective
from modelward.api.usage import Prices
from modelward.desired import honoured
from modelward.desired.capture import EffectiveCapture, allowed_content, effective_capture, reveals
from modelward.desired.evaluators import Resolutions, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.reasons.checks import CheckReason


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
    evaluator: ResolvedEvaluator | None = None
    problem: Finding | None = None
    paused: bool = False
    budgeted: bool = False
    """Whether the policy bounds what judges may spend."""

    @property
    def part(self) -> str:
        """Which runs take it: those of its container, or "" where it needs none.

        A pod has one container of an evaluator at most, since all of them listen on the same port.
        """
        if self.evaluator is None or self.problem is not None or not self.evaluator.pod.containers:
            return ""
        containers = ",".join(one.name for one in self.evaluator.pod.containers)
        return hashlib.sha256(containers.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class MonitoringPlan:
    """Everything that policies ask of one endpoint, in the order of the policies' names."""

    capture: EffectiveCapture = field(default_factory=EffectiveCapture)
    objectives: tuple[BoundObjective, ...] = ()
    evaluations: tuple[BoundEvaluation, ...] = ()
    applied: tuple[AppliedPolicy, ...] = ()
    prices: Prices | None = None
    """What the endpoint's own tokens cost, for those whom it judges."""
    address: str = ""
    """Its URL, where an evaluator asks the endpoint itself."""


def part_of(watches: Mapping[str, MonitoringPlan], endpoint: str, policy: str, evaluation: str) -> str:
    """Return which runs take an evaluation of a namespace; "" where it is watched no more."""
    asked = watches.get(endpoint, MonitoringPlan()).evaluations
    found = (bound.part for bound in asked if (bound.policy, bound.evaluation.name) == (policy, evaluation))
    return next(found, "")


def merge_policies(
    endpoint: LLMEndpoint,
    policies: Sequence[MonitoringPolicy],
    evaluators: Resolutions,
    *,
    allow_raw: bool = False,
) -> MonitoringPlan:
    """Unite the policies of the endpoint's namespace that select it; the others are left out.

    `evaluators` are those of every evaluation of these policies; `allow_raw` is what the namespace's annotation says.
    """
    selected = sorted((p for p in policies if selects(p, endpoint)), key=lambda policy: policy.metadata.name)
    plan = merged(selected, evaluators, allow_raw=allow_raw)
    return of_endpoint(replace(plan, prices=endpoint.spec.prices), endpoint)


def of_endpoint(plan: MonitoringPlan, endpoint: LLMEndpoint) -> MonitoringPlan:
    """Return a plan of policies as it is for one endpoint that they select; the same one where nothing differs."""
    plan = without_itself(plan, endpoint)
    if endpoint.status.address and any(one.evaluator and one.evaluator.probes for one in plan.evaluations):
        return replace(plan, address=endpoint.status.address.url or "")
    return plan


def without_itself(plan: MonitoringPlan, endpoint: LLMEndpoint) -> MonitoringPlan:
    """Return the plan without evaluations that the endpoint would judge itself in; the same one where there is none."""
    url = endpoint.status.address.url if endpoint.status.address else ""
    if not url or all(bound.evaluator is None or bound.evaluator.asks != url for bound in plan.evaluations):
        return plan
    return replace(plan, evaluations=tuple(_unless_itself(bound, endpoint, url) for bound in plan.evaluations))


def _unless_itself(bound: BoundEvaluation, endpoint: LLMEndpoint, url: str) -> BoundEvaluation:
    if bound.problem is not None or bound.evaluator is None or bound.evaluator.asks != url:
        return bound
    message = f"{bound.evaluator.name} asks LLMEndpoint {endpoint.metadata.name}, which would judge its own answers"
    return replace(bound, problem=Finding(CheckReason.JUDGES_ITSELF, message))


def alone(policy: MonitoringPolicy, evaluators: Resolutions) -> MonitoringPlan:
    """Return what a policy asks of an endpoint that no other one selects.

    What is wrong with a policy itself is found from this, because it may come before its endpoints. Whether
    the namespace allows raw payloads is not checked.
    """
    return merged((policy,), evaluators, allow_raw=True)


def merged(selected: Sequence[MonitoringPolicy], evaluators: Resolutions, *, allow_raw: bool) -> MonitoringPlan:
    """Unite policies of one namespace, as `merge_policies` does for an endpoint that all of them select."""
    capture = effective_capture(selected, allow_raw=allow_raw)
    return MonitoringPlan(
        capture=capture,
        objectives=tuple(
            BoundObjective(policy.metadata.name, objective, policy.spec.paused, honoured.objective(objective))
            for policy in selected
            for objective in policy.spec.objectives
        ),
        evaluations=tuple(
            _bound(policy, evaluation, evaluators, capture, allowed_content(policy, allow_raw))
            for policy in selected
            for evaluation in policy.spec.evaluations
        ),
        applied=tuple(
            AppliedPolicy(name=policy.metadata.name, generation=policy.metadata.generation) for policy in selected
        ),
    )


def selects(policy: MonitoringPolicy, endpoint: LLMEndpoint) -> bool:
    """Return whether the policy watches the endpoint; one that is being deleted no longer does."""
    return covers(policy, endpoint.metadata)


def covers(policy: MonitoringPolicy, endpoint: ObjectMeta) -> bool:
    """Return whether the policy watches the endpoint of this metadata, whose spec may be unreadable."""
    return (
        policy.metadata.namespace == endpoint.namespace
        and policy.metadata.deletion_timestamp is None
        and policy.spec.endpoint_selector.matches(endpoint.labels)
    )


def _bound(
    policy: MonitoringPolicy,
    evaluation: Evaluation,
    evaluators: Resolutions,
    capture: EffectiveCapture,
    own_content: Content,
) -> BoundEvaluation:
    name = policy.metadata.name
    found = evaluators[name, evaluation.name]
    if isinstance(found, Finding):
        return BoundEvaluation(name, evaluation, problem=found, paused=policy.spec.paused)
    problem = (
        _wrong_side(evaluation, found)
        or honoured.evaluation(evaluation, capture)
        or _lost_text(found, capture, own_content)
    )
    budget = policy.spec.budget
    budgeted = budget is not None and budget.bounds_judges
    return BoundEvaluation(name, evaluation, found, problem, policy.spec.paused, budgeted)


def _wrong_side(evaluation: Evaluation, evaluator: ResolvedEvaluator) -> Finding | None:
    """Return that the statistic is none that the evaluator has, or that its limit is of another side or kind."""
    of_share, name = evaluation.statistic == "Share", evaluator.name
    limit, written = (
        (evaluation.fail_above, "Above") if evaluation.fail_above is not None else (evaluation.fail_below, "Below")
    )
    bad = evaluator.fails if of_share else evaluator.value_fails
    unit = "" if of_share else evaluator.number_unit
    if evaluator.answers == "Change" and evaluation.not_worse_than is not None:
        message = f"notWorseThan compares shares flagged, and {name} compares windows itself; leave it out"
    elif not of_share and evaluation.not_worse_than is not None:
        message = "notWorseThan compares shares flagged; leave statistic out, or set it to Share"
    elif not of_share and evaluator.answers == "Change":
        message = f"{name} tells how far a window moved; leave statistic out, or set it to Share"
    elif not of_share and not evaluator.has_value:
        message = f"{name} flags exchanges and has no value; leave statistic out, or set it to Share"
    elif unit and evaluation.statistic == "Mean":
        message = f"{name} has a number of unit {unit}, whose mean has no bounds; set statistic to P50, P90, P95 or P99"
    elif bool(unit) == str(limit).endswith("%"):
        kind = (
            f"a number of unit {unit}; write fail{written} without %"
            if unit
            else f"from 0% to 100%; write fail{written} with %"
        )
        message = f"{evaluation.statistic} of {name} is {kind}"
    elif bad is not None and bad != written:
        message = f"{name} is bad {bad.lower()} a limit; set fail{bad}"
    else:
        return None
    return Finding(CheckReason.INVALID_THRESHOLD, message)


def _lost_text(evaluator: ResolvedEvaluator, capture: EffectiveCapture, own_content: Content) -> Finding | None:
    name, needs = evaluator.name, evaluator.needs
    if reveals(capture.content) >= reveals(needs):
        return None
    if reveals(own_content) < reveals(needs):
        return Finding(CheckReason.NO_CAPTURE, f"{name} needs capture.content {needs}; the policy has {own_content}")
    message = f"policy {capture.lowered_by} lowered the content to {capture.content}; {name} needs {needs}"
    return Finding(CheckReason.CAPTURE_FORBIDDEN, message)
