"""Whether the address in status answers: the model, the gateway before it, and the way between the two."""

from __future__ import annotations

from collections.abc import Collection

from modelward.api.llmendpoint import LLMEndpoint
from modelward.metrics.snapshot import Snapshot
from modelward.reasons.workload import WorkloadReason
from modelward.status.conditions import ConditionState

ASLEEP = WorkloadReason.ASLEEP


def address_state(
    model: ConditionState, gateway: ConditionState | None = None, *, asleep: bool = False, refusing: str = ""
) -> ConditionState:
    """Return WorkloadReady: True only where a request to the address can be answered.

    `gateway` is the state of the gateway's own pods, None where clients reach the model's. `asleep` says that our
    scaler took the last replica away: the next request brings one back, so that is no outage. `refusing` names
    where no model server accepts a connection, empty where one does or none was tried.
    """
    if asleep and model.reason == WorkloadReason.SCALED_TO_ZERO:
        model = ConditionState(model.type, "True", ASLEEP, "asleep: no requests came; the next one starts a replica")
    if model.status != "True":
        return model
    if gateway is not None and gateway.status != "True":
        return gateway
    if refusing and model.reason != ASLEEP:
        told = f"no model server accepts connections at {refusing}: each one has failed for 30 s"
        return ConditionState(
            model.type, "False", WorkloadReason.UPSTREAM_REFUSED, f"{told}; check that it listens there"
        )
    return model


def put_to_sleep(endpoint: LLMEndpoint) -> bool:
    """Return whether our scaler, and not a person, asked for no replica last."""
    scaling, told = endpoint.spec.scaling, endpoint.status.scaling
    if scaling is None or not scaling.acts or scaling.min_replicas > 0 or told is None:
        return False
    return bool(told.decisions) and told.decisions[0].replicas == 0


def unreached(pages: Collection[Snapshot]) -> bool:
    """Return whether none of these collectors reaches a model server; False where no page was read."""
    return bool(pages) and all(page.unreached for page in pages)
