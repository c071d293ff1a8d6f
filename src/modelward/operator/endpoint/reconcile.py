"""One reconcile of an LLMEndpoint, on one page: gather, desired, write, observe, judge, scale, status."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import adoption, names, target
from modelward.desired.children import Child, Children, Facts, children, in_turn
from modelward.desired.collector_config import renewed_authority
from modelward.desired.finding import Finding
from modelward.desired.model_workload import orphaned_replicas
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies, selects
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.kube.kinds import CONFIG_MAP, LLM_ENDPOINT
from modelward.operator.cache.models import parsed
from modelward.operator.endpoint.apply import ChildWriter, Problem, label
from modelward.operator.endpoint.assess import ReconcileView, about_collector, assessed
from modelward.operator.endpoint.gather import Gathered, Gatherer
from modelward.operator.endpoint.precondition import Precondition
from modelward.operator.endpoint.prune import Pruner
from modelward.operator.endpoint.scale import Scaler, autoscaler_of
from modelward.operator.endpoint.status_writer import StatusWriter
from modelward.operator.hub.feed import HubFeed
from modelward.operator.observe import targets
from modelward.operator.observe.observer import Observer
from modelward.operator.observe.verdict_metrics import VerdictMetrics
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.installed import Installed
from modelward.operator.runtime.work_queue import Lane, WorkKey
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.checks import health
from modelward.status.collector import bare_pods
from modelward.status.conditions import ConditionState, ready
from modelward.status.endpoint import endpoint_status
from modelward.status.unreadable import unreadable

log = logging.getLogger(__name__)

_FIRST_READING_S = 1.0
_QUIET_ROUNDS = 3
"""Rounds of readings that say nothing new after which time alone is looked at: windows move on, holds end."""
_IDLE_ROUNDS = 8
"""The same of an endpoint whose readings have said nothing new for minutes, and that is not scaled by them."""
WHOLE = "*"
"""In place of a child's name: nothing of what is declared can be carried out."""


