"""Carries a scaling decision out through the endpoint's own /scale, where nobody else writes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelward.api.base import ConditionStatus
from modelward.api.llmendpoint import LLMEndpoint, Objective, Scaling, ScalingDecision, ScalingStatus
from modelward.api.quantity import PPM, duration_ms, percent_ppm, timestamp
from modelward.desired.names import SCALE_MANAGER
from modelward.kube.errors import Forbidden, Invalid, NotFound
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, STATEFUL_SET
from modelward.operator.endpoint.gather import Gathered
from modelward.operator.observe import targets
from modelward.operator.observe.observer import Observation
from modelward.operator.runtime.context import Context
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.capacity import Learned, remembered
from modelward.scaling.decision import Decision, decide
from modelward.scaling.history import DecisionHistory
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import observe
from modelward.status.conditions import ConditionState
from modelward.status.revision import revision_now

log = logging.getLogger(__name__)

_KEPT = 10


@dataclass(frozen=True, slots=True)
class Scaled:
    """What became of scaling in one reconcile; both are None where it is off."""

    state: ConditionState | None = None
    status: ScalingStatus | None = None


class Scaler:
    """Decides and writes; the history of each endpoint is kept in memory and may be lost.

    Nothing scales down then for a while, and what a replica carries is read back from status.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._histories: dict[tuple[str, str], DecisionHistory] = {}

    def forget(self, namespace: str, name: str) -> None:
        """Drop the history of an endpoint that is gone."""
        self._histories.pop((namespace, name), None)

    async def scale(self, known: Gathered, seen: Observation, now_ms: int, *, carried_out: bool = True) -> Scaled:
        """Bring replicas to where they belong; Advisory only says where.

        What is declared but cannot be carried out may name the wrong workload: then nothing is scaled.
        """
        refused = await self._follow(known) if carried_out else None
        if refused is not None:
            return Scaled(refused, known.endpoint.status.scaling)
        scaling = known.endpoint.spec.scaling
        if scaling is None or scaling.mode == "Off":
            return Scaled()
        if not carried_out:
            held = ConditionState(
                "ScalingActive", "Unknown", ScalingReason.NOT_ACCEPTED, "nothing is scaled until the spec is accepted"
            )
            return Scaled(held, known.endpoint.status.scaling)
        other = _other_writer(known)
        if other is not None:
            return Scaled(other, known.endpoint.status.scaling)
        if known.workload is None:
            return Scaled(
                ConditionState("ScalingActive", "Unknown", ScalingReason.NO_WORKLOAD, "there is nothing to scale yet")
            )
        key = (known.endpoint.metadata.namespace, known.endpoint.metadata.name)
        before = self._histories.get(key) or _remembered(known.endpoint, now_ms)
        decision = self._decide(known, seen, scaling, before, now_ms)
        self._histories[key] = decision.history
        current = _asked(known)
        if scaling.mode == "Direct" and decision.replicas not in (None, current) and not known.endpoint.spec.paused:
            state = await self._write(known, decision)
            if state is not None:
                return Scaled(state, known.endpoint.status.scaling)
        return Scaled(_state(scaling, decision), _status(known.endpoint, decision, current, now_ms))

    def _decide(
        self, known: Gathered, seen: Observation, scaling: Scaling, history: DecisionHistory, now_ms: int
    ) -> Decision:
        objective = scaling.objective or Objective()
        spec = ScalingSpec(
            min_replicas=scaling.min_replicas,
            max_replicas=scaling.max_replicas,
            scale_down_hold_ms=duration_ms(scaling.scale_down_hold),
            time_to_first_token_ms=_milliseconds(objective.time_to_first_token),
            time_per_output_token_ms=_milliseconds(objective.time_per_output_token),
            attainment_ppm=percent_ppm(objective.attainment),
            tokens_per_second=scaling.tokens_per_second,
            wakes=known.endpoint.mode == "Gateway",
            revision=revision_now(known.pods, known.workload, known.endpoint.status, now_ms).name,
        )
        workload = known.workload or {}
        ready = int(workload.get("status", {}).get("readyReplicas", 0))
        pods = [target.pod for target in targets.of(known)]
        attainment = spec.attainment_ppm / PPM
        usage = observe(
            seen.history,
            pods,
            replicas=_asked(known),
            ready=ready,
            now_ms=now_ms,
            attainment=attainment,
            of_replicas=known.endpoint.mode != "Gateway",
        )
        return decide(spec, usage, history, now_ms)

    async def _write(self, known: Gathered, decision: Decision) -> ConditionState | None:
        metadata = known.raw["metadata"]
        try:
            await self._context.client.set_scale(
                LLM_ENDPOINT,
                metadata["namespace"],
                metadata["name"],
                decision.replicas or 0,
                resource_version=metadata["resourceVersion"],
                manager=SCALE_MANAGER,
            )
        except (Forbidden, Invalid, NotFound) as error:
            return ConditionState(
                "ScalingActive",
                "False",
                ScalingReason.REFUSED,
                f"scaling to {decision.replicas}: {error.message}"[:600],
            )
        log.info(
            "scaled=%s/%s replicas=%s reason=%s why=%r",
            metadata["namespace"],
            metadata["name"],
            decision.replicas,
            decision.reason,
            decision.message,
        )
        return None

    async def _follow(self, known: Gathered) -> ConditionState | None:
        """Bring a referenced workload to the endpoint's replicas, unless somebody else's autoscaler drives it."""
        endpoint, workload = known.endpoint, known.workload
        wanted, reference = endpoint.spec.replicas, endpoint.spec.backend.workload_ref
        if reference is None or workload is None or wanted is None or endpoint.spec.paused:
            return None
        if wanted == _replicas(workload) or "autoscalers" in known.unlisted:
            return None
        if autoscaler_of(known, reference.kind, reference.name):
            return None
        kind = DEPLOYMENT if reference.kind == "Deployment" else STATEFUL_SET
        try:
            await self._context.client.set_scale(
                kind,
                endpoint.metadata.namespace,
                reference.name,
                wanted,
                resource_version=workload["metadata"]["resourceVersion"],
                manager=SCALE_MANAGER,
            )
        except (Forbidden, Invalid, NotFound) as error:
            message = f"scaling {reference.kind} {reference.name} to {wanted}: {error.message}"
            return ConditionState("ScalingActive", "False", ScalingReason.REFUSED, message[:600])
        return None


