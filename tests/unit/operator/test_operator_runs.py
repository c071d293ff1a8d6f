"""Runs: one in flight, judged from what came back, tidied, and never passed for want of results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_api import SETTINGS, FakeApi

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.evaluationrun import EvaluationRun, RunItem
from modelward.api.exchange import Exchange, exchange_to_json
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies
from modelward.desired.pod_additions import PodAdditions
from modelward.hub.server import Hub
from modelward.hub.settings import HubSettings
from modelward.hub_client.client import HubClient
from modelward.job.installed import catalogue
from modelward.kube.errors import ApiError, Conflict, Forbidden, Invalid
from modelward.kube.kinds import EVALUATION_RUN, LLM_ENDPOINT, Object
from modelward.operator.hub.feed import HubFeed
from modelward.operator.runs.reconcile import RunReconciler
from modelward.operator.runtime.installed import Installed

NOW_MS = 1_795_480_000_000
MINUTE_MS = 60_000
FROM_MS, TO_MS = NOW_MS - 15 * MINUTE_MS, NOW_MS
API = "modelward.dev/v1alpha1"


HUB = "https://hub:8443"
CHAT = {"backend": {"template": {"image": "llama", "port": 8080}}}


class RunRig:
    """Runs of namespace `retail`, whose endpoint `chat` is watched by one evaluation."""

    def __init__(self, hub_url: str | None = HUB) -> None:
        self.world = FakeApi()
        self.world.context = replace(self.world.context, settings=replace(SETTINGS, hub_url=hub_url))
        self.endpoint("chat")
        self.now_ms = NOW_MS
        self.feed = HubFeed(
            lambda: self.now_ms, available=True, newest_ms={"retail/chat": NOW_MS, "other/chat": NOW_MS}
        )
        self.watches = {"retail": {"chat": watched()}}
        installed = Installed(self.world.context)
        self.runs = RunReconciler(self.world.context, installed, self.feed, self.asked, lambda: self.now_ms)

    async def asked(self, namespace: str) -> Mapping[str, MonitoringPlan]:
        return dict(self.watches.get(namespace, {}))

    def endpoint(self, name: str, **spec: Any) -> Object:
        about = {"name": name, "namespace": "retail"}
        return self.world.put({"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": {**CHAT, **spec}})

    def policy(self) -> Object:
        about = {"name": "baseline", "namespace": "retail"}
        return self.world.put({"apiVersion": API, "kind": "MonitoringPolicy", "metadata": about, "spec": {}})

    def look_back(self, endpoint: str = "chat", *, hours: float = 0, **spec: Any) -> Object:
        """Let a person ask about the quarter of an hour that ended so many hours ago."""
        to_ms = NOW_MS - round(hours * 60) * MINUTE_MS
        window = {"from": timestamp(to_ms - 15 * MINUTE_MS), "to": timestamp(to_ms)}
        about = {"name": "run-1", "namespace": "retail", "creationTimestamp": timestamp(NOW_MS)}
        run = {"apiVersion": API, "kind": "EvaluationRun", "metadata": about}
        return self.world.put({**run, "spec": {"endpoint": endpoint, **window, **spec}, "status": {}})

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
        self.feed.keep([found])


def watched(content: str = "Redacted") -> MonitoringPlan:
    check = {"builtin": "OffTopicAnswered", "config": {"inScope": ["bank cards"]}}
    spec = {
        "endpointSelector": {},
        "capture": {"content": content},
        "evaluations": [{"name": "topic", "check": check, "failAbove": "10%"}],
    }
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "baseline", "namespace": "retail"}, "spec": spec})
    chat = LLMEndpoint.model_validate({"metadata": {"name": "chat", "namespace": "retail"}, "spec": CHAT})
    return merge_policies(chat, [policy], catalogue().of_policies([policy], {}))


def scored(samples: int, flagged: int, failed: int = 0) -> Counts:
    return Counts(samples, flagged, 0, failed, float(samples), float(samples), float(flagged))


@pytest.fixture
def desk() -> RunRig:
    return RunRig()


def complete(run: EvaluationRun) -> tuple[str, str]:
    (found,) = [condition for condition in run.status.conditions if condition.type == "Complete"]
    return found.status, found.reason


@pytest.mark.parametrize("env", [(), (("JUDGE", "x"),)])
async def test_what_an_evaluator_needs_stands_in_the_pod_of_the_job(
    desk: RunRig, env: tuple[tuple[str, str], ...]
) -> None:
    (bound,) = watched().evaluations
    assert bound.evaluator is not None
    judge = replace(bound, evaluator=replace(bound.evaluator, pod=PodAdditions(env=env)))
    desk.watches["retail"]["chat"] = replace(watched(), evaluations=(judge,))
    desk.run()
    await desk.runs.reconcile("retail", "run-1")
    (job,) = [body for body in desk.world.bodies if body["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": name, "value": value} for name, value in env]


async def test_what_is_due_becomes_one_run_and_no_second_while_it_is_in_flight(desk: RunRig) -> None:
    assert await desk.runs.schedule("retail") == 5.0
    assert await desk.runs.schedule("retail") == 5.0
    assert [kind for _, kind, _ in desk.world.verbs("create")] == ["EvaluationRun"]
    assert await desk.runs.schedule("nowhere") is None


async def test_a_window_stays_behind_the_present_so_that_what_just_ended_has_come(desk: RunRig) -> None:
    await desk.runs.schedule("retail")
    (made,) = desk.world.store.list(EVALUATION_RUN, "retail")
    assert timestamp_ms(made["spec"]["items"][0]["to"]) == NOW_MS - 5_000


async def test_without_a_hub_nothing_is_started(desk: RunRig) -> None:
    desk.feed.available = False
    await desk.runs.schedule("retail")
    desk.feed.available, desk.feed.newest_ms = True, {}
    await desk.runs.schedule("retail")
    assert desk.world.writes == []


async def test_nothing_is_judged_before_what_was_spooled_has_come(desk: RunRig) -> None:
    desk.feed.complete_from_ms = NOW_MS + 1
    await desk.runs.schedule("retail")
    assert desk.world.writes == []
    desk.now_ms += 1
    await desk.runs.schedule("retail")
    assert [kind for _, kind, _ in desk.world.verbs("create")] == ["EvaluationRun"]


async def test_a_tick_that_another_leader_took_is_no_error(desk: RunRig) -> None:
    desk.world.refusals["create"] = Conflict(409, "AlreadyExists", "there is one")
    assert await desk.runs.schedule("retail") == 5.0


async def test_a_run_gets_its_account_its_plan_and_its_job(desk: RunRig) -> None:
    desk.run()
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    made = [(kind, name) for _, kind, name in desk.world.verbs("apply")]
    assert made == [("ServiceAccount", "modelward-evaluate"), ("ConfigMap", "run-1"), ("Job", "run-1")]
    assert complete(desk.status()) == ("False", "Starting")
    await desk.runs.reconcile("retail", "run-1")
    assert complete(desk.status()) == ("False", "Running")
    assert desk.status().status.job == "run-1"


async def test_a_run_that_is_refused_says_why_and_is_tried_again(desk: RunRig) -> None:
    desk.run()
    desk.world.refusals["apply"] = Forbidden(403, "Forbidden", "exceeded quota: jobs")
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "Refused")
    assert "exceeded quota: jobs" in desk.status().status.message
    desk.world.refusals.clear()
    await desk.runs.reconcile("retail", "run-1")
    assert ("apply", "Job", "run-1") in desk.world.writes


async def test_a_conflict_is_tried_again_and_never_taken_for_a_job_that_is_gone(desk: RunRig) -> None:
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
async def test_a_run_is_judged_by_what_its_job_left_in_the_hub(desk: RunRig, counts: Counts, expected: str) -> None:
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
async def test_a_result_that_does_not_come_is_waited_for_and_then_an_error(desk: RunRig, ended: str) -> None:
    desk.run(status={"job": "run-1"})
    if ended != "gone":
        desk.job(ended)
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "CollectingResults")
    desk.now_ms += 31_000
    assert await desk.runs.reconcile("retail", "run-1") is None
    found = desk.status().status
    assert (found.result, found.items[0].message.split(":")[0]) == ("Error", "ResultLost")


async def test_no_result_is_lost_while_the_hub_is_away(desk: RunRig) -> None:
    desk.run(status={"job": "run-1"})
    desk.job()
    desk.feed.hub, desk.feed.available, desk.feed.problem = HubClient("http://127.0.0.1:9"), False, "refused"
    for _ in range(3):
        assert await desk.runs.reconcile("retail", "run-1") == 5.0
        assert complete(desk.status()) == ("False", "CollectingResults")
        assert desk.status().status.message.endswith("the hub does not answer: refused")
        desk.now_ms += 3_600_000
    desk.feed.available = True
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    desk.result(scored(400, 4))
    assert await desk.runs.reconcile("retail", "run-1") is None
    assert desk.status().status.result == "Passed"


async def test_what_another_run_found_in_the_same_window_is_not_its_result(desk: RunRig) -> None:
    desk.run(status={"job": "run-1"})
    desk.job("Failed")
    desk.result(scored(400, 4), run="an-earlier-one")
    await desk.runs.reconcile("retail", "run-1")
    desk.now_ms += 31_000
    await desk.runs.reconcile("retail", "run-1")
    assert desk.status().status.result == "Error"


async def test_suspending_a_run_suspends_its_job(desk: RunRig) -> None:
    run = desk.run(status={"job": "run-1"})
    desk.job("")
    desk.world.put({**run, "spec": {**run["spec"], "suspend": True}})
    await desk.runs.reconcile("retail", "run-1")
    assert desk.world.verbs("patch") == (("patch", "Job", "run-1"),)
    assert complete(desk.status()) == ("False", "Suspended")


async def test_only_the_last_few_scheduled_runs_are_kept_and_more_bad_ones_than_good(desk: RunRig) -> None:
    desk.watches.clear()
    for i in range(6):
        desk.run(f"modelward-20260101-00000{i}", status={"result": "Passed"})
        desk.run(f"mine-{i:02}", status={"result": "Passed"})
    for i in range(12):
        desk.run(f"modelward-20260102-0000{i:02}", status={"result": "Error"}, labels={})
    await desk.runs.schedule("retail")
    gone = {name for _, _, name in desk.world.verbs("delete")}
    good, bad = (
        {f"modelward-2026010{day}-00000{i}" for i in numbers} for day, numbers in ((1, range(3)), (2, range(2)))
    )
    assert gone == good | bad, "a run is told by its name, as its results are, whatever labels it has"
    assert desk.world.bodies[0]["uid"].startswith("uid-of-modelward")
    assert desk.world.bodies[0]["resource_version"].isdigit(), "what was changed since is looked at again"


async def test_what_cannot_be_tidied_stops_nothing(desk: RunRig) -> None:
    for i in range(6):
        desk.run(f"modelward-20260101-00000{i}", status={"result": "Passed"})
    desk.world.refusals["delete"] = Forbidden(403, "Forbidden", "no")
    assert await desk.runs.schedule("retail") == 5.0
    assert desk.world.verbs("create")


async def ended(desk: RunRig) -> EvaluationRun:
    """Reconcile until the run is over, half a minute at a time."""
    for _ in range(10):
        if await desk.runs.reconcile("retail", "run-1") is None:
            return desk.status()
        desk.now_ms += 30_000
    raise AssertionError(f"goes on: {desk.status().status}")


REFUSALS = {
    "no hub": ("HubUnavailable", "no hub is configured; evaluations need one (hub.enabled in the chart)"),
    "no endpoint": ("EndpointNotFound", "there is no LLMEndpoint chat in this namespace"),
    "paused": ("EndpointPaused", "spec.paused of LLMEndpoint chat is true: nothing new is started"),
    "unreadable": ("EndpointNotRead", "LLMEndpoint chat was not looked at; its condition Accepted may say why"),
    "nobody watches": ("NothingToEvaluate", "no policy asks for an evaluation of chat"),
    "no text": ("NoCapture", "OffTopicAnswered needs capture.content Redacted; the policy has MetadataOnly"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_run_that_would_run_for_nothing_starts_no_pod_and_says_why(case: str) -> None:
    desk = RunRig(hub_url=None if case == "no hub" else HUB)
    desk.look_back()
    if case == "no endpoint":
        desk.world.store.remove(LLM_ENDPOINT, desk.endpoint("chat"))
    if case in ("no endpoint", "paused", "unreadable"):
        desk.watches["retail"].clear()
    if case == "paused":
        desk.endpoint("chat", paused=True)
    if case in ("nobody watches", "no text"):
        desk.watches["retail"]["chat"] = watched("MetadataOnly") if case == "no text" else MonitoringPlan()
    run = await ended(desk)
    reason, message = REFUSALS[case]
    assert (run.status.result, run.status.message, complete(run)) == ("Error", message, ("True", reason))
    assert desk.world.verbs("apply") == ()


async def test_a_scheduled_run_tells_of_each_item_why_it_has_no_result(desk: RunRig) -> None:
    mine = desk.run()
    one, gone = mine["spec"]["items"][0], {"endpoint": "gone"}
    desk.world.put({**mine, "spec": {"items": [one, {**one, **gone}, {**one, "evaluation": "other"}]}})
    await desk.runs.reconcile("retail", "run-1")
    assert desk.world.verbs("apply"), "what can be evaluated is"
    desk.job()
    desk.result(scored(400, 4))
    found = (await ended(desk)).status
    assert [item.result for item in found.items] == ["Passed", "Error", "Error"]
    assert [item.message.partition(":")[0] for item in found.items[1:]] == ["EndpointNotFound", "NothingToEvaluate"]


async def test_a_run_that_comes_before_its_endpoint_waits_a_minute_for_it(desk: RunRig) -> None:
    desk.world.store.remove(LLM_ENDPOINT, desk.endpoint("chat"))
    asked = desk.watches["retail"].pop("chat")
    desk.look_back()
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "EndpointNotFound")
    desk.endpoint("chat")
    desk.now_ms += 30_000
    await desk.runs.reconcile("retail", "run-1")
    assert complete(desk.status()) == ("False", "EndpointNotRead")
    desk.watches["retail"]["chat"] = asked
    await desk.runs.reconcile("retail", "run-1")
    assert ("apply", "Job", "run-1") in desk.world.writes


async def test_a_held_run_that_would_run_for_nothing_is_held_and_not_ended(desk: RunRig) -> None:
    desk.watches["retail"]["chat"] = MonitoringPlan()
    desk.look_back(suspend=True)
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "Suspended")
    assert desk.world.verbs("apply") == ()


async def test_after_a_restart_a_run_is_not_judged_before_its_endpoint_was_looked_at(desk: RunRig) -> None:
    asked = desk.watches["retail"].pop("chat")
    desk.run(status={"job": "run-1"})
    desk.job()
    desk.result(scored(400, 4))
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "CollectingResults")
    desk.watches["retail"]["chat"] = asked
    await desk.runs.reconcile("retail", "run-1")
    assert desk.status().status.result == "Passed"


async def test_a_policy_that_goes_while_its_run_goes_on_is_no_reason_to_fail_it(desk: RunRig) -> None:
    desk.watches["retail"]["chat"] = MonitoringPlan()
    desk.run(status={"job": "run-1"})
    desk.job()
    desk.result(scored(400, 4))
    found = (await ended(desk)).status
    assert (found.result, found.items[0].message.partition(":")[0]) == ("Error", "NothingToEvaluate")


@pytest.mark.parametrize("hours", [0, 3, 30])
async def test_a_look_back_finds_its_result_however_long_ago_its_window_ended(
    desk: RunRig, tmp_path: Path, hours: float
) -> None:
    settings = HubSettings(
        store_url=f"file://{tmp_path}", listen="127.0.0.1:0", health_listen="127.0.0.1:0", auth=False
    )
    async with (
        Hub(settings, clock_ms=lambda: NOW_MS).running() as hub,
        HubClient(f"http://127.0.0.1:{hub.ports[0]}", timeout_s=2.0) as client,
    ):
        desk.feed.hub = client
        await desk.feed.refresh()
        desk.look_back(hours=hours)
        await desk.runs.reconcile("retail", "run-1")
        desk.job()
        to_ms = NOW_MS - round(hours * 3_600_000)
        facts = EvaluatorFacts("OffTopicAnswered", "1")
        window = ("retail", "chat", "baseline", "topic", to_ms - 15 * MINUTE_MS, to_ms)
        await client.put_result(WindowResult(*window, "run-1", facts, {"r1": scored(400, 4)}))
        await desk.runs.reconcile("retail", "run-1")
        await desk.feed.refresh()
        assert await desk.runs.reconcile("retail", "run-1") is None
        assert desk.status().status.result == "Passed"
        assert desk.feed.past.of("retail", "run-1", "chat") == (), "nothing is kept of what has ended"


async def test_a_refusal_to_suspend_is_in_the_status(desk: RunRig) -> None:
    run = desk.run(status={"job": "run-1"})
    desk.job("")
    desk.world.put({**run, "spec": {**run["spec"], "suspend": True}})
    desk.world.refusals["patch"] = Forbidden(403, "Forbidden", "jobs are frozen")
    assert await desk.runs.reconcile("retail", "run-1") == 5.0
    assert complete(desk.status()) == ("False", "Refused")
    assert desk.status().status.message == "Job run-1: jobs are frozen"


async def test_what_a_run_lacks_and_cannot_get_back_is_in_the_status(desk: RunRig) -> None:
    desk.run(status={"job": "run-1"})
    desk.job("")
    desk.world.refusals["apply"] = Forbidden(403, "Forbidden", "exceeded quota: configmaps")
    await desk.runs.reconcile("retail", "run-1")
    assert complete(desk.status()) == ("False", "Refused")
    assert "exceeded quota: configmaps" in desk.status().status.message


@pytest.mark.parametrize("error", [Forbidden(403, "Forbidden", "exceeded quota: runs"), Invalid(422, "Invalid", "no")])
async def test_a_run_that_may_not_be_made_is_told_to_its_policy(desk: RunRig, error: ApiError) -> None:
    desk.policy()
    desk.world.refusals["create"] = error
    assert await desk.runs.schedule("retail") == 60.0
    assert desk.world.verbs("event") == (("event", "RunRefused", "baseline"),)
    assert desk.world.bodies[-1] == f"no EvaluationRun can be made, and so nothing is evaluated: {error.message}"
    desk.world.refusals.clear()
    assert await desk.runs.schedule("retail") == 5.0
    assert desk.world.verbs("create")


async def test_a_run_whose_image_does_not_come_says_so_and_again_when_its_time_is_over(desk: RunRig) -> None:
    desk.run(status={"job": "run-1"})
    desk.job("")
    about = {"name": "run-1-x7", "namespace": "retail", "labels": {"modelward.dev/run": "run-1"}}
    waiting = {"reason": "ErrImagePull", "message": "no such host"}
    container = {"name": "evaluate", "image": "mirror/modelward:9", "state": {"waiting": waiting}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": about, "status": {"containerStatuses": [container]}}
    desk.world.put(pod)
    await desk.runs.reconcile("retail", "run-1")
    says = "pod run-1-x7: container evaluate cannot pull mirror/modelward:9: no such host"
    assert (complete(desk.status()), desk.status().status.message) == (("False", "ImageNotPullable"), says)
    desk.job("Failed")
    assert says in (await ended(desk)).status.items[0].message


def exchanged(at_ms: int) -> Exchange:
    return Exchange(f"e{at_ms}", at_ms, "retail/chat", "m", "r1", "chat", 200, "ok", "MetadataOnly")


async def test_a_window_that_lacks_what_came_late_is_judged_once_more_and_counts_once(tmp_path: Path) -> None:
    desk, first_ms = RunRig(), NOW_MS - 14 * MINUTE_MS
    settings = HubSettings(
        store_url=f"file://{tmp_path}", listen="127.0.0.1:0", health_listen="127.0.0.1:0", auth=False
    )
    async with (
        Hub(settings, clock_ms=lambda: desk.now_ms).running() as running,
        HubClient(f"http://127.0.0.1:{running.ports[0]}") as client,
    ):
        desk.feed.hub, desk.now_ms = client, first_ms + 1_000

        async def exchanges(*times_ms: int) -> None:
            lines = [exchange_to_json(exchanged(at_ms)) for at_ms in times_ms]
            await client.post_exchanges(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

        async def scheduled() -> list[Object]:
            await desk.feed.refresh()
            await desk.runs.schedule("retail")
            made = desk.world.store.list(EVALUATION_RUN, "retail")
            return sorted(made, key=lambda run: str(run["metadata"]["name"]))

        async def judge(run: Object) -> RunItem:
            """Do what the run's Job does, with one sample for each exchange of the window; then let the run end."""
            asked = RunItem.model_validate(run["spec"]["items"][-1])
            from_ms, to_ms = timestamp_ms(asked.from_), timestamp_ms(asked.to)
            there = len(await client.window("retail", "chat", from_ms, to_ms, 100))
            facts, key = EvaluatorFacts("OffTopicAnswered", "1"), ("retail", "chat", "baseline", "topic")
            name = run["metadata"]["name"]
            await client.put_result(WindowResult(*key, from_ms, to_ms, name, facts, {"r1": scored(there, 0)}))
            desk.world.put({**run, "status": {"result": "Passed"}})
            await desk.feed.refresh()
            return asked

        await exchanges(first_ms)
        desk.now_ms += 60_000
        (run,) = await scheduled()
        window = await judge(run)
        desk.now_ms += 60_000
        await exchanges(first_ms + 1_000, first_ms + 2_000)
        assert await scheduled() == [desk.world.store.get(EVALUATION_RUN, "retail", run["metadata"]["name"])]
        desk.now_ms += 15_000
        _, second = await scheduled()
        assert await judge(second) == window
        found = desk.feed.of(("retail", "chat", "baseline", "topic"))
        assert [one.revisions["r1"].samples for one in found] == [3]
        desk.now_ms += 60_000
        assert len(await scheduled()) == 2, "and no third time"


