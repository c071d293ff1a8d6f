"""Reconciles what only reports: MonitoringPolicies and Evaluators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from modelward.api.budget import BudgetState
from modelward.api.evaluation import WindowResult
from modelward.api.evaluator import Evaluator, EvaluatorStatus
from modelward.api.history import HistoryHealth
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_status import MonitoringPolicyStatus
from modelward.api.quantity import timestamp
from modelward.api.scope import ScopeFacts
from modelward.desired.capture import EffectiveCapture
from modelward.desired.due import WindowKey
from modelward.desired.evaluators import EvaluatorBlock, Resolution, Resolutions, block_of
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan, alone, selects
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.hub_client.client import Stored
from modelward.kube.kinds import EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY
from modelward.operator.cache.models import parsed, read
from modelward.operator.calibrations import CalibrationReconciler, CalibrationView
from modelward.operator.endpoint.status_writer import StatusWriter
from modelward.operator.monitored import address_of
from modelward.operator.observe.cost_ledger import CostLedger
from modelward.operator.observe.spend_book import SpendBook
from modelward.operator.policy_rules import PolicyRules
from modelward.operator.runtime.context import Context
from modelward.reasons.policy import EvaluatorReason, PolicyReason
from modelward.reasons.reason import Reason
from modelward.status.calibration import reachable
from modelward.status.conditions import ConditionState, settle
from modelward.status.history import history_kept
from modelward.status.judge import JudgeState, judge_state, still_asked
from modelward.status.policy import PolicyFacts, policy_status
from modelward.status.scope import EvaluationScope
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
    scope_facts: Callable[[str, str], ScopeFacts | None] = lambda _namespace, _key: None
    """What is known of a scope, by its namespace and key."""
    spent: Callable[[str, str], BudgetState | None] = lambda _namespace, _policy: None
    """What judges have spent of a policy's budget."""
    windows: Callable[[str], Mapping[WindowKey, tuple[WindowResult, ...]]] = lambda _: {}
    """The results of a namespace that are within reach of a verdict."""
    calibrations: CalibrationReconciler | None = None
    """Carries out the calibrations that evaluators ask for."""
    spend: SpendBook = field(default_factory=lambda: SpendBook(CostLedger()))
    """What the endpoints of policies with a budget of money cost."""
    history: Callable[[], HistoryHealth | None] = lambda: None
    """How the hub's history is; None where that is not known."""
    _rules: PolicyRules = field(init=False)
    _status: StatusWriter = field(init=False)

    def __post_init__(self) -> None:
        self._rules = PolicyRules(self.context)
        self._status = StatusWriter(self.context)

    async def policy(self, namespace: str, name: str) -> float | None:
        """Write one policy's status."""
        raw, now_ms = self.context.store.get(MONITORING_POLICY, namespace, name), self.clock_ms()
        if raw is None:
            self.spend.forget(namespace, name)
            self._rules.forget(namespace, name)
            return None
        try:
            policy = read(MonitoringPolicy, raw)
        except ValidationError as error:
            in_force = "nothing of the policy is in force but the limits of its capture"
            state = unreadable("Accepted", PolicyReason.INVALID_SPEC, error, in_force)
            await self._status.refuse(MONITORING_POLICY, raw, (state,), None, now_ms)
            return None
        status = await self._of(policy, now_ms)
        await self._status.write(MONITORING_POLICY, raw, status, policy.status, now_ms)
        return _AGAIN_S

    async def _of(self, policy: MonitoringPolicy, now_ms: int) -> MonitoringPolicyStatus:
        """Return what status says of a policy, from what is known of its namespace."""
        namespace, name = policy.metadata.namespace, policy.metadata.name
        endpoints = parsed(LLMEndpoint, self.context.store.list(LLM_ENDPOINT, namespace))
        selected = [endpoint for endpoint in endpoints if selects(policy, endpoint)]
        every = await self.asked(namespace)
        asked = [(one, every[one.metadata.name]) for one in selected if one.metadata.name in every]
        evaluators = parsed(Evaluator, self.context.store.list(EVALUATOR, namespace))
        resolved = self.evaluators.of_policies([policy], {one.metadata.name: one for one in evaluators})
        problems = _problems(policy, [*(plan for _, plan in asked), alone(policy, resolved)])
        stored = self.stored(namespace)
        facts = PolicyFacts(
            full=(stored.bytes, stored.share_bytes) if stored and stored.full else None,
            results_cut=timestamp(stored.results_cut_ms) if stored and stored.results_cut_ms else "",
            captures=_captures(asked),
            scopes=self._scopes(namespace, resolved),
            spent=self.spent(namespace, name),
            spending=self.spend.of(policy, (one.metadata.name for one in selected), now_ms),
            more=(*await self._rules.state(policy), *history_kept(policy, self.history())),
        )
        return policy_status(policy, selected, problems, now_ms, facts)

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
        found, judge = self.evaluators.resolve(block), self._judge(namespace, block)
        view = await self._calibration(evaluator, block, now_ms)
        states = [_usable(found), *([reachable(judge.reachable, view.found)] if judge else []), *view.states]
        status = EvaluatorStatus(
            observed_generation=generation,
            version=(judge.version if judge else "") or self.evaluators.version(block) or about.version,
            measured=about.measured,
            asked=still_asked(judge.asked, evaluator.status.asked) if judge else None,
            calibration=view.status,
            conditions=settle(states, evaluator.status.conditions, generation, now_ms),
        )
        await self._status.write(EVALUATOR, raw, status, evaluator.status, now_ms)
        return _AGAIN_S if judge or view.states else None

    def _judge(self, namespace: str, block: EvaluatorBlock) -> JudgeState | None:
        """Return what results say of an evaluator that asks a model; None of another."""
        if not self.evaluators.is_asking(block):
            return None
        placed = self._placed(namespace, block)
        results = (one for windows in self.windows(namespace).values() for one in windows)
        return judge_state(block.name, results, placed if isinstance(placed, Finding) else None)

    def _placed(self, namespace: str, block: EvaluatorBlock) -> EvaluatorBlock | Finding:
        """Return the block with the address of the LLMEndpoint that it asks, where it asks one."""
        name = self.evaluators.endpoint(block)
        found = self.context.store.get(LLM_ENDPOINT, namespace, name) if name else None
        return self.evaluators.placed(block, {name: address_of(found)} if found is not None else {})

    async def _calibration(self, evaluator: Evaluator, block: EvaluatorBlock, now_ms: int) -> CalibrationView:
        placed = self._placed(evaluator.metadata.namespace, block)
        found = placed if isinstance(placed, Finding) else self.evaluators.resolve(placed)
        if self.calibrations is None:
            return CalibrationView()
        return await self.calibrations.view(evaluator, found, now_ms)

    def _scopes(self, namespace: str, resolved: Resolutions) -> list[EvaluationScope]:
        """Return the scopes that the policy's evaluations judge by, each once."""
        by_key: dict[str, list[str]] = {}
        for (_, evaluation), found in resolved.items():
            if not isinstance(found, Finding) and (key := self.evaluators.scope_key(found)):
                by_key.setdefault(key, []).append(evaluation)
        return [EvaluationScope(tuple(names), self.scope_facts(namespace, key)) for key, names in by_key.items()]


def _usable(found: Resolution) -> ConditionState:
    if isinstance(found, Finding):
        return ConditionState("Accepted", "False", found.reason, found.message)
    return ConditionState("Accepted", "True", EvaluatorReason.VALID)


def _problems(policy: MonitoringPolicy, asked: Sequence[MonitoringPlan]) -> tuple[tuple[Reason, str], ...]:
    """Return what is wrong with the policy itself, and with what it asks of endpoints beside other policies."""
    name = policy.metadata.name
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
