"""Decides where the replicas of an endpoint belong, where no other writer sets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from modelward.api.llmendpoint import LLMEndpoint, Objective, Scaling, ScalingDecision, ScalingStatus
from modelward.api.quantity import PPM, duration_ms, percent_ppm, timestamp
from modelward.desired.children import Children
from modelward.desired.finding import Finding
from modelward.operator.actuators.actuator import Actuator
from modelward.operator.actuators.registry import ACTUATORS
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.plan import EndpointPlan
from modelward.operator.endpoint.replica_write import ReplicaWrite
from modelward.operator.observe import targets
from modelward.operator.observe.observer import Observation
from modelward.reasons.scaling import ScalingReason
from modelward.scaling.capacity import Learned, remembered
from modelward.scaling.decision import Decision, decide
from modelward.scaling.history import DecisionHistory
from modelward.scaling.spec import ScalingSpec
from modelward.scaling.usage import observe
from modelward.status.conditions import ConditionState
from modelward.status.revision import revision_now

_KEPT = 10


@dataclass(frozen=True, slots=True)
class Scaled:
    """What scaling comes to in one reconcile; all are None where it is off."""

    state: ConditionState | None = None
    status: ScalingStatus | None = None
    replicas: ReplicaWrite | None = None
    children: Children = ()

    def refused(self, why: Finding, before: ScalingStatus | None) -> Scaled:
        """Return what it comes to where its write was refused: the status stays as it was."""
        return Scaled(ConditionState("ScalingActive", "False", ScalingReason.REFUSED, why.message), before)


class Scaler:
    """Decides; the history of each endpoint is kept in memory and may be lost.

    Nothing scales down then for a while, and what a replica carries is read back from status.
    """

    def __init__(self, actuators: Mapping[str, Actuator] = ACTUATORS) -> None:
        self._actuators = actuators
        self._histories: dict[tuple[str, str], DecisionHistory] = {}

    def forget(self, namespace: str, name: str) -> None:
        """Drop the history of an endpoint that is gone."""
        self._histories.pop((namespace, name), None)

    def decide(
        self, known: Gathered, seen: Observation, now_ms: int, todo: EndpointPlan, *, unread: bool = False
    ) -> Scaled:
        """Say where replicas belong, and what the actuator of the mode writes for that.

        What is declared but cannot be carried out may name the wrong workload: then nothing is scaled. While its pages
        are `unread` nothing is decided, and what carries decisions out stays in place.
        """
        endpoint = known.endpoint
        scaling, before = endpoint.spec.scaling, endpoint.status.scaling
        actuator = self._actuators.get(scaling.mode) if scaling is not None else None
        if scaling is None or actuator is None:
            return Scaled()
        if not todo.scales:
            held = "nothing is scaled until the spec is accepted"
            return Scaled(ConditionState("ScalingActive", "Unknown", ScalingReason.NOT_ACCEPTED, held), before)
        other = _unlisted(known) or actuator.rival(known) or _driven(known)
        if other is not None:
            return Scaled(other, before)
        decision = None if unread or known.workload is None else self._decided(known, seen, scaling, now_ms)
        children = () if endpoint.spec.paused else tuple(actuator.children(endpoint, decision))
        if decision is None:
            nothing = "there is nothing to scale yet"
            state = ConditionState("ScalingActive", "Unknown", ScalingReason.NO_WORKLOAD, nothing)
            return Scaled(state, children=children)
        status = _status(endpoint, decision, known.asked_replicas, now_ms)
        return Scaled(actuator.state(known, decision), status, actuator.replicas(known, decision), children)

    def _decided(self, known: Gathered, seen: Observation, scaling: Scaling, now_ms: int) -> Decision:
        key = (known.endpoint.metadata.namespace, known.endpoint.metadata.name)
        before = self._histories.get(key) or _remembered(known.endpoint, now_ms)
        decision = self._decide(known, seen, scaling, before, now_ms)
        self._histories[key] = decision.history
        return decision

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
            replicas=known.asked_replicas,
            ready=ready,
            now_ms=now_ms,
            attainment=attainment,
            of_replicas=known.endpoint.mode != "Gateway",
        )
        return decide(spec, usage, history, now_ms)


def standing(known: Gathered, todo: EndpointPlan) -> EndpointPlan:
    """Return the plan with the children that carry decisions out, as they are before there is any decision."""
    scaled = Scaler().decide(known, Observation(), 0, todo, unread=True)
    return replace(todo, apply=(*todo.apply, *scaled.children))


def _unlisted(known: Gathered) -> ConditionState | None:
    why = known.unlisted.get("autoscalers")
    return ConditionState("ScalingActive", "False", ScalingReason.REFUSED, why.message[:600]) if why else None


def _driven(known: Gathered) -> ConditionState | None:
    """Return why we do not scale where an autoscaler of another owner writes the workload; two writers only fight."""
    workload, theirs = known.workload, known.workload_autoscaler
    if workload is None or not theirs:
        return None
    message = f"HorizontalPodAutoscaler {theirs} writes the {workload['kind']}; point it at the LLMEndpoint instead"
    return ConditionState("ScalingActive", "False", ScalingReason.MULTIPLE_WRITERS, message)


def _remembered(endpoint: LLMEndpoint, now_ms: int) -> DecisionHistory:
    """Return what an operator before this one had learned of what a replica carries."""
    status = endpoint.status
    learned = remembered(status.scaling.capacity, now_ms) if status.scaling is not None else Learned()
    return DecisionHistory(learned=learned, revision=status.revision)


def _milliseconds(duration: str | None) -> int | None:
    """Return a bound in ms; None for none, and for 0, which is refused now and was once accepted."""
    return (duration_ms(duration) or None) if duration is not None else None


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
