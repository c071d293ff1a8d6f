"""Runs: one in flight, judged from what came back, tidied, and never passed for want of results."""

from __future__ import annotations

from typing import Any

import pytest
from controller_world import World

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.evaluationrun import EvaluationRun
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.controller.hub_feed import HubFeed
from modelward.controller.installed import Installed
from modelward.controller.runs import Runs
from modelward.desired.watch import Builtin, Watch, watch
from modelward.kube.errors import Conflict, Forbidden
from modelward.kube.kinds import EVALUATION_RUN, Object

NOW_MS = 1_795_480_000_000
MINUTE_MS = 60_000
FROM_MS, TO_MS = NOW_MS - 15 * MINUTE_MS, NOW_MS
API = "modelward.dev/v1alpha1"


class Desk:
    """Runs of namespace `retail`, whose endpoint `chat` is watched by one evaluation."""

    def __init__(self) -> None:
        self.world = World()
        self.now_ms = NOW_MS
        self.feed = HubFeed(
            lambda: self.now_ms, available=True, newest_ms={"retail/chat": NOW_MS, "other/chat": NOW_MS}
        )
        self.watches = {"retail": {"chat": watched()}}
        installed = Installed(self.world.context)
        self.runs = Runs(self.world.context, installed, self.feed, self.watches, lambda: self.now_ms)

    def run(self, name: str = "run-1", status: dict[str, Any] | None = None, **metadata: Any) -> Object:
        item = {"endpoint": "chat", "policy": "baseline", "evaluation": "topic",
                "from": timestamp(FROM_MS), "to": timestamp(TO_MS)}  # fmt: skip
        about = {
            "name": name,
            "namespace": "retail",
            "labels": {"app.kubernetes.io/managed-by": "modelward"},
            **metadata,
        }
        body = {"apiVersion": API, "kind": "EvaluationRun", "metadata": about, "spec": {"items": [item]}}
        return self.world.put({**body, "status": status or {}})

    def status(self, name: str = "run-1") -> EvaluationRun:
        return EvaluationRun.model_validate(self.world.store.get(EVALUATION_RUN, "retail", name))

    def job(self, condition: str = "Complete", suspend: bool = False) -> None:
        conditions = [{"type": condition, "status": "True"}] if condition else []
        labels = {"modelward.dev/run": "run-1"}
        about = {"name": "run-1", "namespace": "retail", "labels": labels,
                 "ownerReferences": [{"uid": "uid-of-run-1"}]}  # fmt: skip
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": about, "spec": {"suspend": suspend}}
        self.world.put({**job, "status": {"conditions": conditions}})

    def result(self, scored: Counts, run: str = "run-1") -> None:
        facts = EvaluatorFacts("OffTopicAnswered", "1")
        found = WindowResult("retail", "chat", "baseline", "topic", FROM_MS, TO_MS, run, facts, {"r1": scored})
        self.feed._keep([found])


def watched() -> Watch:
    spec = {
        "endpointSelector": {},
        "capture": {"content": "Redacted"},
        "evaluations": [{"name": "topic", "check": {"builtin": "OffTopicAnswered"}, "failAbove": "10%"}],
    }
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "baseline", "namespace": "retail"}, "spec": spec})
    backend = {"backend": {"template": {"image": "llama", "port": 8080}}}
    chat = LLMEndpoint.model_validate({"metadata": {"name": "chat", "namespace": "retail"}, "spec": backend})
    return watch(chat, [policy], {}, {"OffTopicAnswered": Builtin()})


def scored(samples: int, flagged: int, failed: int = 0) -> Counts:
    return Counts(samples, flagged, 0, failed, float(samples), float(samples), float(flagged))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def complete(run: EvaluationRun) -> tuple[str, str]:
    (found,) = [condition for condition in run.status.conditions if condition.type == "Complete"]
    return found.status, found.reason


async def test_what_is_due_becomes_one_run_and_no_second_while_it_is_in_flight(desk: Desk) -> None:
    assert await desk.runs.schedule("retail") == 5.0
    assert await desk.runs.schedule("retail") == 5.0
    assert [kind for _, kind, _ in desk.world.verbs("create")] == ["EvaluationRun"]
    assert await desk.runs.schedule("nowhere") is None


async def test_a_window_stays_behind_the_present_so_that_what_just_ended_has_come(desk: Desk) -> None:
    await desk.runs.schedule("retail")
    (made,) = desk.world.store.list(EVALUATION_RUN, "retail")
    assert timestamp_ms(made["spec"]["items"][0]["to"]) == NOW_MS - 5_000


async def test_without_a_hub_nothing_is_started(desk: Desk) -> None:
    desk.feed.available = False
    await desk.runs.schedule("retail")
    desk.feed.available, desk.feed.newest_ms = True, {}
    await desk.runs.schedule("retail")
    assert desk.world.writes == []


async def test_nothing_is_judged_before_what_was_spooled_has_come(desk: Desk) -> None:
    desk.feed.complete_from_ms = NOW_MS + 1
    await desk.runs.schedule("retail")
    assert desk.world.writes == []
    desk.now_ms += 1
    await desk.runs.schedule("retail")
    assert [kind for _, kind, _ in desk.world.verbs("create")] == ["EvaluationRun"]


async def test_a_tick_that_another_leader_took_is_no_error(desk: Desk) -> None:
    desk.world.refusals["create"] = Conflict(409, "AlreadyExists", "there is one")
    assert await desk.runs.schedule("retail") == 5.0