def _other_writer(known: Gathered) -> ConditionState | None:
    """Return why we do not scale where an autoscaler of somebody else's writes replicas; two writers only fight."""
    endpoint = known.endpoint
    if "autoscalers" in known.unlisted:
        return ConditionState(
            "ScalingActive", "False", ScalingReason.REFUSED, known.unlisted["autoscalers"].message[:600]
        )
    mine = autoscaler_of(known, "LLMEndpoint", endpoint.metadata.name)
    if mine and endpoint.spec.scaling is not None and endpoint.spec.scaling.mode == "Direct":
        message = f"HorizontalPodAutoscaler {mine} scales this LLMEndpoint; delete it or set scaling.mode: Off"
        return ConditionState("ScalingActive", "False", ScalingReason.ANOTHER_SCALER, message)
    workload = known.workload
    if workload is None:
        return None
    theirs = autoscaler_of(known, workload["kind"], workload["metadata"]["name"])
    if theirs:
        message = f"HorizontalPodAutoscaler {theirs} writes the {workload['kind']}; point it at the LLMEndpoint instead"
        return ConditionState("ScalingActive", "False", ScalingReason.MULTIPLE_WRITERS, message)
    return None


def autoscaler_of(known: Gathered, kind: str, name: str) -> str:
    """Return the name of the HorizontalPodAutoscaler that drives an object; empty where none does."""
    for autoscaler in known.autoscalers:
        target = autoscaler["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) == (kind, name):
            return str(autoscaler["metadata"]["name"])
    return ""


def _remembered(endpoint: LLMEndpoint, now_ms: int) -> DecisionHistory:
    """Return what an operator before this one had learned of what a replica carries."""
    status = endpoint.status
    learned = remembered(status.scaling.capacity, now_ms) if status.scaling is not None else Learned()
    return DecisionHistory(learned=learned, revision=status.revision)


def _milliseconds(duration: str | None) -> int | None:
    """Return a bound in ms; None for none, and for 0, which is refused now and was once accepted."""
    return (duration_ms(duration) or None) if duration is not None else None


def _asked(known: Gathered) -> int:
    """Return the replicas that are asked for.

    The endpoint's number, once there is one: the workload follows it a moment later, and one that was just raised
    would be taken back by a decision that still starts from the old number.
    """
    declared = known.endpoint.spec.replicas
    return declared if declared is not None and not known.endpoint.spec.paused else _replicas(known.workload or {})


def _replicas(workload: Mapping[str, Any]) -> int:
    return int(workload.get("spec", {}).get("replicas", 1))


def _state(scaling: Scaling, decision: Decision) -> ConditionState:
    status: ConditionStatus = "Unknown" if decision.reason is ScalingReason.HOLDING_ON_STALE_METRICS else "True"
    mode = "" if scaling.mode == "Direct" else "advice only: "
    return ConditionState("ScalingActive", status, decision.reason, f"{mode}{decision.message}")


def _status(endpoint: LLMEndpoint, decision: Decision, current: int, now_ms: int) -> ScalingStatus:
    before = endpoint.status.scaling or ScalingStatus()
    taken = before.decisions
    if decision.replicas not in (None, current) and decision.replicas != before.desired:
        new = ScalingDecision(
            time=timestamp(now_ms),
            replicas=decision.replicas or 0,
            reason=str(decision.reason),
            message=decision.message,
        )
        taken = (new, *taken)[:_KEPT]
    capacity = decision.capacity
    return ScalingStatus(
        desired=decision.replicas if decision.replicas is not None else before.desired,
        reason=str(decision.reason),
        message=decision.message,
        capacity=str(capacity) if capacity is not None else "",
        decisions=taken,
    )
