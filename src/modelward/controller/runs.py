"""EvaluationRuns: made when evaluations are due, carried out by a Job, judged from what the Job left in the hub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelward.api.evaluation import WindowResult
from modelward.api.evaluationrun import EvaluationRun, EvaluationRunStatus, RunItem, RunItemStatus
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.controller.child_writer import ChildWriter, Problem
from modelward.controller.context import Context
from modelward.controller.hub_feed import HubFeed
from modelward.controller.installed import Installed
from modelward.controller.models import parsed
from modelward.controller.status_writer import StatusWriter
from modelward.desired import names, runs
from modelward.desired.account import evaluate_account
from modelward.desired.children import Child
from modelward.desired.due import Heard, WindowKey, due
from modelward.desired.watch import BoundEvaluation, Watch
from modelward.evaluate.verdict import Rule
from modelward.kube.errors import ApiError, Conflict
from modelward.kube.kinds import CONFIG_MAP, EVALUATION_RUN, JOB, Object
from modelward.status.conditions import State, settle
from modelward.status.judgement import rule_of
from modelward.status.run import finished, item_status, running_state, summed_up

log = logging.getLogger(__name__)

_LOOK_S = 5.0
_RESULT_GRACE_MS = 30_000
"""How long after the Job's end its results may take to reach us through the hub."""
_SETTLE_MS = 5_000
"""How far windows stay behind the present: collectors send every two seconds, and the hub stores once a second."""
_KEPT_GOOD, _KEPT_BAD = 3, 10
_CLOCKS_APART_MS = 60_000
"""How far the API server's clock may be ahead of ours."""


