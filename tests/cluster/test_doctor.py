"""Preflight and doctor on a real API server: they say what would happen, and change nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelward.api.llmendpoint import LLMEndpoint
from modelward.desired import adoption
from modelward.desired.installation import Installation
from modelward.desired.names import ADOPT_MANAGER

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
    cluster.kubectl("wait", "--for=condition=Established", "crd/llmendpoints.modelward.dev", "--timeout=30s")


def command(cluster: Any, *arguments: str, kubeconfig: Path | None = None) -> tuple[int, dict[str, Any]]:
    code = "from modelward.cli import main; main()"
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
    """A kubeconfig of somebody who may read endpoints of one namespace and nothing else."""
    for arguments in (
        ("create", "sa", "reader"),
        ("create", "role", "reader", "--verb=get,list", "--resource=llmendpoints.modelward.dev"),
        ("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader"),
    ):
        cluster.kubectl(*arguments, "-n", namespace)
    token = cluster.kubectl("create", "token", "reader", "-n", namespace).strip()
    config = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    path = tmp_path / "reader.yaml"
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
    assert "nobody leads" in errors["leader"]
    assert all(one["next"] for one in answer["remarks"] if one["severity"] in ("Error", "Warning"))
    assert {"severity": "Good", "subject": "CRDs"}.items() <= next(
        one for one in answer["remarks"] if one["subject"] == "CRDs"
    ).items()
