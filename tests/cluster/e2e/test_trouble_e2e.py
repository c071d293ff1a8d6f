"""What customers notice when a piece fails: nothing, or an error that they can read; and personal data stays home."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from customers import Crowd, ask, reached
from installation import SYSTEM, Installed, deployment, endpoint, scripted

pytestmark = pytest.mark.cluster

STEADY, SILENT, WALLED = "steady", "silent", "walled"
MAIL, CARD = "jane.doe.4711@example.com", "4111 1111 1111 1111"
COLLECTOR = "modelward-collector"
DOWN_S = 12.0


@dataclass(frozen=True, slots=True)
class Place:
    """The namespace of these tests."""

    installed: Installed
    namespace: str

    @property
    def url(self) -> str:
        """Where the steady endpoint answers."""
        return self.installed.url(STEADY, self.namespace)

    def pod(self, name: str) -> dict[str, Any]:
        """Return the endpoint's only model pod."""
        (pod,) = self.installed.items(
            "pods", self.namespace, f"modelward.dev/endpoint={name},modelward.dev/component=model"
        )
        return pod

    def evaluation(self, name: str) -> dict[str, Any]:
        """Return what status says of the endpoint's only evaluation, empty while it says nothing."""
        return next(iter(self.installed.status(name, self.namespace).get("evaluations", [])), {})

    def counted(self, metric: str) -> float:
        """Return the sum of a metric of the steady endpoint's collector."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.pod(STEADY)['metadata']['name']}:18081/proxy/metrics"
        page = self.installed.cluster.kubectl("get", "--raw", path)
        return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(metric))


@pytest.fixture(scope="module")
def place(installed: Installed) -> Iterator[Place]:
    """Apply a policy and three endpoints: one with customers, one without, one whose model another owner runs."""
    namespace = f"e2e-trouble-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", namespace)
    installed.apply(namespace, policy(), deployment("theirs"))
    installed.until("the policy is known", lambda: installed.get("mpol", "watch", namespace).get("status") or None)
    resources = {"resources": {"requests": {"cpu": "5m", "memory": "64Mi"}}}
    template = {"template": scripted("--first-token-ms", "50", cpu="5m")}
    installed.apply(
        namespace,
        endpoint(STEADY, template, engine="llamacpp", collector=resources),
        endpoint(SILENT, template, engine="llamacpp", collector=resources),
        endpoint(
            WALLED,
            {"workloadRef": {"name": "theirs"}},
            engine="llamacpp",
            collector={"mode": "Gateway", **resources},
            gateway={"replicas": 1},
        ),
    )
    for name in (STEADY, SILENT, WALLED):
        installed.until_condition(name, namespace, "Ready", "True")
    yield Place(installed, namespace)
    installed.cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def policy() -> dict[str, Any]:
    """Return a policy that looks for personal data in every answer."""
    evaluation = {"name": "no-personal-data", "check": {"builtin": "PII"}, "failAbove": "20%", "affects": "Safety"}
    return {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": "MonitoringPolicy",
        "metadata": {"name": "watch"},
        "spec": {
            "endpointSelector": {"matchLabels": {"watch": "yes"}},
            "capture": {"content": "Redacted", "sample": "100%"},
            "evaluations": [{**evaluation, "every": "10s", "over": "5m", "minSamples": 20}],
        },
    }


def test_personal_data_never_leaves_the_pod(place: Place) -> None:
    installed = place.installed
    installed.until("the Service leads there", lambda: reached(place.url) or None)
    answers = [ask(place.url, f"My card {CARD} is lost, write to {MAIL}. What now?") for _ in range(25)]
    assert {answer.status for answer in answers} == {200}
    installed.until("they are judged", lambda: place.evaluation(STEADY).get("verdict") == "Passed" or None)

    kept = stored(place)
    assert len(kept) == 25
    assert all("lost, write to" in text for text in kept)
    assert not any(secret in text for text in kept for secret in (MAIL, CARD))

    kubectl, namespace = installed.cluster.kubectl, place.namespace
    said = [
        *(kubectl("logs", "-n", SYSTEM, pod, "--all-containers") for pod in _pods(installed, SYSTEM)),
        *(kubectl("logs", "-n", namespace, pod, "--all-containers") for pod in _pods(installed, namespace)),
        *(kubectl("get", kind, "-n", namespace, "-o", "json") for kind in ("events", "llmep", "llmrun", "mpol", "cm")),
        kubectl("get", "events", "-n", SYSTEM, "-o", "json"),
    ]
    for secret in (MAIL, CARD, "write to", "jane.doe"):
        assert [text for text in said if secret in text] == []


def stored(place: Place) -> list[str]:
    """Return the questions that the hub keeps, read with the operator's token as `modelward explain` does."""
    code = f"""
import asyncio, json, os, time
from pathlib import Path
from modelward.hub_client.client import HubClient
from modelward.operator.runtime.assembly import TOKEN_FILE

async def main():
    pem = json.loads(os.environ["CA"])
    async with HubClient(os.environ["MODELWARD_HUB_URL"], pem, lambda: TOKEN_FILE.read_text().strip()) as hub:
        now = int(time.time() * 1000)
        found = await hub.window("{place.namespace}", "{STEADY}", now - 600_000, now, 1000)
        print(json.dumps([exchange.messages[-1].text for exchange in found]))

asyncio.run(main())
"""
    installed = place.installed
    authority = json.dumps(installed.get("configmap", "modelward-hub-ca", SYSTEM)["data"]["ca.crt"])
    inside = ("exec", "-n", SYSTEM, "deploy/modelward", "--", "env", f"CA={authority}")
    texts: list[str] = json.loads(installed.cluster.kubectl(*inside, "/opt/modelward/bin/python", "-c", code))
    return texts


