"""What keeps a run, or one item of it, from being carried out: known before a pod is started for nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modelward.api.evaluationrun import EvaluationRun, RunItem
from modelward.desired import runs
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.reasons.run import RunReason

PASSING = frozenset({RunReason.ENDPOINT_NOT_FOUND, RunReason.ENDPOINT_NOT_READ})
"""What may be gone in a moment: a run may come before its endpoint, and before the endpoint can be read."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run finds in its namespace: endpoints by name and whether they are paused, what is asked, and a hub."""

    paused: Mapping[str, bool]
    watches: Mapping[str, MonitoringPlan]
    hub: bool


def of_run(run: EvaluationRun, around: RunContext) -> Finding | None:
    """Return why nothing of a run can be carried out; None where at least one item can."""
    endpoint = run.spec.endpoint
    if endpoint is not None and (found := _of_endpoint(endpoint, around)):
        return found
    found_each = [of_item(item, around) for item in runs.items(run, around.watches)]
    if not found_each:
        asked = f"no policy asks for an evaluation of {endpoint}" if endpoint else "the run names no items"
        return Finding(RunReason.NOTHING_TO_EVALUATE, asked)
    return found_each[0] if all(found_each) else None


def not_read_yet(run: EvaluationRun, around: RunContext) -> Finding | None:
    """Return that an endpoint of the run is there and cannot be read: its plan would lack it."""
    named = [run.spec.endpoint] if run.spec.endpoint else [item.endpoint for item in run.spec.items or ()]
    unread = [endpoint for endpoint in named if around.paused.get(endpoint) is False]
    return next((found for endpoint in unread if (found := _not_read(endpoint, around))), None)


def of_item(item: RunItem, around: RunContext) -> Finding | None:
    """Return why one item cannot be carried out."""
    found = _of_endpoint(item.endpoint, around)
    if found is not None:
        return found
    for bound in around.watches[item.endpoint].evaluations:
        if (bound.policy, bound.evaluation.name) == (item.policy, item.evaluation):
            return bound.problem
    message = f"policy {item.policy} asks for no evaluation {item.evaluation} of {item.endpoint}"
    return Finding(RunReason.NOTHING_TO_EVALUATE, message)


def _of_endpoint(endpoint: str, around: RunContext) -> Finding | None:
    return next((found for check in _CHAIN if (found := check(endpoint, around))), None)


def _no_hub(_: str, around: RunContext) -> Finding | None:
    message = "no hub is configured; evaluations need one (hub.enabled in the chart)"
    return None if around.hub else Finding(RunReason.HUB_UNAVAILABLE, message)


def _not_found(endpoint: str, around: RunContext) -> Finding | None:
    if endpoint in around.paused:
        return None
    return Finding(RunReason.ENDPOINT_NOT_FOUND, f"there is no LLMEndpoint {endpoint} in this namespace")


def _paused(endpoint: str, around: RunContext) -> Finding | None:
    if not around.paused[endpoint]:
        return None
    return Finding(RunReason.ENDPOINT_PAUSED, f"spec.paused of LLMEndpoint {endpoint} is true: nothing new is started")


def _not_read(endpoint: str, around: RunContext) -> Finding | None:
    if endpoint in around.watches:
        return None
    return Finding(
        RunReason.ENDPOINT_NOT_READ, f"LLMEndpoint {endpoint} could not be read; its condition Accepted may say why"
    )


_CHAIN: tuple[Callable[[str, RunContext], Finding | None], ...] = (_no_hub, _not_found, _paused, _not_read)