SCHEDULED = "modelward-20261124-120000"
LARGE = 200_000


@pytest.mark.parametrize("error", [Forbidden(403, "Forbidden", "exceeded quota: jobs"), Invalid(422, "Invalid", "no")])
async def test_a_scheduled_run_that_is_refused_is_tried_ever_less_often_and_then_makes_way(
    desk: RunRig, error: ApiError
) -> None:
    desk.run(SCHEDULED)
    desk.world.refusals["apply"] = error
    pauses = []
    while (pause := await desk.runs.reconcile("retail", SCHEDULED)) is not None:
        assert await desk.runs.schedule("retail") == 5.0
        assert not desk.world.verbs("create"), "one in flight"
        pauses.append(pause)
        desk.now_ms += round(pause * 1_000)
    assert pauses == sorted(pauses)
    assert len(pauses) <= 20
    assert pauses[-1] > 60
    status = desk.status(SCHEDULED).status
    assert (status.result, complete(desk.status(SCHEDULED))[1]) == ("Error", "Refused")
    assert error.message in status.message
    desk.now_ms += 30 * MINUTE_MS
    desk.feed.newest_ms = {"retail/chat": desk.now_ms}
    desk.world.refusals.clear()
    await desk.runs.schedule("retail")
    assert desk.world.verbs("create"), "what is due later is not kept waiting"


