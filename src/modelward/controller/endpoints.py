"""One reconcile of an LLMEndpoint, on one page: gather, desired, write, observe, judge, scale, status."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from modelward.api.base import Condition, ObjectMeta
from modelward.api.evaluation import WindowResult
from modelward.api.llmendpoint import AppliedPolicy, CollectorStatus
from modelward.api.quantity import percent_text
from modelward.collect.scrape import Target
from modelward.controller import targets
from modelward.controller.child_writer import ChildWriter, Problem
from modelward.controller.context import Context
from modelward.controller.gather import Gathered, Gatherer, selector_text
from modelward.controller.hub_feed import HubFeed
from modelward.controller.installed import Installed
from modelward.controller.observer import Observation, Observer
from modelward.controller.scaler import Scaled, Scaler, autoscaler_of
from modelward.controller.status_writer import StatusWriter
from modelward.controller.verdict_metrics import VerdictMetrics
from modelward.desired import adoption, names
from modelward.desired.children import Child, Facts, children
from modelward.desired.collector_config import engine_metrics_path
from modelward.desired.finding import Finding
from modelward.desired.model_workload import orphaned_replicas
from modelward.desired.watch import BoundEvaluation, Builtin, Watch, watch
from modelward.kube.kinds import LLM_ENDPOINT
from modelward.status.collector import collector_state, metrics_state, sidecars, traffic_seen_ppm
from modelward.status.conditions import State, ready
from modelward.status.endpoint import Found, endpoint_status
from modelward.status.judgement import Sight, judge_evaluation, judge_objective
from modelward.status.usage import usage_status
from modelward.status.workload import serving_revision, workload_state

log = logging.getLogger(__name__)

_FIRST_READING_S = 1.0
_COLLECTOR_TROUBLE = frozenset({"OwnedByAnotherController", "RemovedByOther"})


@dataclass(slots=True)
class Endpoints:
    """Reconciles endpoints; holds nothing that a restart may not lose."""

    context: Context
    installed: Installed
    observer: Observer
    hub: HubFeed
    verdicts: VerdictMetrics
    builtins: Mapping[str, Builtin]
    clock_ms: Callable[[], int]
    watches: dict[str, dict[str, Watch]] = field(default_factory=dict)
    """What policies ask, by namespace and endpoint: the schedule of runs is made from it."""
    _gatherer: Gatherer = field(init=False)
    _children: ChildWriter = field(init=False)
    _status: StatusWriter = field(init=False)
    _scaler: Scaler = field(init=False)

    def __post_init__(self) -> None:
        self._gatherer = Gatherer(self.context)
        self._children = ChildWriter(self.context)
        self._status = StatusWriter(self.context)
        self._scaler = Scaler(self.context)

    async def reconcile(self, namespace: str, name: str) -> float | None:
        """Bring one endpoint to where its spec says; return the seconds until the next look."""
        now_ms = self.clock_ms()
        try:
            known = await self._gatherer.gather(namespace, name, now_ms)
        except ValidationError as error:
            await self._unreadable(namespace, name, error, now_ms)
            return None
        if known is None:
            self._forget(namespace, name)
            return None
        asked = watch(known.endpoint, known.policies, known.evaluators, self.builtins, allow_raw=known.allow_raw)
        self._remember(known, asked)
        problems = await self._put(known, asked)
        targeted = targets.of(known)
        self.observer.watch(known.key, targeted)
        seen = self.observer.of(known.key)
        if targeted and not seen.read and known.endpoint.status.observed_generation:
            return _FIRST_READING_S  # a leader that has just begun knows less than status does
        scaled = await self._scaler.scale(known, seen, now_ms)
        found = self._found(known, asked, problems, targeted, seen, scaled, now_ms)
        status = endpoint_status(known.endpoint, found, now_ms)
        await self._status.write(LLM_ENDPOINT, known.raw, status, known.endpoint.status, now_ms)
        self.verdicts.endpoint(namespace, name, status)
        return self.context.settings.scrape_interval_s

    def _remember(self, known: Gathered, asked: Watch) -> None:
        """Let the hub and the schedule see what is asked of an endpoint; of a paused one nothing new is started."""
        metadata = known.endpoint.metadata
        self.hub.rule(
            known.key, asked.capture.content, asked.capture.keep_for_ms // 1_000, asked.capture.max_body_bytes
        )
        in_namespace = self.watches.setdefault(metadata.namespace, {})
        if known.endpoint.spec.paused:
            in_namespace.pop(metadata.name, None)
        else:
            in_namespace[metadata.name] = asked

    async def _put(self, known: Gathered, asked: Watch) -> tuple[Problem, ...]:
        wanted = children(known.endpoint, asked, self.installed.now, Facts(known.workload))
        if isinstance(wanted, Finding):
            return (Problem("", wanted),)
        if known.endpoint.spec.paused:
            return ()
        wanted = tuple(left for child in wanted if (left := _beside_autoscaler(known, child)) is not None)
        withdrawn = self._withdrawal(known)
        owner = {"uid": known.endpoint.metadata.uid}
        problems = await self._children.write((*withdrawn, *wanted), owner)
        if not problems:  # what is in place goes only when what follows it is
            await self._children.prune(wanted, owner)
        return problems

    def _withdrawal(self, known: Gathered) -> tuple[Child, ...]:
        """Take the sidecar out again where the user changed the mode: that rolls the workload once, as asked."""
        workload, endpoint = known.workload, known.endpoint
        if workload is None or endpoint.spec.backend.workload_ref is None or endpoint.mode == "Sidecar":
            return ()
        if workload["metadata"].get("labels", {}).get(names.ADOPTED_BY) != names.fit(endpoint.metadata.name):
            return ()
        return (Child(adoption.withdrawal(workload), names.ADOPT_MANAGER),)

    def _found(
        self,
        known: Gathered,
        asked: Watch,
        problems: Sequence[Problem],
        targeted: Sequence[Target],
        seen: Observation,
        scaled: Scaled,
        now_ms: int,
    ) -> Found:
        endpoint, history = known.endpoint, seen.history
        serving = known.gateway if endpoint.spec.backend.external is not None else known.workload
        pods = known.gateway_pods if endpoint.spec.backend.external is not None else known.pods
        revision = serving_revision(known.pods) if endpoint.mode != "Gateway" else ""
        collectors = sidecars(known.pods) if endpoint.mode == "Sidecar" else targets.gateways(known.gateway_pods)
        seen_ppm = traffic_seen_ppm(history, now_ms) if endpoint.mode == "Sidecar" else None
        sight = Sight(revision, seen_ppm, self._hub_problem())
        before = {(one.policy, one.name): one for one in endpoint.status.metrics}
        judged = [
            judge_objective(bound, history, sight, now_ms, before.get((bound.policy, bound.objective.name)))
            for bound in asked.objectives
        ]
        evaluated = [judge_evaluation(bound, self._results(known, bound), sight, now_ms) for bound in asked.evaluations]
        version = next((s.collector_version for s in seen.latest.values() if s.collector_version), "")
        blocked = next((p.finding for p in problems if _about_collector(p)), None) or _removed(known)
        return Found(
            accepted=_accepted(problems),
            workload=workload_state(serving, pods, _named(known)),
            collector=collector_state(
                endpoint.mode, collectors, seen_ppm, (blocked.reason, blocked.message) if blocked else None
            ),
            metrics=self._metrics(known, targeted, seen, now_ms),
            scaling=scaled.state,
            replicas=int((serving or {}).get("status", {}).get("replicas", 0)),
            ready_replicas=int((serving or {}).get("status", {}).get("readyReplicas", 0)),
            desired_replicas=int((serving or {}).get("spec", {}).get("replicas", 1)) if serving else 0,
            selector=selector_text(serving["spec"]["selector"]) if serving else "",
            url=targets.url(endpoint),
            models=history.models(),
            revision=revision,
            usage=usage_status(history, now_ms),
            checks=tuple(check for check, _ in (*judged, *evaluated)),
            objectives=tuple(status for _, status in judged),
            evaluations=tuple(status for _, status in evaluated),
            scaling_status=scaled.status,
            collector_status=CollectorStatus(
                mode=endpoint.mode,
                ready=collectors.ready,
                desired=collectors.desired,
                version=version,
                traffic_seen=percent_text(seen_ppm) if seen_ppm is not None else "",
            ),
            applied=tuple(AppliedPolicy(name=p.name, generation=p.generation) for p in asked.applied),
        )

    def _metrics(self, known: Gathered, targeted: Sequence[Target], seen: Observation, now_ms: int) -> State:
        endpoint = known.endpoint
        if endpoint.mode == "ScrapeOnly" and engine_metrics_path(endpoint) is None:
            message = (
                f"engine {endpoint.spec.engine} exports no metrics; collector mode Sidecar or Gateway sees its traffic"
            )
            return State("MetricsAvailable", "False", "EngineExportsNothing", message)
        return metrics_state(seen.history, [target.pod for target in targeted], seen.problems(), now_ms)

    def _results(self, known: Gathered, bound: BoundEvaluation) -> tuple[WindowResult, ...]:
        metadata = known.endpoint.metadata
        return self.hub.of((metadata.namespace, metadata.name, bound.policy, bound.evaluation.name))

    def _hub_problem(self) -> str:
        if self.hub.hub is None:
            return "no hub is configured; evaluations need one (hub.enabled in the chart)"
        return "" if self.hub.available else f"the hub does not answer: {self.hub.problem or 'not asked yet'}"

    def _forget(self, namespace: str, name: str) -> None:
        self.observer.forget(f"{namespace}/{name}")
        self.hub.forget(f"{namespace}/{name}")
        self._gatherer.forget(namespace, name)
        self._scaler.forget(namespace, name)
        self.watches.get(namespace, {}).pop(name, None)
        self.verdicts.forget(namespace, name)

    async def _unreadable(self, namespace: str, name: str, error: ValidationError, now_ms: int) -> None:
        raw = self.context.store.get(LLM_ENDPOINT, namespace, name)
        if raw is None:
            return
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        state = State("Accepted", "False", "InvalidSpec", f"{where}: {first['msg']}")
        unknown = State("WorkloadReady", "Unknown", "InvalidSpec")
        states = (ready(state, unknown), state, unknown)
        metadata = ObjectMeta.model_validate(raw["metadata"])
        before = tuple(Condition.model_validate(one) for one in raw.get("status", {}).get("conditions", ()))
        await self._status.refuse(LLM_ENDPOINT, raw, metadata.generation, before, states, now_ms)


def _beside_autoscaler(known: Gathered, child: Child) -> Child | None:
    """Return the child, but of replicas that somebody else's autoscaler drives only what keeps them as they are."""
    workload = known.workload
    if child.manager != names.SCALE_MANAGER or workload is None:
        return child
    if not autoscaler_of(known, workload["kind"], workload["metadata"]["name"]):
        return child
    if not orphaned_replicas(workload):
        return None
    metadata = {**child.obj["metadata"], "resourceVersion": workload["metadata"]["resourceVersion"]}
    return Child({**child.obj, "metadata": metadata, "spec": {"replicas": workload["spec"]["replicas"]}}, child.manager)


def _accepted(problems: Sequence[Problem]) -> State:
    fatal = next((p.finding for p in problems if not _about_collector(p)), None)
    if fatal is None:
        return State("Accepted", "True", "Valid")
    return State("Accepted", "False", fatal.reason, fatal.message)


def _about_collector(problem: Problem) -> bool:
    return problem.finding.reason in _COLLECTOR_TROUBLE


def _removed(known: Gathered) -> Finding | None:
    endpoint, workload = known.endpoint, known.workload
    adopts = endpoint.mode == "Sidecar" and endpoint.spec.backend.workload_ref is not None
    if not adopts or workload is None or not adoption.removed_by_other(endpoint, workload):
        return None
    message = f"somebody took the collector out; set annotation {names.ROLLOUT_AT} on the LLMEndpoint to put it back"
    return Finding("RemovedByOther", message)


def _named(known: Gathered) -> str:
    endpoint = known.endpoint
    reference = endpoint.spec.backend.workload_ref
    if reference is not None:
        return f"{reference.kind} {reference.name}"
    if endpoint.spec.backend.external is not None:
        return f"gateway {names.gateway(endpoint.metadata.name)}"
    return f"Deployment {names.model_workload(endpoint.metadata.name)}"