@dataclass(slots=True)
class Runs:
    """One scheduled run in flight per namespace, so that a full cluster merges work instead of queueing pods."""

    context: Context
    installed: Installed
    hub: HubFeed
    watches: Mapping[str, Mapping[str, Watch]]
    clock_ms: Callable[[], int]
    _children: ChildWriter = field(init=False)
    _status: StatusWriter = field(init=False)
    _ended_ms: dict[str, int] = field(default_factory=dict)
    """When each run's Job was first seen to have ended."""

    def __post_init__(self) -> None:
        self._children = ChildWriter(self.context)
        self._status = StatusWriter(self.context)

    async def schedule(self, namespace: str) -> float | None:
        """Make the next run of a namespace when something is due and none is in flight; tidy old runs.

        Not before the hub has what it should have: a window judged too early never sees what comes later.
        """
        known = parsed(EvaluationRun, self.context.store.list(EVALUATION_RUN, namespace))
        await self._tidy(known)
        watches = self.watches.get(namespace, {})
        if not watches:
            return None
        if self.hub.complete and not any(_scheduled(run) and not finished(run.status) for run in known):
            await self._start(namespace, watches, known)
        return _LOOK_S

    async def reconcile(self, namespace: str, name: str) -> float | None:
        """Carry one run on: its account, plan and Job; then its status."""
        raw = self.context.store.get(EVALUATION_RUN, namespace, name)
        read = parsed(EvaluationRun, (raw,) if raw else ())
        if not read or raw is None or finished(read[0].status):
            return None
        run, now_ms = read[0], self.clock_ms()
        job = self.context.store.get(JOB, namespace, names.run_job(name))
        problems: tuple[Problem, ...] = ()
        if job is None and not run.status.job:
            problems = await self._launch(run)
        elif job is not None and bool(job["spec"].get("suspend")) != run.spec.suspend:
            await self.context.client.patch(
                JOB, namespace, names.run_job(name), {"spec": {"suspend": run.spec.suspend}}
            )
        if job is not None:
            await self._mend(run, job)
        status = self._progress(run, job, problems, now_ms)
        await self._status.write(EVALUATION_RUN, raw, status, run.status, now_ms)
        return None if finished(status) else _LOOK_S

    async def _start(self, namespace: str, watches: Mapping[str, Watch], known: Sequence[EvaluationRun]) -> None:
        now_ms = self.clock_ms()
        last = {key[1:]: end for key, end in self.hub.last_window_ms().items() if key[0] == namespace}
        heard = self._heard(namespace)
        if not heard:
            return
        items = due(now_ms - _SETTLE_MS, watches, heard, last, _tried(known, now_ms), more=_full(known, now_ms))
        if not items:
            return
        run = runs.scheduled_run(namespace, items, now_ms)
        try:
            self.context.store.put(EVALUATION_RUN, await self.context.client.create(run))
        except Conflict:
            return  # another leader was faster with the same tick
        self.hub.arrivals.judged(f"{namespace}/{item.endpoint}" for item in items[: runs.MAX_ITEMS])
        log.info("run=created namespace=%s name=%s items=%d", namespace, run["metadata"]["name"], len(items))

    def _heard(self, namespace: str) -> dict[str, Heard]:
        return {
            endpoint.partition("/")[2]: Heard(at_ms, self.hub.arrivals.since_judged(endpoint))
            for endpoint, at_ms in self.hub.newest_ms.items()
            if endpoint.startswith(f"{namespace}/")
        }

    async def _launch(self, run: EvaluationRun) -> tuple[Problem, ...]:
        job = Child(runs.job(run, self.installed.now), names.FRAME_MANAGER)
        return await self._children.write((*self._needs(run), job), {"uid": run.metadata.uid})

    def _needs(self, run: EvaluationRun) -> tuple[Child, Child]:
        """Return the account and the plan, without which the Job's pod cannot start."""
        installation, namespace = self.installed.now, run.metadata.namespace
        plan = runs.plan_config_map(run, runs.plan(run, self.watches.get(namespace, {}), installation), installation)
        return Child(evaluate_account(namespace), names.FRAME_MANAGER), Child(plan, names.FRAME_MANAGER)

    async def _mend(self, run: EvaluationRun, job: Object) -> None:
        """Make again what somebody has deleted under a Job; a plan that is there never changes.

        Not before the endpoints were looked at, of which the plan is made.
        """
        namespace = run.metadata.namespace
        if _ended(job)[0] or namespace not in self.watches:
            return
        account, plan = self._needs(run)
        waits = not job.get("status", {}).get("active")
        missing = self.context.store.get(CONFIG_MAP, namespace, names.run_plan(run.metadata.name)) is None
        wanted = (*((account,) if waits else ()), *((plan,) if missing else ()))
        await self._children.write(wanted, {"uid": run.metadata.uid})

    def _progress(
        self, run: EvaluationRun, job: Object | None, problems: Sequence[Problem], now_ms: int
    ) -> EvaluationRunStatus:
        started = run.status.start_time or timestamp(now_ms)
        if problems:
            state = State("Complete", "False", problems[0].finding.reason, problems[0].finding.message)
            return _status(run, state, now_ms, started=started, launched=False)
        if job is None and not run.status.job:
            return _status(run, State("Complete", "False", "Starting"), now_ms, started=started, launched=False)
        ended, how = _ended(job)
        if not ended:
            name = names.run_job(run.metadata.name)
            state = running_state(name, job, now_ms, suspend=run.spec.suspend)
            return _status(run, state, now_ms, started=started)
        return self._judged(run, how, started, now_ms)

    def _judged(self, run: EvaluationRun, how: str, started: str, now_ms: int) -> EvaluationRunStatus:
        namespace = run.metadata.namespace
        watches = self.watches.get(namespace, {})
        wanted = runs.items(run, watches)
        bound = {
            (endpoint, one.policy, one.evaluation.name): one
            for endpoint, asked in watches.items()
            for one in asked.evaluations
        }
        lost = [item for item in wanted if self._result(run, item) is None]
        first_seen_ms = self._ended_ms.setdefault(run.metadata.uid, now_ms)
        if lost and 0 <= now_ms - first_seen_ms < _RESULT_GRACE_MS:
            state = State("Complete", "False", "CollectingResults", "the Job has ended; waiting for its results")
            return _status(run, state, now_ms, started=started)
        self._ended_ms.pop(run.metadata.uid, None)
        items = tuple(self._item(run, item, bound) for item in wanted)
        result, message = summed_up(items)
        if not items:
            result, message = "Error", f"nothing to evaluate: no policy asks for an evaluation of {run.spec.endpoint}"
        log.info("run=finished namespace=%s name=%s result=%s", namespace, run.metadata.name, result)
        state = State("Complete", "True", "Finished", how)
        return _status(run, state, now_ms, started=started, message=message, items=items, result=result)

    def _item(
        self, run: EvaluationRun, item: RunItem, bound: Mapping[tuple[str, str, str], BoundEvaluation]
    ) -> RunItemStatus:
        one = bound.get((item.endpoint, item.policy, item.evaluation))
        rule = rule_of(one) if one is not None else Rule(fail_above_ppm=0)
        return item_status(item.endpoint, item.policy, item.evaluation, self._result(run, item), rule)

    def _result(self, run: EvaluationRun, item: RunItem) -> WindowResult | None:
        """Return what this run found; an earlier run of the same window may have had another evaluator."""
        wanted = (run.metadata.name, timestamp_ms(item.from_), timestamp_ms(item.to))
        results = self.hub.of((run.metadata.namespace, item.endpoint, item.policy, item.evaluation))
        return next((result for result in results if (result.run, result.from_ms, result.to_ms) == wanted), None)

    async def _tidy(self, known: Sequence[EvaluationRun]) -> None:
        """Keep the last few scheduled runs, fewer good than bad ones; what a person made is the person's."""
        ended = [run for run in known if _scheduled(run) and finished(run.status)]
        # What was made in the future was made before the clock was set back: the oldest there is.
        latest = timestamp(self.clock_ms() + _CLOCKS_APART_MS)
        ended.sort(key=lambda run: (_created(run) <= latest, _created(run), run.metadata.name), reverse=True)
        good = [run for run in ended if run.status.result in ("Passed", "Failed")]
        bad = [run for run in ended if run.status.result not in ("Passed", "Failed")]
        for run in (*good[_KEPT_GOOD:], *bad[_KEPT_BAD:]):
            metadata = run.metadata
            try:
                await self.context.client.delete(EVALUATION_RUN, metadata.namespace, metadata.name, uid=metadata.uid)
            except ApiError as error:
                log.warning(
                    "run=not_tidied namespace=%s name=%s error=%r", metadata.namespace, metadata.name, str(error)
                )


