"""What is desired, on a real API server: accepted to the letter, without effect the second time, rightly owned."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from modelward.api.evaluationrun import EvaluationRun
from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import adoption, evaluator_job, model_workload, runs
from modelward.desired.account import evaluate_account
from modelward.desired.capture import EffectiveCapture
from modelward.desired.children import Child, Facts, children
from modelward.desired.finding import Finding
from modelward.desired.installation import Installation, PodSettings
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.desired.names import ADOPT_MANAGER, FRAME_MANAGER, SCALE_MANAGER, TEMPLATE_MANAGER
from modelward.kube.client import Client
from modelward.kube.errors import Conflict, Invalid
from modelward.kube.kinds import DEPLOYMENT, NAMESPACE, Object, kind_of

pytestmark = pytest.mark.cluster

INSTALLATION = Installation(
    collector_image="modelward.invalid/collector:0",
    evaluator_image="modelward.invalid/modelward:0",
    hub_url="https://modelward-hub.modelward-system.svc:8443",
    hub_ca_pem="pem",
    pod=PodSettings(
        image_pull_secrets=("mirror",),
        node_selector={"modelward.dev/nowhere": "true"},
        tolerations=({"key": "shared", "operator": "Exists"},),
        labels={"cost-centre": "platform"},
        env={"HTTPS_PROXY": "http://proxy.example:3128"},
    ),
)
WATCH = MonitoringPlan(capture=EffectiveCapture("Redacted", 100_000))
SHORT = {"image": "modelward.invalid/llama:0", "args": ["--x"], "port": 8080, "resources": {"limits": {"cpu": "1000m"}}}
CONTAINER = {"name": "model", "image": "modelward.invalid/vllm:0"}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    path = os.environ.get("MODELWARD_TEST_KUBECONFIG")
    if not path:
        pytest.skip("MODELWARD_TEST_KUBECONFIG names no cluster")
    async with Client.connect(path) as client:
        yield client


@pytest.fixture
async def namespace(client: Client) -> AsyncIterator[str]:
    name = f"desired-{uuid.uuid4().hex[:8]}"
    await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await client.delete(NAMESPACE, None, name)


def endpoint(namespace: str, template: dict[str, Any] | None = None, **spec: Any) -> LLMEndpoint:
    backend = {"backend": {"template": template or SHORT}}
    return LLMEndpoint.model_validate(
        {"metadata": {"name": "chat", "namespace": namespace}, "spec": {**backend, **spec}}
    )


async def apply(client: Client, made: Sequence[Child] | Finding) -> list[Object]:
    assert not isinstance(made, Finding)
    return [await client.apply(child.obj, child.manager, strict=True) for child in made]


async def reconcile(client: Client, subject: LLMEndpoint) -> Object:
    """Apply the children again after each conflict, as the operator's queue does."""
    namespace = subject.metadata.namespace
    for _ in range(20):
        workload = await client.find(DEPLOYMENT, namespace, "chat")
        with suppress(Conflict):
            await apply(client, children(subject, WATCH, INSTALLATION, Facts(workload)))
            break
    return await client.get(DEPLOYMENT, namespace, "chat")


async def has_no_effect(client: Client, child: Child) -> bool:
    """Return whether an apply changes nothing; a controller may write status in between, hence some tries."""
    for _ in range(10):
        metadata = child.obj["metadata"]
        before = await client.get(kind_of(child.obj), metadata["namespace"], metadata["name"])
        after = await client.apply(child.obj, child.manager, strict=True)
        if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
            return True
    return False


def all_children(namespace: str) -> dict[str, Sequence[Child] | Finding]:
    facts = Facts()
    external = {"backend": {"external": {"url": "https://api.example.com/v1"}}}
    run = EvaluationRun.model_validate(
        {"metadata": {"name": "modelward-1", "namespace": namespace}, "spec": {"endpoint": "chat", "suspend": True}}
    )
    plan = runs.plan(run.model_copy(update={"spec": run.spec.model_copy(update={"items": ()})}), {}, INSTALLATION)
    of_run = (
        evaluate_account(namespace),
        evaluator_job.plan_config_map(run, plan, INSTALLATION),
        evaluator_job.job(run, INSTALLATION),
    )
    return {
        "sidecar": children(endpoint(namespace, replicas=0), WATCH, INSTALLATION, facts),
        "gateway": children(endpoint(namespace, collector={"mode": "Gateway"}), WATCH, INSTALLATION, facts),
        "external": children(endpoint(namespace, **external), WATCH, INSTALLATION, facts),
        "run": tuple(Child(obj, FRAME_MANAGER) for obj in of_run),
    }


@pytest.mark.parametrize("case", all_children("any"))
async def test_all_is_accepted_to_the_letter_and_has_no_effect_the_second_time(
    client: Client, namespace: str, case: str
) -> None:
    made = all_children(namespace)[case]
    await apply(client, made)
    assert not isinstance(made, Finding)
    for child in made:
        assert await has_no_effect(client, child), child.obj["kind"]


