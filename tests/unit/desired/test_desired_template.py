"""Who may change a model's pods: the user alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from desired_specimens import PLAIN, SETTLED, SHORT, USER_POD, endpoint, refer, run_here
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import model_workload as model
from modelward.desired.children import Facts, children
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation, PodSettings
from modelward.desired.model_template import pod_template
from modelward.desired.monitoring_plan import MonitoringPlan, merge_policies
from modelward.desired.names import NAME_LIMIT, SCALE_MANAGER, TEMPLATE_MANAGER, fit
from modelward.desired.quality_of_service import SIDECAR, is_guaranteed, too_small

texts = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"))
settings_of_the_cluster = st.builds(
    PodSettings,
    image_pull_secrets=st.lists(st.sampled_from("abc"), unique=True).map(tuple),
    node_selector=texts,
    tolerations=st.lists(st.fixed_dictionaries({"key": st.sampled_from("ab")})).map(tuple),
    priority_class_name=st.sampled_from(["", "low"]),
    labels=texts,
    annotations=texts,
    env=texts,
)
installations = st.builds(
    Installation,
    collector_image=st.sampled_from(["c:1", "c:2"]),
    evaluator_image=st.sampled_from(["e:1", "e:2"]),
    hub_url=st.sampled_from([None, "https://hub:8443"]),
    hub_ca_pem=st.sampled_from(["", "pem"]),
    version=st.sampled_from(["1", "2"]),
    pod=settings_of_the_cluster,
)
not_of_the_pods = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.integers(0, 9),
        "scaling": st.just({"mode": "Direct", "maxReplicas": 4}),
        "service": st.just({"port": 8000}),
        "gateway": st.just({"replicas": 5}),
        "paused": st.booleans(),
        "engine": st.sampled_from(["vllm", "llamacpp"]),
    },
)


def _template_of(obj: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = obj["spec"]["template"]
    return template


def _writes_template(subject: LLMEndpoint, workload: dict[str, Any], installation: Installation) -> bool:
    made = children(subject, MonitoringPlan(), installation, Facts(workload))
    assert not isinstance(made, Finding)
    return any("template" in child.obj.get("spec", {}) for child in made)


@given(installations, not_of_the_pods, texts)
def test_nothing_but_what_the_user_wrote_for_the_pods_opens_the_gate(
    installation: Installation, spec: dict[str, Any], labels: dict[str, str]
) -> None:
    workload = model.first(run_here(), PLAIN, 1)
    later = endpoint({"engine": "llamacpp", "backend": {"template": SHORT}, **spec}, labels=labels, annotations=labels)
    assert not model.gate(later, workload)
    assert not _writes_template(later, workload, installation)


@pytest.mark.parametrize(
    "later",
    [
        run_here({**SHORT, "image": "registry.example/llama:2"}),
        run_here({**SHORT, "env": [{"name": "A", "value": "b"}]}),
        run_here({**SHORT, "resources": {"limits": {"memory": "1Gi"}}}),
        run_here({"podTemplate": USER_POD, "port": 8080}),
        run_here(collector={"mode": "Gateway"}),
        run_here(collector={"resources": {"limits": {"memory": "1Gi"}}}),
        run_here(drainSeconds=60),
        endpoint(
            {"engine": "llamacpp", "backend": {"template": SHORT}},
            annotations={"modelward.dev/rollout-at": "2026-01-02"},
        ),
    ],
)
def test_what_the_user_writes_for_the_pods_opens_the_gate(later: LLMEndpoint) -> None:
    workload = model.first(run_here(), PLAIN, 1)
    assert model.gate(later, workload)
    assert model.gate(later, None)
    assert _writes_template(later, workload, PLAIN)
    assert not model.gate(later, model.first(later, SETTLED, None))


def test_a_default_that_somebody_writes_out_changes_no_hash() -> None:
    assert model.template_hash(run_here(drainSeconds=30, collector={"mode": "Sidecar"})) == model.template_hash(
        run_here()
    )


def test_a_rollout_that_was_asked_for_rolls_the_pods() -> None:
    asked = endpoint(
        {"engine": "llamacpp", "backend": {"template": SHORT}}, annotations={"modelward.dev/rollout-at": "now"}
    )
    before, after = (_template_of(model.template(subject, PLAIN)) for subject in (run_here(), asked))
    assert before != after


@given(texts, texts)
def test_labels_and_annotations_of_the_endpoint_reach_no_child(labels: dict[str, str], notes: dict[str, str]) -> None:
    spec = {"engine": "llamacpp", "backend": {"template": SHORT}, "replicas": 1}
    bare, marked = endpoint(spec, labels={}), endpoint(spec, labels=labels, annotations=notes)
    assert children(bare, MonitoringPlan(), PLAIN, Facts()) == children(marked, MonitoringPlan(), PLAIN, Facts())


@given(installations)
def test_children_are_the_same_each_time_they_are_made(installation: Installation) -> None:
    made = [children(run_here(replicas=1), merge_policies(run_here(), (), {}), installation, Facts()) for _ in range(2)]
    assert json.dumps(made[0]) == json.dumps(made[1])


@given(st.from_regex(r"[a-z]([a-z0-9-]{0,80}[a-z0-9])?", fullmatch=True), installations)
def test_names_and_label_values_of_children_have_at_most_63_characters(name: str, installation: Installation) -> None:
    subject = endpoint({"backend": {"external": {"url": "http://a"}}, "service": {"name": "s"}}, name=name)
    made = children(subject, MonitoringPlan(), installation, Facts())
    assert not isinstance(made, Finding)
    for child in made:
        metadata = child.obj["metadata"]
        assert all(len(text) <= NAME_LIMIT for text in (metadata["name"], *metadata["labels"].values()))


@given(st.text("abc-", min_size=60, max_size=90), st.text("abc-", min_size=60, max_size=90))
def test_names_that_are_too_long_stay_apart(one: str, other: str) -> None:
    assert len(fit(one)) <= NAME_LIMIT
    assert (fit(one) == fit(other)) == (one == other)


@given(installations)
def test_the_template_has_what_the_selector_selects(installation: Installation) -> None:
    template = {"podTemplate": {**USER_POD, "metadata": {"labels": {"modelward.dev/endpoint": "x"}}}, "port": 8000}
    whole = model.first(run_here(template), installation, None)
    wanted = whole["spec"]["selector"]["matchLabels"].items()
    assert wanted <= whole["spec"]["template"]["metadata"]["labels"].items()


def test_the_frame_shares_all_of_the_first_but_template_hash_and_replicas() -> None:
    first, frame = model.first(run_here(), PLAIN, 3), model.frame(run_here())
    assert first["spec"] == {**frame["spec"], "replicas": 3, "template": first["spec"]["template"]}
    assert frame["metadata"] == {k: v for k, v in first["metadata"].items() if k != "annotations"}


def test_replicas_that_only_the_creation_owns_are_taken_over_before_the_template_lets_go() -> None:
    workload = model.first(run_here(replicas=3), PLAIN, 3)
    workload["metadata"] |= {"resourceVersion": "7", "managedFields": [_owns_replicas(TEMPLATE_MANAGER)]}
    later = run_here({**SHORT, "image": "registry.example/llama:2"})
    made = children(later, MonitoringPlan(), PLAIN, Facts(workload))
    assert not isinstance(made, Finding)
    writers = [child.manager for child in made if child.obj["kind"] == "Deployment"]
    assert writers == [SCALE_MANAGER, "modelward", TEMPLATE_MANAGER]
    takeover = next(child.obj for child in made if child.manager == SCALE_MANAGER)
    assert takeover["spec"] == {"replicas": 3}
    assert takeover["metadata"]["resourceVersion"] == "7"


def test_replicas_that_somebody_scales_are_left_alone() -> None:
    workload = model.first(run_here(), PLAIN, 3)
    workload["metadata"]["managedFields"] = [_owns_replicas("horizontal-pod-autoscaler"), {"manager": "kubectl"}]
    assert model.scale(run_here(), workload) is None
    assert model.scale(run_here(), None) is None


def _owns_replicas(manager: str) -> dict[str, Any]:
    return {"manager": manager, "fieldsV1": {"f:spec": {"f:replicas": {}}}}


def test_the_users_pod_stays_as_written_beside_the_sidecar() -> None:
    spec = _template_of(model.template(run_here({"podTemplate": USER_POD, "port": 8000}), SETTLED))["spec"]
    assert spec["containers"] == USER_POD["spec"]["containers"]
    assert spec["nodeSelector"] == {"gpu": "a100"}
    assert spec["terminationGracePeriodSeconds"] == 300
    assert spec["imagePullSecrets"] == [{"name": "theirs"}, {"name": "mirror"}]
    assert is_guaranteed([*spec["containers"], *spec["initContainers"]])


def test_the_model_waits_for_the_drain_and_has_the_time() -> None:
    spec = _template_of(model.template(run_here(drainSeconds=100), PLAIN))["spec"]
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"httpGet": {"path": "/drain", "port": 18081}}}
    assert spec["terminationGracePeriodSeconds"] == 115


def test_only_the_model_waits_for_the_drain() -> None:
    pod = {"spec": {"containers": [{"name": "model", "lifecycle": {"postStart": {"sleep": {}}}}, {"name": "b"}]}}
    spec = _template_of(model.template(run_here({"podTemplate": pod, "port": 8000}), PLAIN))["spec"]
    assert set(spec["containers"][0]["lifecycle"]) == {"postStart", "preStop"}
    assert spec["containers"][1] == {"name": "b"}


def test_the_sidecar_has_no_probe_and_keeps_running() -> None:
    sidecar = _template_of(model.template(run_here(), PLAIN))["spec"]["initContainers"][0]
    assert sidecar["restartPolicy"] == "Always"
    assert not [field for field in sidecar if field.endswith("Probe")]


def test_without_a_sidecar_the_pod_is_only_the_users() -> None:
    spec = _template_of(model.template(run_here(collector={"mode": "ScrapeOnly"}), PLAIN))["spec"]
    assert "initContainers" not in spec
    assert "volumes" not in spec
    assert "lifecycle" not in spec["containers"][0]


def test_nulls_of_the_users_yaml_are_not_applied() -> None:
    pod = {"metadata": None, "spec": {"containers": [{"name": "model", "args": ["a", None], "env": None}]}}
    template = _template_of(model.template(run_here({"podTemplate": pod, "port": 1}), PLAIN))
    assert template["spec"]["containers"][0] | {"lifecycle": 0} == {"name": "model", "args": ["a"], "lifecycle": 0}


@pytest.mark.parametrize(("engine", "probe"), [("vllm", "httpGet"), ("generic", "tcpSocket")])
def test_the_short_form_is_ready_when_its_engine_says_so(engine: str, probe: str) -> None:
    subject = run_here({**SHORT, "env": [{"name": "A", "value": "b"}, {"name": "B"}]}, engine=engine)
    template = subject.spec.backend.template
    assert template is not None
    container = pod_template(subject, template, PLAIN)["spec"]["containers"][0]
    assert probe in container["readinessProbe"]
    assert container["env"] == [{"name": "A", "value": "b"}, {"name": "B"}]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({}, "spec.containers"),
        ({"containers": "model"}, "spec.containers"),
        ({"containers": [{"image": "x"}]}, "spec.containers"),
        ({"containers": [{"name": "vllm"}, {"name": "logs"}]}, "it has vllm, logs"),
        ({"containers": [{"name": "model"}], "volumes": {}, "initContainers": [1]}, "lists of named items"),
        ({"containers": [{"name": "model"}], "hostNetwork": True}, "hostNetwork"),
        ({"containers": [{"name": "model", "ports": [{"containerPort": 18081}]}]}, "port 18081"),
        ({"containers": [{"name": "model"}, {"name": "modelward-collector"}]}, "belongs to the sidecar"),
        ({"containers": [{"name": "model"}], "volumes": [{"name": "modelward-spool"}]}, "modelward-spool"),
    ],
)
def test_a_pod_template_that_cannot_work_is_refused_with_the_reason(spec: dict[str, Any], says: str) -> None:
    found = children(run_here({"podTemplate": {"spec": spec}, "port": 8000}), MonitoringPlan(), PLAIN, Facts())
    assert isinstance(found, Finding)
    assert found.reason == "InvalidTemplate"
    assert says in found.message


def test_ports_of_the_collector_are_free_where_there_is_no_sidecar() -> None:
    pod = {"spec": {"hostNetwork": True, "containers": [{"name": "model"}], "volumes": [{"name": "v"}]}}
    subject = run_here({"podTemplate": pod, "port": 8000}, collector={"mode": "Gateway"})
    assert model.problem(subject) is None
    assert model.problem(run_here({"podTemplate": {"spec": {**pod["spec"], "hostNetwork": False}}, "port": 1})) is None


def test_only_a_template_has_a_model_workload() -> None:
    with pytest.raises(ValueError, match=r"no backend\.template"):
        model.template_hash(refer("Sidecar"))


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ({"limits": {"memory": "79Mi"}}, "79Mi"),
        ({"limits": {"memory": "80Mi"}}, ""),
        ({"limits": {"memory": "83886079"}}, "83886079"),
        ({"limits": {"memory": "0.08Gi"}}, ""),
        ({"limits": {"cpu": "1"}}, ""),
        ({"requests": {"memory": "64Mi"}}, ""),
        (SIDECAR, ""),
    ],
)
def test_a_memory_limit_with_which_no_collector_serves_is_known(resources: Any, told: str) -> None:
    assert too_small(resources) == told
