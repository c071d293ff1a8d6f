"""Every backend in every mode, with real pods and real clients: what is seen, and what is left alone."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from installation import ENDPOINTS, Installed, rolled_out
from modes import ALL, OF_WORKLOAD, Modes, declarations, sleeper, users_adopted, workloads
from streams import broken, chat, streams

pytestmark = pytest.mark.cluster

ASKED = 20


@pytest.fixture(scope="module")
def modes(installed: Installed) -> Iterator[Modes]:
    """Start the users' own workloads, then declare all endpoints at once, then let clients ask each of them."""
    namespace = f"e2e-modes-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", namespace)
    installed.apply(namespace, *workloads())
    installed.until("the users' pods", lambda: _all_ready(installed, namespace), 120)
    before = {name: installed.pod_uids(namespace, f"app=my-{name}") for name in OF_WORKLOAD}
    installed.apply(namespace, *declarations())
    scene = Modes(installed, namespace, before)
    installed.until("all endpoints ready", lambda: all(_says(scene, "Ready").values()), 120)
    installed.until("all collectors rolled out", lambda: _rolled_out(scene), 120)
    installed.until("the autoscaler's two", lambda: len(scene.pods("adopted")) == 2)
    installed.until("numbers from all", lambda: all(_says(scene, "MetricsAvailable").values()))
    with ThreadPoolExecutor(len(ALL)) as pool:
        asked = {name: pool.submit(streams, scene.url(name), ASKED) for name in ALL}
    assert {name: broken(replies.result()) for name, replies in asked.items()} == {name: [] for name in ALL}
    yield scene
    installed.cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _all_ready(installed: Installed, namespace: str) -> bool:
    found = [one for one in installed.items("deployments", namespace) if one["metadata"]["name"].startswith("my-")]
    wanted = {f"my-{name}": 2 if name == "relayed" else 1 for name in OF_WORKLOAD}
    ready = {one["metadata"]["name"]: one.get("status", {}).get("readyReplicas", 0) for one in found}
    return all(ready.get(name, 0) >= count for name, count in wanted.items())


def _rolled_out(scene: Modes) -> bool:
    return all(rolled_out(one) for one in scene.installed.items("deployments", scene.namespace))


def _says(scene: Modes, condition: str) -> dict[str, bool]:
    found = {one["metadata"]["name"]: one for one in scene.installed.items(ENDPOINTS, scene.namespace)}
    return {
        name: any(
            one["type"] == condition and one["status"] == "True"
            for one in found.get(name, {}).get("status", {}).get("conditions", [])
        )
        for name in ALL
    }


@pytest.mark.parametrize("name", ALL)
def test_an_endpoint_is_ready_and_its_use_is_seen(modes: Modes, name: str) -> None:
    assert modes.installed.condition(name, modes.namespace, "Ready")[0] == "True"
    assert modes.installed.condition(name, modes.namespace, "MetricsAvailable")[0] == "True"

    def used() -> dict[str, str] | None:
        usage = dict(modes.installed.status(name, modes.namespace).get("usage") or {})
        return usage if usage.get("firstTokenP95") and float(usage.get("outputTokensPerMinute") or 0) else None

    usage = modes.installed.until(f"usage of {name}", used)
    assert float(usage["requestsPerMinute"]) > 0
    assert float(usage["inputTokensPerMinute"]) > 0
    assert usage.get("errorRate", "0%") == "0%"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_answer_is_the_engines_own_to_the_byte(modes: Modes, name: str, stream: bool) -> None:
    direct = chat(modes.model_url("watched" if name == "remote" else name), stream=stream)
    through = chat(modes.url(name), stream=stream)
    assert direct.status == 200
    assert through.comparable == direct.comparable


def test_clients_of_an_external_api_may_write_its_prefix_or_leave_it_out(modes: Modes) -> None:
    with_prefix, without = (
        chat(modes.url("remote"), stream=False, path=path) for path in ("/v1/chat/completions", "/chat/completions")
    )
    assert with_prefix.comparable == without.comparable
    assert with_prefix.status == 200


@pytest.mark.parametrize("name", ["watched", "relayed"])
def test_watching_and_relaying_leave_the_users_pods_as_they_are(modes: Modes, name: str) -> None:
    assert modes.uids(name) == modes.users_pods[name]


