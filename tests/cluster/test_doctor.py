"""Preflight and doctor on a real API server: they say what would happen, and change nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_render import named, of_kind, render

from modelward.api.llmendpoint import LLMEndpoint
from modelward.cli.cluster import installation
from modelward.cli.doctor.checkup import checkup
from modelward.cli.doctor.examine import observed
from modelward.cli.doctor.remark import Remark
from modelward.desired import adoption
from modelward.desired.installation import Installation
from modelward.desired.names import ADOPT_MANAGER
from modelward.kube.client import Client

pytestmark = pytest.mark.cluster

API = "modelward.dev/v1alpha1"
SHORT = {"image": "modelward.invalid/llama:0", "port": 8080}
CONTAINER = {"name": "server", "image": "modelward.invalid/vllm:0", "ports": [{"containerPort": 8000}]}


def obj(kind: str, name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def endpoint(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    return obj("LLMEndpoint", name, namespace, **spec)


def adopting(name: str, namespace: str, workload: str, **spec: Any) -> dict[str, Any]:
    return endpoint(name, namespace, backend={"workloadRef": {"name": workload}}, collector={"mode": "Sidecar"}, **spec)


def users(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    pod = {"nodeSelector": {"modelward.dev/nowhere": "true"}, "containers": [CONTAINER]}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    body = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": body,
    }


@pytest.fixture(scope="module", autouse=True)
def definitions(cluster: Any) -> None:
    """The kinds of this checkout; whoever has installed them keeps them."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(Path(__file__).parents[2] / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "crd/llmendpoints.modelward.dev", "--timeout=120s")


def command(cluster: Any, *arguments: str, kubeconfig: Path | None = None) -> tuple[int, dict[str, Any]]:
    code = "from modelward.cli.app import main; main()"
    where = ("--kubeconfig", str(kubeconfig or cluster.kubeconfig))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, *where, "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def preflight(
    cluster: Any, tmp_path: Path, *documents: dict[str, Any], kubeconfig: Path | None = None
) -> tuple[int, list[dict[str, Any]]]:
    file = tmp_path / "file.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    code, answer = command(cluster, "preflight", str(file), kubeconfig=kubeconfig)
    return code, answer["effects"]


def everything(cluster: Any, namespace: str) -> str:
    kinds = "llmep,mpol,llmeval,deploy,svc,cm,sa"
    listed = json.loads(cluster.kubectl("get", kinds, "-n", namespace, "-o", "json"))["items"]
    return json.dumps(sorted((one["kind"], one["metadata"]["name"], one.get("spec")) for one in listed), sort_keys=True)


def test_what_would_be_created_is_said_and_nothing_is(cluster: Any, namespace: str, tmp_path: Path) -> None:
    before = everything(cluster, namespace)
    code, (new,) = preflight(cluster, tmp_path, endpoint("new", namespace, backend={"template": SHORT}, replicas=3))
    assert (code, new["outcome"], new["starts"]) == (0, "Creates", 3)
    assert everything(cluster, namespace) == before


def test_an_adoption_rolls_the_workload_once(cluster: Any, namespace: str, tmp_path: Path) -> None:
    cluster.apply(users("mine", namespace))
    code, (found,) = preflight(cluster, tmp_path, adopting("adopts", namespace, "mine"))
    assert (code, found["outcome"], found["restarts"]) == (1, "Rolls", 2)
    cluster.kubectl("delete", "deploy", "mine", "-n", namespace, "--wait=true")


def test_replicas_that_an_autoscaler_drives_stay(cluster: Any, namespace: str, tmp_path: Path) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "driven"}
    about = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}
    cluster.apply([users("driven", namespace), {**about, "metadata": {"name": "theirs"}, "spec": spec}], namespace)
    wanted = endpoint("beside", namespace, backend={"workloadRef": {"name": "driven"}}, replicas=5)
    code, (found,) = preflight(cluster, tmp_path, wanted)
    assert (code, found["outcome"], found["starts"]) == (0, "Nothing", 0)
    assert found["notes"][0].startswith("HorizontalPodAutoscaler theirs drives Deployment driven")
    cluster.kubectl("delete", "hpa", "theirs", "-n", namespace)
    code, (found,) = preflight(cluster, tmp_path, wanted)
    assert (code, found["outcome"], found["starts"]) == (0, "Nothing", 3)


