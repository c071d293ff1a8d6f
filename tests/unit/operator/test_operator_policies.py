"""What only reports: a stored object that this version cannot read says so itself, and what is in force is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fake_api import FakeApi

from modelward.api.evaluation import AskedModel, Counts, EvaluatorFacts, WindowResult
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.scope import ScopeFacts
from modelward.desired.monitoring_plan import merge_policies
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.hub_client.client import Stored
from modelward.job.installed import catalogue
from modelward.kube.kinds import EVALUATION_RUN, EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY, Kind, Object
from modelward.operator.endpoint.status_writer import StatusWriter
from modelward.operator.hub.feed import HubFeed
from modelward.operator.hub.result_memory import ResultMemory
from modelward.operator.policies import PolicyReconciler
from modelward.operator.runs.read import read_run

NOW_MS = 1_795_480_000_000
API = "modelward.dev/v1alpha1"
REDACTED = {"endpointSelector": {}, "capture": {"content": "Redacted"}}


class Bench:
    """Namespace `retail` with policies, evaluators and endpoints."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.watches: dict[str, dict[str, Any]] = {"retail": {}}
        self.stored: dict[str, Stored] = {}
        self.reconciler = PolicyReconciler(
            self.api.context, EvaluatorCatalogue({}), self.asked, lambda: NOW_MS, self.stored.get
        )

    async def asked(self, namespace: str) -> dict[str, Any]:
        return self.watches.get(namespace, {})

    def put(self, kind: str, name: str, spec: Any, **more: Any) -> Object:
        about = {"name": name, "namespace": "retail", "generation": 3}
        return self.api.put({"apiVersion": API, "kind": kind, "metadata": about, "spec": spec, **more})

    def status(self, kind: Kind, name: str) -> dict[str, Any]:
        found = self.api.store.get(kind, "retail", name)
        assert found is not None
        status: dict[str, Any] = found.get("status", {})
        return status

    def told(self, kind: Kind, name: str) -> tuple[str, str, str, str]:
        condition = self.status(kind, name)["conditions"][0]
        return condition["type"], condition["status"], condition["reason"], condition.get("message", "")


async def test_a_policy_that_cannot_be_read_names_the_field_and_the_next_step_and_others_stand() -> None:
    bench = Bench()
    bad = {
        "endpointSelector": {},
        "objectives": [{"name": "a", "metric": "ErrorRate", "maxRate": "1%", "over": "5 min"}],
    }
    bench.put("MonitoringPolicy", "bad", bad)
    bench.put("MonitoringPolicy", "good", REDACTED)
    assert await bench.reconciler.policy("retail", "bad") is None
    await bench.reconciler.policy("retail", "good")
    type_, status, reason, message = bench.told(MONITORING_POLICY, "bad")
    assert (type_, status, reason) == ("Accepted", "False", "InvalidSpec")
    assert message.startswith(
        'spec.objectives[0].over: "5 min" is not a duration; write whole numbers with h, m, s or ms'
    )
    assert "nothing of the policy is in force" in message
    assert "`modelward doctor`" in message
    assert bench.status(MONITORING_POLICY, "bad")["observedGeneration"] == 3
    assert bench.told(MONITORING_POLICY, "good")[1:3] == ("True", "Valid")


async def test_what_cannot_be_read_is_told_once_and_taken_back_when_it_can() -> None:
    bench = Bench()
    bench.put("MonitoringPolicy", "p", {"capture": {}})
    for _ in range(3):
        await bench.reconciler.policy("retail", "p")
    assert len(bench.api.verbs("status")) == 1
    assert ("event", "NotAccepted", "p") in bench.api.writes
    bench.put("MonitoringPolicy", "p", REDACTED, status=bench.status(MONITORING_POLICY, "p"))
    await bench.reconciler.policy("retail", "p")
    assert bench.told(MONITORING_POLICY, "p")[1:3] == ("True", "Valid")


async def test_an_evaluator_that_cannot_be_read_says_so() -> None:
    bench = Bench()
    bench.put("Evaluator", "scope", {"config": {}})
    await bench.reconciler.evaluator("retail", "scope")
    type_, status, reason, message = bench.told(EVALUATOR, "scope")
    assert (type_, status, reason) == ("Accepted", "False", "InvalidSpec")
    assert message.startswith(
        "spec: set exactly one of builtin, judge, container, webhook and imported; this version cannot read it, and no"
    )