def test_a_gateway_of_two_spreads_requests_over_the_pods(modes: Modes) -> None:
    gateway = modes.installed.items("pods", modes.namespace, "modelward.dev/endpoint=relayed")
    assert len(gateway) == 2
    assert all(counted >= ASKED // 4 for counted in _served(modes, "relayed")), _served(modes, "relayed")


def _served(modes: Modes, name: str) -> list[float]:
    """Return how many requests each pod of a model counted itself."""
    pages = [_page(f"http://{pod['status']['podIP']}:8080/metrics") for pod in modes.pods(name)]
    return [sum(float(line.split()[-1]) for line in page if line.startswith("vllm:request_success")) for page in pages]


def _page(url: str) -> list[str]:
    with urllib.request.urlopen(url, timeout=30) as response:
        return str(response.read().decode()).splitlines()


def test_adopting_rolls_once_and_keeps_what_is_its_owners(modes: Modes) -> None:
    adopted = modes.installed.get("deployment", "my-adopted", modes.namespace)
    assert adopted["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert adopted["metadata"]["annotations"]["team"] == "theirs"
    assert adopted["spec"]["replicas"] == 2
    pod = adopted["spec"]["template"]["spec"]
    assert [one["name"] for one in pod["containers"]] == ["server", "logs"]
    assert pod["containers"][1]["command"] == sleeper()["command"]
    assert [one["name"] for one in pod["initContainers"]] == ["modelward-collector"]
    assert modes.uids("adopted").isdisjoint(modes.users_pods["adopted"])


def test_its_owners_next_apply_neither_conflicts_nor_takes_the_collector_out(modes: Modes) -> None:
    before = modes.uids("adopted")
    document = json.dumps(users_adopted(release="2026.1"))
    modes.installed.cluster.kubectl("apply", "-n", modes.namespace, "-f", "-", input=document)
    server_side = ("apply", "--server-side", "--field-manager=their-pipeline", "-n", modes.namespace, "-f", "-")
    modes.installed.cluster.kubectl(*server_side, input=document)
    time.sleep(3)
    now = modes.installed.get("deployment", "my-adopted", modes.namespace)
    assert now["metadata"]["annotations"]["release"] == "2026.1"
    assert now["spec"]["replicas"] == 2
    assert [one["name"] for one in now["spec"]["template"]["spec"]["initContainers"]] == ["modelward-collector"]
    assert modes.uids("adopted") == before


def test_another_mode_gives_the_template_back(modes: Modes) -> None:
    release = {"spec": {"collector": {"mode": "ScrapeOnly"}}}
    _patch(modes, "given-back", release)

    def given_back() -> dict[str, Any] | None:
        found = modes.installed.get("deployment", "my-given-back", modes.namespace)
        pod = found["spec"]["template"]["spec"]
        ours = pod.get("initContainers") or pod.get("volumes")
        return found if not ours and rolled_out(found) else None

    found = modes.installed.until("the template as it was", given_back)
    assert "modelward.dev/adopted-by" not in found["metadata"]["labels"]
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    modes.installed.until_condition("given-back", modes.namespace, "Ready", "True")
    modes.installed.until_condition("given-back", modes.namespace, "MetricsAvailable", "True")
    # Their pod has no preStop: for a moment kube-proxy still leads to the one that left, as it does without us.
    url = modes.installed.url("my-given-back", modes.namespace)
    modes.installed.until("their Service to answer", lambda: broken(streams(url, 4)) == [])
    services = {one["metadata"]["name"] for one in modes.installed.items("services", modes.namespace)}
    assert "given-back-collector" not in services


def test_deleting_the_endpoint_leaves_its_pods_serving_through_their_collectors(modes: Modes) -> None:
    pod, before = modes.pods("left")[0], modes.uids("left")
    modes.installed.cluster.kubectl("delete", "llmep", "left", "-n", modes.namespace, "--timeout=20s")
    modes.installed.until(
        "our Service to go",
        lambda: "left-collector" not in str(modes.installed.items("services", modes.namespace)),
    )
    time.sleep(3)
    assert modes.uids("left") == before
    assert broken(streams(modes.installed.url("my-left", modes.namespace), 4)) == []
    assert broken(streams(f"http://{pod['status']['podIP']}:18080", 4)) == []


def _patch(modes: Modes, name: str, change: dict[str, Any]) -> None:
    modes.installed.cluster.kubectl(
        "patch", "llmep", name, "-n", modes.namespace, "--type=merge", "-p", json.dumps(change)
    )
