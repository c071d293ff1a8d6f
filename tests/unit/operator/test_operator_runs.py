"""Runs: one in flight, judged from what came back, tidied, and never passed for lack of results."""

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
from modelward.api.evaluator import Evaluator
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
        self.api = FakeApi()
        self.api.context = replace(self.api.context, settings=replace(SETTINGS, hub_url=hub_url, reader_accounts=False))
        self.endpoint("chat")
        self.now_ms = NOW_MS
        self.feed = HubFeed(
            lambda: self.now_ms, available=True, newest_ms={"retail/chat": NOW_MS, "other/chat": NOW_MS}
        )
        self.watches = {"retail": {"chat": watched()}}
        installed = Installed(self.api.context)
        self.runs = RunReconciler(self.api.context, installed, self.feed, self.asked, lambda: self.now_ms)

    async def asked(self, namespace: str) -> Mapping[str, MonitoringPlan]:
        return dict(self.watches.get(namespace, {}))

    def endpoint(self, name: str, **spec: Any) -> Object:
        about = {"name": name, "namespace": "retail"}
        return self.api.put({"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": {**CHAT, **spec}})

    def policy(self) -> Object:
        about = {"name": "baseline", "namespace": "retail"}
        return self.api.put({"apiVersion": API, "kind": "MonitoringPolicy", "metadata": about, "spec": {}})

    def look_back(self, endpoint: str = "chat", *, hours: float = 0, **spec: Any) -> Object:
        """Let a person ask about the quarter of an hour that ended so many hours ago."""
        to_ms = NOW_MS - round(hours * 60) * MINUTE_MS
        window = {"from": timestamp(to_ms - 15 * MINUTE_MS), "to": timestamp(to_ms)}
        about = {"name": "run-1", "namespace": "retail", "creationTimestamp": timestamp(NOW_MS)}
        run = {"apiVersion": API, "kind": "EvaluationRun", "metadata": about}
        return self.api.put({**run, "spec": {"endpoint": endpoint, **window, **spec}, "status": {}})

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
        return self.api.put({**body, "status": status or {}})

    def status(self, name: str = "run-1") -> EvaluationRun:
        return EvaluationRun.model_validate(self.api.store.get(EVALUATION_RUN, "retail", name))

    def job(self, condition: str = "Complete", suspend: bool = False) -> None:
        conditions = [{"type": condition, "status": "True"}] if condition else []
        labels = {"modelward.dev/run": "run-1"}
        about = {"name": "run-1", "namespace": "retail", "labels": labels,
                 "ownerReferences": [{"uid": "uid-of-run-1"}]}  # fmt: skip
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": about, "spec": {"suspend": suspend}}
        self.api.put({**job, "status": {"conditions": conditions}})

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
def rig() -> RunRig:
    return RunRig()


def complete(run: EvaluationRun) -> tuple[str, str]:
    (found,) = [condition for condition in run.status.conditions if condition.type == "Complete"]
    return found.status, found.reason


@pytest.mark.parametrize("env", [(), (("JUDGE", "x"),)])
async def test_what_an_evaluator_needs_stands_in_the_pod_of_the_job(
    rig: RunRig, env: tuple[tuple[str, str], ...]
) -> None:
    (bound,) = watched().evaluations
    assert bound.evaluator is not None
    judge = replace(bound, evaluator=replace(bound.evaluator, pod=PodAdditions(env=env)))
    rig.watches["retail"]["chat"] = replace(watched(), evaluations=(judge,))
    rig.run()
    await rig.runs.reconcile("retail", "run-1")
    (job,) = [body for body in rig.api.bodies if body["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": name, "value": value} for name, value in env]


async def test_what_is_due_becomes_one_run_and_no_second_while_it_is_in_flight(rig: RunRig) -> None:
    assert await rig.runs.schedule("retail") == 5.0
    assert await rig.runs.schedule("retail") == 5.0
    assert [kind for _, kind, _ in rig.api.verbs("create")] == ["EvaluationRun"]
    assert await rig.runs.schedule("nowhere") is None


async def test_a_window_stays_behind_the_present_so_that_what_just_ended_has_come(rig: RunRig) -> None:
    await rig.runs.schedule("retail")
    (made,) = rig.api.store.list(EVALUATION_RUN, "retail")
    assert timestamp_ms(made["spec"]["items"][0]["to"]) == NOW_MS - 5_000