@pytest.mark.parametrize("ended", [False, True])
async def test_a_run_that_cannot_be_read_says_so_unless_it_has_ended(ended: bool) -> None:
    bench = Bench()
    before = {"result": "Passed"} if ended else {}
    raw = bench.put("EvaluationRun", "look", {"endpoint": "Not A Name"}, status=before)
    assert await read_run(raw, StatusWriter(bench.api.context), NOW_MS) is None
    if ended:
        assert bench.status(EVALUATION_RUN, "look") == before
        return
    type_, status, reason, message = bench.told(EVALUATION_RUN, "look")
    assert (type_, status, reason) == ("Complete", "False", "InvalidSpec")
    assert message.startswith('spec.endpoint: "Not A Name" is not a name; write a-z')


async def test_the_status_of_a_policy_shows_what_is_captured_in_fact() -> None:
    bench = Bench()
    asked = {"endpointSelector": {}, "capture": {"content": "Full", "maxBody": "999999Mi", "sample": "5%"}}
    policy = MonitoringPolicy.model_validate(bench.put("MonitoringPolicy", "p", asked))
    template = {"template": {"image": "llama", "port": 8080}}
    for name, mode in (("seen", "Sidecar"), ("scraped", "ScrapeOnly"), ("new", "Sidecar")):
        raw = bench.put("LLMEndpoint", name, {"backend": template, "collector": {"mode": mode}})
        if name != "new":
            plan = merge_policies(LLMEndpoint.model_validate(raw), [policy], {})
            bench.watches["retail"][name] = plan
    await bench.reconciler.policy("retail", "p")
    assert bench.status(MONITORING_POLICY, "p")["capture"] == {
        "content": "None to Redacted",
        "sample": "0% to 5%",
        "keepFor": "168h",
        "maxBody": "16Mi",
    }
    (scraped,) = [one for one in bench.api.store.list(LLM_ENDPOINT) if one["metadata"]["name"] == "scraped"]
    bench.api.store.remove(LLM_ENDPOINT, scraped)
    await bench.reconciler.policy("retail", "p")
    assert bench.status(MONITORING_POLICY, "p")["capture"]["content"] == "Redacted"


async def test_a_namespace_whose_results_were_dropped_for_its_share_tells_its_policies() -> None:
    bench = Bench()
    bench.put("MonitoringPolicy", "p", REDACTED)
    bench.stored["retail"] = Stored("retail", 1, 2, full=False, results_cut_ms=NOW_MS)
    await bench.reconciler.policy("retail", "p")
    conditions = {one["type"]: one for one in bench.status(MONITORING_POLICY, "p")["conditions"]}
    assert conditions["SamplesKept"]["reason"] == "ResultsDropped"
    assert "ended until 2026-11-24T" in conditions["SamplesKept"]["message"]
    del bench.stored["retail"]
    await bench.reconciler.policy("retail", "p")
    conditions = {one["type"]: one for one in bench.status(MONITORING_POLICY, "p")["conditions"]}
    assert conditions["SamplesKept"]["reason"] == "WithinShare"


def test_results_that_were_dropped_here_or_at_the_hub_count_while_a_verdict_would_rest_on_them() -> None:
    now_ms = [NOW_MS]
    facts = EvaluatorFacts("PII", "1")
    memory = ResultMemory(max_bytes=2_000)
    memory.keep(WindowResult("greedy", "chat", "p", "e", at - 1, at, "run", facts) for at in range(NOW_MS - 20, NOW_MS))
    memory.drop_surplus()
    feed = HubFeed(lambda: now_ms[0], _results=memory)
    greedy = feed.stored_of("greedy")
    assert greedy is not None
    assert NOW_MS - 20 <= greedy.results_cut_ms < NOW_MS
    assert feed.stored_of("quiet") is None
    feed.stored = {"quiet": Stored("quiet", 1, 2, full=False, results_cut_ms=NOW_MS - 5)}
    assert feed.stored_of("quiet") == feed.stored["quiet"]
    now_ms[0] += 27 * 3_600_000
    assert feed.stored_of("quiet") == replace(feed.stored["quiet"], results_cut_ms=0)
    assert feed.stored_of("greedy") is None


