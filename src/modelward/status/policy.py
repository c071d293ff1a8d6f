"""The status of a MonitoringPolicy: which endpoints it reaches, and what of it cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from modelward.api.budget import BudgetState
from modelward.api.exchange import CONTENT_ORDER
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_status import Binding, CaptureInForce, MonitoringPolicyStatus
from modelward.api.quantity import limit_text, written_duration, written_size
from modelward.desired.capture import EffectiveCapture, reveals
from modelward.reasons.policy import BoundReason, PolicyReason, SamplesReason
from modelward.reasons.reason import Reason
from modelward.status.budget import budget_condition, budget_status
from modelward.status.conditions import ConditionState, settle
from modelward.status.delivery import alerts_delivered
from modelward.status.scope import EvaluationScope, scope_checked
from modelward.status.spend import EndpointSpend, spend_condition, spend_status, worst_of

_BINDINGS = 100


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What is known of a policy's namespace beside its objects; by default nothing, as before the hub first answers."""

    full: tuple[int, int] | None = None
    """The bytes that the namespace holds at the hub and its share of them, where it has used up the share."""
    results_cut: str = ""
    """The time up to which results were dropped for their share; empty where none were."""
    captures: Sequence[EffectiveCapture] = ()
    """What is in force for the endpoints."""
    scopes: Sequence[EvaluationScope] = ()
    """The scopes that the policy's evaluations judge by."""
    spent: BudgetState | None = None
    """What the hub says of the policy's budget for judges."""
    spending: EndpointSpend | None = None
    """What the endpoints cost."""
    more: Sequence[ConditionState] = ()
    """Conditions that were found elsewhere."""


_NOTHING = PolicyFacts()


def policy_status(
    policy: MonitoringPolicy,
    endpoints: Sequence[LLMEndpoint],
    problems: Sequence[tuple[Reason, str]],
    now_ms: int,
    facts: PolicyFacts = _NOTHING,
) -> MonitoringPolicyStatus:
    """Return the whole status; `problems` are (reason, message) of evaluations that cannot run."""
    selected = sorted(endpoints, key=lambda endpoint: endpoint.metadata.name)
    states = (
        _accepted(policy, problems),
        _bound(policy, len(selected)),
        *_stored(policy, facts.full, facts.results_cut),
        *scope_checked(facts.scopes),
        *facts.more,
        *worst_of((*budget_condition(policy, facts.spent), *spend_condition(policy, selected, facts.spending))),
        *alerts_delivered(policy, selected),
    )
    healthy = sum(endpoint.status.health == "Healthy" for endpoint in selected)
    return MonitoringPolicyStatus(
        observed_generation=policy.metadata.generation,
        endpoints=len(selected),
        healthy=healthy,
        endpoints_summary=f"{healthy}/{len(selected)} healthy" if selected else "none",
        bindings=_bindings(selected),
        capture=capture_in_force(facts.captures),
        budget=budget_status(policy, facts.spent, now_ms),
        spend=spend_status(policy, facts.spending),
        conditions=settle(states, policy.status.conditions, policy.metadata.generation, now_ms),
    )


def _bindings(selected: Sequence[LLMEndpoint]) -> tuple[Binding, ...]:
    return tuple(Binding(endpoint=one.metadata.name, health=one.status.health) for one in selected[:_BINDINGS])


def _accepted(policy: MonitoringPolicy, problems: Sequence[tuple[Reason, str]]) -> ConditionState:
    if problems:
        return ConditionState("Accepted", "False", problems[0][0], "; ".join(message for _, message in problems))
    if policy.spec.paused:
        return ConditionState(
            "Accepted", "True", PolicyReason.PAUSED, "spec.paused is true: last verdicts are kept, nothing new starts"
        )
    return ConditionState("Accepted", "True", PolicyReason.VALID)


def _stored(policy: MonitoringPolicy, full: tuple[int, int] | None, results_cut: str) -> tuple[ConditionState, ...]:
    """Say what happens to samples only where something did: most policies never have this condition."""
    lost = [_of_exchanges(*full)] if full else []
    lost += [_of_results(results_cut)] if results_cut else []
    if lost:
        reason = SamplesReason.STORAGE_FULL if full else SamplesReason.RESULTS_DROPPED
        return (ConditionState("SamplesKept", "False", reason, "; ".join(lost)),)
    if any(condition.type == "SamplesKept" for condition in policy.status.conditions):
        return (ConditionState("SamplesKept", "True", SamplesReason.WITHIN_SHARE),)
    return ()


def _of_exchanges(used_bytes: int, share_bytes: int) -> str:
    used, share = (f"{size / (1 << 30):.1f} GiB" for size in (used_bytes, share_bytes))
    return (
        f"this namespace holds {used} at the hub, of {share}: its oldest exchanges go before keepFor, or its newest are"
        " refused; shorten capture.keepFor, sample less, or raise hub.namespaceShare of the installation"
    )


def _of_results(cut: str) -> str:
    return (
        f"this namespace has more results than its share: those of windows that ended until {cut} are dropped, and no"
        " verdict rests on them; evaluate less often (a longer every), or fewer endpoints and evaluations"
    )


def _bound(policy: MonitoringPolicy, count: int) -> ConditionState:
    if count:
        return ConditionState(
            "Bound", "True", BoundReason.ENDPOINTS_SELECTED, f"watches {count} endpoint{'s' if count > 1 else ''}"
        )
    wanted = policy.spec.endpoint_selector.match_labels or {}
    labels = ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))
    hint = (
        f"no LLMEndpoint in this namespace carries {labels}" if labels else "no LLMEndpoint in this namespace matches"
    )
    return ConditionState("Bound", "False", BoundReason.NOTHING_SELECTED, hint)


def capture_in_force(captures: Sequence[EffectiveCapture]) -> CaptureInForce | None:
    """Return what is in force, as a spec writes it: least and most where they differ; None without endpoints."""
    if not captures:
        return None
    keeping = [capture for capture in captures if capture.content != "None"] or captures
    return CaptureInForce(
        content=_span((reveals(capture.content) for capture in captures), CONTENT_ORDER.__getitem__),
        sample=_span((capture.sample_ppm for capture in captures), limit_text),
        keep_for=_span((capture.keep_for_ms for capture in keeping), written_duration),
        max_body=_span((capture.max_body_bytes for capture in keeping), written_size),
    )


def _span(values: Iterable[int], written: Callable[[int], str]) -> str:
    ordered = sorted(values)
    return " to ".join(dict.fromkeys((written(ordered[0]), written(ordered[-1]))))
