"""What policies ask is derived from the store: the same for whoever asks, and no reconcile has to come first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fake_api import SETTINGS, FakeApi

from modelward.api.evaluator import Evaluator
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.monitoring_plan import merge_policies
from modelward.job.installed import catalogue
from modelward.kube.kinds import EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY, Object
from modelward.operator.cache.models import parsed
from modelward.operator.consent import RawConsent
from modelward.operator.hub.rules import HubRules
from modelward.operator.monitored import Monitored
from modelward.operator.runtime import assembly

NOW_MS = 1_795_480_000_000
API = "modelward.dev/v1alpha1"
BACKEND = {"template": {"image": "llama", "port": 8080}}
TOPIC = {"name": "topic", "evaluatorRef": {"name": "mine"}, "failAbove": "10%", "every": "15m", "over": "1h"}


def obj(kind: str, name: str, **spec: Any) -> Object:
    about = {"name": name, "namespace": "retail", "labels": {"team": "a"}}
    return {"apiVersion": API, "kind": kind, "metadata": about, "spec": spec}


@pytest.fixture
def api() -> FakeApi:
    made = FakeApi()
    made.context = replace(made.context, settings=replace(SETTINGS, hub_url="https://hub"))
    made.put(obj("LLMEndpoint", "chat", backend=BACKEND))
    capture = {"content": "Redacted"}
    made.put(obj("MonitoringPolicy", "all", endpointSelector={}, capture=capture, evaluations=[TOPIC]))
    made.put(obj("Evaluator", "mine", builtin="PII"))
    return made


def monitored(api: FakeApi) -> Monitored:
    return Monitored(api.store, RawConsent(api.context.client), catalogue())


async def test_it_is_what_the_policies_of_the_namespace_ask_and_made_anew_when_one_of_them_changes(
    api: FakeApi,
) -> None:
    found = monitored(api)

    async def asked() -> Any:
        return (await found.in_namespace("retail", NOW_MS))["chat"]

    def merged() -> Any:
        (endpoint,) = parsed(LLMEndpoint, api.store.list(LLM_ENDPOINT))
        policies = parsed(MonitoringPolicy, api.store.list(MONITORING_POLICY))
        evaluators = {one.metadata.name: one for one in parsed(Evaluator, api.store.list(EVALUATOR))}
        return merge_policies(endpoint, policies, found.catalogue.of_policies(policies, evaluators))

    first = await asked()
    assert first == merged()
    assert first.evaluations[0].evaluator is not None
    assert first.evaluations[0].evaluator.name == "PII"
    assert await asked() is first, "nothing has changed"
    for changed in (
        obj("Evaluator", "mine", builtin="Refusal"),
        obj("MonitoringPolicy", "all", endpointSelector={}),
        obj("MonitoringPolicy", "more", endpointSelector={}, capture={"content": "None"}),
        obj("MonitoringPolicy", "more", endpointSelector={"matchLabels": {"team": "a"}}),
        {**obj("LLMEndpoint", "chat", backend=BACKEND), "metadata": {"name": "chat", "namespace": "retail"}},
    ):
        before = await asked()
        api.put(changed)
        assert await asked() == merged()
        assert await asked() is not before


async def test_endpoints_that_the_same_policies_select_share_what_is_asked_of_them(api: FakeApi) -> None:
    api.put(obj("LLMEndpoint", "twin", backend=BACKEND))
    api.put(obj("MonitoringPolicy", "more", endpointSelector={"matchLabels": {"team": "a"}}))
    other = obj("LLMEndpoint", "other", backend=BACKEND)
    api.put({**other, "metadata": {**other["metadata"], "labels": {}}})
    found = await monitored(api).in_namespace("retail", NOW_MS)
    assert found["chat"] is found["twin"]
    assert [one.name for one in found["other"].applied] == ["all"]


async def test_paused_going_and_unreadable_endpoints_are_left_out(api: FakeApi) -> None:
    api.put(obj("LLMEndpoint", "paused", backend=BACKEND, paused=True))
    api.put(obj("LLMEndpoint", "odd", backend="unreadable"))
    going = obj("LLMEndpoint", "going", backend=BACKEND)
    api.put({**going, "metadata": {**going["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert (await monitored(api).in_namespace("retail", NOW_MS)).keys() == {"chat"}


async def test_a_policy_tells_what_is_wrong_before_any_endpoint_was_reconciled(api: FakeApi) -> None:
    api.put(obj("MonitoringPolicy", "closed", endpointSelector={}, capture={"content": "None"}))
    reconciler = assembly.build(api.context, lambda: NOW_MS)
    await reconciler.policies.policy("retail", "all")
    status = (api.store.get(MONITORING_POLICY, "retail", "all") or {})["status"]
    assert "policy closed lowered the content to None" in str(status["conditions"])


async def test_a_run_begins_before_any_endpoint_was_reconciled(api: FakeApi) -> None:
    window = {"from": "2026-11-24T11:00:00Z", "to": "2026-11-24T12:00:00Z"}
    api.put({**obj("EvaluationRun", "mine", endpoint="chat", **window), "status": {}})
    await assembly.build(api.context, lambda: NOW_MS).runs.reconcile("retail", "mine")
    assert ("apply", "Job", "mine") in api.writes


JUDGE = {
    "model": {"endpointRef": {"name": "judge-llm"}},
    "rubric": "Polite.",
    "labels": {"fault": ["rude"], "ok": ["polite"]},
}


def with_judge(api: FakeApi, address: str | None) -> Monitored:
    """Put a judge in place of the evaluator, and its endpoint with this address; none where that is None."""
    api.put(obj("Evaluator", "mine", judge=JUDGE))
    if address is not None:
        status = {"address": {"url": address}} if address else {}
        api.put({**obj("LLMEndpoint", "judge-llm", backend=BACKEND), "status": status})
    return monitored(api)


async def problems(found: Monitored) -> dict[str, str]:
    asked = await found.in_namespace("retail", NOW_MS)
    bound = {name: plan.evaluations[0] for name, plan in asked.items()}
    return {name: one.problem.reason if one.problem else "" for name, one in bound.items()}


async def test_a_judge_is_asked_at_the_address_of_its_endpoint_and_does_not_judge_that(api: FakeApi) -> None:
    found = with_judge(api, "http://judge-llm.retail.svc")
    assert await problems(found) == {"chat": "", "judge-llm": "JudgesItself"}
    (bound,) = (await found.in_namespace("retail", NOW_MS))["chat"].evaluations
    assert bound.evaluator is not None
    assert [(one.host, one.port) for one in bound.evaluator.pod.egress] == [("judge-llm.retail.svc", 80)]


async def test_a_judge_by_the_address_of_the_endpoint_judges_itself_too(api: FakeApi) -> None:
    external = {"external": {"url": "http://judge-llm.retail.svc/v1", "model": "m"}}
    with_judge(api, "http://judge-llm.retail.svc")
    api.put(obj("Evaluator", "mine", judge={**JUDGE, "model": external}))
    assert await problems(monitored(api)) == {"chat": "", "judge-llm": "JudgesItself"}


@pytest.mark.parametrize("address", [None, ""])
async def test_a_judge_without_an_address_cannot_be_asked_until_it_has_one(api: FakeApi, address: str | None) -> None:
    found = with_judge(api, address)
    assert (await problems(found))["chat"] == "JudgeUnavailable"
    status = {"address": {"url": "http://judge-llm.retail.svc"}}
    api.put({**obj("LLMEndpoint", "judge-llm", backend=BACKEND), "status": status})
    assert (await problems(found))["chat"] == ""


async def test_a_judge_by_reference_never_leads_text_out_of_the_cluster(api: FakeApi) -> None:
    found = with_judge(api, "http://judge-llm.retail.svc")
    outside = {"external": {"url": "https://api.example.com/v1"}}
    status = {"address": {"url": "http://judge-llm.retail.svc"}}
    api.put({**obj("LLMEndpoint", "judge-llm", backend=outside), "status": status})
    told = await problems(found)
    assert told["chat"] == "EgressNotAllowed"
    (bound,) = (await found.in_namespace("retail", 0))["chat"].evaluations
    assert bound.problem is not None
    assert "https://api.example.com/v1" in bound.problem.message
    assert "judge.model.external" in bound.problem.message


@pytest.mark.parametrize(
    ("spec", "content"),
    [
        (
            {"endpointSelector": {}, "capture": {"content": "MetadataOnly"}, "evaluations": "of another release"},
            "MetadataOnly",
        ),
        ({"endpointSelector": {}, "capture": {"content": "of another release"}}, "None"),
        ({"endpointSelector": "of another release", "capture": {"content": "MetadataOnly"}}, "MetadataOnly"),
        ({"endpointSelector": {"matchLabels": {"team": "b"}}, "capture": "of another release"}, "Redacted"),
    ],
)
async def test_a_policy_that_cannot_be_read_still_limits_what_is_kept(
    api: FakeApi, spec: dict[str, Any], content: str
) -> None:
    api.put(obj("MonitoringPolicy", "odd", **spec))
    found = await monitored(api).in_namespace("retail", NOW_MS)
    assert found["chat"].capture.content == content
    assert HubRules(api.store).now()["retail/chat"]["content"] == content
    assert [one.evaluation.name for one in found["chat"].evaluations] == ["topic"], "the other policy stands"
