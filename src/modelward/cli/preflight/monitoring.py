"""What policies and evaluators of a file would do: they restart nothing, but they may ask for what cannot be done."""

from __future__ import annotations

from collections.abc import Mapping

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.cli.preflight.effect import Effect
from modelward.desired.evaluators import Resolution, Resolutions
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan, alone, merge_policies, selects
from modelward.reasons.checks import CheckReason

_UNDECIDED = frozenset({CheckReason.NO_CAPTURE, CheckReason.CAPTURE_FORBIDDEN})
"""Reasons for which a check stays Unknown; the policy is in force all the same."""


def policy_effect(
    policy: MonitoringPolicy,
    endpoints: Mapping[str, LLMEndpoint],
    policies: Mapping[str, MonitoringPolicy],
    evaluators: Resolutions,
    allow_raw: bool,
    notes: tuple[str, ...] = (),
) -> Effect:
    """Return the effect of one policy among the others of its namespace; `evaluators` are those of all of them."""
    metadata = policy.metadata
    own = _problems(policy, alone(policy, evaluators))
    wrong = [problem for problem in own if problem.reason not in _UNDECIDED]
    place = ("MonitoringPolicy", metadata.namespace, metadata.name)
    if wrong:
        return Effect(*place, "Refused", "; ".join(p.message for p in wrong), reason=wrong[0].reason, notes=notes)
    selected = [name for name, endpoint in sorted(endpoints.items()) if selects(policy, endpoint)]
    found: dict[Finding, list[str]] = {}
    for name in selected:
        asked = merge_policies(endpoints[name], tuple(policies.values()), evaluators, allow_raw=allow_raw)
        for problem in (*_problems(policy, asked), *filter(None, [asked.capture.problem])):
            found.setdefault(problem, []).append(name)
    notes += tuple(f"{', '.join(whose)}: {one.reason}: {one.message}" for one, whose in found.items())
    why = f"it watches {', '.join(selected)}" if selected else "it selects no LLMEndpoint of its namespace"
    return Effect(*place, "Nothing", f"{why}; policies never restart a pod", notes=notes)


def evaluator_effect(evaluator: Evaluator, found: Resolution, notes: tuple[str, ...] = ()) -> Effect:
    """Return the effect of one Evaluator, of which `found` was made."""
    place = ("Evaluator", evaluator.metadata.namespace, evaluator.metadata.name)
    if isinstance(found, Finding):
        return Effect(*place, "Refused", found.message, reason=found.reason, notes=notes)
    return Effect(*place, "Nothing", "evaluators never restart a pod", notes=notes)


def _problems(policy: MonitoringPolicy, asked: MonitoringPlan) -> list[Finding]:
    return [
        Finding(bound.problem.reason, f"{bound.evaluation.name}: {bound.problem.message}")
        for bound in asked.evaluations
        if bound.policy == policy.metadata.name and bound.problem is not None
    ]