async def test_a_policy_says_whether_its_scopes_hold_their_own_questions() -> None:
    bench, facts = Bench(), dict[str, ScopeFacts]()
    asked: list[tuple[str, str]] = []

    def known(namespace: str, key: str) -> ScopeFacts | None:
        asked.append((namespace, key))
        return facts.get(key)

    bench.reconciler = PolicyReconciler(bench.api.context, catalogue(), bench.asked, lambda: NOW_MS, scope_facts=known)
    scope = {"inScope": ["bank cards"]}
    times = {"failAbove": "50%", "every": "15m", "over": "1h"}
    checks = [
        {"name": name, "check": {"builtin": builtin, "config": config}, **times}
        for name, builtin, config in (
            ("off", "OffTopicAnswered", scope), ("refused", "OnTopicRefused", scope), ("pii", "PII", {}),
        )
    ]  # fmt: skip
    bench.put("MonitoringPolicy", "banking", {**REDACTED, "evaluations": checks})
    bench.put("MonitoringPolicy", "plain", REDACTED)

    async def told(name: str) -> dict[str, tuple[str, str]]:
        await bench.reconciler.policy("retail", name)
        conditions = bench.status(MONITORING_POLICY, name)["conditions"]
        return {one["type"]: (one["status"], one.get("message", "")) for one in conditions}

    assert (await told("banking"))["ScopeChecked"] == ("Unknown", "the first run of off, refused checks the scope")
    ((_, key),) = set(asked)
    facts[key] = ScopeFacts(0.1, 0, (), 3, 0, (), 158, None, None)
    status, message = (await told("banking"))["ScopeChecked"]
    assert (status, message.partition(";")[0]) == ("True", "3 of 3 in-scope questions stay in")
    facts[key] = replace(facts[key], templates_out=2, lines_out=(0,))
    status, message = (await told("banking"))["ScopeChecked"]
    assert status == "False"
    assert message.startswith("off, refused: 2 of 3 in-scope questions fall out (inScope[0]); ")
    assert "ScopeChecked" not in await told("plain")


async def test_an_evaluator_that_asks_says_whether_its_judge_answers() -> None:
    bench = Bench()
    asked = AskedModel("m", "Word", ("ChatLabel",))
    facts = EvaluatorFacts("brand", "judge/1+3f9a01cc")
    windows = (WindowResult("retail", "bot", "p", "e", 0, 1, "run", facts, {"r1": Counts(samples=3)}, asked=asked),)
    bench.reconciler = PolicyReconciler(
        bench.api.context, catalogue(), bench.asked, lambda: NOW_MS, windows=lambda _: {("bot", "p", "e"): windows}
    )
    judge = {
        "model": {"endpointRef": {"name": "judge-llm"}}, "rubric": "Polite.",
        "labels": {"fault": ["rude"], "ok": ["polite"]},
    }  # fmt: skip
    bench.put("Evaluator", "brand", {"judge": judge})
    assert await bench.reconciler.evaluator("retail", "brand") == 60.0
    conditions = {one["type"]: (one["status"], one["reason"]) for one in bench.status(EVALUATOR, "brand")["conditions"]}
    assert conditions == {"Accepted": ("True", "Valid"), "Reachable": ("False", "JudgeUnavailable")}
    status = {"address": {"url": "http://judge-llm.retail.svc"}}
    bench.put("LLMEndpoint", "judge-llm", {"backend": {"template": {"image": "llama", "port": 8080}}}, status=status)
    await bench.reconciler.evaluator("retail", "brand")
    told = bench.status(EVALUATOR, "brand")
    conditions = {one["type"]: (one["status"], one["reason"]) for one in told["conditions"]}
    assert conditions["Reachable"] == ("True", "JudgeAnswers")
    assert told["version"] == "judge/1+3f9a01cc"
    assert told["asked"] == {"model": "m", "readout": "Word", "leftOut": ["ChatLabel"]}
