"""Before a file is applied: which pods of model servers would restart, and why."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.cli.preflight.dry_run import merged, patch_of
from modelward.cli.preflight.effect import Effect, Subject, effect_of, exit_code
from modelward.cli.preflight.effect_page import document, headline, page
from modelward.cli.preflight.monitoring import policy_effect
from modelward.cli.preflight.trial import Trial
from modelward.cli.preflight.written import changed_fields
from modelward.desired import adoption, model_workload, names
from modelward.desired.children import Child
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.job.installed import catalogue
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.endpoint.plan import plan
from modelward.reasons.accepted import AcceptedReason

INSTALLATION = Installation("collector:1", "modelward:1")
SHORT: dict[str, Any] = {"image": "llama:1", "port": 8080, "args": ["--a"]}
REFERENCE: dict[str, Any] = {"backend": {"workloadRef": {"name": "mine"}}}


def endpoint(uid: str = "u", **spec: Any) -> LLMEndpoint:
    body = {"backend": {"template": SHORT}, **spec}
    about = {"name": "chat", "namespace": "retail", "uid": uid, "labels": {"team": "a"}}
    return LLMEndpoint.model_validate({"metadata": about, "spec": body})


def run_by_us(of: LLMEndpoint, replicas: int = 6) -> dict[str, Any]:
    """Return the Deployment as it stands once the endpoint was reconciled."""
    made = model_workload.first(of, INSTALLATION, replicas)
    return {**made, "metadata": {**made["metadata"], "uid": "w"}}


def users(kind: str = "Deployment", replicas: int = 2, **spec: Any) -> dict[str, Any]:
    container = {"name": "server", "image": "vllm", "ports": [{"containerPort": 8000}]}
    template = {"metadata": {"labels": {"app": "v"}}, "spec": {"containers": [container]}}
    about = {"name": "mine", "namespace": "retail", "uid": "w"}
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": "v"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": about, "spec": body}


def adopted(by: LLMEndpoint) -> dict[str, Any]:
    workload = users()
    made = adoption.injection(by, workload, INSTALLATION)
    assert not isinstance(made, Finding)
    about = {**workload["metadata"], **made["metadata"]}
    pod = {**workload["spec"]["template"]["spec"], **made["spec"]["template"]["spec"]}
    template = {**workload["spec"]["template"], "spec": pod}
    return {**workload, "metadata": about, "spec": {**workload["spec"], "template": template}}


def effect(before: LLMEndpoint | None, after: LLMEndpoint, workload: dict[str, Any] | None, **how: Any) -> Effect:
    """Return the effect where each child that carries pods is tried, and its answer differs unless told otherwise."""
    found = subject(before, after, workload)
    planned = (*found.plan.apply, *found.plan.later)
    return effect_of(replace(found, trials=tuple(_tried(child, workload, **how) for child in planned)))


def subject(
    before: LLMEndpoint | None, after: LLMEndpoint, workload: dict[str, Any] | None, *autoscalers: dict[str, Any]
) -> Subject:
    """Return the endpoint with its plan, none of which was tried."""
    view = Gathered(after, {}, (), {}, allow_raw=False, workload=workload, autoscalers=autoscalers)
    return Subject(before, view, plan(view, MonitoringPlan(), INSTALLATION))


def _tried(child: Child, workload: dict[str, Any] | None, *, same: bool = False, untried: str = "") -> Trial:
    if child.manager not in (names.TEMPLATE_MANAGER, names.ADOPT_MANAGER):
        return Trial(child, None)
    if untried or workload is None:
        return Trial(child, workload, untried=untried)
    result = copy.deepcopy(workload)
    if not same:
        result["spec"]["template"]["spec"]["containers"][0]["image"] = "another"
    return Trial(child, workload, result)


def test_a_change_of_what_the_user_wrote_for_the_pods_names_the_fields() -> None:
    before = endpoint()
    after = endpoint(backend={"template": {**SHORT, "args": ["--b"], "image": "llama:2"}}, drainSeconds=60)
    found = effect(before, after, run_by_us(before))
    assert (found.outcome, found.restarts) == ("Rolls", 6)
    fields = "spec.backend.template.args[0], spec.backend.template.image, spec.drainSeconds"
    assert found.why == f"what is written for the pods changes: {fields}"
    assert headline(found) == f"6 pods roll once, because {found.why}"


@pytest.mark.parametrize(
    "spec", [{"replicas": 6}, {"engine": "vllm"}, {"scaling": {"mode": "Advisory", "minReplicas": 1, "maxReplicas": 3}}]
)
def test_scaling_and_engine_restart_nothing(spec: dict[str, Any]) -> None:
    before = endpoint()
    found = effect(before, endpoint(**spec), run_by_us(before))
    assert (found.outcome, found.restarts, found.stops) == ("Nothing", 0, 0)
    assert headline(found) == "0 pods restart"


def test_fewer_and_more_replicas_are_said() -> None:
    before = endpoint()
    assert headline(effect(before, endpoint(replicas=4), run_by_us(before))) == "0 pods restart; 2 pods fewer"
    assert headline(effect(before, endpoint(replicas=7), run_by_us(before))) == "0 pods restart; 1 pod more"


@pytest.mark.parametrize(
    ("before", "after", "workload"),
    [
        (endpoint(), endpoint(replicas=4), run_by_us(endpoint())),
        (endpoint(**REFERENCE), endpoint(**REFERENCE, replicas=4), users(replicas=6)),
    ],
)
def test_replicas_that_an_autoscaler_drives_are_left_to_it(
    before: LLMEndpoint, after: LLMEndpoint, workload: dict[str, Any]
) -> None:
    name = workload["metadata"]["name"]
    drives = {"scaleTargetRef": {"kind": "Deployment", "name": name}}
    found = effect_of(subject(before, after, workload, {"metadata": {"name": "hpa"}, "spec": drives}))
    assert headline(found) == "0 pods restart"
    kept = "it keeps its 6 pods, spec.replicas 4 is not carried out"
    assert found.notes == (f"HorizontalPodAutoscaler hpa drives Deployment {name}: {kept}",)


def test_a_new_endpoint_creates_its_pods() -> None:
    found = effect(None, endpoint(replicas=3), None)
    assert headline(found) == "creates 3 pods, 0 pods restart"
    assert exit_code([found]) == 0


def test_a_change_that_the_api_server_sees_no_difference_in_restarts_nothing() -> None:
    before = endpoint()
    after = endpoint(backend={"template": {**SHORT, "args": ["--b"]}})
    assert effect(before, after, run_by_us(before), same=True).outcome == "Nothing"


def test_what_could_not_be_tried_counts_as_a_restart_and_says_so() -> None:
    before = endpoint()
    after = endpoint(backend={"template": {**SHORT, "args": ["--b"]}})
    found = effect(before, after, run_by_us(before), untried="may not patch")
    assert (found.outcome, found.notes) == ("Rolls", ("may not patch",))


def test_an_earlier_change_that_still_waits_is_not_blamed_on_the_file() -> None:
    late = endpoint(backend={"template": {**SHORT, "args": ["--b"]}})
    found = effect(late, late, run_by_us(endpoint()))
    assert found.outcome == "Rolls"
    assert "before this file" in found.why


def test_no_running_pod_means_no_restart() -> None:
    before = endpoint()
    after = endpoint(backend={"template": {**SHORT, "args": ["--b"]}})
    assert effect(before, after, run_by_us(before, replicas=0)).outcome == "Nothing"


def test_a_paused_endpoint_is_left_alone() -> None:
    before = endpoint()
    after = endpoint(backend={"template": {**SHORT, "args": ["--b"]}}, paused=True)
    assert effect(before, after, run_by_us(before)).why == "spec.paused is true: nothing is written"


def test_adopting_rolls_once_and_then_never_again() -> None:
    wanted = endpoint(**REFERENCE, collector={"mode": "Sidecar"})
    first = effect(None, wanted, users())
    assert (first.outcome, first.restarts) == ("Rolls", 2)
    assert first.why == "the collector is put into Deployment mine: collector.mode is Sidecar"
    assert effect(wanted, wanted, adopted(wanted)).outcome == "Nothing"


def test_another_collector_resource_rolls_an_adopted_workload_and_is_named() -> None:
    before = endpoint(**REFERENCE, collector={"mode": "Sidecar"})
    after = endpoint(**REFERENCE, collector={"mode": "Sidecar", "resources": {"limits": {"memory": "1Gi"}}})
    found = effect(before, after, adopted(before))
    assert found.why == "what is written for the collector changes: spec.collector.resources"
    renewed = endpoint(
        "v", **REFERENCE, collector=after.spec.collector.model_dump(by_alias=True, exclude_defaults=True)
    )
    assert "injected again for this LLMEndpoint" in effect(None, renewed, adopted(before)).why


def test_an_endpoint_that_comes_back_as_it_was_rolls_nothing() -> None:
    before = endpoint(**REFERENCE, collector={"mode": "Sidecar"})
    restored = endpoint("v", **REFERENCE, collector={"mode": "Sidecar"})
    assert effect(None, restored, adopted(before)).outcome == "Nothing"


def test_leaving_mode_sidecar_rolls_once() -> None:
    before = endpoint(**REFERENCE, collector={"mode": "Sidecar"})
    found = effect(before, endpoint(**REFERENCE, collector={"mode": "Gateway"}), adopted(before))
    assert (found.outcome, found.restarts) == ("Rolls", 2)
    assert found.why == "the collector leaves Deployment mine: collector.mode is Gateway"
    assert "gateway: 2 pods start" in found.notes


def test_that_a_pod_of_the_collector_is_tried_before_an_adoption_is_said() -> None:
    adopts = effect(None, endpoint(**REFERENCE, collector={"mode": "Sidecar"}), users())
    assert (adopts.outcome, adopts.restarts) == ("Rolls", 2)
    assert adopts.notes == ("first one pod of the collector alone must start there, or nothing rolls",)


def test_a_sidecar_that_somebody_took_out_stays_out() -> None:
    wanted = endpoint(**REFERENCE, collector={"mode": "Sidecar"})
    workload = adopted(wanted)
    for ours in ("initContainers", "volumes"):
        del workload["spec"]["template"]["spec"][ours]
    found = effect(wanted, wanted, workload)
    assert found.outcome == "Nothing"
    assert "rollout-at" in found.notes[0]


@pytest.mark.parametrize(
    ("workload", "manner"),
    [
        (users(strategy={"type": "RollingUpdate"}, paused=True), "roll-out is paused"),
        (users("StatefulSet", updateStrategy={"type": "OnDelete"}), "OnDelete"),
    ],
)
def test_how_the_pods_roll_is_said_where_it_matters(workload: dict[str, Any], manner: str) -> None:
    backend = {"workloadRef": {"name": "mine", "kind": workload["kind"]}}
    found = effect(None, endpoint(backend=backend, collector={"mode": "Sidecar"}), workload)
    assert manner in found.notes[0]


def test_recreate_is_refused_without_consent_and_described_with_it() -> None:
    sidecar, workload = {"mode": "Sidecar"}, users(strategy={"type": "Recreate"})
    assert effect(None, endpoint(**REFERENCE, collector=sidecar), workload).reason == "Refused"
    consent = {"workloadRef": {"name": "mine", "acceptRestart": True}}
    assert "all of them stop" in effect(None, endpoint(backend=consent, collector=sidecar), workload).notes[0]


def test_obstacles_and_refusals_come_first() -> None:
    missing = effect(None, endpoint(**REFERENCE), None)
    assert (missing.outcome, missing.reason) == ("Refused", "TargetNotFound")
    planned = subject(None, endpoint(), None)
    child = planned.plan.apply[0]
    taken = Trial(child, {"kind": "ConfigMap"}, refused=Finding(AcceptedReason.NAME_TAKEN, "it is not ours"))
    found = effect_of(replace(planned, trials=(taken,)))
    assert headline(found) == "refused, NameTaken"
    assert headline(missing) == "not carried out, TargetNotFound", "the API server takes it"
    assert exit_code([found, missing]) == 2


def test_a_gateway_that_rolls_is_no_model_server() -> None:
    wanted = endpoint(backend={"external": {"url": "https://api.example.com/v1"}})
    planned = subject(wanted, wanted, None)
    gateway = next(child for child in planned.plan.apply if child.obj["kind"] == "Deployment")
    other = copy.deepcopy(gateway.obj)
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "older"
    found = effect_of(replace(planned, trials=(Trial(gateway, other, gateway.obj),)))
    assert (found.outcome, found.restarts) == ("Nothing", 0)
    assert found.notes == ("gateway: 2 pods roll, draining; no model server is in them",)


def policy(builtin: str, content: str = "Redacted") -> MonitoringPolicy:
    check = {"builtin": builtin, "config": {"inScope": ["questions about cards"]}}
    one = {"name": "topic", "check": check, "failAbove": "10%", "every": "15m", "over": "1h", "minSamples": 100}
    spec = {"endpointSelector": {"matchLabels": {"team": "a"}}, "capture": {"content": content}, "evaluations": [one]}
    return MonitoringPolicy.model_validate({"metadata": {"name": "p", "namespace": "retail"}, "spec": spec})


def of_policy(asked: MonitoringPolicy, *endpoints: LLMEndpoint) -> Effect:
    known = {one.metadata.name: one for one in endpoints}
    evaluators = catalogue().of_policies([asked], {})
    return policy_effect(asked, known, {"p": asked}, evaluators, allow_raw=False)


def test_a_policy_restarts_nothing_and_an_unknown_evaluator_is_refused_even_if_it_selects_none_yet() -> None:
    assert of_policy(policy("OffTopicAnswered"), endpoint()).why == "it watches chat; policies never restart a pod"
    found = of_policy(policy("OffTopicAnswred"))
    assert (found.outcome, found.reason) == ("Refused", "UnknownEvaluator")


def test_a_check_that_would_stay_unknown_is_a_note() -> None:
    found = of_policy(policy("OffTopicAnswered", "MetadataOnly"), endpoint())
    assert found.outcome == "Nothing"
    assert found.notes[0].startswith("chat: NoCapture: topic: ")
    assert "RawPayloadsForbidden" in of_policy(policy("OffTopicAnswered", "Full"), endpoint()).notes[0]


def test_changed_fields_name_items_of_lists() -> None:
    before = {"template": {"env": [{"name": "A", "value": "1"}, {"name": "B"}], "args": ["x"]}}
    after = {"template": {"env": [{"name": "A", "value": "2"}, {"name": "B"}], "args": ["x", "y"]}}
    assert changed_fields(before, after) == ("spec.backend.template.args", "spec.backend.template.env[A].value")


def test_a_field_that_kubectl_once_set_and_the_file_no_longer_has_goes_away() -> None:
    note = '{"spec": {"a": 1, "b": {"c": 1}}, "metadata": {"labels": {"x": "1"}}}'
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": note, "other": "kept"}
    about = {"name": "n", "annotations": annotations, "labels": {"x": "1", "y": "2"}}
    live = {"metadata": about, "spec": {"a": 1, "b": {"c": 1, "d": 2}, "e": 3}}
    wanted = {"metadata": {"name": "n"}, "spec": {"b": {"d": 5}}}
    patch = patch_of(live, wanted)
    assert patch == {"metadata": {"labels": {"x": None}}, "spec": {"a": None, "b": {"c": None, "d": 5}}}
    after = merged(live, patch)
    assert after["spec"] == {"b": {"d": 5}, "e": 3}
    assert after["metadata"] == {**about, "labels": {"y": "2"}}


def test_the_page_and_the_json_say_the_same() -> None:
    effects = [
        Effect("LLMEndpoint", "retail", "chat", "Rolls", "of this", restarts=1, notes=("and so on",)),
        Effect("MonitoringPolicy", "retail", "p", "Refused", "no such check", reason="UnknownEvaluator"),
    ]
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(page(effects))
        text = console.export_text()
    assert "LLMEndpoint retail/chat: 1 pod rolls once, because of this\n" in text
    assert "1 pod of model servers would restart, 1 of 2 objects refused" in text
    assert document(effects)["exitCode"] == 2
    assert document(effects)["effects"][0]["notes"] == ["and so on"]
    assert exit_code(effects[:1]) == 1
