"""One reconcile of an LLMEndpoint, on one page: gather, merge policies, plan, apply, assess, write status."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from modelward.api.llmendpoint import LLMEndpointStatus
from modelward.desired import names
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.kube.kinds import EVALUATION_RUN, LLM_ENDPOINT
from modelward.operator.alerts.policies import routings, silences
from modelward.operator.endpoint.alerting import carried_budgets, endpoint_alerts
from modelward.operator.endpoint.apply import Problem
from modelward.operator.endpoint.assess import assessed
from modelward.operator.endpoint.carry_out import PlanWriter
from modelward.operator.endpoint.error_budgets import ErrorBudgets
from modelward.operator.endpoint.gather import Gatherer
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.plan import EndpointPlan, label, plan
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.endpoint.scale import Scaler
from modelward.operator.endpoint.status_writer import StatusWriter, untold
from modelward.operator.endpoint.view import HubEvidence, ReconcileView
from modelward.operator.hub.feed import HubFeed
from modelward.operator.monitored import Monitored
from modelward.operator.observe import targets
from modelward.operator.observe.endpoint_metrics import EndpointMetrics
from modelward.operator.observe.observer import Observer
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.installed import Installed
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.checks import Check, health
from modelward.status.conditions import ConditionState, ready
from modelward.status.endpoint import endpoint_status
from modelward.status.evaluator_container import ContainerFailure, failing
from modelward.status.unreadable import unreadable

log = logging.getLogger(__name__)

_FIRST_READING_S = 1.0
_QUIET_ROUNDS = 3
"""Rounds of readings without news after which only time matters: windows move on, holds end."""
_IDLE_ROUNDS = 8
"""The same of an endpoint whose readings have said nothing new for minutes, and that is not scaled by them."""


@dataclass(slots=True)
class EndpointReconciler:
    """Reconciles endpoints; holds nothing that a restart may not lose."""

    context: Context
    installed: Installed
    observer: Observer
    hub: HubFeed
    series: EndpointMetrics
    monitored: Monitored
    clock_ms: Callable[[], int]
    _asked: dict[str, MonitoringPlan | None] = field(default_factory=dict)
    """What was asked of each endpoint, `namespace/name`, when the others were last notified; None of a paused one."""
    _injected: dict[str, str] = field(default_factory=dict)
    """Notes of injections by `namespace/name`, until status says them."""
    _uids: dict[str, str] = field(default_factory=dict)
    """Which object of that name, `namespace/name`, the rest is known of."""
    _gatherer: Gatherer = field(init=False)
    _writer: PlanWriter = field(init=False)
    _status: StatusWriter = field(init=False)
    _scaler: Scaler = field(init=False)
    _budgets: ErrorBudgets = field(init=False)

    def __post_init__(self) -> None:
        self._gatherer = Gatherer(self.context, self.monitored.consent)
        self._writer = PlanWriter(self.context)
        self._status = StatusWriter(self.context)
        self._scaler = Scaler()
        self._budgets = ErrorBudgets(self.hub, self.series)

    async def reconcile(self, namespace: str, name: str) -> float | None:
        """Bring one endpoint to where its spec says; return the seconds until the next reconcile."""
        now_ms = self.clock_ms()
        known = await self._gather(namespace, name, now_ms)
        if known is None:
            return None
        installed = self.installed.now
        asked = self.monitored.of(known.endpoint, known.policies, known.evaluators, allow_raw=known.allow_raw)
        self._tell_planned(known, asked)
        targeted = targets.of(known)
        self.observer.watch(known.key, targeted)
        seen = self.observer.of(known.key)
        todo = plan(known, asked, installed, self._injected.get(known.key, ""))
        # A leader that has just begun knows less than status does.
        unread = bool(targeted) and not seen.read and bool(known.endpoint.status.observed_generation)
        scaled = self._scaler.decide(known, seen, now_ms, todo, unread=unread)
        replicas = None if unread else todo.replicas or scaled.replicas
        todo = replace(todo, apply=(*todo.apply, *scaled.children), replicas=replicas)
        basis = Precondition(self.context, LLM_ENDPOINT, known.raw)
        problems = await self._writer.apply(todo, known.raw["metadata"], basis)
        self._note(known.key, todo, problems)
        applied = await self._writer.finish(todo, problems, basis)
        if unread:
            return _FIRST_READING_S
        if applied.unscaled is not None:
            scaled = scaled.refused(applied.unscaled, known.endpoint.status.scaling)
        self.series.count(known, asked, seen.history, now_ms)
        problems = (*applied.problems, *(Problem("", one) for one in known.unlisted.values()))
        injected = self._injected.get(known.key, "")
        evidence = self._evidence(known, asked)
        look = ReconcileView(known, asked, problems, targeted, seen, scaled, evidence, now_ms, installed, injected)
        found = assessed(look)
        status = endpoint_status(known.endpoint, found, now_ms)
        status = status.model_copy(update=self._budgets.of(known, asked, evidence.windows, now_ms))
        status = self._with_alerts(known, asked, status, found.checks, now_ms)
        await self._status.write(LLM_ENDPOINT, known.raw, status, untold(known.endpoint.status), now_ms)
        self.series.endpoint(known, asked, status, found.checks)
        rounds = _IDLE_ROUNDS if seen.idle and known.endpoint.spec.scaling is None else _QUIET_ROUNDS
        return rounds * self.context.settings.scrape_interval_s

    async def _gather(self, namespace: str, name: str, now_ms: int) -> Gathered | None:
        """Return what is known of an endpoint; None where it is gone, or cannot be read, which its status then says."""
        try:
            silent = self.observer.silent(f"{namespace}/{name}")
            known = await self._gatherer.gather(namespace, name, now_ms, silent=silent)
        except ValidationError as error:
            await self._unreadable(namespace, name, error, now_ms)
            return None
        if known is None:
            self._forget(namespace, name)
            return None
        self._reset_if_recreated(namespace, name, known.raw["metadata"]["uid"])
        return known

    def _reset_if_recreated(self, namespace: str, name: str, uid: str) -> None:
        """Drop cached state when the UID changes."""
        if self._uids.get(f"{namespace}/{name}", uid) != uid:
            self._forget(namespace, name)
        self._uids[f"{namespace}/{name}"] = uid

    def _tell_planned(self, known: Gathered, asked: MonitoringPlan) -> None:
        """Wake what depends on an endpoint's monitoring plan, where it has changed: the schedule, policies."""
        before = self._asked.get(known.key)
        now = None if known.endpoint.spec.paused else asked
        if now == before:
            return
        self._asked[known.key] = now
        namespace = known.endpoint.metadata.namespace
        self.context.enqueue(WorkKey("schedule", namespace, ""), Lane.STATUS)
        for policy in known.policies:
            self.context.enqueue(WorkKey("policy", namespace, policy.metadata.name), Lane.STATUS)

    def _with_alerts(
        self,
        known: Gathered,
        asked: MonitoringPlan,
        status: LLMEndpointStatus,
        checks: Sequence[Check],
        now_ms: int,
    ) -> LLMEndpointStatus:
        """Return the status with the alerts of the policies that ask for them; of most endpoints none does."""
        before, about = known.endpoint.status, known.endpoint.metadata
        applied = {one.name for one in asked.applied}
        routes = routings((one for one in known.policies if one.metadata.name in applied), self.context.settings.alerts)
        if not routes:
            return status
        quiet = silences(self.context.store, about.namespace)
        money = carried_budgets(known.policies, about.name)
        found = endpoint_alerts(status, before, about, checks, routes, quiet, now_ms, money)
        return status.model_copy(update={"alerts": found})

    def _evidence(self, known: Gathered, asked: MonitoringPlan) -> HubEvidence:
        about = known.endpoint.metadata
        keys = [(bound.policy, bound.evaluation.name) for bound in asked.evaluations]
        windows = {key: self.hub.of((about.namespace, about.name, *key)) for key in keys}
        return HubEvidence(
            windows, self.hub.trouble(), self._failing(known, asked), self.hub.labels.of(about.namespace, about.name)
        )

    def _failing(self, known: Gathered, asked: MonitoringPlan) -> dict[tuple[str, str], ContainerFailure]:
        """Return what keeps evaluators' containers from answering; runs are read only where there are any."""
        if not any(bound.evaluator and bound.evaluator.pod.containers for bound in asked.evaluations):
            return {}
        about = known.endpoint.metadata
        every = failing(self.context.store.list(EVALUATION_RUN, about.namespace))
        return {(policy, name): cause for (of, policy, name), cause in every.items() if of == about.name}

    def _note(self, key: str, todo: EndpointPlan, problems: Sequence[Problem]) -> None:
        """Remember that the sidecar was put in: another writer may remove it and all notes before status is written."""
        refused = {problem.child for problem in problems}
        if todo.note and not any(label(c.obj) in refused for c in todo.apply if c.manager == names.ADOPT_MANAGER):
            self._injected[key] = todo.note
        elif todo.note == "":
            self._injected.pop(key, None)

    def _forget(self, namespace: str, name: str) -> None:
        self.observer.forget(f"{namespace}/{name}")
        self.hub.forget(f"{namespace}/{name}")
        self._gatherer.forget(namespace, name)
        self._injected.pop(f"{namespace}/{name}", None)
        self._uids.pop(f"{namespace}/{name}", None)
        self._asked.pop(f"{namespace}/{name}", None)
        self._scaler.forget(namespace, name)
        self.series.forget(namespace, name)

    async def _unreadable(self, namespace: str, name: str, error: ValidationError, now_ms: int) -> None:
        raw = self.context.store.get(LLM_ENDPOINT, namespace, name)
        if raw is None:
            return
        state = unreadable("Accepted", AcceptedReason.INVALID_SPEC, error, "nothing of it is carried out")
        unknown = ConditionState("WorkloadReady", "Unknown", WorkloadReason.INVALID_SPEC)
        states = (ready(state, unknown), state, unknown)
        await self._status.refuse(LLM_ENDPOINT, raw, states, health(state, unknown, ()), now_ms)