def test_a_workload_that_is_adopted_already_does_not_roll_again(cluster: Any, namespace: str, tmp_path: Path) -> None:
    cluster.apply(users("done", namespace))
    wanted = adopting("again", namespace, "done", paused=True)  # so that an operator of the cluster keeps away
    cluster.apply(wanted)
    stored = json.loads(cluster.kubectl("get", "llmep", "again", "-n", namespace, "-o", "json"))
    workload = json.loads(cluster.kubectl("get", "deploy", "done", "-n", namespace, "-o", "json"))
    made = adoption.injection(LLMEndpoint.model_validate(stored), workload, Installation("collector:1", "m"))
    text = json.dumps(made)
    cluster.kubectl("apply", "--server-side", f"--field-manager={ADOPT_MANAGER}", "-f", "-", input=text)
    code, (found,) = preflight(cluster, tmp_path, adopting("again", namespace, "done", paused=False))
    assert (code, found["outcome"]) == (0, "Nothing"), found
    changed = adopting("again", namespace, "done", paused=False)
    changed["metadata"]["annotations"] = {"modelward.dev/rollout-at": "1"}
    code, (found,) = preflight(cluster, tmp_path, changed)
    assert (code, found["outcome"], found["restarts"]) == (1, "Rolls", 2)
    assert "rollout-at" in found["why"]


REFUSED: dict[str, tuple[Any, str, str]] = {
    "no workload": (lambda ns: [adopting("x", ns, "nowhere")], "TargetNotFound", "no Deployment nowhere"),
    "the schema": (lambda ns: [endpoint("x", ns, backend={"template": SHORT}, replica=1)], "InvalidSpec", "replica"),
    "a rule": (
        lambda ns: [endpoint("x", ns, backend={"template": {**SHORT, "port": 18080}})],
        "InvalidSpec",
        "belong to the collector",
    ),
    "a pod template": (
        lambda ns: [
            endpoint(
                "x",
                ns,
                backend={
                    "template": {
                        "port": 1,
                        "podTemplate": {"spec": {"containers": [{"name": "model", "image": "i", "imagee": "x"}]}},
                    }
                },
            )
        ],
        "InvalidTemplate",
        "imagee",
    ),
    "an evaluator": (
        lambda ns: [
            obj(
                "MonitoringPolicy",
                "x",
                ns,
                endpointSelector={},
                evaluations=[
                    {
                        "name": "topic",
                        "check": {"builtin": "Unheard"},
                        "failAbove": "10%",
                        "every": "15m",
                        "over": "1h",
                        "minSamples": 100,
                    }
                ],
            )
        ],
        "UnknownEvaluator",
        "Unheard",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_refused_is_said_before(cluster: Any, namespace: str, tmp_path: Path, case: str) -> None:
    documents, reason, words = REFUSED[case]
    code, (found,) = preflight(cluster, tmp_path, *documents(namespace))
    assert (code, found["outcome"], found["reason"]) == (2, "Refused", reason), found
    assert words in found["why"]


def test_a_name_that_is_taken_is_said_before(cluster: Any, namespace: str, tmp_path: Path) -> None:
    cluster.kubectl("create", "service", "clusterip", "taken", "--tcp=80", "-n", namespace)
    code, (found,) = preflight(cluster, tmp_path, endpoint("taken", namespace, backend={"template": SHORT}))
    assert (code, found["reason"]) == (2, "NameTaken")


def test_a_namespace_that_comes_with_the_file_is_no_obstacle(cluster: Any, tmp_path: Path) -> None:
    about = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "not-there-yet"}}
    code, (found,) = preflight(cluster, tmp_path, about, endpoint("x", "not-there-yet", backend={"template": SHORT}))
    assert (code, found["outcome"]) == (0, "Creates")
    assert any("not checked by the API server" in note for note in found["notes"])


