"""The whole operator on a real API server: what it writes, what it leaves alone, and how it heals."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import rehearsals
from waiting import PROCESS_PATIENCE_S

from modelward.kube.client import Client
from modelward.kube.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    HORIZONTAL_POD_AUTOSCALER,
    LLM_ENDPOINT,
    MONITORING_POLICY,
    SERVICE,
    Kind,
    Object,
)

pytestmark = pytest.mark.cluster

SCENARIOS = (
    "quiet", "late", "taken", "evaluators", "quota", "autoscaled", "template", "paused", "adopted", "scaled", "stolen",
)  # fmt: skip
API = "modelward.dev/v1alpha1"
NOWHERE = {"modelward.dev/nowhere": "true"}
CONTAINER = {"name": "model", "image": "modelward.invalid/vllm:0"}
QUIET_S = 20.0
T = TypeVar("T")


class Operator:
    """The operator's own process, with its log."""

    def __init__(self, kubeconfig: Path, prefix: str, log: Path) -> None:
        self.log = log
        self._kubeconfig, self._prefix = kubeconfig, prefix
        self._process: subprocess.Popen[bytes] | None = None

    def namespace(self, scenario: str) -> str:
        return f"{self._prefix}-{scenario}"

    def start(self, collector_image: str = "modelward.invalid/collector:0", **settings: str) -> None:
        env = {
            **os.environ,
            "MODELWARD_WATCH_NAMESPACES": ",".join(map(self.namespace, SCENARIOS)),
            "MODELWARD_COLLECTOR_IMAGE": collector_image,
            "MODELWARD_EVALUATOR_IMAGE": "modelward.invalid/modelward:0",
            "MODELWARD_SCRAPE_INTERVAL": "1s",
            "MODELWARD_STATUS_INTERVAL": "2s",
            "MODELWARD_SWEEP_INTERVAL": "5s",
            **settings,
        }
        command = (sys.executable, "-c", "from modelward.cli.app import main; main()", "operator")
        where = ("--kubeconfig", str(self._kubeconfig), "--namespace", self.namespace("system"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *where, "--listen", "127.0.0.1:0"], env=env, stdout=log, stderr=log
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(PROCESS_PATIENCE_S) == 0, self.log.read_text()[-4000:]
            self._process = None

    def kill(self) -> None:
        """End what still runs, however it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def writes(self, scenario: str) -> list[str]:
        """Return the children that the log says were written in a scenario's namespace."""
        mark = f"namespace={self.namespace(scenario)} "
        return [line for line in self.log.read_text().splitlines() if "applied=" in line and mark in line]


@pytest.fixture(scope="module")
def operator(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """One operator for all scenarios, each in a namespace of its own."""
    others = cluster.kubectl("get", "deployment", "-A", "-o", "name", "-l", _INSTALLED)
    if others:
        pytest.fail(f"an operator is installed here and would write to the same objects: {others}", pytrace=False)
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(_REPOSITORY / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=120s", *_CRDS)
    prefix = f"reconcile-{uuid.uuid4().hex[:6]}"
    process = Operator(cluster.kubeconfig, prefix, tmp_path_factory.mktemp("operator") / "log")
    names = [process.namespace(scenario) for scenario in (*SCENARIOS, "system")]
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names])
    process.start()
    try:
        with rehearsals.starting(cluster.kubeconfig):
            yield process
        process.stop()
    finally:
        process.kill()
        cluster.kubectl("delete", "namespace", *names, "--wait=false", "--ignore-not-found")


_INSTALLED = "app.kubernetes.io/name=modelward,app.kubernetes.io/component=operator"
_REPOSITORY = Path(__file__).resolve().parents[2]
_CRDS = tuple(f"crd/{path.stem.partition('_')[2]}.modelward.dev" for path in sorted((_REPOSITORY / "crds").glob("*_*")))


@pytest.fixture
async def client(cluster: Any) -> AsyncIterator[Client]:
    async with Client.connect(str(cluster.kubeconfig)) as client:
        yield client


async def eventually(
    look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], seconds: float = PROCESS_PATIENCE_S
) -> T:
    """Return what `look` finds as soon as it is what is wanted; fail with the last thing found."""
    ends = time.monotonic() + seconds
    while True:
        found = await look()
        if wanted(found):
            return found
        if time.monotonic() > ends:
            raise AssertionError(f"still not so after {seconds:g} s: {found}")
        await asyncio.sleep(0.2)


