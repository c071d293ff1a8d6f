"""Reconciles what only reports: MonitoringPolicies and Evaluators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from modelward.api.evaluator import Evaluator, EvaluatorStatus
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp
from modelward.desired.capture import EffectiveCapture
from modelward.desired.evaluators import EvaluatorBlock, block_of
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan, alone, selects
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.hub_client.client import Stored
from modelward.kube.kinds import EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY
from modelward.operator.cache.models import parsed, read
from modelward.operator.endpoint.status_writer import StatusWriter
from modelward.operator.runtime.context import Context
from modelward.reasons.policy import EvaluatorReason, PolicyReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState, settle
from modelward.status.policy import policy_status
from modelward.status.unreadable import unreadable

_AGAIN_S = 60.0


@dataclass(slots=True)
class PolicyReconciler:
    """Writes to policies which endpoints they reach, and to evaluators whether they can be used."""

    context: Context
    evaluators: EvaluatorCatalogue
    asked: Callable[[str], Awaitable[Mapping[str, MonitoringPlan]]]
    """The monitoring plans of a namespace's endpoints, by their names."""
    clock_ms: Callable[[], int]
    stored: Callable[[str], Stored | None] = lambda _: None
    """What a namespace holds at the hub."""
    _status: StatusWriter = field(init=False)

    def __post_init__(self) -> None:
        self._status = StatusWriter(self.context)

    async def policy(self, namespace: str, name: str) -> float | None:
        """Write one policy's status."""
        raw, now_ms = self.context.store.get(MONITORING_POLICY, namespace, name), self.clock_ms()
        if raw is None:
            return None
        try:
            policy = read(MonitoringPolicy, raw)
        except ValidationError as error:
            state = unreadable("Accepted", PolicyReason.INVALID_SPEC, error, "nothing of the policy is in force")
            await self._status.refuse(MONITORING_POLICY, raw, (state,), None, now_ms)
            return None
        endpoints = parsed(LLMEndpoint, self.context.store.list(LLM_ENDPOINT, namespace))
        selected = [endpoint for endpoint in endpoints if selects(policy, endpoint)]
        every = await self.asked(namespace)
        asked = [(one, every[one.metadata.name]) for one in selected if one.metadata.name in every]
        problems = self._problems(policy, [plan for _, plan in asked])
        stored = self.stored(namespace)
        full = (stored.bytes, stored.share_bytes) if stored and stored.full else None
        cut = timestamp(stored.results_cut_ms) if stored and stored.results_cut_ms else ""
        status = policy_status(policy, selected, problems, now_ms, full, cut, _captures(asked))
        await self._status.write(MONITORING_POLICY, raw, status, policy.status, now_ms)
        return _AGAIN_S

    async def evaluator(self, namespace: str, name: str) -> float | None:
        """Write one Evaluator's status: accepted or not, its version and how good it was when measured."""
        raw, now_ms = self.context.store.get(EVALUATOR, namespace, name), self.clock_ms()
        if raw is None:
            return None
        try:
            evaluator = read(Evaluator, raw)
        except ValidationError as error:
            state = unreadable("Accepted", EvaluatorReason.INVALID_SPEC, error, "no evaluation can use it")
            await self._status.refuse(EVALUATOR, raw, (state,), None, now_ms)
            return None
        block = block_of(evaluator.spec, name)
        about, generation = self.evaluators.about(block), evaluator.metadata.generation
        status = EvaluatorStatus(
            observed_generation=generation,
            version=about.version,
            measured=about.measured,
            conditions=settle([self._usable(block)], evaluator.status.conditions, generation, now_ms),
        )
        await self._status.write(EVALUATOR, raw, status, evaluator.status, now_ms)
        return None

    def _usable(self, block: EvaluatorBlock) -> ConditionState:
        found = self.evaluators.resolve(block)
        if isinstance(found, Finding):
            return ConditionState("Accepted", "False", found.reason, found.message)
        return ConditionState("Accepted", "True", EvaluatorReason.VALID)

    def _problems(self, policy: MonitoringPolicy, selected: list[MonitoringPlan]) -> tuple[tuple[Reason, str], ...]:
        """Return what is wrong with the policy itself, and with what it asks of endpoints beside other policies."""
        namespace, name = policy.metadata.namespace, policy.metadata.name
        evaluators = parsed(Evaluator, self.context.store.list(EVALUATOR, namespace))
        resolved = self.evaluators.of_policies([policy], {one.metadata.name: one for one in evaluators})
        asked = [*selected, alone(policy, resolved)]
        found = {
            (bound.evaluation.name, bound.problem.reason, bound.problem.message)
            for watched in asked
            for bound in watched.evaluations
            if bound.policy == name and bound.problem is not None
        }
        found |= {
            (bound.objective.name, bound.problem.reason, bound.problem.message)
            for watched in asked
            for bound in watched.objectives
            if bound.policy == name and bound.problem is not None
        }
        found |= {
            ("capture", watched.capture.problem.reason, watched.capture.problem.message)
            for watched in asked
            if watched.capture.problem is not None and name in watched.capture.problem_of
        }
        return tuple((reason, f"{part}: {message}") for part, reason, message in sorted(found))


def _captures(asked: Sequence[tuple[LLMEndpoint, MonitoringPlan]]) -> list[EffectiveCapture]:
    """Return what is in force for the endpoints."""
    return [EffectiveCapture() if one.mode == "ScrapeOnly" else plan.capture for one, plan in asked]