@pytest.fixture
def reader(cluster: Any, namespace: str, tmp_path: Path) -> Path:
    """A kubeconfig of an account that may read endpoints of one namespace and nothing else."""
    for arguments in (
        ("create", "sa", "reader"),
        ("create", "role", "reader", "--verb=get,list", "--resource=llmendpoints.modelward.dev"),
        ("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader"),
    ):
        cluster.kubectl(*arguments, "-n", namespace)
    return speaking_as(cluster, namespace, "reader", tmp_path)


def speaking_as(cluster: Any, namespace: str, account: str, folder: Path) -> Path:
    """Return a kubeconfig with an account's token."""
    token = cluster.kubectl("create", "token", account, "-n", namespace).strip()
    config = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path = folder / f"{account}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_who_may_read_little_is_told_what_was_not_looked_at(
    cluster: Any, namespace: str, tmp_path: Path, reader: Path
) -> None:
    code, answer = command(cluster, "doctor", kubeconfig=reader)
    unread = {one["subject"] for one in answer["remarks"] if one["severity"] == "NotRead"}
    assert {"CRDs", "operator", "leader", "rights", "hub", "admission", "endpoints"} <= unread
    assert code == 0
    code, (found,) = preflight(
        cluster, tmp_path, endpoint("x", namespace, backend={"template": SHORT}), kubeconfig=reader
    )
    assert found["outcome"] == "Creates"
    assert any("not checked by the API server" in note for note in found["notes"])
    assert any("could not be read" in note for note in found["notes"])


def test_a_namespace_without_an_installation_is_diagnosed(cluster: Any, namespace: str) -> None:
    code, answer = command(cluster, "doctor", "-n", namespace)
    errors = {one["subject"]: one["what"] for one in answer["remarks"] if one["severity"] == "Error"}
    assert code == 1
    assert errors["operator"] == f"there is no Deployment modelward in namespace {namespace}"
    assert "no replica leads" in errors["leader"]
    assert all(one["next"] for one in answer["remarks"] if one["severity"] in ("Error", "Warning"))
    assert {"severity": "Good", "subject": "CRDs"}.items() <= next(
        one for one in answer["remarks"] if one["subject"] == "CRDs"
    ).items()


@dataclass(frozen=True, slots=True)
class Account:
    """The operator's account with the rights of the chart, and what it got answered."""

    kubeconfig: Path
    namespace: str
    answers: list[str]

    async def doctor(self) -> list[Remark]:
        """Return what the doctor says to it."""
        async with Client.connect(str(self.kubeconfig), lambda _, code: self.answers.append(code)) as client:
            return list(checkup(await observed(client, self.namespace, second_look_s=0)))


@pytest.fixture(params=["of the cluster", "of one namespace"])
def operator(
    cluster: Any, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Account]:
    """Its pod in all but the pod: its token, its mounted settings, its rights; Modelward itself is not there."""
    values: Mapping[str, Any] = {"watchNamespaces": [namespace]} if request.param == "of one namespace" else {}
    objects = render({**values, "crds": {"install": False}}, namespace)
    rights = [own_names(one, namespace) for one in of_kind(objects, *ACCESS) if is_operators(one)]
    cluster.apply(rights)
    mounted = tmp_path / "settings.yaml"
    mounted.write_text(named(objects, "ConfigMap", "modelward-settings")["data"]["settings.yaml"])
    monkeypatch.setattr(installation, "MOUNTED", mounted)
    yield Account(speaking_as(cluster, namespace, "modelward", tmp_path), namespace, [])
    kinds = "serviceaccount,role,rolebinding"
    cluster.kubectl("delete", kinds, "-n", namespace, "-l", "app.kubernetes.io/component=operator")
    cluster.kubectl("delete", "clusterrole,clusterrolebinding", f"{namespace}-modelward", "--ignore-not-found")