async def test_a_run_of_a_person_that_is_refused_waits_for_them_and_costs_one_try_in_five_minutes(desk: RunRig) -> None:
    desk.run("mine")
    desk.world.refusals["apply"] = Forbidden(403, "Forbidden", "exceeded quota: jobs")
    pause = 0.0
    for _ in range(40):
        pause = await desk.runs.reconcile("retail", "mine") or 0.0
        desk.now_ms += round(pause * 1_000)
    assert pause == 300.0
    desk.world.refusals.clear()
    assert await desk.runs.reconcile("retail", "mine") == 5.0
    assert complete(desk.status("mine")) == ("False", "Starting")


async def test_a_namespace_with_countless_runs_has_each_of_them_looked_at_less_often(desk: RunRig) -> None:
    for i in range(200):
        desk.run(f"mine-{i}")
        pause = await desk.runs.reconcile("retail", f"mine-{i}")
    assert pause == 50.0


def many(number: int, size: int) -> MonitoringPlan:
    """Return what is asked of an endpoint by so many evaluations, each with a config of its own of so many bytes."""
    found = watched().evaluations[0]
    assert found.evaluator is not None
    evaluations = tuple(
        replace(
            found,
            evaluation=found.evaluation.model_copy(update={"name": f"e{i}"}),
            evaluator=replace(found.evaluator, config={"text": f"{i}" + "x" * size}),
        )
        for i in range(number)
    )
    return replace(watched(), evaluations=evaluations)