async def test_a_changed_template_changes_neither_replicas_nor_the_frame(client: Client, namespace: str) -> None:
    before = await reconcile(client, endpoint(namespace, replicas=0))
    await client.set_scale(DEPLOYMENT, namespace, "chat", 3)
    again = await reconcile(client, endpoint(namespace))
    assert again["spec"]["replicas"] == 3
    after = await reconcile(
        client, endpoint(namespace, {"podTemplate": {"spec": {"containers": [CONTAINER]}}, "port": 1})
    )
    frame = ("replicas", "selector", "strategy", "progressDeadlineSeconds")
    assert {**after["spec"], "template": 0} == {**again["spec"], "template": 0}
    assert {name: after["spec"][name] for name in frame[1:]} == {name: before["spec"][name] for name in frame[1:]}
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == CONTAINER["image"]
    assert after["metadata"]["labels"] == before["metadata"]["labels"]


async def test_a_creation_that_was_cut_short_keeps_its_replicas(client: Client, namespace: str) -> None:
    whole = model_workload.first(endpoint(namespace), INSTALLATION, 0)
    await client.apply(whole, TEMPLATE_MANAGER, strict=True)
    after = await reconcile(client, endpoint(namespace, {**SHORT, "args": ["--y"]}))
    assert after["spec"]["replicas"] == 0
    owners = {entry["manager"] for entry in after["metadata"]["managedFields"] if entry["operation"] == "Apply"}
    assert owners == {FRAME_MANAGER, TEMPLATE_MANAGER, SCALE_MANAGER}
    assert (await reconcile(client, endpoint(namespace)))["spec"]["replicas"] == 0


async def test_other_settings_of_the_operator_leave_the_template_alone(client: Client, namespace: str) -> None:
    before = await reconcile(client, endpoint(namespace, replicas=0))
    newer = Installation("modelward.invalid/collector:1", "modelward.invalid/modelward:1")
    await apply(client, children(endpoint(namespace, replicas=1), WATCH, newer, Facts(before)))
    after = await client.get(DEPLOYMENT, namespace, "chat")
    assert after["spec"]["template"] == before["spec"]["template"]


async def test_a_mistake_in_a_pod_template_is_named_before_anything_is_written(client: Client, namespace: str) -> None:
    wrong = {"podTemplate": {"spec": {"containers": [{**CONTAINER, "imagee": "x"}]}}, "port": 1}
    whole = model_workload.first(endpoint(namespace, wrong), INSTALLATION, None)
    with pytest.raises(Invalid, match="imagee"):
        await client.apply(whole, TEMPLATE_MANAGER, strict=True, dry_run=True)


def users_deployment(namespace: str, image: str = "modelward.invalid/vllm:0") -> Object:
    labels = {"app": "my-vllm"}
    container = {"name": "server", "image": image, "ports": [{"containerPort": 8000, "protocol": "TCP"}]}
    pod = {"nodeSelector": {"modelward.dev/nowhere": "true"}, "containers": [container]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "my-vllm", "namespace": namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {**pod, "volumes": [{"name": "weights", "emptyDir": {}}]},
            },
        },
    }


async def test_an_adopted_workload_stays_its_owners_and_comes_back_as_it_was(client: Client, namespace: str) -> None:
    ref: dict[str, Any] = {"backend": {"workloadRef": {"name": "my-vllm"}}, "collector": {"mode": "Sidecar"}}
    adopter = endpoint(namespace, **ref)
    before = await client.apply(users_deployment(namespace), "gitops", strict=True)
    made = children(adopter, WATCH, INSTALLATION, Facts(before))
    await apply(client, made)
    assert not isinstance(made, Finding)
    assert all([await has_no_effect(client, child) for child in made])

    newer = await client.apply(
        users_deployment(namespace, "modelward.invalid/vllm:1"), "gitops", force=False, strict=True
    )
    assert adoption.injected(newer)
    assert not adoption.injection_due(adopter, newer)

    await client.apply(adoption.withdrawal(newer), ADOPT_MANAGER, strict=True)
    after = await client.apply(users_deployment(namespace), "gitops", force=False, strict=True)
    assert after["spec"] == before["spec"]
    assert "labels" not in after["metadata"]


RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


async def test_our_pods_are_let_into_a_restricted_namespace(client: Client, namespace: str) -> None:
    enforce = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    await client.patch(NAMESPACE, None, namespace, enforce)
    pod = {"spec": {"containers": [{**CONTAINER, "securityContext": RESTRICTED}]}}
    user = children(endpoint(namespace, {"podTemplate": pod, "port": 1}), WATCH, INSTALLATION, Facts())
    cases = all_children(namespace)
    for made in (user, cases["external"], cases["run"]):
        assert not isinstance(made, Finding)
        template = next(t for child in made if (t := child.obj.get("spec", {}).get("template")))
        spec = {**template["spec"], "serviceAccountName": "default", "priorityClassName": ""}
        about = {"name": "probe", "namespace": namespace}
        await client.create({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}, dry_run=True)
