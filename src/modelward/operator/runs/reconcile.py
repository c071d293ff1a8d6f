"""EvaluationRuns: made when evaluations are due, carried out by a Job, judged from what the Job left in the hub."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from modelward.api.evaluationrun import EvaluationRun, EvaluationRunStatus, RunItem
from modelward.api.quantity import timestamp_ms
from modelward.desired import names, obstacles, runs
from modelward.desired.due import TrafficSince, due
from modelward.desired.finding import Finding
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.reopen import reopened
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid
from modelward.kube.kinds import (
    EVALUATION_RUN,
    JOB,
    LLM_ENDPOINT,
    MONITORING_POLICY,
    POD,
    Object,
)
from modelward.operator.cache.models import parsed
from modelward.operator.endpoint.apply import Problem
from modelward.operator.endpoint.status_writer import StatusWriter
from modelward.operator.hub.feed import HubFeed
from modelward.operator.notify.notifier import Notification
from modelward.operator.readers import ReaderAccounts
from modelward.operator.runs.history import full, job_ended, taken, tried
from modelward.operator.runs.jobs import RunJobs
from modelward.operator.runs.prune import scheduled, tidy
from modelward.operator.runs.read import read_run
from modelward.operator.runs.waiting import LOOK_S, Waiting
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.installed import Installed
from modelward.reasons.checks import CheckReason
from modelward.reasons.run import RunReason
from modelward.status.conditions import ConditionState
from modelward.status.evaluator_container import container_trouble
from modelward.status.run import finished, judged, lost, run_status, running_state, summed_up

log = logging.getLogger(__name__)

_RESULT_GRACE_MS = 30_000
"""How long after the Job's end its results may take to reach us through the hub."""
_SETTLE_MS = 5_000
"""How far windows stay behind the present: collectors send every two seconds, and the hub stores once a second."""
_PATIENCE_MS = 60_000
"""How long a run waits for an endpoint that is not there, or cannot be read."""
_REFUSED_S = 60.0
"""How long after a refused run the next one is tried: nothing else would show that the cause is gone."""
_TOLD_POLICIES = 5
_GIVE_UP_MS = 300_000
"""How long a scheduled run may be refused: then it ends, and does not keep the schedule from what is due later."""
_NO_ROOM = Finding(RunReason.PLAN_TOO_LARGE, "the configs of a run have 900 kB at most; ask for fewer items at once")

_OTHER_CONTAINER = Finding(RunReason.ANOTHER_CONTAINER, "the run has one container already; ask in a run of its own")


