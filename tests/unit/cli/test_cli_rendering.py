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
from modelward.cli.rendering import page as rendering

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


WORKLOAD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "vllm", "namespace": "retail", "uid": "u"},
    "spec": {
        "selector": {"matchLabels": {"app": "v"}},
        "template": {
            "metadata": {"labels": {"app": "v"}},
            "spec": {"containers": [{"name": "server", "image": "vllm", "ports": [{"containerPort": 8000}]}]},
        },
    },
}


def watching(mode: str, **more: Any) -> dict[str, Any]:
    spec = {"backend": {"workloadRef": {"name": "vllm"}}, "collector": {"mode": mode}, **more}
    return {**ENDPOINT, "spec": spec}


def test_a_workload_of_the_same_file_is_found() -> None:
    watched, workload = watching("Sidecar"), WORKLOAD
    assert [one["kind"] for one in rendered([watched, workload])] == [
        "ConfigMap",
        "Service",
        "Deployment",
        "Deployment",
    ]
    with pytest.raises(RenderError, match="LLMEndpoint chat: TargetNotFound: there is no Deployment vllm"):
        rendered([watched])


def comments(*documents: dict[str, Any]) -> str:
    text = rendering(documents)
    assert [one for one in yaml.safe_load_all(text) if one] == rendered(documents)
    return "\n".join(line for line in text.splitlines() if line.startswith("# "))


def test_what_is_patched_into_a_workload_of_the_owners_is_said_in_plain_words() -> None:
    text = comments(watching("Sidecar"), WORKLOAD)
    partial = rendered([watching("Sidecar"), WORKLOAD])[-1]
    pod = partial["spec"]["template"]["spec"]
    for part in (*pod["initContainers"], *pod["volumes"]):
        assert part["name"] in text
    for part in (
        "Deployment vllm stays yours", "Its pods roll once for that, after a pod of Deployment chat-rehearsal",
        *partial["metadata"]["labels"], *partial["metadata"]["annotations"], "lead to port 18080 instead of 8000",
        "Not touched: its containers (image, command, env, probes, resources)", "Nor are its replicas.",
        "`collector` and `modelward` are stand-ins", "set collector.mode: ScrapeOnly",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("ScrapeOnly", "its metrics page on port 8000 is read"),
        ("Gateway", "Deployment chat-gateway passes requests on"),
    ],
)
def test_where_nothing_is_patched_that_is_said(mode: str, why: str) -> None:
    assert f"Nothing is patched into Deployment vllm, and no pod of it restarts: {why}" in comments(
        watching(mode), WORKLOAD
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"replicas": 3}, "Its replicas are set to 3, as spec.replicas says."),
        ({"scaling": {"mode": "Direct", "maxReplicas": 4}}, "Its replicas are set by the scaler, from 1 to 4."),
        ({"paused": True}, "spec.paused is true: nothing of this is written."),
    ],
)
def test_what_the_spec_says_of_the_workload_changes_the_words(more: dict[str, Any], said: str) -> None:
    assert said in comments(watching("Sidecar", **more), WORKLOAD)


def test_an_endpoint_that_we_run_has_no_such_words() -> None:
    assert comments(ENDPOINT) == ""


def test_a_workload_that_the_file_lacks_is_said_to_be_missing_from_the_file() -> None:
    with pytest.raises(RenderError) as caught:
        rendered([watching("Sidecar")])
    assert str(caught.value) == (
        "LLMEndpoint chat: TargetNotFound: there is no Deployment vllm in the file; add what `kubectl get deployment"
        " -n retail vllm -o yaml` prints, or ask a cluster with `modelward preflight`"
    )


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