async def test_what_is_due_is_split_where_one_plan_has_no_room_for_it(desk: RunRig) -> None:
    desk.watches["retail"]["chat"] = many(10, LARGE)
    taken: list[str] = []
    for number in range(3):
        desk.now_ms += number * MINUTE_MS
        desk.feed.newest_ms = {"retail/chat": desk.now_ms}
        await desk.runs.schedule("retail")
        made = desk.world.bodies[-1]
        items = [item["evaluation"] for item in made["spec"]["items"]]
        taken += items
        assert 0 < len(items) < 10
        await desk.runs.reconcile("retail", made["metadata"]["name"])
        plans = [body for body in desk.world.bodies if isinstance(body, dict) and body.get("kind") == "ConfigMap"]
        text = plans[-1]["data"]["plan.json"]
        assert len(text) < 1_000_000
        assert len(json.loads(text)["items"]) == len(items), "nothing of a run is missing in its plan"
        desk.world.put({**made, "status": {"result": "Passed"}})
    assert sorted(taken) == [f"e{i}" for i in range(10)]


async def test_a_look_back_that_is_too_large_for_one_plan_says_which_items_it_left_out(desk: RunRig) -> None:
    desk.watches["retail"]["chat"] = many(6, LARGE)
    desk.look_back()
    desk.world.put(desk.world.store.get(EVALUATION_RUN, "retail", "run-1") or {})
    await desk.runs.reconcile("retail", "run-1")
    desk.world.put({**(desk.world.store.get(EVALUATION_RUN, "retail", "run-1") or {}), "status": {"job": "run-1"}})
    desk.job()
    run = await ended(desk)
    messages = {item.evaluation: item.message.partition(":")[0] for item in run.status.items}
    assert messages == {f"e{i}": "ResultLost" if i < 4 else "PlanTooLarge" for i in range(6)}