class Place:
    """One scenario's namespace, with the few verbs of a user."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client, self.namespace = client, namespace

    async def apply(self, obj: Object) -> Object:
        metadata = {"namespace": self.namespace, **obj["metadata"]}
        return await self.client.apply({**obj, "metadata": metadata}, "user", strict=True)

    async def endpoint(self, name: str, spec: dict[str, Any], **metadata: Any) -> Object:
        about = {"name": name, "labels": {"team": "retail"}, **metadata}
        return await self.apply({"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": spec})

    async def policy(self, **spec: Any) -> Object:
        about = {"endpointSelector": {"matchLabels": {"team": "retail"}}, **spec}
        metadata = {"name": "baseline"}
        return await self.apply({"apiVersion": API, "kind": "MonitoringPolicy", "metadata": metadata, "spec": about})

    async def get(self, kind: Kind, name: str) -> Object:
        return await self.client.get(kind, self.namespace, name)

    async def deployment(self, name: str, wanted: Callable[[Object], bool] = bool) -> Object:
        return await self.found(DEPLOYMENT, name, wanted)

    async def found(self, kind: Kind, name: str, wanted: Callable[[Object], bool] = bool) -> Object:
        async def look() -> Object:
            return await self.client.find(kind, self.namespace, name) or {}

        return await eventually(look, lambda obj: bool(obj) and wanted(obj))

    async def condition(self, name: str, kind: str, reason: str, of: Kind = LLM_ENDPOINT) -> dict[str, Any]:
        """Return the condition once it has this reason."""

        async def look() -> dict[str, Any]:
            found = (await self.get(of, name)).get("status", {}).get("conditions", [])
            return next((one for one in found if one["type"] == kind), {})

        return await eventually(look, lambda one: one.get("reason") == reason)

    async def reconciled(self, name: str) -> Object:
        """Return the endpoint once its status speaks of the generation that it has."""
        return await self.found(
            LLM_ENDPOINT, name, lambda o: o.get("status", {}).get("observedGeneration") == o["metadata"]["generation"]
        )

    async def versions(self) -> dict[str, str]:
        """Return the resource versions of all that we may have made here."""
        listings = [await self.client.list(kind, self.namespace) for kind in (CONFIG_MAP, SERVICE, DEPLOYMENT)]
        return {
            f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for listing in listings
            for item in listing.items
        }


@pytest.fixture
def place(client: Client, operator: Operator) -> Callable[[str], Place]:
    return lambda scenario: Place(client, operator.namespace(scenario))


def run_here(**spec: Any) -> dict[str, Any]:
    """Return the spec of a model server that no node takes: its pods stay pending and its Deployment quiet."""
    pod = {"spec": {"nodeSelector": NOWHERE, "containers": [CONTAINER]}}
    return {"engine": "llamacpp", "backend": {"template": {"port": 8080, "podTemplate": pod}}, **spec}


def users_deployment(name: str = "my-vllm", **spec: Any) -> Object:
    labels = {"app": name}
    container = {"name": "server", "image": "modelward.invalid/vllm:0", "ports": [{"containerPort": 8000}]}
    template = {"metadata": {"labels": labels}, "spec": {"nodeSelector": NOWHERE, "containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def autoscaler(name: str, kind: str, target: str) -> Object:
    version = API if kind == "LLMEndpoint" else "apps/v1"
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": version, "kind": kind, "name": target},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
                                                                                    "averageUtilization": 50}}}],
        },
    }  # fmt: skip


def mutation(namespace: str) -> list[Object]:
    """Return a policy that labels every Deployment and gives its containers limits, as platform teams do."""
    expression = """Object{
      metadata: Object.metadata{labels: {"added-by": "platform"}},
      spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
        containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{
          name: c.name, resources: Object.spec.template.spec.containers.resources{limits: {"memory": "1Gi"}}})}}}}"""
    api, rule = "admissionregistration.k8s.io/v1beta1", {"operations": ["CREATE", "UPDATE"], "apiGroups": ["apps"]}
    match = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "resourceRules": [{**rule, "apiVersions": ["v1"], "resources": ["deployments"]}],
    }
    spec = {
        "matchConstraints": match,
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}],
    }
    about = {"metadata": {"name": namespace}}
    return [
        {"apiVersion": api, "kind": "MutatingAdmissionPolicy", **about, "spec": spec},
        {"apiVersion": api, "kind": "MutatingAdmissionPolicyBinding", **about, "spec": {"policyName": namespace}},
    ]


@pytest.fixture
def mutated(cluster: Any, operator: Operator) -> Iterator[None]:
    namespace = operator.namespace("quiet")
    if "mutatingadmissionpolicies" not in cluster.kubectl("api-resources", "-o", "name"):
        pytest.skip("this Kubernetes has no MutatingAdmissionPolicy")
    cluster.apply(mutation(namespace))
    yield
    for kind in ("mutatingadmissionpolicybinding", "mutatingadmissionpolicy"):
        cluster.kubectl("delete", kind, namespace)


async def test_children_are_made_once_and_left_alone_also_where_admission_adds_to_them(
    place: Callable[[str], Place], operator: Operator, mutated: None
) -> None:
    here = place("quiet")
    await here.endpoint("plain", run_here(replicas=1))
    amounts = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"memory": "1024Mi"}}
    await here.endpoint(
        "gateway", run_here(collector={"mode": "Gateway", "resources": amounts}, gateway={"replicas": 1})
    )
    await here.policy(capture={"content": "Redacted", "sample": "10%"})
    await here.condition("plain", "Accepted", "Valid")
    await here.condition("plain", "WorkloadReady", "Unschedulable")
    made = await here.deployment("plain", lambda o: o["metadata"]["labels"].get("added-by") == "platform")
    assert made["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
    for kind, name in ((SERVICE, "plain"), (CONFIG_MAP, "modelward-collector-plain"), (DEPLOYMENT, "gateway-gateway")):
        await here.found(kind, name)
    await settled(here, operator)
    before, written = await here.versions(), operator.writes("quiet")
    ends = time.monotonic() + QUIET_S
    while time.monotonic() < ends:
        await asyncio.sleep(1.0)
        assert operator.writes("quiet") == written
    after = await here.versions()
    ours = {name for name in after if "gateway-gateway" not in name}  # its pods may still come up and be counted
    assert {name: after[name] for name in ours} == {name: before[name] for name in ours}


async def settled(here: Place, operator: Operator) -> None:
    """Wait until two readings, two seconds apart, find the same."""

    async def look() -> set[tuple[str, str]]:
        before = await here.versions()
        await asyncio.sleep(2.0)
        return set((await here.versions()).items()) ^ set(before.items())

    await eventually(look, lambda moved: not moved)


async def test_a_workload_that_is_not_there_is_named_and_healed_when_it_comes(place: Callable[[str], Place]) -> None:
    here = place("late")
    await here.endpoint("chat", {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm"}}})
    accepted = await here.condition("chat", "Accepted", "TargetNotFound")
    ready = await here.condition("chat", "Ready", "TargetNotFound")
    assert (accepted["status"], ready["status"]) == ("False", "False")
    assert "Deployment my-vllm" in accepted["message"]
    await here.apply(users_deployment())
    assert (await here.condition("chat", "Accepted", "Valid"))["status"] == "True"
    await here.condition("chat", "Ready", "Unschedulable")


async def test_a_users_service_of_our_name_is_untouched_and_named(place: Callable[[str], Place]) -> None:
    here = place("taken")
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "chat"}}
    theirs = await here.apply({**service, "spec": {"selector": {"app": "theirs"}, "ports": [{"port": 1234}]}})
    await here.endpoint("chat", run_here())
    taken = await here.condition("chat", "Accepted", "NameTaken")
    assert "Service chat" in taken["message"]
    await here.deployment("chat")
    assert await here.get(SERVICE, "chat") == theirs
    await here.client.delete(SERVICE, here.namespace, "chat")
    await here.condition("chat", "Accepted", "Valid")
    assert (await here.get(SERVICE, "chat"))["metadata"]["ownerReferences"][0]["kind"] == "LLMEndpoint"


async def test_a_users_deployment_of_our_name_is_untouched_and_named(place: Callable[[str], Place]) -> None:
    here = place("stolen")
    theirs = await here.apply(users_deployment("chat"))
    await here.endpoint("chat", run_here(replicas=3))
    taken = await here.condition("chat", "Accepted", "NameTaken")
    assert "Deployment chat" in taken["message"]
    now = await here.get(DEPLOYMENT, "chat")
    assert (now["spec"], now["metadata"].get("annotations", {}).keys() & {"modelward.dev/template-hash"}) == (
        theirs["spec"],
        set(),
    )
    await here.client.delete(DEPLOYMENT, here.namespace, "chat")
    await here.condition("chat", "Accepted", "Valid")
    assert (await here.deployment("chat"))["spec"]["replicas"] == 3


async def test_an_evaluator_that_is_not_there_is_named_while_other_checks_go_on(place: Callable[[str], Place]) -> None:
    here = place("evaluators")
    await here.endpoint("chat", run_here(replicas=0))
    known = {"builtin": "OffTopicAnswered", "config": {"inScope": ["questions about bank cards"]}}
    await here.policy(
        capture={"content": "Redacted", "sample": "10%"},
        evaluations=[
            {"name": "typo", "check": {"builtin": "NoSuchThing"}, "failAbove": "10%"},
            {"name": "later", "evaluatorRef": {"kind": "Evaluator", "name": "topic"}, "failAbove": "10%"},
            {"name": "topic", "check": known, "failAbove": "10%"},
        ],
    )
    refused = await here.condition("baseline", "Accepted", "EvaluatorNotFound", MONITORING_POLICY)
    assert "Evaluator topic" in refused["message"]
    assert "NoSuchThing" in refused["message"]

    def reasons(endpoint: Object) -> dict[str, str]:
        return {one["name"]: one["reason"] for one in endpoint.get("status", {}).get("evaluations", [])}

    expected = {"typo": "UnknownEvaluator", "later": "EvaluatorNotFound", "topic": "HubUnavailable"}
    await here.found(LLM_ENDPOINT, "chat", lambda o: reasons(o) == expected)
    about = {"apiVersion": API, "kind": "Evaluator", "metadata": {"name": "topic"}, "spec": known}
    await here.apply(about)
    await here.found(LLM_ENDPOINT, "chat", lambda o: reasons(o) == {**expected, "later": "HubUnavailable"})
    mended = await here.condition("baseline", "Accepted", "UnknownEvaluator", MONITORING_POLICY)
    assert "Evaluator topic" not in mended["message"]


async def test_a_quota_that_refuses_pods_is_quoted(place: Callable[[str], Place]) -> None:
    here = place("quota")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    await here.client.create({**quota, "metadata": {"name": "none", "namespace": here.namespace}})
    await asyncio.sleep(1.0)  # until the quota's own controller has counted
    await here.endpoint("chat", run_here(replicas=1))
    refused = await here.condition("chat", "Ready", "Refused")
    assert refused["status"] == "False"
    assert "exceeded quota: none" in refused["message"]


async def test_an_autoscaler_of_somebody_else_is_never_fought(place: Callable[[str], Place]) -> None:
    here = place("autoscaled")
    for hpa in (autoscaler("workload", "Deployment", "chat"), autoscaler("endpoint", "LLMEndpoint", "direct")):
        await here.client.create({**hpa, "metadata": {**hpa["metadata"], "namespace": here.namespace}})
    await here.endpoint("chat", run_here(replicas=1))
    await here.endpoint("direct", run_here(replicas=1, scaling={"mode": "Direct", "maxReplicas": 3}))
    await here.reconciled("chat")
    await here.client.set_scale(DEPLOYMENT, here.namespace, "chat", 3, manager="hpa")
    another = await here.condition("direct", "ScalingActive", "AnotherScaler")
    assert another["status"] == "False"
    assert "HorizontalPodAutoscaler endpoint" in another["message"]
    status = await here.found(LLM_ENDPOINT, "chat", lambda o: o["status"].get("replicasSummary") == "0/3")
    assert status["spec"]["replicas"] == 1
    await asyncio.sleep(3.0)
    assert (await here.get(DEPLOYMENT, "chat"))["spec"]["replicas"] == 3
    assert (await here.get(HORIZONTAL_POD_AUTOSCALER, "workload"))["spec"]["maxReplicas"] == 5


async def test_a_paused_endpoint_is_reported_and_nothing_else_is_written(
    place: Callable[[str], Place], operator: Operator
) -> None:
    here = place("paused")
    await here.endpoint("new", run_here(paused=True))
    await here.apply(users_deployment())
    reference = {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm"}}, "collector": {"mode": "Sidecar"}}
    await here.endpoint("theirs", {**reference, "replicas": 2, "paused": True})
    for name in ("new", "theirs"):
        await here.reconciled(name)
    await asyncio.sleep(3.0)
    assert operator.writes("paused") == []
    theirs = await here.get(DEPLOYMENT, "my-vllm")
    assert (theirs["metadata"]["generation"], theirs["spec"]["replicas"]) == (1, 1)
    assert await here.client.find(DEPLOYMENT, here.namespace, "new") is None


async def test_an_adopted_workload_keeps_what_is_its_owners_and_is_given_back(place: Callable[[str], Place]) -> None:
    here = place("adopted")
    await here.apply(users_deployment())
    extra = {"name": "logs", "image": "modelward.invalid/logs:0"}
    about = {"name": "my-vllm", "namespace": here.namespace, "annotations": {"note": "theirs"}}
    pod = {"template": {"spec": {"containers": [extra]}}}
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": pod}
    before = await here.client.apply(patch, "platform")
    reference = {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm", "container": "server"}}}
    await here.endpoint("chat", {**reference, "collector": {"mode": "Sidecar"}})
    adopted = await here.deployment("my-vllm", injected)
    assert adopted["metadata"]["annotations"]["note"] == "theirs"
    assert extra["name"] in [one["name"] for one in adopted["spec"]["template"]["spec"]["containers"]]
    await here.endpoint("chat", {**reference, "collector": {"mode": "ScrapeOnly"}})
    after = await here.deployment("my-vllm", lambda o: not injected(o))
    assert after["spec"] == before["spec"]
    assert "modelward.dev/adopted-by" not in after["metadata"].get("labels", {})
    await gone(here, SERVICE, "chat-collector")

    await here.endpoint("chat", {**reference, "collector": {"mode": "Sidecar"}})
    again = await here.deployment("my-vllm", injected)
    await here.client.delete(LLM_ENDPOINT, here.namespace, "chat")
    await asyncio.sleep(2.0)
    await here.client.set_scale(DEPLOYMENT, here.namespace, "my-vllm", 2, manager="user")
    await asyncio.sleep(3.0)
    orphan = await here.get(DEPLOYMENT, "my-vllm")
    assert orphan["spec"]["template"] == again["spec"]["template"]
    note = {"spec": {"template": {"metadata": {"annotations": {"rolled": "by its owner"}}}}}
    await here.client.patch(DEPLOYMENT, here.namespace, "my-vllm", note, manager="user")
    await here.deployment("my-vllm", lambda o: not injected(o))


async def gone(here: Place, kind: Kind, name: str) -> None:
    await eventually(lambda: here.client.find(kind, here.namespace, name), lambda found: found is None)


async def test_what_a_change_of_mode_leaves_behind_goes_and_the_model_stays(
    place: Callable[[str], Place],
) -> None:
    here = place("scaled")
    await here.endpoint("front", run_here(replicas=0, collector={"mode": "Gateway"}, gateway={"replicas": 1}))
    before = await here.deployment("front")
    await here.deployment("front-gateway")
    await here.endpoint("front", run_here(replicas=0, collector={"mode": "ScrapeOnly"}))
    for kind, name in ((DEPLOYMENT, "front-gateway"), (SERVICE, "front-pods")):
        await gone(here, kind, name)
    service = await here.found(SERVICE, "front", lambda o: o["spec"]["ports"][0]["targetPort"] == 8080)
    assert service["spec"]["selector"]["modelward.dev/component"] == "model"
    assert (await here.get(DEPLOYMENT, "front"))["metadata"]["uid"] == before["metadata"]["uid"]


def injected(workload: Object) -> bool:
    inits = workload["spec"]["template"]["spec"].get("initContainers", [])
    return any(container["name"] == "modelward-collector" for container in inits)


async def test_kubectl_scale_of_an_endpoint_moves_its_deployment(place: Callable[[str], Place], cluster: Any) -> None:
    here = place("scaled")
    await here.apply(users_deployment(replicas=0))
    await here.endpoint("ours", run_here(replicas=0))
    await here.endpoint("theirs", {"engine": "vllm", "backend": {"workloadRef": {"name": "my-vllm"}}})
    for name, workload in (("ours", "ours"), ("theirs", "my-vllm")):
        await here.deployment(workload)
        await here.reconciled(name)
        cluster.kubectl("scale", "llmendpoints.modelward.dev", name, "-n", here.namespace, "--replicas=2")
        await here.deployment(workload, lambda o: o["spec"]["replicas"] == 2)
    scale = await here.client.get_scale(LLM_ENDPOINT, here.namespace, "ours")
    assert "modelward.dev/endpoint=ours" in scale.selector


async def test_a_changed_template_never_lets_replicas_fall_in_between(
    place: Callable[[str], Place], operator: Operator
) -> None:
    here = place("scaled")
    await here.endpoint("steady", run_here(replicas=3))
    await here.deployment("steady", lambda o: o["spec"]["replicas"] == 3)
    await here.reconciled("steady")
    changed = run_here(replicas=3)
    changed["backend"]["template"]["podTemplate"]["spec"]["containers"] = [
        {**CONTAINER, "image": "modelward.invalid/vllm:1"}
    ]
    await here.endpoint("steady", changed)
    image = lambda o: o["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":1")  # noqa: E731
    after = await here.deployment("steady", image)
    assert after["spec"]["replicas"] == 3
    await here.reconciled("steady")
    writers = [
        line.partition("manager=")[2].split()[0] for line in operator.writes("scaled") if "Deployment steady" in line
    ]
    assert writers == ["modelward-template", "modelward", "modelward-scale", "modelward-template"]


async def test_policies_settings_and_releases_leave_the_template_as_it_is(
    place: Callable[[str], Place], operator: Operator
) -> None:
    here = place("template")
    await here.endpoint("chat", run_here(replicas=1))
    await here.reconciled("chat")
    before = await here.deployment("chat")
    await here.policy(capture={"content": "Redacted", "sample": "10%"})
    await config(here, "Redacted", 100_000)
    await here.policy(capture={"content": "MetadataOnly", "sample": "50%"})
    await config(here, "MetadataOnly", 500_000)
    operator.stop()
    operator.start(collector_image="modelward.invalid/collector:1", MODELWARD_HUB_URL="http://hub.invalid:8443")
    await here.found(CONFIG_MAP, "modelward-collector-chat", lambda o: "hub.invalid" in o["data"]["collector.json"])
    after = await here.get(DEPLOYMENT, "chat")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["spec"] == before["spec"]


async def config(here: Place, content: str, sample_ppm: int) -> None:
    wanted = (f'"content": "{content}"', f'"samplePpm": {sample_ppm}')
    await here.found(
        CONFIG_MAP, "modelward-collector-chat", lambda o: all(one in o["data"]["collector.json"] for one in wanted)
    )


async def test_no_reconcile_has_met_what_it_did_not_expect(operator: Operator) -> None:
    text = operator.log.read_text()
    assert "Traceback" not in text, text[text.index("Traceback") - 500 :][:3000]
