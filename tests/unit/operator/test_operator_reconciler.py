"""Which work a change wakes, and which pages are read for it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from fake_api import FakeApi

from modelward.kube.errors import NamespaceEnding
from modelward.kube.kinds import Object, kind_of
from modelward.operator.consent import RawConsent
from modelward.operator.endpoint.gather import Gatherer
from modelward.operator.endpoint.gathered import Gathered, selector_text
from modelward.operator.observe import targets
from modelward.operator.runtime import assembly
from modelward.operator.runtime.dispatch import Dispatcher
from modelward.operator.runtime.work_queue import WorkKey

API = "modelward.dev/v1alpha1"


def obj(kind: str, name: str, api: str = API, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    metadata = {"name": name, "namespace": "retail", "uid": f"uid-of-{name}", "labels": labels or {}}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


WATCHED = obj("LLMEndpoint", "watched", backend={"workloadRef": {"name": "my-vllm"}})
OURS = obj("LLMEndpoint", "ours", backend={"template": {"image": "llama", "port": 8080}})
POLICY = obj("MonitoringPolicy", "baseline", endpointSelector={})


@pytest.fixture
def api() -> FakeApi:
    made = FakeApi()
    for each in (WATCHED, OURS, POLICY):
        made.put(each)
    return made


@pytest.mark.parametrize(
    ("changed", "woken"),
    [
        (OURS, {"endpoint/ours", "schedule/", "policy/baseline"}),
        (POLICY, {"policy/baseline", "endpoint/ours", "endpoint/watched"}),
        (
            obj("Evaluator", "topic", builtin="PII"),
            {"evaluator/topic", "policy/baseline", "endpoint/ours", "endpoint/watched"},
        ),
        (obj("EvaluationRun", "run-1"), {"run/run-1", "schedule/"}),
        (obj("Deployment", "my-vllm", "apps/v1"), {"endpoint/watched"}),
        (obj("StatefulSet", "my-vllm", "apps/v1"), set()),
        (obj("Deployment", "any", "apps/v1", {"modelward.dev/endpoint": "ours"}), {"endpoint/ours"}),
        (obj("Deployment", "any", "apps/v1", {"modelward.dev/adopted-by": "gone"}), {"adopted/Deployment/any"}),
        (obj("Job", "job-1", "batch/v1", {"modelward.dev/run": "run-1"}), {"run/run-1"}),
        (obj("Service", "s", "v1", {"modelward.dev/endpoint": "ours"}), {"endpoint/ours"}),
        (obj("ConfigMap", "c", "v1"), set()),
        (obj("AlertSilence", "s", until="2027-01-01T00:00:00Z"), {"alerts/", "endpoint/ours", "endpoint/watched"}),
        (obj("Job", "tell", "batch/v1", {"modelward.dev/notify": "tell"}), {"alerts/"}),
        (obj("Pod", "tell-x", "v1", {"modelward.dev/notify": "tell"}), {"alerts/"}),
    ],
)
def test_a_change_wakes_everything_that_depends_on_it(api: FakeApi, changed: Object, woken: set[str]) -> None:
    found = assembly.build(api.context).keys_for(kind_of(changed), changed)
    assert {f"{key.work}/{key.name}" for key in found} == woken
    assert {key.namespace for key in found} <= {"retail"}


async def test_every_kind_of_work_is_done_for_things_that_are_gone_too(api: FakeApi) -> None:
    reconciler: Dispatcher = assembly.build(api.context)
    for work in ("endpoint", "policy", "evaluator", "run", "adopted", "alerts"):
        assert await reconciler.reconcile(WorkKey(cast(Any, work), "retail", "Deployment/none")) is None
    assert api.writes == []
    with pytest.raises(ValueError, match="no work is called nonsense"):
        await reconciler.reconcile(WorkKey(cast(Any, "nonsense"), "retail", "x"))


async def test_what_is_in_a_namespace_that_goes_is_left_alone_until_it_is_gone(api: FakeApi) -> None:
    reconciler: Dispatcher = assembly.build(api.context)
    api.refusals["apply"] = NamespaceEnding(403, "Forbidden", "namespace retail is being terminated")
    assert await reconciler.reconcile(WorkKey("endpoint", "retail", "ours")) is None
    assert api.verbs("apply", "status", "event") == (), "no status, no Event: they would be refused as well"
    api.refusals.clear()
    assert await reconciler.reconcile(WorkKey("endpoint", "retail", "ours")) is not None
    assert ("apply", "Deployment", "ours") in api.writes


async def test_policies_and_evaluators_say_whether_they_can_be_used(api: FakeApi) -> None:
    reconciler: Dispatcher = assembly.build(api.context)
    config = {"inScope": ["bank cards"]}
    api.put(obj("Evaluator", "good", builtin="OffTopicAnswered", config=config))
    api.put(obj("Evaluator", "typo", builtin="Nope"))
    api.put(obj("Evaluator", "wrong", builtin="OffTopicAnswered", config={"inScope": 7}))
    found = {}
    for name in ("good", "typo", "wrong"):
        await reconciler.reconcile(WorkKey(cast(Any, "evaluator"), "retail", name))
        status = api.bodies[len(api.bodies) - 1 - [w[0] for w in reversed(api.writes)].index("status")]["status"]
        found[name] = (status["conditions"][0]["reason"], status.get("measured", "").partition(" ")[0])
    assert found == {"good": ("Valid", "TPR"), "typo": ("UnknownEvaluator", ""), "wrong": ("InvalidConfig", "TPR")}
    assert await reconciler.reconcile(WorkKey(cast(Any, "policy"), "retail", "baseline")) == 60.0


def pod(name: str, sidecar: bool = False, ip: str = "10.0.0.1") -> Object:
    inits = [{"name": "modelward-collector"}] if sidecar else []
    labels = {"modelward.dev/endpoint": "ours", "modelward.dev/component": "model"}
    metadata = {"name": name, "namespace": "retail", "labels": labels}
    status = {"phase": "Running", "podIP": ip}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"initContainers": inits},
        "status": status,
    }


async def known(api: FakeApi, endpoint: Object) -> Gathered:
    api.put(endpoint)
    found = await Gatherer(api.context, RawConsent(api.context.client)).gather(
        "retail", endpoint["metadata"]["name"], 1
    )
    assert found is not None
    return found


async def test_collectors_are_read_where_there_are_some_and_else_the_engines(api: FakeApi) -> None:
    for each in (pod("a", sidecar=True), pod("b"), pod("c", sidecar=True, ip="fd00::1")):
        api.put(each)
    sidecar = await known(api, OURS)
    assert [target.url for target in targets.of(sidecar)] == [
        "http://10.0.0.1:18081/metrics", "http://[fd00::1]:18081/metrics",
    ]  # fmt: skip
    bare = await known(api, {**OURS, "spec": {**OURS["spec"], "collector": {"mode": "ScrapeOnly"}}})
    assert [(target.pod, target.source) for target in targets.of(bare)] == [
        ("a", "engine"),
        ("b", "engine"),
        ("c", "engine"),
    ]
    assert targets.of(bare)[0].url == "http://10.0.0.1:8080/metrics"
    silent = {**OURS["spec"], "engine": "ollama", "collector": {"mode": "ScrapeOnly"}}
    assert targets.of(await known(api, {**OURS, "spec": silent})) == ()
    assert targets.of(await known(api, WATCHED)) == ()


async def test_clients_are_led_to_our_service_and_nowhere_where_there_is_none(api: FakeApi) -> None:
    assert targets.url((await known(api, OURS)).endpoint) == "http://ours.retail.svc"
    assert targets.url((await known(api, WATCHED)).endpoint) is None
    named = {**OURS, "spec": {**OURS["spec"], "service": {"name": "front", "port": 8000}}}
    assert targets.url((await known(api, named)).endpoint) == "http://front.retail.svc:8000"


def test_a_selector_is_written_as_the_api_server_reads_it() -> None:
    expressions = [
        {"key": "a", "operator": "In", "values": ["x", "y"]},
        {"key": "b", "operator": "NotIn", "values": ["z"]},
        {"key": "c", "operator": "Exists"},
        {"key": "d", "operator": "DoesNotExist"},
    ]
    found = selector_text({"matchLabels": {"n": "1", "m": "2"}, "matchExpressions": expressions})
    assert found == "m=2,n=1,a in (x,y),b notin (z),c,!d"