async def test_without_a_hub_nothing_is_started(rig: RunRig) -> None:
    rig.feed.available = False
    await rig.runs.schedule("retail")
    rig.feed.available, rig.feed.newest_ms = True, {}
    await rig.runs.schedule("retail")
    assert rig.api.writes == []


async def test_nothing_is_judged_before_what_was_spooled_has_come(rig: RunRig) -> None:
    rig.feed.complete_from_ms = NOW_MS + 1
    await rig.runs.schedule("retail")
    assert rig.api.writes == []
    rig.now_ms += 1
    await rig.runs.schedule("retail")
    assert [kind for _, kind, _ in rig.api.verbs("create")] == ["EvaluationRun"]


async def test_a_tick_that_another_leader_took_is_no_error(rig: RunRig) -> None:
    rig.api.refusals["create"] = Conflict(409, "AlreadyExists", "there is one")
    assert await rig.runs.schedule("retail") == 5.0


async def test_a_run_gets_its_account_its_plan_and_its_job(rig: RunRig) -> None:
    rig.run()
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    made = [(kind, name) for _, kind, name in rig.api.verbs("apply")]
    assert made == [("ServiceAccount", "modelward-evaluate"), ("ConfigMap", "run-1"), ("Job", "run-1")]
    assert complete(rig.status()) == ("False", "Starting")
    await rig.runs.reconcile("retail", "run-1")
    assert complete(rig.status()) == ("False", "Running")
    assert rig.status().status.job == "run-1"


async def test_a_run_that_is_refused_says_why_and_is_tried_again(rig: RunRig) -> None:
    rig.run()
    rig.api.refusals["apply"] = Forbidden(403, "Forbidden", "exceeded quota: jobs")
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    assert complete(rig.status()) == ("False", "Refused")
    assert "exceeded quota: jobs" in rig.status().status.message
    rig.api.refusals.clear()
    await rig.runs.reconcile("retail", "run-1")
    assert ("apply", "Job", "run-1") in rig.api.writes


async def test_a_conflict_is_tried_again_and_never_taken_for_a_job_that_is_gone(rig: RunRig) -> None:
    rig.run()
    rig.api.refusals["apply"] = Conflict(409, "Conflict", "changed meanwhile")
    with pytest.raises(Conflict):
        await rig.runs.reconcile("retail", "run-1")
    rig.api.refusals.clear()
    await rig.runs.reconcile("retail", "run-1")
    assert complete(rig.status()) == ("False", "Starting")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (scored(400, 4), "Passed"),
        (scored(400, 200), "Failed"),
        (scored(3, 0), "Inconclusive"),
        (scored(0, 0, 9), "Error"),
    ],
)
async def test_a_run_is_judged_by_what_its_job_left_in_the_hub(rig: RunRig, counts: Counts, expected: str) -> None:
    rig.run(status={"job": "run-1"})
    rig.job()
    rig.result(counts)
    assert await rig.runs.reconcile("retail", "run-1") is None
    found = rig.status().status
    assert (found.result, found.samples, complete(rig.status())) == (expected, counts.samples, ("True", "Finished"))
    writes = len(rig.api.writes)
    assert await rig.runs.reconcile("retail", "run-1") is None
    assert len(rig.api.writes) == writes


@pytest.mark.parametrize("ended", ["Complete", "Failed", "gone"])
async def test_a_result_that_does_not_come_is_waited_for_and_then_an_error(rig: RunRig, ended: str) -> None:
    rig.run(status={"job": "run-1"})
    if ended != "gone":
        rig.job(ended)
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    assert complete(rig.status()) == ("False", "CollectingResults")
    rig.now_ms += 31_000
    assert await rig.runs.reconcile("retail", "run-1") is None
    found = rig.status().status
    assert (found.result, found.items[0].message.split(":")[0]) == ("Error", "ResultLost")