@dataclass(slots=True)
class EndpointReconciler:
    """Reconciles endpoints; holds nothing that a restart may not lose."""

    context: Context
    installed: Installed
    observer: Observer
    hub: HubFeed
    verdicts: VerdictMetrics
    evaluators: EvaluatorCatalogue
    clock_ms: Callable[[], int]
    watches: dict[str, dict[str, MonitoringPlan]] = field(default_factory=dict)
    """What policies ask, by namespace and endpoint: the schedule of runs is made from it."""
    _injected: dict[str, str] = field(default_factory=dict)
    """Notes of injections by `namespace/name`, until status says them."""
    _uids: dict[str, str] = field(default_factory=dict)
    """Which object of that name, `namespace/name`, the rest is known of."""
    _gatherer: Gatherer = field(init=False)
    _children: ChildWriter = field(init=False)
    _leftovers: Pruner = field(init=False)
    _status: StatusWriter = field(init=False)
    _scaler: Scaler = field(init=False)

    def __post_init__(self) -> None:
        self._gatherer = Gatherer(self.context)
        self._children = ChildWriter(self.context)
        self._leftovers = Pruner(self.context)
        self._status = StatusWriter(self.context)
        self._scaler = Scaler(self.context)

    async def reconcile(self, namespace: str, name: str) -> float | None:
        """Bring one endpoint to where its spec says; return the seconds until the next look."""
        now_ms = self.clock_ms()
        try:
            silent = self.observer.silent(f"{namespace}/{name}")
            known = await self._gatherer.gather(namespace, name, now_ms, silent=silent)
        except ValidationError as error:
            await self._unreadable(namespace, name, error, now_ms)
            return None
        if known is None:
            self._forget(namespace, name)
            return None
        self._meet(namespace, name, known.raw["metadata"]["uid"])
        policies = [policy for policy in known.policies if selects(policy, known.endpoint)]
        evaluators = self.evaluators.of_policies(policies, known.evaluators)
        asked = merge_policies(known.endpoint, policies, evaluators, allow_raw=known.allow_raw)
        self._remember(known, asked)
        basis = Precondition(self.context, LLM_ENDPOINT, known.raw)
        problems = (*await self._put(known, asked, basis), *(Problem("", one) for one in known.unlisted.values()))
        targeted = targets.of(known)
        self.observer.watch(known.key, targeted)
        seen = self.observer.of(known.key)
        if targeted and not seen.read and known.endpoint.status.observed_generation:
            return _FIRST_READING_S  # a leader that has just begun knows less than status does
        carried_out = not any(one.child == WHOLE and not about_collector(one) for one in problems)
        if carried_out and _to_be_scaled(known):
            await basis.confirm()
        scaled = await self._scaler.scale(known, seen, now_ms, carried_out=carried_out)
        installed, injected = self.installed.now, self._injected.get(known.key, "")
        look = ReconcileView(known, asked, problems, targeted, seen, scaled, self.hub, now_ms, installed, injected)
        found = assessed(look)
        status = endpoint_status(known.endpoint, found, now_ms)
        await self._status.write(LLM_ENDPOINT, known.raw, status, known.endpoint.status, now_ms)
        self.verdicts.endpoint(namespace, name, status, found.checks)
        rounds = _IDLE_ROUNDS if seen.idle and known.endpoint.spec.scaling is None else _QUIET_ROUNDS
        return rounds * self.context.settings.scrape_interval_s

    def _meet(self, namespace: str, name: str, uid: str) -> None:
        """Forget what is known of an endpoint of that name that was deleted and declared anew between two looks."""
        if self._uids.get(f"{namespace}/{name}", uid) != uid:
            self._forget(namespace, name)
        self._uids[f"{namespace}/{name}"] = uid

    def _remember(self, known: Gathered, asked: MonitoringPlan) -> None:
        """Let the hub and the schedule see what is asked of an endpoint; of a paused one nothing new is started."""
        metadata = known.endpoint.metadata
        self.hub.rule(
            known.key,
            asked.capture.content,
            asked.capture.keep_for_ms // 1_000,
            asked.capture.max_body_bytes,
            metadata.uid,
            metadata.creation_timestamp,
        )
        in_namespace = self.watches.setdefault(metadata.namespace, {})
        before = in_namespace.get(metadata.name)
        if known.endpoint.spec.paused:
            in_namespace.pop(metadata.name, None)
        else:
            in_namespace[metadata.name] = asked
        if in_namespace.get(metadata.name) != before:
            self._tell_planned(known)

    def _tell_planned(self, known: Gathered) -> None:
        """Let those look again who go by what is asked of an endpoint: the schedule, and policies."""
        namespace = known.endpoint.metadata.namespace
        self.context.enqueue(WorkKey("schedule", namespace, ""), Lane.STATUS)
        for policy in known.policies:
            self.context.enqueue(WorkKey("policy", namespace, policy.metadata.name), Lane.STATUS)

    async def _put(self, known: Gathered, asked: MonitoringPlan, basis: Precondition) -> tuple[Problem, ...]:
        facts = _facts(known, self._injected.get(known.key, ""))
        wanted = children(known.endpoint, asked, self.installed.now, facts)
        if isinstance(wanted, Finding):
            tried = () if known.endpoint.spec.paused else await self._leftovers.remove_rehearsal(basis)
            return (Problem(WHOLE, wanted), *tried)
        if known.endpoint.spec.paused:
            return await self._renew(known, basis)
        wanted = in_turn(wanted, known.rehearsing)
        wanted = tuple(left for child in wanted if (left := _beside_autoscaler(known, child)) is not None)
        withdrawn = self._withdrawal(known)
        problems = await self._children.write((*withdrawn, *wanted), known.raw["metadata"], basis)
        self._note(known, withdrawn, wanted, problems)
        # What is in place goes only when what follows it is.
        return problems or await self._leftovers.remove(wanted, basis)

    async def _renew(self, known: Gathered, basis: Precondition) -> tuple[Problem, ...]:
        """Bring the hub's certificate authority to the collectors of a paused endpoint, and nothing else."""
        metadata = known.endpoint.metadata
        name = names.collector_config(metadata.name)
        actual = self.context.store.get(CONFIG_MAP, metadata.namespace, name)
        renewed = renewed_authority(known.endpoint, actual, self.installed.now)
        if renewed is None:
            return ()
        return await self._children.write((Child(renewed, names.FRAME_MANAGER),), known.raw["metadata"], basis)

    def _note(self, known: Gathered, withdrawn: Children, wanted: Children, problems: Sequence[Problem]) -> None:
        """Remember that the sidecar was put in: another hand may take it and all notes out before status is written."""
        if withdrawn:
            self._injected.pop(known.key, None)
        refused = {problem.child for problem in problems}
        if known.workload is not None and any(
            child.manager == names.ADOPT_MANAGER and label(child.obj) not in refused for child in wanted
        ):
            self._injected[known.key] = adoption.injection_note(known.endpoint, known.workload)

    def _withdrawal(self, known: Gathered) -> tuple[Child, ...]:
        workload = known.workload
        if workload is None or not adoption.withdrawal_due(known.endpoint, workload):
            return ()
        return (Child(adoption.withdrawal(workload), names.ADOPT_MANAGER),)

    def _forget(self, namespace: str, name: str) -> None:
        self.observer.forget(f"{namespace}/{name}")
        self.hub.forget(f"{namespace}/{name}")
        self._gatherer.forget(namespace, name)
        self._injected.pop(f"{namespace}/{name}", None)
        self._uids.pop(f"{namespace}/{name}", None)
        self._scaler.forget(namespace, name)
        self.watches.get(namespace, {}).pop(name, None)
        self.verdicts.forget(namespace, name)

    async def _unreadable(self, namespace: str, name: str, error: ValidationError, now_ms: int) -> None:
        raw = self.context.store.get(LLM_ENDPOINT, namespace, name)
        if raw is None:
            return
        state = unreadable("Accepted", AcceptedReason.INVALID_SPEC, error, "nothing of it is carried out")
        unknown = ConditionState("WorkloadReady", "Unknown", WorkloadReason.INVALID_SPEC)
        states = (ready(state, unknown), state, unknown)
        await self._status.refuse(LLM_ENDPOINT, raw, states, health(state, unknown, ()), now_ms)


