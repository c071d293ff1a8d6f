"""Carries calibrations out: makes a Job where labels, evaluator or time ask for one, and says what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from modelward.api.calibration import CalibrationOutcome
from modelward.api.calibration_plan import CalibrationPlan
from modelward.api.evaluator import Evaluator
from modelward.api.evaluator_calibration import CalibrationStatus, EvaluatorCalibration
from modelward.api.quantity import duration_ms
from modelward.desired import names
from modelward.desired.account import evaluate_account
from modelward.desired.calibration_job import calibration_name, calibration_plan, job, plan_config_map
from modelward.desired.children import Child
from modelward.desired.evaluators import Resolution, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.run_network import network_policy
from modelward.evaluate.calibration.floor import cannot_read_labels
from modelward.kube.errors import ApiError
from modelward.kube.kinds import CONFIG_MAP, JOB
from modelward.operator.endpoint.apply import ChildWriter
from modelward.operator.finished_calibration import read_finished
from modelward.operator.runs.history import job_ended
from modelward.operator.runtime.context import Context
from modelward.operator.runtime.installed import Installed
from modelward.reasons.calibration import CalibrationReason
from modelward.reasons.reason import Reason
from modelward.status.calibration import calibrated_state, calibration_status
from modelward.status.conditions import ConditionState

log = logging.getLogger(__name__)

_AGAIN = frozenset(
    {CalibrationReason.CALIBRATING, CalibrationReason.JUDGE_UNAVAILABLE, CalibrationReason.EVALUATOR_FAILING}
)
"""Of calibrations that did not come to an end: another Job tries, an hour after the one before has ended."""


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """What the status of an Evaluator gains."""

    states: tuple[ConditionState, ...] = ()
    status: CalibrationStatus | None = None
    found: CalibrationOutcome | None = None


@dataclass(slots=True)
class CalibrationReconciler:
    """One Job for each evaluator, labels and age; the same inputs give the same name, so that two leaders make one."""

    context: Context
    installed: Installed
    known: Callable[[str, str], tuple[bool, CalibrationOutcome | None]]
    """Whether the hub has answered of an evaluator, and what it knows."""
    _children: ChildWriter = field(init=False)

    def __post_init__(self) -> None:
        self._children = ChildWriter(self.context)

    async def view(self, evaluator: Evaluator, found: Resolution, now_ms: int) -> CalibrationView:
        """Make the Job that is due, and return what is known; of one that cannot be used, what was known of it."""
        asked, about = evaluator.spec.calibration, evaluator.metadata
        if asked is None:
            return CalibrationView()
        if isinstance(found, Finding):
            return _standing(evaluator, CalibrationReason.NOT_CALIBRATED, f"it cannot be used: {found.message}"[:300])
        if asked.finished is not None:
            return await self._finished(evaluator, asked, found, now_ms)
        answered, calibration = self.known(about.namespace, about.name)
        if not answered:
            told = "the hub has not answered yet" if self.installed.now.hub_url else "no hub is configured"
            return _standing(evaluator, CalibrationReason.HUB_UNAVAILABLE, told)
        wanted = _Wanted(evaluator, asked, found, calibration, now_ms)
        obstacle = await self._obstacle(wanted)
        state = calibrated_state(asked, calibration, found.facts.version, now_ms, obstacle)
        return CalibrationView((state,), calibration_status(calibration) if calibration else None, calibration)

    async def _finished(
        self, evaluator: Evaluator, asked: EvaluatorCalibration, found: ResolvedEvaluator, now_ms: int
    ) -> CalibrationView:
        """Return what a calibration says that was made elsewhere: no Job is made, and the hub is not asked."""
        read = cannot_read_labels(found) or await read_finished(self.context.client, evaluator, found)
        if isinstance(read, Finding):
            reason = CalibrationReason.named(read.reason)
            return CalibrationView((ConditionState("Calibrated", "False", reason, read.message),))
        state = calibrated_state(asked, read, found.facts.version, now_ms, None)
        return CalibrationView((state,), calibration_status(read), read)

    async def _obstacle(self, wanted: _Wanted) -> Finding | None:
        """Return what stands in the way of a calibration, or that it is under way; None where the newest is of now."""
        if blind := cannot_read_labels(wanted.found):
            return blind
        if wanted.asked.labels is None:
            return Finding(CalibrationReason.LABELS_NOT_FOUND, "spec.calibration names neither labels nor finished")
        namespace, labels = wanted.evaluator.metadata.namespace, wanted.asked.labels.config_map_ref.name
        try:
            about = await self.context.client.about(CONFIG_MAP, namespace, labels)
        except ApiError as error:
            told = f"ConfigMap {labels} cannot be read: {error.message}"[:300]
            return Finding(CalibrationReason.LABELS_NOT_FOUND, told)
        if about is None:
            return Finding(CalibrationReason.LABELS_NOT_FOUND, f"there is no ConfigMap {labels} in this namespace")
        version = f"{about.get('uid', '')}/{about.get('resourceVersion', '')}"
        plan = calibration_plan(wanted.evaluator, wanted.asked, wanted.found, version, self.installed.now)
        before_ms = wanted.due(plan)
        if before_ms is None:
            return None
        name = calibration_name(wanted.evaluator, plan, before_ms)
        made = self.context.store.get(JOB, namespace, name)
        if made is None:
            return await self._make(wanted, plan, name)
        ended, how = job_ended(made)
        if ended and how.startswith("Job Failed"):
            told = f"{how}; tried again in an hour, from where it was; kubectl logs -n {namespace} job/{name}"
            return Finding(CalibrationReason.EVALUATOR_FAILING, told)
        price = wanted.known.message if wanted.known and wanted.known.reason == CalibrationReason.CALIBRATING else ""
        return Finding(CalibrationReason.CALIBRATING, f"Job {name}{f': {price}' if price else ''}")

    async def _make(self, wanted: _Wanted, plan: CalibrationPlan, name: str) -> Finding:
        evaluator, installation = wanted.evaluator, self.installed.now
        asking = job(evaluator, wanted.asked, wanted.found, name, installation)
        isolates = wanted.found.pod.containers and installation.isolate_containers
        bounds = (network_policy(asking, installation),) if isolates else ()
        needs = (evaluate_account(evaluator.metadata.namespace), plan_config_map(evaluator, plan, name, installation))
        owner = {"uid": evaluator.metadata.uid}
        # No container runs without the bounds that were asked for.
        problems = await self._children.write([Child(one, names.FRAME_MANAGER) for one in bounds], owner)
        if not problems:
            children = [Child(one, names.FRAME_MANAGER) for one in (*needs, asking)]
            problems = await self._children.write(children, owner)
        if problems:
            return Finding(CalibrationReason.NOT_CALIBRATED, problems[0].finding.message)
        log.info("calibration=begun namespace=%s evaluator=%s job=%s", plan.namespace, plan.evaluator, name)
        return Finding(CalibrationReason.CALIBRATING, f"Job {name}")


def _standing(evaluator: Evaluator, reason: Reason, told: str) -> CalibrationView:
    """Let stand what status says, where nothing new can be known; where it says nothing, say why."""
    before = [one for one in evaluator.status.conditions if one.type == "Calibrated"]
    if before:
        kept = (
            ConditionState(one.type, one.status, CalibrationReason.named(one.reason), one.message) for one in before
        )
        return CalibrationView(tuple(kept), evaluator.status.calibration)
    return CalibrationView((ConditionState("Calibrated", "False", reason, told),))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An evaluator that asks for a calibration, and the newest there is."""

    evaluator: Evaluator
    asked: EvaluatorCalibration
    found: ResolvedEvaluator
    known: CalibrationOutcome | None
    now_ms: int

    def due(self, plan: CalibrationPlan) -> int | None:
        """Return None where the newest calibration is of this version and these labels, and young enough.

        Else when the one was made that grows too old; 0 where there is none to follow. It is made again before it is
        too old to alert by, because its Job takes its time.
        """
        known = self.known
        if known is None or known.version != plan.version:
            return 0
        repeated = known.repeat_reason and known.repeat_labels == plan.labels_version
        reason = known.repeat_reason if repeated else known.reason
        follows = known.at_ms if repeated else 0
        if not repeated and known.labels_version != plan.labels_version:
            return 0
        if reason in _AGAIN or (reason == CalibrationReason.CALIBRATION_LIMITED and self._more(known)):
            return follows
        if repeated:
            return None
        old = self.now_ms - known.at_ms > duration_ms(self.asked.max_age) * 9 // 10
        return known.at_ms if old else None

    def _more(self, known: CalibrationOutcome) -> bool:
        return self.asked.max_tokens > known.tokens + known.price