ACCESS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def is_operators(rendered: Mapping[str, Any]) -> bool:
    labels = rendered["metadata"]["labels"]
    return bool(labels.get("app.kubernetes.io/component") == "operator")


def own_names(rendered: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Return an object that clashes with no installation: what belongs to no namespace gets a name of its own."""
    if not rendered["kind"].startswith("Cluster"):
        return rendered
    made = {**rendered, "metadata": {**rendered["metadata"], "name": f"{namespace}-modelward"}}
    reference = {**made.get("roleRef", {}), "name": f"{namespace}-modelward"}
    return {**made, "roleRef": reference} if "roleRef" in made else made


async def test_the_chart_gives_the_operator_what_the_doctor_asks_for_and_is_refused_nothing(operator: Account) -> None:
    remarks = await operator.doctor()
    said = {one.subject: one for one in remarks}
    assert said["rights"].severity == "Good", said["rights"]
    assert [one.what for one in remarks if one.severity == "NotRead" and one.subject == "endpoints"] == []
    assert "settings" not in said
    assert operator.answers
    assert not {"401", "403"} & set(operator.answers)


async def test_a_right_at_home_that_is_missing_is_found_by_the_operator(operator: Account, cluster: Any) -> None:
    cluster.kubectl("delete", "rolebinding", "modelward-self", "-n", operator.namespace)
    (rights,) = [one for one in await operator.doctor() if one.subject == "rights"]
    assert rights.severity == "Error"
    assert f"update coordination.k8s.io/leases/modelward in {operator.namespace}" in rights.what
    assert "deployments" not in rights.what
    assert rights.next.startswith("helm upgrade")


@pytest.fixture
def policies(cluster: Any, namespace: str) -> Iterator[tuple[str, str]]:
    """Two policies against Services of the namespace, of which only the first is bound."""
    names = f"{namespace}-bound", f"{namespace}-idle"
    about = {"apiVersion": "admissionregistration.k8s.io/v1"}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]}
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    match = {"matchConstraints": {"namespaceSelector": where, "resourceRules": [rule]}}
    spec = {**match, "validations": [{"expression": "false", "message": "no Services here"}]}
    made = [{**about, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec} for name in names]
    binding = {"policyName": names[0], "validationActions": ["Deny"]}
    bound = {"kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": names[0]}, "spec": binding}
    cluster.apply([*made, {**about, **bound}])
    yield names
    cluster.kubectl("delete", "validatingadmissionpolicybinding", names[0])
    cluster.kubectl("delete", "validatingadmissionpolicy", *names)


def test_a_policy_in_force_is_named_and_one_without_a_binding_is_not(
    cluster: Any, namespace: str, policies: tuple[str, str]
) -> None:
    _, answer = command(cluster, "doctor", "-n", namespace)
    said = {one["what"]: one["next"] for one in answer["remarks"] if one["subject"] == "admission"}
    bound = f"ValidatingAdmissionPolicy {policies[0]} may refuse services, as its rules say"
    assert said[bound] == f"kubectl describe validatingadmissionpolicies {policies[0]}"
    assert not [what for what in said if policies[1] in what]


def test_images_are_all_listed_and_what_is_not_known_of_them_is_said(cluster: Any, namespace: str) -> None:
    settings = "{namespace: n, collectorImage: mirror.invalid/collector:9, evaluatorImage: mirror.invalid/modelward:9}"
    about = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "modelward-settings"}}
    cluster.apply({**about, "data": {"settings.yaml": settings}}, namespace)
    code = "from modelward.cli.app import main; main()"
    where = ("--kubeconfig", str(cluster.kubeconfig), "-n", namespace)
    done = subprocess.run(
        [sys.executable, "-c", code, "images", *where], capture_output=True, text=True, check=True, timeout=120
    )
    assert {"mirror.invalid/collector:9", "mirror.invalid/modelward:9"} <= set(done.stdout.split())
    assert "digest not known: mirror.invalid/collector:9" in done.stderr