async def test_a_run_gets_its_account_its_plan_and_its_job(desk: Desk) -> None:
    desk.run()
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    made = [(kind, name) for _, kind, name in desk.world.verbs("apply")]
    assert made == [("ServiceAccount", "modelward-evaluate"), ("ConfigMap", "run-1"), ("Job", "run-1")]
    assert complete(desk.status()) == ("False", "Starting")
    await desk.runs.reconcile("retail", "run-1")
    assert complete(desk.status()) == ("False", "Running")
    assert desk.status().status.job == "run-1"


async def test_a_run_that_is_refused_says_why_and_is_tried_again(desk: Desk) -> None:
    desk.run()
    desk.world.refusals["apply"] = Forbidden(403, "Forbidden", "exceeded quota: jobs")
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "Refused")
    assert "exceeded quota: jobs" in desk.status().status.message
    desk.world.refusals.clear()
    await desk.runs.reconcile("retail", "run-1")
    assert ("apply", "Job", "run-1") in desk.world.writes


async def test_a_conflict_is_tried_again_and_never_taken_for_a_job_that_is_gone(desk: Desk) -> None:
    desk.run()
    desk.world.refusals["apply"] = Conflict(409, "Conflict", "changed meanwhile")
    with pytest.raises(Conflict):
        await desk.runs.reconcile("retail", "run-1")
    desk.world.refusals.clear()
    await desk.runs.reconcile("retail", "run-1")
    assert complete(desk.status()) == ("False", "Starting")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (scored(400, 4), "Passed"),
        (scored(400, 200), "Failed"),
        (scored(3, 0), "Inconclusive"),
        (scored(0, 0, 9), "Error"),
    ],
)
async def test_a_run_is_judged_by_what_its_job_left_in_the_hub(desk: Desk, counts: Counts, expected: str) -> None:
    desk.run(status={"job": "run-1"})
    desk.job()
    desk.result(counts)
    assert await desk.runs.reconcile("retail", "run-1") is None
    found = desk.status().status
    assert (found.result, found.samples, complete(desk.status())) == (expected, counts.samples, ("True", "Finished"))
    writes = len(desk.world.writes)
    assert await desk.runs.reconcile("retail", "run-1") is None
    assert len(desk.world.writes) == writes


@pytest.mark.parametrize("ended", ["Complete", "Failed", "gone"])
async def test_a_result_that_does_not_come_is_waited_for_and_then_an_error(desk: Desk, ended: str) -> None:
    desk.run(status={"job": "run-1"})
    if ended != "gone":
        desk.job(ended)
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "CollectingResults")
    desk.now_ms += 31_000
    assert await desk.runs.reconcile("retail", "run-1") is None
    found = desk.status().status
    assert (found.result, found.items[0].message.split(":")[0]) == ("Error", "ResultLost")


async def test_what_another_run_found_in_the_same_window_is_not_its_result(desk: Desk) -> None:
    desk.run(status={"job": "run-1"})
    desk.job("Failed")
    desk.result(scored(400, 4), run="an-earlier-one")
    await desk.runs.reconcile("retail", "run-1")
    desk.now_ms += 31_000
    await desk.runs.reconcile("retail", "run-1")
    assert desk.status().status.result == "Error"


async def test_suspending_a_run_suspends_its_job(desk: Desk) -> None:
    run = desk.run(status={"job": "run-1"})
    desk.job("")
    desk.world.put({**run, "spec": {**run["spec"], "suspend": True}})
    await desk.runs.reconcile("retail", "run-1")
    assert desk.world.verbs("patch") == (("patch", "Job", "run-1"),)
    assert complete(desk.status()) == ("False", "Suspended")


async def test_only_the_last_few_scheduled_runs_are_kept_and_more_bad_ones_than_good(desk: Desk) -> None:
    desk.watches.clear()
    for i in range(6):
        desk.run(f"modelward-{i:02}", status={"result": "Passed"})
        desk.run(f"mine-{i:02}", status={"result": "Passed"}, labels={})
    for i in range(12):
        desk.run(f"modelward-bad-{i:02}", status={"result": "Error"})
    await desk.runs.schedule("retail")
    gone = {name for _, _, name in desk.world.verbs("delete")}
    assert gone == {"modelward-00", "modelward-01", "modelward-02", "modelward-bad-00", "modelward-bad-01"}
    assert desk.world.bodies[0]["uid"].startswith("uid-of-modelward")


async def test_what_cannot_be_tidied_stops_nothing(desk: Desk) -> None:
    for i in range(6):
        desk.run(f"modelward-{i:02}", status={"result": "Passed"})
    desk.world.refusals["delete"] = Forbidden(403, "Forbidden", "no")
    assert await desk.runs.schedule("retail") == 5.0
    assert desk.world.verbs("create")


async def test_a_run_of_an_endpoint_that_nobody_watches_is_an_error_and_not_passed(desk: Desk) -> None:
    about = {"name": "run-1", "namespace": "retail", "creationTimestamp": timestamp(NOW_MS)}
    run = {"apiVersion": API, "kind": "EvaluationRun", "metadata": about, "spec": {"endpoint": "nobody"}}
    desk.world.put({**run, "status": {"job": "run-1"}})
    desk.job()
    await desk.runs.reconcile("retail", "run-1")
    found = desk.status().status
    assert found.result == "Error"
    assert found.message == "nothing to evaluate: no policy asks for an evaluation of nobody"
