"""The Job of an EvaluationRun and what its pod needs: made, held or let go on, and mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelward.api.evaluationrun import EvaluationRun
from modelward.desired import evaluator_job, names, runs
from modelward.desired.account import evaluate_account
from modelward.desired.children import Child
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.run_network import network_policy
from modelward.kube.errors import Forbidden, Invalid
from modelward.kube.kinds import CONFIG_MAP, JOB, Object
from modelward.operator.endpoint.apply import ChildWriter, Problem, refused
from modelward.operator.runtime.context import Context


@dataclass(slots=True)
class RunJobs:
    """Writes the Jobs of runs, with their accounts, plans and NetworkPolicies."""

    context: Context
    _children: ChildWriter = field(init=False)

    def __post_init__(self) -> None:
        self._children = ChildWriter(self.context)

    async def launch(
        self, run: EvaluationRun, watches: Mapping[str, MonitoringPlan], installation: Installation
    ) -> tuple[Problem, ...]:
        """Make a run's Job and what it needs; return what keeps it from starting."""
        owner, additions = {"uid": run.metadata.uid}, runs.additions(run, watches)
        job = evaluator_job.job(run, installation, additions)
        if additions.containers and installation.isolate_containers:
            isolation = Child(network_policy(job, installation), names.FRAME_MANAGER)
            if problems := await self._children.write((isolation,), owner):
                return problems  # no container runs without the bounds that were asked for
        return await self._children.write((*_needs(run, watches, installation), Child(job, names.FRAME_MANAGER)), owner)

    async def suspended(self, run: EvaluationRun, job: Object) -> tuple[Problem, ...]:
        """Let the Job hold or go on, as the run says."""
        if bool(job["spec"].get("suspend")) == run.spec.suspend:
            return ()
        name, namespace = job["metadata"]["name"], run.metadata.namespace
        try:
            await self.context.client.patch(JOB, namespace, name, {"spec": {"suspend": run.spec.suspend}})
        except (Forbidden, Invalid) as error:
            return (Problem(f"Job {name}", refused(f"Job {name}", error)),)
        return ()

    async def mend(
        self, run: EvaluationRun, job: Object, watches: Mapping[str, MonitoringPlan], installation: Installation
    ) -> tuple[Problem, ...]:
        """Make again what was deleted under a Job; a plan that is there never changes."""
        namespace = run.metadata.namespace
        account, plan = _needs(run, watches, installation)
        waits = not job.get("status", {}).get("active")
        missing = self.context.store.get(CONFIG_MAP, namespace, names.run_plan(run.metadata.name)) is None
        wanted = (*((account,) if waits else ()), *((plan,) if missing else ()))
        return await self._children.write(wanted, {"uid": run.metadata.uid})


def _needs(
    run: EvaluationRun, watches: Mapping[str, MonitoringPlan], installation: Installation
) -> tuple[Child, Child]:
    """Return the account and the plan, without which the Job's pod cannot start."""
    plan = evaluator_job.plan_config_map(run, runs.plan(run, watches, installation), installation)
    return Child(evaluate_account(run.metadata.namespace), names.FRAME_MANAGER), Child(plan, names.FRAME_MANAGER)
