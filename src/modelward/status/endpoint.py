"""The status of an LLMEndpoint, built from everything that one reconcile found."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.endpoint_status import MAX_SELECTOR_CHARS
from modelward.api.llmendpoint import (
    Address,
    AppliedPolicy,
    Change,
    CollectorStatus,
    EvaluationStatus,
    LLMEndpoint,
    LLMEndpointStatus,
    MetricStatus,
    ScalingStatus,
    UsageStatus,
)
from modelward.api.quantity import timestamp
from modelward.status.checks import CONDITION, Check, condition, decided, health
from modelward.status.conditions import ConditionState, ready, settle
from modelward.status.error_rates import Unserved
from modelward.status.listing import listed, told_cut
from modelward.status.revision import UNKNOWN_REVISION, Revision

_SUMMARY_LIMIT = 80
"""It is a column of `kubectl get`."""
KEPT_CHANGES = 5


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What one reconcile knows of an endpoint, in the order in which it was found."""

    accepted: ConditionState
    workload: ConditionState
    collector: ConditionState
    metrics: ConditionState
    scaling: ConditionState | None = None
    replicas: int = 0
    ready_replicas: int = 0
    desired_replicas: int = 0
    selector: str = ""
    url: str | None = None
    engine: str = ""
    models: tuple[str, ...] = ()
    revision: Revision = UNKNOWN_REVISION
    usage: UsageStatus | None = None
    checks: tuple[Check, ...] = ()
    objectives: tuple[MetricStatus, ...] = ()
    evaluations: tuple[EvaluationStatus, ...] = ()
    scaling_status: ScalingStatus | None = None
    collector_status: CollectorStatus | None = None
    applied: tuple[AppliedPolicy, ...] = ()
    unserved: Unserved | None = None


def endpoint_status(endpoint: LLMEndpoint, found: EndpointFacts, now_ms: int) -> LLMEndpointStatus:
    """Return the whole status; pure, so `explain` prints the same as what is written."""
    before = endpoint.status
    mood, why = health(_serving(found), found.metrics, found.checks, found.unserved)
    accepted = told_cut(
        found.accepted,
        policies=len(found.applied),
        objectives=len(found.objectives),
        evaluations=len(found.evaluations),
        selector=found.selector,
    )
    states = [ready(accepted, found.workload), accepted, found.workload, found.collector, found.metrics]
    states += [condition(concern, found.checks) for concern in CONDITION]
    states += [found.scaling] if found.scaling else []
    return LLMEndpointStatus(
        observed_generation=endpoint.metadata.generation,
        summary=summary(why),
        health=mood,
        health_since=before.health_since if before.health == mood and before.health_since else timestamp(now_ms),
        checks=decided(found.checks),
        replicas=found.replicas,
        ready_replicas=found.ready_replicas,
        replicas_summary=f"{found.ready_replicas}/{found.desired_replicas}",
        selector=found.selector if len(found.selector) <= MAX_SELECTOR_CHARS else "",
        address=Address(url=found.url) if found.url else None,
        engine=found.engine,
        models=found.models,
        revision=found.revision.name,
        serving=found.revision.status,
        usage=found.usage,
        metrics=listed(found.objectives),
        evaluations=listed(found.evaluations),
        scaling=found.scaling_status,
        collector=found.collector_status,
        applied_policies=found.applied,
        changes=changes(before, found, now_ms, by_scaler=_scales(endpoint)),
        conditions=settle(states, before.conditions, endpoint.metadata.generation, now_ms),
    )


def summary(why: str) -> str:
    """Return the reason for a health, cut to what a column holds."""
    return why if len(why) <= _SUMMARY_LIMIT else why[: _SUMMARY_LIMIT - 1] + "…"


def _serving(found: EndpointFacts) -> ConditionState:
    return found.accepted if found.accepted.status == "False" else found.workload


def _scales(endpoint: LLMEndpoint) -> bool:
    return endpoint.spec.scaling is not None and endpoint.spec.scaling.acts


def changes(
    before: LLMEndpointStatus, found: EndpointFacts, now_ms: int, *, by_scaler: bool = False
) -> tuple[Change, ...]:
    """Return the newest few changes of revision, policies, collector version and scale: what may explain a flip.

    `by_scaler` says whether our scaler writes replicas: the reason for what a person wrote is theirs.
    """
    now = timestamp(now_ms)
    new: list[Change] = []
    if before.revision and found.revision.name not in ("", before.revision):
        new.append(Change(time=now, kind="Revision", message=f"{before.revision} → {found.revision.name}"))
    if before.observed_generation and _policies(before.applied_policies) != _policies(found.applied):
        new.append(Change(time=now, kind="Policy", message=_policies(found.applied) or "none"))
    old_version = before.collector.version if before.collector else ""
    version = found.collector_status.version if found.collector_status else ""
    if old_version and version and old_version != version:
        new.append(Change(time=now, kind="Version", message=f"collector {old_version} → {version}"))
    if before.revision and _wanted(before) not in (None, found.desired_replicas):
        decided = found.scaling_status if by_scaler else None
        reason = decided.message if decided is not None and decided.desired == found.desired_replicas else ""
        change = f"{_wanted(before)} → {found.desired_replicas} replicas" + (f": {reason}" if reason else "")
        new.append(Change(time=now, kind="Scale", message=change[:256]))
    return (*new, *before.changes)[:KEPT_CHANGES]


def _policies(applied: tuple[AppliedPolicy, ...]) -> str:
    return ", ".join(f"{policy.name} (generation {policy.generation})" for policy in applied)[:256]


def _wanted(before: LLMEndpointStatus) -> int | None:
    _, _, wanted = before.replicas_summary.partition("/")
    return int(wanted) if wanted.isdigit() else None