@dataclass(slots=True)
class RunReconciler:
    """One scheduled run in flight for each part of a namespace: a full cluster merges work, and queues no pods."""

    context: Context
    installed: Installed
    hub: HubFeed
    asked: Callable[[str], Awaitable[Mapping[str, MonitoringPlan]]]
    """The monitoring plans of a namespace's endpoints, by their names."""
    clock_ms: Callable[[], int]
    _jobs: RunJobs = field(init=False)
    _status: StatusWriter = field(init=False)
    _readers: ReaderAccounts = field(init=False)
    _waiting: Waiting = field(default_factory=Waiting)
    _cut: set[tuple[str, str]] = field(default_factory=set)
    """Namespace and part of each whose newest scheduled run had no room for all that was due."""
    _troubles: dict[tuple[str, str], str] = field(default_factory=dict)
    """What kept each run's pod from starting when it was last reconciled."""

    def __post_init__(self) -> None:
        self._jobs = RunJobs(self.context)
        self._status = StatusWriter(self.context)
        self._readers = ReaderAccounts(self.context)

    async def schedule(self, namespace: str) -> float | None:
        """Make the next run of a namespace when something is due and none is in flight; tidy old runs.

        Not before the hub has what it should have: a window judged too early never sees what comes later.
        """
        await self._readers.ensure(namespace)
        known = parsed(EvaluationRun, self.context.store.list(EVALUATION_RUN, namespace))
        await tidy(self.context.client, known, self.clock_ms())
        watches = await self.asked(namespace)
        if not watches:
            return None
        busy = {runs.part_of_run(one.metadata.name) for one in known if scheduled(one) and not finished(one.status)}
        if not self.hub.complete or runs.parts(watches) <= busy:
            return LOOK_S
        return await self._start(namespace, watches, known, busy)

    async def reconcile(self, namespace: str, name: str) -> float | None:
        """Carry one run on: its account, plan and Job; then its status."""
        raw = self.context.store.get(EVALUATION_RUN, namespace, name)
        now_ms = self.clock_ms()
        run = await read_run(raw, self._status, now_ms)
        if run is None or raw is None or finished(run.status):
            self._forget(namespace, name)
            return None
        self._waiting.seen(namespace, name)
        job = self.context.store.get(JOB, namespace, names.run_job(name))
        around = self._around(namespace, await self.asked(namespace))
        if job is None and not run.status.job:
            status = await self._begin(run, around, now_ms)
        else:
            status = await self._carry_on(run, job, around, now_ms)
        await self._status.write(EVALUATION_RUN, raw, status, run.status, now_ms)
        return None if finished(status) else self._waiting.pause_s(run, now_ms)

    async def _begin(self, run: EvaluationRun, around: obstacles.RunContext, now_ms: int) -> EvaluationRunStatus:
        """Make the Job, unless it would run for nothing: then say why, and end a run that is not suspended."""
        whole = obstacles.of_run(run, around)
        passing = whole if whole and whole.reason in obstacles.PASSING else obstacles.not_read_yet(run, around)
        if passing and self._waiting.ms(run, "begin", now_ms) < _PATIENCE_MS:
            return run_status(run, ConditionState("Complete", "False", passing.reason, passing.message), now_ms, job="")
        if whole and run.spec.suspend:
            return run_status(
                run, ConditionState("Complete", "False", RunReason.SUSPENDED, whole.message), now_ms, job=""
            )
        if whole:
            return self._refused(run, whole, around, now_ms)
        problems = await self._jobs.launch(run, around.watches, self.installed.now)
        if not problems:
            self._waiting.over(run, "refused")
            return run_status(run, ConditionState("Complete", "False", RunReason.STARTING), now_ms, job="")
        state = _of_problem(problems)
        if self._waiting.ms(run, "refused", now_ms) >= _GIVE_UP_MS and scheduled(run):
            again = f"{state.message}; what is due is tried again in another run"
            return self._refused(run, Finding(state.reason, again), around, now_ms)
        return run_status(run, state, now_ms, job="")

    def _refused(
        self, run: EvaluationRun, why: Finding, around: obstacles.RunContext, now_ms: int
    ) -> EvaluationRunStatus:
        name, namespace = run.metadata.name, run.metadata.namespace
        log.info("run=refused namespace=%s name=%s reason=%s", namespace, name, why.reason)
        self._forget(namespace, name)
        wanted = runs.items(run, around.watches)
        items = tuple(judged(item, obstacles.of_item(item, around) or why, around) for item in wanted)
        state = ConditionState("Complete", "True", why.reason, why.message)
        return run_status(run, state, now_ms, job="", result="Error", items=items)

    async def _carry_on(
        self, run: EvaluationRun, job: Object | None, around: obstacles.RunContext, now_ms: int
    ) -> EvaluationRunStatus:
        ended, how = job_ended(job)
        if ended or job is None:
            return self._judged(run, how, around, now_ms)
        name, namespace = names.run_job(run.metadata.name), run.metadata.namespace
        problems = (
            *await self._jobs.suspended(run, job),
            *await self._jobs.mend(run, job, around.watches, self.installed.now),
        )
        state = running_state(job, self._pods(run), now_ms, suspend=run.spec.suspend)
        if problems:
            state = _of_problem(problems)
        self._troubles[namespace, run.metadata.name] = state.message
        return run_status(run, state, now_ms, job=name)

    def _pods(self, run: EvaluationRun) -> Sequence[Object]:
        return self.context.store.list(POD, run.metadata.namespace, {names.RUN: names.fit(run.metadata.name)})

    async def _start(
        self,
        namespace: str,
        watches: Mapping[str, MonitoringPlan],
        known: Sequence[EvaluationRun],
        busy: Collection[str],
    ) -> float:
        """Make a run of each part that is due and not busy; return the seconds until the next attempt."""
        now_ms = self.clock_ms()
        last = {key[1:]: end for key, end in self.hub.last_window_ms(namespace).items()}
        more = full(known, now_ms) | {part for place, part in self._cut if place == namespace}
        heard = self._heard(namespace, watches)
        first = due(now_ms - _SETTLE_MS, watches, heard, last, tried(known, now_ms), more=more)
        wanted = runs.by_part((*first, *self._reopened(namespace, watches, known, now_ms)), watches)
        for part, some in wanted.items():
            items = runs.fitting(some, watches)
            if part in busy or not items:
                continue
            run = runs.scheduled_run(namespace, items, now_ms, part)
            try:
                self.context.store.put(EVALUATION_RUN, await self.context.client.create(run))
            except Conflict:
                return LOOK_S  # another leader was faster with the same tick
            except (Forbidden, Invalid) as error:
                await self._tell_refused(namespace, items, error)
                return _REFUSED_S
            (self._cut.add if len(items) < len(some) else self._cut.discard)((namespace, part))
            for item in set(first) & set(items):
                evaluation = (item.policy, item.evaluation)
                self.hub.arrivals.judged(f"{namespace}/{item.endpoint}", (evaluation,), timestamp_ms(item.to))
            log.info("run=created namespace=%s name=%s items=%d", namespace, run["metadata"]["name"], len(items))
        return LOOK_S

    def _reopened(
        self, namespace: str, watches: Mapping[str, MonitoringPlan], known: Sequence[EvaluationRun], now_ms: int
    ) -> tuple[RunItem, ...]:
        late = {name: spans for name in watches if (spans := self.hub.late.get(f"{namespace}/{name}"))}
        return reopened(now_ms, watches, self.hub.windows(namespace), late, taken(known)) if late else ()

    async def _tell_refused(self, namespace: str, items: Sequence[RunItem], error: ApiError) -> None:
        """Report to the policies whose evaluations wait why no run can be made: there is no run to carry it."""
        log.warning("run=refused namespace=%s error=%r", namespace, error.message[:200])
        for name in sorted({item.policy for item in items})[:_TOLD_POLICIES]:
            policy = self.context.store.get(MONITORING_POLICY, namespace, name)
            if policy is not None:
                note = f"no EvaluationRun can be made, and so nothing is evaluated: {error.message}"[:900]
                await self.context.announcer.notify(Notification(policy, "Warning", "RunRefused", note))

    def _heard(self, namespace: str, names: Iterable[str]) -> dict[str, TrafficSince]:
        keys = {name: f"{namespace}/{name}" for name in names}
        return {
            name: self.hub.arrivals.traffic(key, at_ms)
            for name, key in keys.items()
            if (at_ms := self.hub.newest_ms.get(key)) is not None
        }

    def _judged(self, run: EvaluationRun, how: str, around: obstacles.RunContext, now_ms: int) -> EvaluationRunStatus:
        name, namespace = run.metadata.name, run.metadata.namespace
        wanted = runs.items(run, around.watches)
        found = {item: self.hub.result(namespace, name, item) or obstacles.of_item(item, around) for item in wanted}
        missing = [item for item in wanted if found[item] is None]
        for item in missing:
            self.hub.want(namespace, name, item.endpoint, timestamp_ms(item.to))
        if why := self._collecting(run, bool(missing), around, now_ms):
            state = ConditionState("Complete", "False", RunReason.COLLECTING_RESULTS, f"the Job has ended; {why}")
            return run_status(run, state, now_ms, job=names.run_job(name))
        no_room = runs.left_out(run, around.watches) if missing else frozenset()
        found |= {item: _NO_ROOM for item in missing if runs.item_key(item) in no_room}
        others = runs.of_other_containers(run, around.watches) if missing else frozenset()
        found |= {item: _OTHER_CONTAINER for item in missing if runs.item_key(item) in others}
        lost_result = lost(self._troubles.get((namespace, name), ""), again=scheduled(run))
        trouble = container_trouble(self._pods(run)) if runs.additions(run, around.watches).containers else ""
        if trouble:
            lost_result = Finding(CheckReason.EVALUATOR_FAILING, trouble)
        items = tuple(judged(item, found[item] or lost_result, around, trouble) for item in wanted)
        result, message = summed_up(items)
        state = ConditionState("Complete", "True", RunReason.FINISHED, how)
        if not items and (nothing := obstacles.of_run(run, around)):
            state = ConditionState("Complete", "True", nothing.reason, nothing.message)
            result, message = "Error", nothing.message
        log.info("run=finished namespace=%s name=%s result=%s", namespace, name, result)
        self._forget(namespace, name)
        return run_status(run, state, now_ms, job=names.run_job(name), result=result, message=message, items=items)

    def _collecting(self, run: EvaluationRun, missing: bool, around: obstacles.RunContext, now_ms: int) -> str:
        """Return what a run whose Job has ended waits for; empty once it can be judged, or waited long enough."""
        if missing and self.hub.available is False:
            return f"its results are not lost while {self.hub.trouble()}"
        waited_ms = self._waiting.ms(run, "end", now_ms)
        unread = obstacles.not_read_yet(run, around)
        if unread and waited_ms < _PATIENCE_MS:
            return unread.message
        return "waiting for its results" if missing and waited_ms < _RESULT_GRACE_MS else ""

    def _around(self, namespace: str, watches: Mapping[str, MonitoringPlan]) -> obstacles.RunContext:
        endpoints = self.context.store.list(LLM_ENDPOINT, namespace)
        paused = {one["metadata"]["name"]: bool(one["spec"].get("paused")) for one in endpoints}
        hub = self.installed.now.hub_url is not None
        return obstacles.RunContext(paused, watches, hub)

    def _forget(self, namespace: str, name: str) -> None:
        """Drop what is known of a run that has ended or is gone."""
        self._waiting.forget(namespace, name)
        self._troubles.pop((namespace, name), None)
        self.hub.past.forget(namespace, name)


def _of_problem(problems: Sequence[Problem]) -> ConditionState:
    return ConditionState("Complete", "False", problems[0].finding.reason, problems[0].finding.message)