def _facts(known: Gathered, injected: str) -> Facts:
    taken = target.taken(known.endpoint, parsed(LLMEndpoint, known.sharing), known.workload)
    deserted = known.workload is not None and target.deserted(known.workload, known.sharing)
    return Facts(known.workload, bare_pods(known.pods), injected, taken, deserted)


def _to_be_scaled(known: Gathered) -> bool:
    """Tell whether a workload of the user's has other replicas than are declared, which we may be about to set."""
    endpoint, workload = known.endpoint, known.workload
    if endpoint.spec.backend.workload_ref is None or workload is None or endpoint.spec.paused:
        return False
    if endpoint.spec.replicas in (None, workload["spec"].get("replicas", 1)) or "autoscalers" in known.unlisted:
        return False
    return not autoscaler_of(known, workload["kind"], workload["metadata"]["name"])


def _beside_autoscaler(known: Gathered, child: Child) -> Child | None:
    """Return the child, but of replicas that somebody else's autoscaler drives only what keeps them as they are."""
    workload = known.workload
    if child.manager != names.SCALE_MANAGER or workload is None:
        return child
    unknown = "autoscalers" in known.unlisted
    if not unknown and not autoscaler_of(known, workload["kind"], workload["metadata"]["name"]):
        return child
    if not orphaned_replicas(workload):
        return None
    metadata = {**child.obj["metadata"], "resourceVersion": workload["metadata"]["resourceVersion"]}
    return Child({**child.obj, "metadata": metadata, "spec": {"replicas": workload["spec"]["replicas"]}}, child.manager)
