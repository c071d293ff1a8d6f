"""The definitions on a real API server: it takes them, and kubectl shows, scales and explains as designed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from crd_trial import KINDS, Spec, Trial, installed

from modelward.api import crd
from modelward.api.base import VERSION

if TYPE_CHECKING:
    from conftest import Cluster

pytestmark = pytest.mark.cluster

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden" / "kubectl-get"


@pytest.fixture(scope="module")
def trial(cluster: "Cluster", namespace: str) -> Iterator[Trial]:
    with installed(cluster, namespace) as trial:
        yield trial


def test_the_api_server_calls_every_schema_structural(trial: Trial) -> None:
    for definition in trial.definitions():
        found = json.loads(trial.kubectl("get", "crd", definition["metadata"]["name"], "-o", "json"))
        conditions = {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}
        assert conditions["Established"] == "True"
        assert "NonStructuralSchema" not in conditions


def test_the_api_server_keeps_every_word_of_a_definition(trial: Trial) -> None:
    for definition in trial.definitions():
        found = json.loads(trial.kubectl("get", "crd", definition["metadata"]["name"], "-o", "json"))
        assert found["spec"] | {"conversion": None} == definition["spec"] | {"conversion": None}


def test_the_files_themselves_are_accepted(cluster: "Cluster") -> None:
    for kind in crd.KINDS:
        arguments = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-")
        assert "serverside-applied" in cluster.kubectl(*arguments, input=crd.render(kind.name))


SHORT: Spec = {"backend": {"template": {"port": 8080, "image": "llama:1"}}}
LOOK_BACK: Spec = {"endpoint": "chat", "from": "2026-11-24T09:00:00Z", "to": "2026-11-24T10:00:00Z"}
ENDPOINT_STATUS: Spec = {
    "observedGeneration": 1,
    "summary": "stays-on-topic 31% (24-39) > 10%, n=140",
    "health": "Degraded",
    "healthSince": "2020-01-01T00:00:00Z",
    "checks": "4/5",
    "replicas": 3,
    "readyReplicas": 3,
    "replicasSummary": "3/3",
    "selector": "modelward.dev/endpoint=chat",
    "address": {"url": "http://chat.retail.svc/v1"},
    "models": ["smollm2"],
    "engine": "generic",
    "revision": "6f7d9c",
    "usage": {"firstTokenP95": "410ms", "errorRate": "0.2%"},
    "metrics": [{"policy": "baseline", "name": "errors", "verdict": "Passed", "value": "0.2%"}],
    "evaluations": [{"policy": "baseline", "name": "topic", "verdict": "Failed", "rate": "31%", "samples": 140}],
    "scaling": {"desired": 3, "reason": "Holding", "message": "3 replicas carry 40% of what they can"},
    "collector": {"mode": "Sidecar", "ready": 3, "desired": 3, "trafficSeen": "98%"},
    "appliedPolicies": [{"name": "baseline", "generation": 2}],
    "changes": [{"time": "2020-01-01T00:00:00Z", "kind": "Scale", "message": "2 to 3"}],
}
CONDITION: Spec = {
    "status": "True",
    "reason": "Ready",
    "message": "",
    "lastTransitionTime": "2020-01-01T00:00:00Z",
    "observedGeneration": 1,
}
STATUSES: dict[str, tuple[Spec, Spec]] = {
    "LLMEndpoint": (SHORT, {**ENDPOINT_STATUS, "conditions": [{"type": "Ready", **CONDITION}]}),
    "MonitoringPolicy": (
        {"endpointSelector": {}},
        {
            "endpoints": 3,
            "healthy": 2,
            "endpointsSummary": "2/3 healthy",
            "capture": {"content": "MetadataOnly", "sample": "10%"},
            "bindings": [{"endpoint": "chat", "health": "Degraded"}],
            "conditions": [{"type": "Accepted", **CONDITION}],
        },
    ),
    "Evaluator": (
        {"builtin": "OffTopicAnswered", "calibration": {"labels": {"configMapRef": {"name": "labelled"}}}},
        {
            "version": "1",
            "measured": "finds 94%, wrong on 2%",
            "calibration": {"labels": 120, "kappa": "0.61", "kappaLow": "0.52"},
            "conditions": [{"type": type_, **CONDITION} for type_ in ("Accepted", "Calibrated")],
        },
    ),
    "EvaluationRun": (
        LOOK_BACK,
        {
            "result": "Failed",
            "message": "topic failed",
            "samples": 140,
            "job": "look-back",
            "startTime": "2020-01-01T00:00:00Z",
            "completionTime": "2020-01-01T00:01:00Z",
            "items": [{"endpoint": "chat", "policy": "baseline", "evaluation": "topic", "result": "Failed"}],
        },
    ),
}


@pytest.fixture(scope="module")
def shown(trial: Trial) -> Trial:
    """The trial with one object of each kind, its status as the operator would write it."""
    for kind, (spec, status) in STATUSES.items():
        body = trial.document(kind, spec, "shown")
        trial.kubectl("create", "-f", "-", body=body)
        full = KINDS[kind].model.model_validate({**body, "status": status}).wire()["status"]
        patch_status(trial, kind, {"status": full})
    return trial


def patch_status(trial: Trial, kind: str, patch: Spec, *options: str) -> None:
    arguments = ("--subresource=status", "--type=merge", "-p", json.dumps(patch))
    trial.kubectl("patch", trial.resource(kind), "shown", *arguments, *options)


@pytest.mark.parametrize("kind", STATUSES)
def test_a_status_as_we_write_it_comes_back_whole(shown: Trial, kind: str) -> None:
    spec, status = STATUSES[kind]
    written = KINDS[kind].model.model_validate({**shown.document(kind, spec), "status": status})
    assert shown.stored(kind, "shown")["status"] == written.wire()["status"]


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@pytest.mark.parametrize("kind", STATUSES)
def test_kubectl_get_prints_the_designed_columns(shown: Trial, kind: str, wide: bool) -> None:
    printed = shown.kubectl("get", shown.resource(kind), *(("-o", "wide") if wide else ()))
    golden = GOLDEN / f"{KINDS[kind].short_name}{'-wide' if wide else ''}.txt"
    assert _ageless(printed) == golden.read_text()


def _ageless(printed: str) -> str:
    """Replace what depends on the day by `<age>`, and set columns two spaces apart."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in printed.splitlines()]
    return "".join("  ".join(re.sub(r"^(\d+[smhdy])+$", "<age>", cell) for cell in row) + "\n" for row in rows)