async def test_no_result_is_lost_while_the_hub_is_away(rig: RunRig) -> None:
    rig.run(status={"job": "run-1"})
    rig.job()
    rig.feed.hub, rig.feed.available, rig.feed.problem = HubClient("http://127.0.0.1:9"), False, "refused"
    for _ in range(3):
        assert await rig.runs.reconcile("retail", "run-1") == 5.0
        assert complete(rig.status()) == ("False", "CollectingResults")
        assert rig.status().status.message.endswith("the hub does not answer: refused")
        rig.now_ms += 3_600_000
    rig.feed.available = True
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    rig.result(scored(400, 4))
    assert await rig.runs.reconcile("retail", "run-1") is None
    assert rig.status().status.result == "Passed"


async def test_what_another_run_found_in_the_same_window_is_not_its_result(rig: RunRig) -> None:
    rig.run(status={"job": "run-1"})
    rig.job("Failed")
    rig.result(scored(400, 4), run="an-earlier-one")
    await rig.runs.reconcile("retail", "run-1")
    rig.now_ms += 31_000
    await rig.runs.reconcile("retail", "run-1")
    assert rig.status().status.result == "Error"


async def test_suspending_a_run_suspends_its_job(rig: RunRig) -> None:
    run = rig.run(status={"job": "run-1"})
    rig.job("")
    rig.api.put({**run, "spec": {**run["spec"], "suspend": True}})
    await rig.runs.reconcile("retail", "run-1")
    assert rig.api.verbs("patch") == (("patch", "Job", "run-1"),)
    assert complete(rig.status()) == ("False", "Suspended")


async def test_only_the_last_few_scheduled_runs_are_kept_and_more_bad_ones_than_good(rig: RunRig) -> None:
    rig.watches.clear()
    for i in range(6):
        rig.run(f"modelward-20260101-00000{i}", status={"result": "Passed"})
        rig.run(f"mine-{i:02}", status={"result": "Passed"})
    for i in range(12):
        rig.run(f"modelward-20260102-0000{i:02}", status={"result": "Error"}, labels={})
    await rig.runs.schedule("retail")
    gone = {name for _, _, name in rig.api.verbs("delete")}
    good, bad = (
        {f"modelward-2026010{day}-00000{i}" for i in numbers} for day, numbers in ((1, range(3)), (2, range(2)))
    )
    assert gone == good | bad, "a run is told by its name, as its results are, whatever labels it has"
    assert rig.api.bodies[0]["uid"].startswith("uid-of-modelward")
    assert rig.api.bodies[0]["resource_version"].isdigit(), "what was changed since is looked at again"


async def test_what_cannot_be_tidied_stops_nothing(rig: RunRig) -> None:
    for i in range(6):
        rig.run(f"modelward-20260101-00000{i}", status={"result": "Passed"})
    rig.api.refusals["delete"] = Forbidden(403, "Forbidden", "no")
    assert await rig.runs.schedule("retail") == 5.0
    assert rig.api.verbs("create")


async def ended(rig: RunRig) -> EvaluationRun:
    """Reconcile until the run is over, half a minute at a time."""
    for _ in range(10):
        if await rig.runs.reconcile("retail", "run-1") is None:
            return rig.status()
        rig.now_ms += 30_000
    raise AssertionError(f"goes on: {rig.status().status}")