def test_a_model_that_is_down_is_an_error_that_clients_understand(place: Place) -> None:
    installed, url = place.installed, place.installed.url(f"{WALLED}-collector", place.namespace)
    installed.until("the gateway answers", lambda: reached(url) or None)
    installed.cluster.kubectl("scale", "-n", place.namespace, "deployment/theirs", "--replicas=0")
    installed.until("the model's pods are gone", lambda: not installed.pod_uids(place.namespace, "app=theirs"))
    answer = ask(url, "Anybody there?")
    assert answer.status in (502, 503)
    error = json.loads(answer.text)["error"]
    assert {"message", "type", "code"} <= error.keys()
    assert installed.until_condition(WALLED, place.namespace, "Ready", "False")
    installed.cluster.kubectl("scale", "-n", place.namespace, "deployment/theirs", "--replicas=1")
    installed.until("it answers again", lambda: ask(url, "And now?").status == 200 or None)


def test_a_hub_that_is_down_costs_no_request_and_no_verdict_and_its_samples_arrive_later(place: Place) -> None:
    installed = place.installed
    with Crowd(place.url) as crowd:
        installed.cluster.kubectl("scale", "-n", SYSTEM, "statefulset/modelward-hub", "--replicas=0")
        try:
            reason = installed.until("it is said", lambda: _unavailable(place))
            assert "hub" in reason
            assert place.evaluation(STEADY)["verdict"] == "Passed", "what is known stays known"
        finally:
            installed.cluster.kubectl("scale", "-n", SYSTEM, "statefulset/modelward-hub", "--replicas=1")
        installed.cluster.kubectl("rollout", "status", "-n", SYSTEM, "statefulset/modelward-hub", "--timeout=120s")
    assert crowd.failed == []
    assert len(crowd.answers) > 50
    installed.until("it heals", lambda: not _unavailable(place))
    installed.until("all that was captured has arrived, or is counted as dropped", lambda: _delivered(place))
    sent = place.counted("modelward_collector_sent_total")
    installed.until("and is judged", lambda: place.evaluation(STEADY).get("samples") == sent or None)


def _unavailable(place: Place) -> str | None:
    one = place.evaluation(SILENT)
    return str(one["message"]) if one.get("reason") == "HubUnavailable" else None


def _delivered(place: Place) -> bool | None:
    captured = place.counted("modelward_collector_captured_total")
    gone = place.counted("modelward_collector_sent_total") + place.counted("modelward_collector_capture_dropped_total")
    return captured == gone or None


def test_an_operator_that_is_down_costs_no_request_and_catches_up(place: Place) -> None:
    installed = place.installed
    with Crowd(place.url) as crowd:
        installed.cluster.kubectl("scale", "-n", SYSTEM, "deployment/modelward", "--replicas=0")
        try:
            time.sleep(DOWN_S)
            installed.cluster.kubectl("label", "llmep", STEADY, "-n", place.namespace, "watch-", "no-one=looks")
        finally:
            installed.cluster.kubectl("scale", "-n", SYSTEM, "deployment/modelward", "--replicas=2")
        applied = installed.until("it catches up", lambda: _applied(place) == [] or None)
        assert applied
    assert crowd.failed == []
    assert len(crowd.answers) > 50
    installed.cluster.kubectl("label", "llmep", STEADY, "-n", place.namespace, "watch=yes", "no-one-")
    installed.until("and is watched again", lambda: _applied(place) == ["watch"] or None)


def _applied(place: Place) -> list[str]:
    return [one["name"] for one in place.installed.status(STEADY, place.namespace).get("appliedPolicies", [])]


def test_a_killed_data_plane_costs_only_the_requests_that_it_was_serving(place: Place) -> None:
    code = """
import os, signal, time
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\\0")
    except OSError:  # it has ended meanwhile
        continue
    if b"modelward.collector.dataplane" in words:
        os.kill(int(pid), signal.SIGKILL)
        print(time.monotonic())
"""
    before = place.pod(STEADY)
    inside = ("exec", "-n", place.namespace, before["metadata"]["name"], "-c", COLLECTOR, "--")
    with Crowd(place.url, at_once=4) as crowd:
        time.sleep(2)
        killed_at = float(place.installed.cluster.kubectl(*inside, "/opt/modelward/bin/python", "-c", code))
        time.sleep(4)
    assert [answer for answer in crowd.failed if answer.asked_at > killed_at] == []
    assert len(crowd.failed) <= crowd.at_once
    assert len([answer for answer in crowd.answers if answer.asked_at > killed_at]) > 20
    after = place.pod(STEADY)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert restarts(after) == restarts(before)
    assert place.counted('modelward_collector_restarts_total{process="dataplane"') == 1


def restarts(pod: dict[str, Any]) -> dict[str, int]:
    """Return how often each container was started again."""
    status = pod["status"]
    return {
        one["name"]: one["restartCount"] for one in (*status["initContainerStatuses"], *status["containerStatuses"])
    }


def test_a_deleted_configuration_comes_back_and_no_request_notices(place: Place) -> None:
    installed, name = place.installed, f"modelward-collector-{STEADY}"
    before = installed.get("configmap", name, place.namespace)
    with Crowd(place.url) as crowd:
        installed.cluster.kubectl("delete", "configmap", name, "-n", place.namespace)

        def healed() -> dict[str, Any] | None:
            found = installed.items("configmaps", place.namespace)
            return next((one for one in found if one["metadata"]["name"] == name), None)

        after = installed.until("the configuration is back", healed)
    assert crowd.failed == []
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["data"] == before["data"]


def _pods(installed: Installed, namespace: str) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in installed.items("pods", namespace)
        if pod["status"]["phase"] in ("Running", "Succeeded")
    ]
