"""What is made of each kind of endpoint, whole, as files that a reviewer can read.

Run with UPDATE_GOLDEN=1 to write them anew after a change that was meant, and read the difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desired_specimens import (
    PLAIN,
    SETTLED,
    USER_POD,
    evaluation,
    external,
    policy,
    refer,
    resolved,
    run_here,
    workload,
)

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import evaluator_job, model_workload, runs
from modelward.desired.account import evaluate_account
from modelward.desired.children import Facts, children
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden" / "desired"
POLICIES = (policy("baseline", {"content": "Redacted", "always": {"errors": True}}, evaluations=[evaluation()]),)


def _watched(endpoint: LLMEndpoint) -> MonitoringPlan:
    return merge_policies(endpoint, POLICIES, resolved(POLICIES))


def _children(endpoint: LLMEndpoint, facts: Facts, installation: Installation = PLAIN) -> Any:
    made = children(endpoint, _watched(endpoint), installation, facts)
    if isinstance(made, Finding):
        raise TypeError(made)
    return [{"manager": child.manager, "object": child.obj} for child in made]


def _steady() -> Any:
    endpoint = run_here(replicas=2)
    return _children(endpoint, Facts(model_workload.first(endpoint, PLAIN, 2)))


def _changed_template() -> Any:
    before, after = run_here(replicas=2), run_here(USER_TEMPLATE, replicas=2)
    return _children(after, Facts(model_workload.first(before, PLAIN, 2)), SETTLED)


def _run() -> Any:
    spec = {"items": [{"endpoint": "chat", "policy": "baseline", "evaluation": "topic", "from": FROM, "to": TO}]}
    about = {"name": "modelward-20260102-030000", "namespace": "retail", "uid": "uid-of-run"}
    run = EvaluationRun.model_validate({"metadata": about, "spec": spec})
    plan = runs.plan(run, {"chat": _watched(run_here())}, PLAIN)
    objects = [
        runs.scheduled_run("retail", run.spec.items or (), 1_767_322_800_000),
        evaluate_account("retail"),
        evaluator_job.plan_config_map(run, plan, PLAIN),
        evaluator_job.job(run, SETTLED),
    ]
    return [{"manager": "modelward", "object": obj} for obj in objects]


FROM, TO = "2026-01-02T02:00:00Z", "2026-01-02T03:00:00Z"
USER_TEMPLATE = {"podTemplate": USER_POD, "port": 8000}
CASES: dict[str, Callable[[], Any]] = {
    "template-first": lambda: _children(run_here(replicas=2), Facts()),
    "template-steady": _steady,
    "template-changed": _changed_template,
    "template-scrape-only": lambda: _children(run_here(collector={"mode": "ScrapeOnly"}), Facts()),
    "template-gateway": lambda: _children(run_here(collector={"mode": "Gateway"}), Facts()),
    "adopted-deployment": lambda: _children(refer("Sidecar"), Facts(workload())),
    "adopted-statefulset": lambda: _children(refer("Sidecar", {"kind": "StatefulSet"}), Facts(workload("StatefulSet"))),
    "referred-gateway": lambda: _children(refer("Gateway"), Facts(workload()), SETTLED),
    "referred-scrape-only": lambda: _children(refer("ScrapeOnly"), Facts(workload())),
    "external": lambda: _children(external(gateway={"replicas": 3}), Facts()),
    "run": _run,
}


@pytest.mark.parametrize("case", CASES)
def test_children_are_those_of_the_golden_file(case: str) -> None:
    text = json.dumps(CASES[case](), indent=2, sort_keys=True) + "\n"
    path = GOLDEN / f"{case}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("path", sorted((GOLDEN / "released").glob("*.json")), ids=lambda path: path.stem)
def test_the_template_of_every_released_version_is_left_alone(path: Path) -> None:
    """These files are never updated: each is an endpoint and the Deployment that the version of its name made."""
    released = json.loads(path.read_text())
    endpoint = LLMEndpoint.model_validate(released["endpoint"])
    made = children(endpoint, MonitoringPlan(), SETTLED, Facts(released["workload"]))
    assert not isinstance(made, Finding)
    assert all("template" not in child.obj.get("spec", {}) for child in made)


@pytest.mark.parametrize("case", CASES)
def test_no_null_and_no_empty_name_is_applied(case: str) -> None:
    def walk(value: Any) -> None:
        assert value is not None
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
            walk(item)

    walk(json.loads(json.dumps(CASES[case]())))


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda path: path.stem)
def test_nothing_that_is_made_holds_up_a_deletion(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "finalizers" not in text
    assert "blockOwnerDeletion" not in text