def test_kubectl_get_llm_shows_all_kinds(shown: Trial) -> None:
    names = set(shown.kubectl("get", "llm", "-o", "name").split())
    assert names >= {f"{KINDS[kind].name.lower()}.{shown.group}/shown" for kind in STATUSES}


def test_kubectl_scale_writes_replicas_and_autoscalers_find_the_pods(shown: Trial) -> None:
    shown.kubectl("scale", f"{shown.resource('LLMEndpoint')}/shown", "--replicas=5")
    assert shown.stored("LLMEndpoint", "shown")["spec"]["replicas"] == 5
    path = f"/apis/{shown.group}/{VERSION}/namespaces/{shown.namespace}/llmendpoints/shown/scale"
    scale = json.loads(shown.cluster.kubectl("get", "--raw", path))
    assert scale["status"] == {"replicas": 3, "selector": "modelward.dev/endpoint=chat"}


def test_a_write_of_status_leaves_the_spec_alone(shown: Trial) -> None:
    patch = {"spec": {"engine": "tgi"}, "status": {"checks": "4/5"}}
    patch_status(shown, "LLMEndpoint", patch)
    assert shown.stored("LLMEndpoint", "shown")["spec"]["engine"] == "generic"


def test_kubectl_explain_teaches(trial: Trial) -> None:
    printed = trial.kubectl("explain", "llmendpoints.spec.backend", f"--api-version={trial.group}/{VERSION}")
    text = " ".join(printed.split())
    assert "A Deployment or StatefulSet that another owner manages and Modelward watches." in text
    assert "A model server that Modelward runs" in text
