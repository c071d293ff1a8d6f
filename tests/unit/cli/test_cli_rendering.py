"""What people read at a terminal: what would be created, and why an endpoint is as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from modelward.api.exchange import Exchange, Message
from modelward.api.llmendpoint import LLMEndpoint
from modelward.cli.explain.page import explanation
from modelward.cli.rendering import RenderError, rendered

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
API = "modelward.dev/v1alpha1"
ENDPOINT: dict[str, Any] = {
    "apiVersion": API,
    "kind": "LLMEndpoint",
    "metadata": {"name": "chat", "namespace": "retail"},
    "spec": {"backend": {"template": {"image": "llama", "port": 8080}}},
}


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.name)
def test_every_example_with_an_endpoint_renders(file: Path) -> None:
    documents = list(yaml.safe_load_all(file.read_text()))
    if not any(document and document.get("kind") == "LLMEndpoint" for document in documents):
        pytest.skip("no LLMEndpoint in it")
    try:
        found = rendered(documents)
    except RenderError as error:
        assert "TargetNotFound" in str(error)  # noqa: PT017 - the example watches what the reader already has
    else:
        assert all({"apiVersion", "kind", "metadata"} <= set(one) for one in found)


def test_children_are_printed_in_the_order_in_which_they_are_applied() -> None:
    kinds = [one["kind"] for one in rendered([None, ENDPOINT, {"kind": "Secret"}])]
    assert kinds == ["ConfigMap", "Service", "Deployment", "Deployment"]


def test_a_policy_of_the_same_file_is_taken_into_account() -> None:
    spec = {"endpointSelector": {}, "capture": {"content": "Redacted", "sample": "20%"}}
    policy = {
        "apiVersion": API,
        "kind": "MonitoringPolicy",
        "metadata": {"name": "p", "namespace": "retail"},
        "spec": spec,
    }
    (config,) = [one for one in rendered([ENDPOINT, policy]) if one["kind"] == "ConfigMap"]
    assert '"samplePpm": 200000' in config["data"]["collector.json"]


def test_a_workload_of_the_same_file_is_found() -> None:
    watched = {**ENDPOINT, "spec": {"backend": {"workloadRef": {"name": "vllm"}}, "collector": {"mode": "Sidecar"}}}
    container = {"name": "server", "image": "vllm", "ports": [{"containerPort": 8000}]}
    template = {"metadata": {"labels": {"app": "v"}}, "spec": {"containers": [container]}}
    about = {"name": "vllm", "namespace": "retail", "uid": "u"}
    spec = {"selector": {"matchLabels": {"app": "v"}}, "template": template}
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec}
    assert [one["kind"] for one in rendered([watched, workload])] == [
        "ConfigMap",
        "Service",
        "Deployment",
        "Deployment",
    ]
    with pytest.raises(RenderError, match="LLMEndpoint chat: TargetNotFound: there is no Deployment vllm"):
        rendered([watched])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "no LLMEndpoint"),
        ({**ENDPOINT, "spec": {}}, "LLMEndpoint chat: spec.backend: Field required"),
        ({**ENDPOINT, "spec": {**ENDPOINT["spec"], "replica": 1}}, "spec.replica: Extra inputs"),
        ({**ENDPOINT, "metadata": None}, r"LLMEndpoint \?: metadata.name"),
    ],
)
def test_what_the_operator_would_refuse_is_named(document: dict[str, Any], message: str) -> None:
    with pytest.raises(RenderError, match=message):
        rendered([document])


STATUS: dict[str, Any] = {
    "health": "Degraded",
    "healthSince": "2026-11-24T00:00:00Z",
    "summary": "topic 31% (24-39) > 10%, n=140",
    "usage": {"requestsPerMinute": "12", "firstTokenP95": "410ms"},
    "conditions": [
        {"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": "t", "message": "3 of 3"}
    ],
    "metrics": [{"policy": "baseline", "name": "first-token", "verdict": "Passed", "reason": "BelowLimit"}],
    "evaluations": [
        {"policy": "baseline", "name": "topic", "verdict": "Failed", "reason": "AboveLimit", "examples": ["e1", "e2"]}
    ],
    "scaling": {
        "desired": 3, "reason": "Growth", "message": "40 tok/s",
        "decisions": [{"time": "earlier", "replicas": 2, "reason": "Growth"}],
    },
    "changes": [{"time": "then", "kind": "Revision", "message": "r1 → r2"}],
}  # fmt: skip


def page(status: dict[str, Any], examples: dict[str, Exchange]) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(explanation(LLMEndpoint.model_validate({**ENDPOINT, "status": status}), examples))
        return console.export_text()


def test_an_explanation_shows_verdicts_evidence_and_the_texts_that_may_be_read() -> None:
    cake = Exchange(
        "e1", 1, "retail/chat", "m", "r1", "chat", 200, "ok", "Redacted",
        (Message("user", "a cake\nrecipe, please"),), "Take " + "flour " * 100,
    )  # fmt: skip
    text = page(STATUS, {"e1": cake})
    for part in (
        "retail/chat", "Degraded since 2026-11-24T00:00:00Z: topic 31% (24-39) > 10%, n=140", "12 requests/min",
        "first token p95 410ms", "errors ?", "first-token", "AboveLimit", "a cake recipe, please", "…",
        "text stays in the hub", "Growth", "40 tok/s", "earlier", "r1 → r2",
    ):  # fmt: skip
        assert part in text, part


def test_an_explanation_of_a_new_endpoint_says_what_is_not_known() -> None:
    text = page({}, {})
    assert "Unknown since ?" in text
    assert "no request has been seen yet" in text
    assert "Scaling" not in text
    assert "Checks" not in text


def test_an_explanation_says_what_to_do_with_the_endpoints_own_names() -> None:
    condition = {"type": "WorkloadReady", "status": "False", "reason": "ScaledToZero", "lastTransitionTime": "t"}
    text = page({"conditions": [condition]}, {})
    assert "kubectl scale llmep -n retail chat --replicas=1" in text
