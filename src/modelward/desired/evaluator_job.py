"""The children of an evaluation run: the evaluator Job, and the ConfigMap with the plan that it mounts."""

from __future__ import annotations

import json
from typing import Any

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.run_plan import Plan, plan_to_json
from modelward.desired import names
from modelward.desired.installation import Installation
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.desired.scoring_job import ScoringJob, plan_map, scoring_metadata

DEADLINE_SECONDS = 900
RETRIES = 1


def plan_config_map(run: EvaluationRun, plan: Plan, installation: Installation) -> dict[str, Any]:
    """Return the ConfigMap that the Job mounts; make it once, before the Job, since a run's plan does not change."""
    text = json.dumps(plan_to_json(plan), sort_keys=True, separators=(",", ":"))
    return plan_map(_metadata(run, names.run_plan(run.metadata.name)), text, installation)


def job(run: EvaluationRun, installation: Installation, additions: PodAdditions = NOTHING) -> dict[str, Any]:
    """Return the run's Job; make it once, because a Job's template cannot change, and patch only its `spec.suspend`."""
    made = ScoringJob(
        _metadata(run, names.run_job(run.metadata.name)),
        "evaluate",
        ("evaluate",),
        names.run_plan(run.metadata.name),
        RETRIES,
        DEADLINE_SECONDS,
    ).manifest(installation, additions)
    return {**made, "spec": {"suspend": run.spec.suspend, **made["spec"]}}


def _metadata(run: EvaluationRun, name: str) -> dict[str, Any]:
    return scoring_metadata(run.metadata, "EvaluationRun", name, names.RUN)