def _created(run: EvaluationRun) -> str:
    return run.metadata.creation_timestamp or ""


def _end_ms(run: EvaluationRun, now_ms: int) -> int:
    """Return where the windows of a scheduled run end; 0 of one that a clock made which was set back since."""
    end_ms = timestamp_ms(run.spec.items[0].to) if _scheduled(run) and run.spec.items else 0
    return end_ms if end_ms <= now_ms else 0


def _tried(known: Sequence[EvaluationRun], now_ms: int) -> dict[WindowKey, int]:
    """Return where the newest window ended that a scheduled run took of each evaluation, with or without a result."""
    tried: dict[WindowKey, int] = {}
    for run in known:
        end_ms = _end_ms(run, now_ms)
        for item in (run.spec.items or ()) if end_ms else ():
            key = (item.endpoint, item.policy, item.evaluation)
            tried[key] = max(tried.get(key, 0), end_ms)
    return tried


def _full(known: Sequence[EvaluationRun], now_ms: int) -> bool:
    """Tell whether the newest scheduled run took as much as a run can."""
    newest = max(known, key=lambda run: _end_ms(run, now_ms), default=None)
    return newest is not None and _scheduled(newest) and len(newest.spec.items or ()) >= runs.MAX_ITEMS


def _scheduled(run: EvaluationRun) -> bool:
    return run.metadata.labels.get(names.MANAGED_BY) == "modelward"


def _ended(job: Object | None) -> tuple[bool, str]:
    if job is None:
        return True, "the Job is gone"
    for condition in job.get("status", {}).get("conditions", []):
        if condition["status"] == "True" and condition["type"] in ("Complete", "Failed"):
            return True, f"Job {condition['type']}: {condition.get('message', '')}".rstrip(": ")
    return False, ""


def _status(
    run: EvaluationRun, state: State, now_ms: int, *, started: str, launched: bool = True, **more: Any
) -> EvaluationRunStatus:
    ended = state.status == "True"
    items: tuple[RunItemStatus, ...] = more.get("items", ())
    return EvaluationRunStatus(
        observed_generation=run.metadata.generation,
        result=more.get("result"),
        message=str(more.get("message", state.message))[:256],
        samples=sum(item.samples for item in items),
        job=names.run_job(run.metadata.name) if launched else run.status.job,
        start_time=started,
        completion_time=timestamp(now_ms) if ended else None,
        items=items,
        conditions=settle([state], run.status.conditions, run.metadata.generation, now_ms),
    )
