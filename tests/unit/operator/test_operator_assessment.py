"""What one reconcile says of the collectors: what they run, against what they would be given now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from modelward.api.llmendpoint import LLMEndpoint, LLMEndpointStatus
from modelward.desired import adoption
from modelward.desired.capture import EffectiveCapture
from modelward.desired.collector_config import config_map, generation
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.metrics.signals import Signal, SignalKey
from modelward.metrics.snapshot import Snapshot
from modelward.operator.endpoint.apply import Problem
from modelward.operator.endpoint.assess import assessed
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.scale import Scaled
from modelward.operator.endpoint.view import HubEvidence, ReconcileView
from modelward.operator.observe.observer import Observation
from modelward.reasons.accepted import AcceptedReason
from modelward.scrape.pages import ScrapeFailure
from modelward.status.endpoint import endpoint_status

NOW_MS = 1_795_480_000_000
EVIDENCE = HubEvidence(trouble="no hub is configured; evaluations need one (hub.enabled in the chart)")
INSTALLED = Installation("collector:2", "modelward:2")
METADATA = {"name": "chat", "namespace": "retail", "uid": "u", "generation": 1}
REDACTED = MonitoringPlan(EffectiveCapture("Redacted", 100_000))
CLOSED = MonitoringPlan(EffectiveCapture("MetadataOnly", 100_000))


def endpoint(mode: str = "Sidecar", **spec: Any) -> LLMEndpoint:
    backend = {"template": {"image": "llama", "port": 8080}}
    whole = {"engine": "llamacpp", "backend": backend, "collector": {"mode": mode}, **spec}
    return LLMEndpoint.model_validate({"metadata": METADATA, "spec": whole})


def pod(name: str, image: str) -> dict[str, Any]:
    ready = [{"type": "Ready", "status": "True"}]
    collector = [{"name": "modelward-collector", "ready": True, "state": {}}]
    return {
        "metadata": {"name": name, "labels": {}},
        "spec": {"initContainers": [{"name": "modelward-collector", "image": image}], "containers": []},
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": ready,
            "initContainerStatuses": collector,
        },
    }


def page(name: str, settings: str) -> Snapshot:
    return Snapshot(name, NOW_MS, "collector", counters={SignalKey(Signal.REQUESTS): 1.0}, config_generation=settings)


def look(
    pages: dict[str, str], *, asked: MonitoringPlan = REDACTED, images: tuple[str, ...] = ("collector:2",), **spec: Any
) -> ReconcileView:
    """Look at pods `a`, `b` and so on with these images, whose collectors say that they run these settings."""
    serving = endpoint(**spec)
    pods = tuple(pod("abc"[number], image) for number, image in enumerate(images))
    fronted = serving.mode == "Gateway"
    known = Gathered(
        endpoint=serving,
        raw={"metadata": METADATA},
        policies=(),
        evaluators={},
        allow_raw=False,
        workload={
            "kind": "Deployment",
            "metadata": {},
            "spec": {"selector": {}, "template": {"spec": pod("a", (*images, "")[0])["spec"]}},
            "status": {},
        },
        pods=() if fronted else pods,
        gateway={"metadata": {}, "spec": {"selector": {}}, "status": {}} if fronted else None,
        gateway_pods=pods if fronted else (),
        autoscalers=(),
    )
    seen = Observation(latest={name: page(name, settings) for name, settings in pages.items()})
    return ReconcileView(known, asked, (), (), seen, Scaled(), EVIDENCE, NOW_MS, installation=INSTALLED)


def settings(asked: MonitoringPlan, mode: str = "Sidecar") -> str:
    """Return the generation that a collector reports once it runs what this asks for."""
    port = 8080 if mode == "Sidecar" else None
    return generation(config_map(endpoint(mode), asked.capture, INSTALLED, engine_port=port))


def said(one: ReconcileView) -> tuple[str, str, str]:
    found = assessed(one).collector
    return found.status, found.reason, found.message


@pytest.mark.parametrize("mode", ["Sidecar", "Gateway"])
def test_a_tightened_capture_is_told_until_every_collector_has_it(mode: str) -> None:
    old, new = settings(REDACTED, mode), settings(CLOSED, mode)
    both = ("collector:2", "collector:2")
    status, reason, message = said(look({"a": new, "b": old}, asked=CLOSED, images=both, mode=mode))
    assert (status, reason) == ("True", "AwaitingReload")
    assert message.startswith("2 of 2 collectors ready; 1 of 2 collectors run a previous configuration; the kubelet")
    assert said(look({"a": new, "b": new}, asked=CLOSED, images=both, mode=mode))[1] == "SeesTraffic"


@pytest.mark.parametrize("mode", ["Sidecar", "Gateway"])
@pytest.mark.parametrize(("limit", "reason"), [("79Mi", "MemoryTooSmall"), ("80Mi", "SeesTraffic")])
def test_a_collectors_memory_limit_that_is_too_small_is_told(mode: str, limit: str, reason: str) -> None:
    spec = {"mode": mode, "resources": {"limits": {"memory": limit}}}
    assert said(look({"a": settings(REDACTED, mode)}, collector=spec))[1] == reason


def test_a_paused_endpoint_and_a_silent_pod_await_nothing() -> None:
    assert said(look({"a": "old"}, paused=True))[1] == "SeesTraffic"
    silent = look({"a": "old"})
    silent.seen.failures["a"] = ScrapeFailure("a", "Timeout", "no answer")
    assert said(silent)[1] == "SeesTraffic"


def test_a_newer_collector_waits_for_the_next_roll_out_and_takes_nothing_from_the_endpoint() -> None:
    now = settings(REDACTED)
    images = ("collector:1", "collector:2", "collector:1")
    waits = look(dict.fromkeys("abc", now), images=images)
    status, reason, message = said(waits)
    assert (status, reason) == ("True", "AwaitingRollout")
    assert "2 of 3 pods run a collector of another release" in message
    rolled = look(dict.fromkeys("abc", now), images=("collector:2",) * 3)
    assert said(rolled)[1] == "SeesTraffic"
    before, after = (_status(one) for one in (waits, rolled))
    assert (before.health, before.summary) == (after.health, after.summary)
    assert [one.status for one in before.conditions] == [one.status for one in after.conditions]


QUOTA = 'pods "chat-gateway-1" is forbidden: exceeded quota: none'


def refused(images: tuple[str, ...]) -> ReconcileView:
    """Look at a gateway in front of a model, more of whose pods than these a quota refuses."""
    seen = look(dict.fromkeys("abc"[: len(images)], settings(REDACTED, "Gateway")), images=images, mode="Gateway")
    conditions = [{"type": "ReplicaFailure", "status": "True", "message": QUOTA}]
    gateway = {"metadata": {}, "spec": {"selector": {}}, "status": {"conditions": conditions}}
    return replace(seen, known=replace(seen.known, gateway=gateway))


def test_what_refuses_the_pods_of_a_gateway_is_quoted() -> None:
    assert said(refused(())) == ("False", "Refused", QUOTA)
    assert said(refused(("collector:2",))) == ("True", "SeesTraffic", f"1 of 1 collectors ready; {QUOTA}")


def rehearsing(*statuses: dict[str, Any], said: str = "", **spec: Any) -> ReconcileView:
    """Look at a workload that is about to be adopted; the pod that is tried first has these container statuses."""
    adopter = endpoint(backend={"workloadRef": {"name": "vllm"}}, **spec)
    server = {"name": "server", "image": "vllm", "ports": [{"containerPort": 8000}]}
    conditions = [{"type": "ReplicaFailure", "status": "True", "message": said}] if said else []
    workload = {
        "kind": "Deployment",
        "metadata": {"name": "vllm", "uid": "w"},
        "spec": {"selector": {}, "template": {"spec": {"containers": [server]}}},
        "status": {},
    }
    pods = [{"metadata": {"name": "tried"}, "status": {"containerStatuses": list(statuses)}}] if statuses else []
    seen = look({})
    known = replace(
        seen.known,
        endpoint=adopter,
        workload=workload,
        rehearsal={"spec": {"replicas": 1}, "status": {"conditions": conditions}},
        rehearsing=tuple(pods),
    )
    return replace(seen, known=known)


THEN = "Deployment vllm takes the collector in, and rolls, when the pod of Deployment chat-rehearsal has started"
PULLING = {"name": "modelward-collector", "image": "nowhere:1", "state": {"waiting": {"reason": "ErrImagePull"}}}


def test_before_an_adoption_it_is_said_what_is_waited_for_and_what_keeps_it() -> None:
    assert said(rehearsing()) == ("False", "Rehearsing", THEN)
    assert said(rehearsing(said=QUOTA)) == ("False", "Refused", f"{QUOTA}; {THEN}")
    status, reason, message = said(rehearsing(PULLING))
    assert (status, reason) == ("False", "ImageNotPullable")
    assert message == f"container modelward-collector cannot pull nowhere:1; {THEN}"
    for one in (rehearsing(), rehearsing(said=QUOTA), rehearsing(PULLING)):
        assert assessed(one).accepted.status == "True", "the endpoint is as it was declared"


def test_nothing_is_waited_for_where_nothing_is_about_to_be_taken_in() -> None:
    done = adoption.injection_note(rehearsing().known.endpoint, rehearsing().known.workload or {})
    assert said(replace(rehearsing(), injected=done))[1] != "Rehearsing"
    assert said(rehearsing(paused=True))[1] != "Rehearsing"
    assert said(rehearsing(collector={"mode": "ScrapeOnly"}))[1] == "ScrapeOnly"


def test_what_keeps_the_pod_that_is_tried_from_being_made_is_said_of_the_collector_alone() -> None:
    problem = Problem(
        "Deployment chat-rehearsal", Finding(AcceptedReason.REFUSED, "a policy says no"), of_rehearsal=True
    )
    kept = replace(rehearsing(), problems=(problem,))
    assert said(kept) == ("False", "Refused", "a policy says no")
    assert assessed(kept).accepted.status == "True"


def _status(one: ReconcileView) -> LLMEndpointStatus:
    return endpoint_status(one.known.endpoint, assessed(one), NOW_MS)


def fronted(*, model: int = 1, gateway: int = 2, unreached: bool = False, **spec: Any) -> LLMEndpointStatus:
    """Return the status behind a gateway, with so many ready replicas of the model and of the gateway."""
    seen = look({"a": settings(REDACTED, "Gateway")}, mode="Gateway", **spec)
    seen.seen.latest["a"] = replace(seen.seen.latest["a"], unreached=unreached)
    workload = {
        **(seen.known.workload or {}),
        "spec": {**(seen.known.workload or {})["spec"], "replicas": model},
        "status": {"readyReplicas": model},
    }
    front = {"metadata": {}, "spec": {"replicas": 2, "selector": {}}, "status": {"readyReplicas": gateway}}
    return _status(replace(seen, known=replace(seen.known, workload=workload, gateway=front)))


def is_ready(status: LLMEndpointStatus) -> tuple[str, str, str]:
    found = next(one for one in status.conditions if one.type == "Ready")
    return found.status, found.reason, found.message


def test_ready_tells_whether_the_address_answers_through_the_gateway() -> None:
    assert is_ready(fronted())[:2] == ("True", "Serving")
    assert is_ready(fronted(gateway=0))[:2] == ("False", "NotReady")
    status, reason, message = is_ready(fronted(unreached=True))
    assert (status, reason) == ("False", "UpstreamRefused")
    assert "at port 8080 of its pods" in message
    assert fronted(unreached=True).health == "Unhealthy"


def test_a_service_that_bypasses_the_sidecar_is_named() -> None:
    seen = look({"a": settings(REDACTED)})
    service = {"metadata": {"name": "old"}, "spec": {"selector": {"app": "chat"}, "ports": [{"port": 8080}]}}
    workload = {**(seen.known.workload or {})}
    template = {"metadata": {"labels": {"app": "chat"}}, **workload["spec"]["template"]}
    workload["spec"] = {**workload["spec"], "template": template}
    status, reason, message = said(replace(seen, known=replace(seen.known, workload=workload, services=(service,))))
    assert (status, reason) == ("True", "ServiceBypasses")
    assert "Service old goes past the collector" in message
