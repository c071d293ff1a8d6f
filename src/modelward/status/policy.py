"""The status of a MonitoringPolicy: which endpoints it reaches, and what of it cannot be done."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import Binding, MonitoringPolicy, MonitoringPolicyStatus
from modelward.status.conditions import State, settle

_BINDINGS = 100


def policy_status(
    policy: MonitoringPolicy, endpoints: Sequence[LLMEndpoint], problems: Sequence[tuple[str, str]], now_ms: int
) -> MonitoringPolicyStatus:
    """Return the whole status; `problems` are (reason, message) of evaluations that cannot run."""
    selected = sorted(endpoints, key=lambda endpoint: endpoint.metadata.name)
    healthy = sum(endpoint.status.health == "Healthy" for endpoint in selected)
    states = (_accepted(policy, problems), _bound(policy, len(selected)))
    return MonitoringPolicyStatus(
        observed_generation=policy.metadata.generation,
        endpoints=len(selected),
        healthy=healthy,
        endpoints_summary=f"{healthy}/{len(selected)} healthy" if selected else "none",
        bindings=tuple(
            Binding(endpoint=endpoint.metadata.name, health=endpoint.status.health) for endpoint in selected[:_BINDINGS]
        ),
        conditions=settle(states, policy.status.conditions, policy.metadata.generation, now_ms),
    )


def _accepted(policy: MonitoringPolicy, problems: Sequence[tuple[str, str]]) -> State:
    if problems:
        return State("Accepted", "False", problems[0][0], "; ".join(message for _, message in problems))
    if policy.spec.paused:
        return State("Accepted", "True", "Paused", "spec.paused is true: last verdicts are kept, nothing new starts")
    return State("Accepted", "True", "Valid")


def _bound(policy: MonitoringPolicy, count: int) -> State:
    if count:
        return State("Bound", "True", "EndpointsSelected", f"watches {count} endpoint{'s' if count > 1 else ''}")
    wanted = policy.spec.endpoint_selector.match_labels or {}
    labels = ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))
    hint = (
        f"no LLMEndpoint in this namespace carries {labels}" if labels else "no LLMEndpoint in this namespace matches"
    )
    return State("Bound", "False", "NothingSelected", hint)