REFUSALS = {
    "no hub": ("HubUnavailable", "no hub is configured; evaluations need one (hub.enabled in the chart)"),
    "no endpoint": ("EndpointNotFound", "there is no LLMEndpoint chat in this namespace"),
    "paused": ("EndpointPaused", "spec.paused of LLMEndpoint chat is true: nothing new is started"),
    "unreadable": ("EndpointNotRead", "LLMEndpoint chat could not be read; its condition Accepted may say why"),
    "nobody watches": ("NothingToEvaluate", "no policy asks for an evaluation of chat"),
    "no text": ("NoCapture", "OffTopicAnswered needs capture.content Redacted; the policy has MetadataOnly"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_run_that_would_run_for_nothing_starts_no_pod_and_says_why(case: str) -> None:
    rig = RunRig(hub_url=None if case == "no hub" else HUB)
    rig.look_back()
    if case == "no endpoint":
        rig.api.store.remove(LLM_ENDPOINT, rig.endpoint("chat"))
    if case in ("no endpoint", "paused", "unreadable"):
        rig.watches["retail"].clear()
    if case == "paused":
        rig.endpoint("chat", paused=True)
    if case in ("nobody watches", "no text"):
        rig.watches["retail"]["chat"] = watched("MetadataOnly") if case == "no text" else MonitoringPlan()
    run = await ended(rig)
    reason, message = REFUSALS[case]
    assert (run.status.result, run.status.message, complete(run)) == ("Error", message, ("True", reason))
    assert rig.api.verbs("apply") == ()


async def test_a_scheduled_run_tells_of_each_item_why_it_has_no_result(rig: RunRig) -> None:
    mine = rig.run()
    one, gone = mine["spec"]["items"][0], {"endpoint": "gone"}
    rig.api.put({**mine, "spec": {"items": [one, {**one, **gone}, {**one, "evaluation": "other"}]}})
    await rig.runs.reconcile("retail", "run-1")
    assert rig.api.verbs("apply"), "what can be evaluated is"
    rig.job()
    rig.result(scored(400, 4))
    found = (await ended(rig)).status
    assert [item.result for item in found.items] == ["Passed", "Error", "Error"]
    assert [item.message.partition(":")[0] for item in found.items[1:]] == ["EndpointNotFound", "NothingToEvaluate"]


async def test_a_run_that_comes_before_its_endpoint_waits_a_minute_for_it(rig: RunRig) -> None:
    rig.api.store.remove(LLM_ENDPOINT, rig.endpoint("chat"))
    asked = rig.watches["retail"].pop("chat")
    rig.look_back()
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    assert complete(rig.status()) == ("False", "EndpointNotFound")
    rig.endpoint("chat")
    rig.now_ms += 30_000
    await rig.runs.reconcile("retail", "run-1")
    assert complete(rig.status()) == ("False", "EndpointNotRead")
    rig.watches["retail"]["chat"] = asked
    await rig.runs.reconcile("retail", "run-1")
    assert ("apply", "Job", "run-1") in rig.api.writes


async def test_a_held_run_that_would_run_for_nothing_is_held_and_not_ended(rig: RunRig) -> None:
    rig.watches["retail"]["chat"] = MonitoringPlan()
    rig.look_back(suspend=True)
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    assert complete(rig.status()) == ("False", "Suspended")
    assert rig.api.verbs("apply") == ()


async def test_after_a_restart_a_run_is_not_judged_before_its_endpoint_was_looked_at(rig: RunRig) -> None:
    asked = rig.watches["retail"].pop("chat")
    rig.run(status={"job": "run-1"})
    rig.job()
    rig.result(scored(400, 4))
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    assert complete(rig.status()) == ("False", "CollectingResults")
    rig.watches["retail"]["chat"] = asked
    await rig.runs.reconcile("retail", "run-1")
    assert rig.status().status.result == "Passed"


async def test_a_policy_that_goes_while_its_run_goes_on_is_no_reason_to_fail_it(rig: RunRig) -> None:
    rig.watches["retail"]["chat"] = MonitoringPlan()
    rig.run(status={"job": "run-1"})
    rig.job()
    rig.result(scored(400, 4))
    found = (await ended(rig)).status
    assert (found.result, found.items[0].message.partition(":")[0]) == ("Error", "NothingToEvaluate")


@pytest.mark.parametrize("hours", [0, 3, 30])
async def test_a_look_back_finds_its_result_however_long_ago_its_window_ended(
    rig: RunRig, tmp_path: Path, hours: float
) -> None:
    settings = HubSettings(
        store_url=f"file://{tmp_path}", listen="127.0.0.1:0", health_listen="127.0.0.1:0", auth=False
    )
    async with (
        Hub(settings, clock_ms=lambda: NOW_MS).running() as hub,
        HubClient(f"http://127.0.0.1:{hub.ports[0]}", timeout_s=2.0) as client,
    ):
        rig.feed.hub = client
        await rig.feed.refresh()
        rig.look_back(hours=hours)
        await rig.runs.reconcile("retail", "run-1")
        rig.job()
        to_ms = NOW_MS - round(hours * 3_600_000)
        facts = EvaluatorFacts("OffTopicAnswered", "1")
        window = ("retail", "chat", "baseline", "topic", to_ms - 15 * MINUTE_MS, to_ms)
        await client.put_result(WindowResult(*window, "run-1", facts, {"r1": scored(400, 4)}))
        await rig.runs.reconcile("retail", "run-1")
        await rig.feed.refresh()
        assert await rig.runs.reconcile("retail", "run-1") is None
        assert rig.status().status.result == "Passed"
        assert rig.feed.past.of("retail", "run-1", "chat") == (), "nothing is kept of what has ended"


async def test_a_refusal_to_suspend_is_in_the_status(rig: RunRig) -> None:
    run = rig.run(status={"job": "run-1"})
    rig.job("")
    rig.api.put({**run, "spec": {**run["spec"], "suspend": True}})
    rig.api.refusals["patch"] = Forbidden(403, "Forbidden", "jobs are frozen")
    assert await rig.runs.reconcile("retail", "run-1") == 5.0
    assert complete(rig.status()) == ("False", "Refused")
    assert rig.status().status.message == "Job run-1: jobs are frozen"


async def test_what_a_run_lacks_and_cannot_get_back_is_in_the_status(rig: RunRig) -> None:
    rig.run(status={"job": "run-1"})
    rig.job("")
    rig.api.refusals["apply"] = Forbidden(403, "Forbidden", "exceeded quota: configmaps")
    await rig.runs.reconcile("retail", "run-1")
    assert complete(rig.status()) == ("False", "Refused")
    assert "exceeded quota: configmaps" in rig.status().status.message


@pytest.mark.parametrize("error", [Forbidden(403, "Forbidden", "exceeded quota: runs"), Invalid(422, "Invalid", "no")])
async def test_a_run_that_may_not_be_made_is_told_to_its_policy(rig: RunRig, error: ApiError) -> None:
    rig.policy()
    rig.api.refusals["create"] = error
    assert await rig.runs.schedule("retail") == 60.0
    assert rig.api.verbs("event") == (("event", "RunRefused", "baseline"),)
    assert rig.api.bodies[-1] == f"no EvaluationRun can be made, and so nothing is evaluated: {error.message}"
    rig.api.refusals.clear()
    assert await rig.runs.schedule("retail") == 5.0
    assert rig.api.verbs("create")


async def test_a_run_whose_image_does_not_come_says_so_and_again_when_its_time_is_over(rig: RunRig) -> None:
    rig.run(status={"job": "run-1"})
    rig.job("")
    about = {"name": "run-1-x7", "namespace": "retail", "labels": {"modelward.dev/run": "run-1"}}
    waiting = {"reason": "ErrImagePull", "message": "no such host"}
    container = {"name": "evaluate", "image": "mirror/modelward:9", "state": {"waiting": waiting}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": about, "status": {"containerStatuses": [container]}}
    rig.api.put(pod)
    await rig.runs.reconcile("retail", "run-1")
    says = "pod run-1-x7: container evaluate cannot pull mirror/modelward:9: no such host"
    assert (complete(rig.status()), rig.status().status.message) == (("False", "ImageNotPullable"), says)
    rig.job("Failed")
    assert says in (await ended(rig)).status.items[0].message


def exchanged(at_ms: int) -> Exchange:
    return Exchange(f"e{at_ms}", at_ms, "retail/chat", "m", "r1", "chat", 200, "ok", "MetadataOnly")


async def test_a_window_that_lacks_what_came_late_is_judged_once_more_and_counts_once(tmp_path: Path) -> None:
    rig, first_ms = RunRig(), NOW_MS - 14 * MINUTE_MS
    settings = HubSettings(
        store_url=f"file://{tmp_path}", listen="127.0.0.1:0", health_listen="127.0.0.1:0", auth=False
    )
    async with (
        Hub(settings, clock_ms=lambda: rig.now_ms).running() as running,
        HubClient(f"http://127.0.0.1:{running.ports[0]}") as client,
    ):
        rig.feed.hub, rig.now_ms = client, first_ms + 1_000

        async def exchanges(*times_ms: int) -> None:
            lines = [exchange_to_json(exchanged(at_ms)) for at_ms in times_ms]
            await client.post_exchanges(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

        async def scheduled() -> list[Object]:
            await rig.feed.refresh()
            await rig.runs.schedule("retail")
            made = rig.api.store.list(EVALUATION_RUN, "retail")
            return sorted(made, key=lambda run: str(run["metadata"]["name"]))

        async def judge(run: Object) -> RunItem:
            """Do what the run's Job does, with one sample for each exchange of the window; then let the run end."""
            asked = RunItem.model_validate(run["spec"]["items"][-1])
            from_ms, to_ms = timestamp_ms(asked.from_), timestamp_ms(asked.to)
            there = len(await client.window("retail", "chat", from_ms, to_ms, 100))
            facts, key = EvaluatorFacts("OffTopicAnswered", "1"), ("retail", "chat", "baseline", "topic")
            name = run["metadata"]["name"]
            await client.put_result(WindowResult(*key, from_ms, to_ms, name, facts, {"r1": scored(there, 0)}))
            rig.api.put({**run, "status": {"result": "Passed"}})
            await rig.feed.refresh()
            return asked

        await exchanges(first_ms)
        rig.now_ms += 60_000
        (run,) = await scheduled()
        window = await judge(run)
        rig.now_ms += 60_000
        await exchanges(first_ms + 1_000, first_ms + 2_000)
        assert await scheduled() == [rig.api.store.get(EVALUATION_RUN, "retail", run["metadata"]["name"])]
        rig.now_ms += 15_000
        _, second = await scheduled()
        assert await judge(second) == window
        found = rig.feed.of(("retail", "chat", "baseline", "topic"))
        assert [one.revisions["r1"].samples for one in found] == [3]
        rig.now_ms += 60_000
        assert len(await scheduled()) == 2, "and no third time"


SCHEDULED = "modelward-20261124-120000"
LARGE = 200_000


@pytest.mark.parametrize("error", [Forbidden(403, "Forbidden", "exceeded quota: jobs"), Invalid(422, "Invalid", "no")])
async def test_a_scheduled_run_that_is_refused_is_tried_ever_less_often_and_then_makes_way(
    rig: RunRig, error: ApiError
) -> None:
    rig.run(SCHEDULED)
    rig.api.refusals["apply"] = error
    pauses = []
    while (pause := await rig.runs.reconcile("retail", SCHEDULED)) is not None:
        assert await rig.runs.schedule("retail") == 5.0
        assert not rig.api.verbs("create"), "one in flight"
        pauses.append(pause)
        rig.now_ms += round(pause * 1_000)
    assert pauses == sorted(pauses)
    assert len(pauses) <= 20
    assert pauses[-1] > 60
    status = rig.status(SCHEDULED).status
    assert (status.result, complete(rig.status(SCHEDULED))[1]) == ("Error", "Refused")
    assert error.message in status.message
    rig.now_ms += 30 * MINUTE_MS
    rig.feed.newest_ms = {"retail/chat": rig.now_ms}
    rig.api.refusals.clear()
    await rig.runs.schedule("retail")
    assert rig.api.verbs("create"), "what is due later is not kept waiting"


async def test_a_run_of_a_person_that_is_refused_waits_for_them_and_costs_one_try_in_five_minutes(rig: RunRig) -> None:
    rig.run("mine")
    rig.api.refusals["apply"] = Forbidden(403, "Forbidden", "exceeded quota: jobs")
    pause = 0.0
    for _ in range(40):
        pause = await rig.runs.reconcile("retail", "mine") or 0.0
        rig.now_ms += round(pause * 1_000)
    assert pause == 300.0
    rig.api.refusals.clear()
    assert await rig.runs.reconcile("retail", "mine") == 5.0
    assert complete(rig.status("mine")) == ("False", "Starting")


async def test_a_namespace_with_countless_runs_has_each_of_them_looked_at_less_often(rig: RunRig) -> None:
    for i in range(200):
        rig.run(f"mine-{i}")
        pause = await rig.runs.reconcile("retail", f"mine-{i}")
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


async def test_what_is_due_is_split_where_one_plan_has_no_room_for_it(rig: RunRig) -> None:
    rig.watches["retail"]["chat"] = many(10, LARGE)
    taken: list[str] = []
    for number in range(3):
        rig.now_ms += number * MINUTE_MS
        rig.feed.newest_ms = {"retail/chat": rig.now_ms}
        await rig.runs.schedule("retail")
        made = rig.api.bodies[-1]
        items = [item["evaluation"] for item in made["spec"]["items"]]
        taken += items
        assert 0 < len(items) < 10
        await rig.runs.reconcile("retail", made["metadata"]["name"])
        plans = [body for body in rig.api.bodies if isinstance(body, dict) and body.get("kind") == "ConfigMap"]
        text = plans[-1]["data"]["plan.json"]
        assert len(text) < 1_000_000
        assert len(json.loads(text)["items"]) == len(items), "nothing of a run is missing in its plan"
        rig.api.put({**made, "status": {"result": "Passed"}})
    assert sorted(taken) == [f"e{i}" for i in range(10)]


async def test_a_look_back_that_is_too_large_for_one_plan_says_which_items_it_left_out(rig: RunRig) -> None:
    rig.watches["retail"]["chat"] = many(6, LARGE)
    rig.look_back()
    rig.api.put(rig.api.store.get(EVALUATION_RUN, "retail", "run-1") or {})
    await rig.runs.reconcile("retail", "run-1")
    rig.api.put({**(rig.api.store.get(EVALUATION_RUN, "retail", "run-1") or {}), "status": {"job": "run-1"}})
    rig.job()
    run = await ended(rig)
    messages = {item.evaluation: item.message.partition(":")[0] for item in run.status.items}
    assert messages == {f"e{i}": "ResultLost" if i < 4 else "PlanTooLarge" for i in range(6)}


def by_container(*images: str) -> MonitoringPlan:
    """A policy that asks for a built-in, and for a container of each image."""
    specs = {f"e{number}": {"container": {"image": image}} for number, image in enumerate(images)}
    evaluators = {
        name: Evaluator.model_validate({"metadata": {"name": name, "namespace": "retail"}, "spec": spec})
        for name, spec in specs.items()
    }
    topic = {"name": "topic", "check": {"builtin": "PII"}, "failAbove": "10%"}
    asked = [topic, *({"name": name, "evaluatorRef": {"name": name}, "failAbove": "10%"} for name in specs)]
    spec = {"endpointSelector": {}, "capture": {"content": "Redacted"}, "evaluations": asked}
    policy = MonitoringPolicy.model_validate({"metadata": {"name": "baseline", "namespace": "retail"}, "spec": spec})
    chat = LLMEndpoint.model_validate({"metadata": {"name": "chat", "namespace": "retail"}, "spec": CHAT})
    return merge_policies(chat, [policy], catalogue().of_policies([policy], evaluators))


async def test_a_container_that_holds_up_its_run_holds_up_no_other_evaluation(rig: RunRig) -> None:
    rig.watches["retail"]["chat"] = by_container("brand:1")
    await rig.runs.schedule("retail")
    made = rig.api.store.list(EVALUATION_RUN, "retail")
    items = {run["metadata"]["name"]: [item["evaluation"] for item in run["spec"]["items"]] for run in made}
    (apart,) = [name for name in items if name.count("-") == 3]
    assert sorted(items.values()) == [["e0"], ["topic"]]
    await rig.runs.schedule("retail")
    assert len(rig.api.store.list(EVALUATION_RUN, "retail")) == 2, "both are in flight"
    (plain,) = [run for run in made if run["metadata"]["name"] != apart]
    rig.api.put({**plain, "status": {"result": "Passed"}})
    rig.now_ms += 60 * MINUTE_MS
    rig.feed.newest_ms = {"retail/chat": rig.now_ms}
    await rig.runs.schedule("retail")
    new = [run for run in rig.api.store.list(EVALUATION_RUN, "retail") if run["metadata"]["name"] not in items]
    assert [[item["evaluation"] for item in run["spec"]["items"]] for run in new] == [["topic"]]


async def test_traffic_that_came_while_a_container_was_busy_is_judged_by_it_too(rig: RunRig) -> None:
    def exchanges(held: int) -> None:
        rig.feed.arrivals.take({"retail/chat": held}, rig.now_ms)
        rig.feed.newest_ms = {"retail/chat": rig.now_ms}
        rig.now_ms += 10_000

    def end(run: Object) -> None:
        to = max(item["to"] for item in run["spec"]["items"])
        rig.api.put({**run, "status": {"result": "Passed"}})
        for item in run["spec"]["items"]:
            facts, window = EvaluatorFacts(item["evaluation"], "1"), (timestamp_ms(item["from"]), timestamp_ms(to))
            found = {"r1": scored(0, 0)}
            name = run["metadata"]["name"]
            rig.feed.keep([WindowResult("retail", "chat", "baseline", item["evaluation"], *window, name, facts, found)])

    def in_flight() -> dict[str, Object]:
        made = rig.api.store.list(EVALUATION_RUN, "retail")
        unfinished = [run for run in made if "result" not in run.get("status", {})]
        return {run["spec"]["items"][0]["evaluation"]: run for run in unfinished}

    rig.watches["retail"]["chat"] = by_container("brand:1")
    exchanges(1)
    await rig.runs.schedule("retail")
    end(in_flight()["topic"])
    rig.now_ms += 20 * MINUTE_MS
    exchanges(1_000)
    await rig.runs.schedule("retail")
    end(in_flight()["topic"])
    end(in_flight()["e0"])
    await rig.runs.schedule("retail")
    assert list(in_flight()) == ["e0"], "it has judged none of the 1,000"
    end(in_flight()["e0"])
    rig.now_ms += 20 * MINUTE_MS
    exchanges(1_001)
    await rig.runs.schedule("retail")
    assert in_flight() == {}, "one more is too little for a verdict"


async def begun(rig: RunRig, *, isolates: bool) -> None:
    settings = replace(SETTINGS, hub_url=HUB, isolate_containers=isolates)
    rig.runs.installed = Installed(replace(rig.api.context, settings=settings))
    rig.watches["retail"]["chat"] = by_container("brand:1")
    mine = rig.run()
    (item,) = mine["spec"]["items"]
    rig.api.put({**mine, "spec": {"items": [{**item, "evaluation": "e0"}]}})
    await rig.runs.reconcile("retail", "run-1")


@pytest.mark.parametrize("isolates", [False, True])
async def test_a_run_with_a_container_is_isolated_where_that_was_asked_for(rig: RunRig, isolates: bool) -> None:
    await begun(rig, isolates=isolates)
    made = [kind for _, kind, _ in rig.api.verbs("apply")]
    assert made == [*(["NetworkPolicy"] if isolates else []), "ServiceAccount", "ConfigMap", "Job"]
    if isolates:
        (policy,) = [body for body in rig.api.bodies if body and body.get("kind") == "NetworkPolicy"]
        (job,) = [body for body in rig.api.bodies if body and body.get("kind") == "Job"]
        selected, labels = policy["spec"]["podSelector"]["matchLabels"], job["spec"]["template"]["metadata"]["labels"]
        assert selected.items() <= labels.items()
        assert selected["modelward.dev/run"] == "run-1", "and no pod of another run"
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert policy["metadata"]["ownerReferences"][0]["kind"] == "EvaluationRun"


async def test_no_container_runs_without_the_isolation_that_was_asked_for(rig: RunRig) -> None:
    rig.api.refusals["apply"] = Forbidden(403, "Forbidden", "networkpolicies is forbidden")
    await begun(rig, isolates=True)
    assert rig.api.verbs("apply") == ()
    assert complete(rig.status()) == ("False", "Refused")
    assert "networkpolicies is forbidden" in rig.status().status.message


async def test_a_container_that_died_is_named_in_the_run_and_in_its_item(rig: RunRig) -> None:
    rig.watches["retail"]["chat"] = by_container("brand:1")
    mine = rig.run(status={"job": "run-1"})
    (item,) = mine["spec"]["items"]
    rig.api.put({**mine, "spec": {"items": [{**item, "evaluation": "e0"}]}, "status": {"job": "run-1"}})
    rig.job()
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    beside = {"name": "evaluator-1", "lastState": killed, "state": {"running": {}}, "ready": True}
    about = {"name": "p", "namespace": "retail", "labels": {"modelward.dev/run": "run-1"}}
    rig.api.put({"apiVersion": "v1", "kind": "Pod", "metadata": about, "status": {"initContainerStatuses": [beside]}})
    facts = EvaluatorFacts("e0", "1")
    found = WindowResult("retail", "chat", "baseline", "e0", FROM_MS, TO_MS, "run-1", facts, {"r1": scored(83, 0, 37)})
    rig.feed.keep([found])
    await rig.runs.reconcile("retail", "run-1")
    (told,) = rig.status().status.items
    assert (told.result, told.cause) == ("Error", "OOMKilled")
    assert "37 of 120" in told.message
    assert told.message.endswith("; OOMKilled")
