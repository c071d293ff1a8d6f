"""Nothing of ours rolls a model: quiet, also where admission adds to our objects; policies; releases; a bad image."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from admission import (
    LABEL,
    add_labels_and_limits,
    break_collectors,
    break_rehearsals,
    lift,
    put_in_force,
    until_forgotten,
)
from installation import REPOSITORY, SYSTEM, Installed, deployment, helm_install, rolled_out, scripted
from modes import small
from streams import Streaming, broken, streams

pytestmark = pytest.mark.cluster

QUIET_S = 20
NAMES = ("chat", "fronted", "adopted")
MODELS = "modelward.dev/component=model"
OPERATOR = "app.kubernetes.io/name=modelward,app.kubernetes.io/component=operator"
NEXT = "localhost/modelward-collector:next"


@dataclass(frozen=True, slots=True)
class Steady:
    """Two namespaces with the same in them, in one of which admission changes what is written."""

    installed: Installed
    plain: str
    mutated: str

    @property
    def both(self) -> tuple[str, str]:
        """Both namespaces."""
        return self.plain, self.mutated

    def models(self) -> set[str]:
        """Return the uids of all pods that serve a model, ours and the user's."""
        found = [self.installed.pod_uids(place, where) for place in self.both for where in (MODELS, "app=theirs")]
        return set().union(*found)

    def children(self) -> dict[str, str]:
        """Return the resource version of every object that we write in both namespaces."""
        kinds = "deployments,services,configmaps,serviceaccounts"
        return {
            f"{place}/{one['kind']}/{one['metadata']['name']}": one["metadata"]["resourceVersion"]
            for place in self.both
            for one in self.installed.items(kinds, place)
        }

    def rolled_out(self) -> bool:
        """Return whether no Deployment is under way."""
        return all(rolled_out(one) for place in self.both for one in self.installed.items("deployments", place))


@pytest.fixture(scope="module")
def steady(installed: Installed) -> Iterator[Steady]:
    """Declare a template with a sidecar, one with a gateway, and an adopted Deployment, in both namespaces."""
    token = uuid.uuid4().hex[:5]
    scene = Steady(installed, f"e2e-steady-{token}", f"e2e-mutated-{token}")
    added = add_labels_and_limits(scene.mutated)
    for place in scene.both:
        installed.cluster.kubectl("create", "namespace", place)
    try:
        put_in_force(installed, scene.mutated, added)
        for place in scene.both:
            installed.apply(place, *declarations(), policy("MetadataOnly", "10%"))
        for place in scene.both:
            for name in NAMES:
                installed.until_condition(name, place, "CollectorReady", "True")
        installed.until("all rolled out", scene.rolled_out)
        yield scene
    finally:
        lift(installed, added)
        installed.cluster.kubectl("delete", "namespace", *scene.both, "--wait=false")


def declarations() -> list[dict[str, Any]]:
    return [
        deployment("theirs", "--dialect", "vllm"),
        small("chat", {"template": scripted(cpu="10m")}, engine="llamacpp", replicas=1),
        small("fronted", {"template": scripted(cpu="10m")}, "Gateway", engine="llamacpp", gateway={"replicas": 1}),
        small("adopted", {"workloadRef": {"name": "theirs"}}, "Sidecar", engine="vllm"),
    ]


def policy(content: str, sample: str) -> dict[str, Any]:
    objective = {"name": "first-token", "metric": "TimeToFirstToken", "maxDuration": "2s", "minRequests": 5}
    return {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": "MonitoringPolicy",
        "metadata": {"name": "baseline"},
        "spec": {
            "endpointSelector": {"matchLabels": {"watch": "yes"}},
            "capture": {"content": content, "sample": sample},
            "objectives": [objective],
        },
    }


def test_admission_added_what_the_platform_team_wants(steady: Steady) -> None:
    made = steady.installed.items(
        "deployments,configmaps,pods", steady.mutated, "app.kubernetes.io/managed-by=modelward"
    )
    assert {one["metadata"]["labels"].get(LABEL) for one in made} == {"platform"}
    chat = steady.installed.get("deployment", "chat", steady.mutated)["spec"]["template"]["spec"]["containers"][0]
    assert chat["resources"]["limits"]["memory"] == "512Mi"


def test_a_second_reconcile_writes_nothing(steady: Steady) -> None:
    steady.installed.until("the controllers' last word on the roll-out", lambda: _settled(steady))
    before, began = steady.children(), time.monotonic()
    time.sleep(QUIET_S)
    assert steady.children() == before
    since = f"--since={int(time.monotonic() - began)}s"
    log = steady.installed.cluster.kubectl("logs", "-n", SYSTEM, "-l", OPERATOR, since, "--tail=-1")
    written = [line for line in log.splitlines() if "applied=" in line and any(place in line for place in steady.both)]
    assert written == []


def _settled(steady: Steady) -> bool:
    before = steady.children()
    time.sleep(3)
    return steady.children() == before


def test_a_changed_policy_reaches_the_collectors_and_rolls_no_pod(steady: Steady) -> None:
    models, before = steady.models(), {place: _running(steady, place, "chat") for place in steady.both}
    for place in steady.both:
        steady.installed.apply(place, policy("Redacted", "50%"))
    for place in steady.both:
        for name in NAMES:
            _until_reloaded(steady, place, name)
        assert _running(steady, place, "chat") != before[place]
    assert steady.models() == models
    assert steady.rolled_out()


def _until_reloaded(steady: Steady, place: str, name: str) -> None:
    steady.installed.until(
        f"the newest configuration in {place}/{name}",
        lambda: _running(steady, place, name) == _wanted(steady, place, name),
    )


def _wanted(steady: Steady, place: str, name: str) -> str:
    config = steady.installed.get("configmap", f"modelward-collector-{name}", place)
    return str(json.loads(config["data"]["collector.json"])["generation"])


def _running(steady: Steady, place: str, name: str) -> str:
    where = {
        "chat": f"modelward.dev/endpoint=chat,{MODELS}",
        "fronted": "modelward.dev/endpoint=fronted,modelward.dev/component=gateway",
        "adopted": "app=theirs",
    }
    ip = steady.installed.items("pods", place, where[name])[0]["status"]["podIP"]
    with urllib.request.urlopen(f"http://{ip}:18081/metrics", timeout=30) as response:
        page = response.read().decode()
    line = next((one for one in page.splitlines() if one.startswith("modelward_collector_config_info{")), "")
    return str(line.partition('generation="')[2].partition('"')[0])


def test_a_release_with_other_settings_rolls_gateways_under_load_and_no_model(steady: Steady) -> None:
    models, place = steady.models(), steady.plain
    subprocess.run(["buildah", "tag", "localhost/modelward-collector:dev", NEXT], check=True)
    subprocess.run([sys.executable, str(REPOSITORY / "devcluster"), "load", NEXT], check=True, capture_output=True)
    gateways = "modelward.dev/component=gateway"
    old = steady.installed.pod_uids(place, gateways)
    try:
        with Streaming(steady.installed.url("fronted", place), at_once=2, max_tokens=8) as clients:
            helm_install(
                steady.installed.cluster,
                "statusInterval=3s,collectorImage.tag=next,podSettings.labels.cost-centre=retail",
            )
            steady.installed.until("the gateways of the next release", lambda: _is_next(steady))
            steady.installed.until("the old gateway to go", lambda: not old & _uids(steady, place, gateways))
        assert steady.models() == models
        assert broken(clients.replies) == []
        assert len(clients.replies) > 20
        for name in ("chat", "adopted"):
            _until_awaiting_rollout(steady, place, name)
            assert steady.installed.condition(name, place, "Ready")[0] == "True"
        for name in NAMES:
            assert broken(streams(_service(steady, name), 4)) == []
    finally:
        helm_install(steady.installed.cluster)
    steady.installed.until("the gateways of this release", lambda: not _is_next(steady) and steady.rolled_out())
    assert steady.models() == models


def _until_awaiting_rollout(steady: Steady, place: str, name: str) -> None:
    waits = ("True", "AwaitingRollout")
    steady.installed.until(
        f"the next collector to be awaited in {place}/{name}",
        lambda: steady.installed.condition(name, place, "CollectorReady")[:2] == waits,
    )


def _uids(steady: Steady, place: str, where: str) -> set[str]:
    return steady.installed.pod_uids(place, where)


def _is_next(steady: Steady) -> bool:
    pods = [steady.installed.get("deployment", "fronted-gateway", place) for place in steady.both]
    specs = [one["spec"]["template"] for one in pods]
    return rolled_out(pods[0]) and all(
        one["spec"]["containers"][0]["image"] == NEXT and one["metadata"]["labels"].get("cost-centre") == "retail"
        for one in specs
    )


def _service(steady: Steady, name: str) -> str:
    return steady.installed.url("adopted-collector" if name == "adopted" else name, steady.plain)


@contextmanager
def adopting(installed: Installed, place: str, broken_image: list[dict[str, Any]]) -> Iterator[set[str]]:
    """Ask for a user's Deployment to be adopted where a collector's image cannot be pulled; give the pods of before.

    The block runs when that has shown.
    """
    try:
        put_in_force(installed, place, broken_image)
        installed.apply(place, deployment("theirs"))
        installed.until("the user's pod", lambda: rolled_out(installed.get("deployment", "theirs", place)))
        before = installed.pod_uids(place, "app=theirs")
        installed.apply(place, small("adopted", {"workloadRef": {"name": "theirs"}}, "Sidecar"))
        assert installed.until_condition("adopted", place, "CollectorReady", "False") in (
            "Rehearsing",
            "ImageNotPullable",
            "AwaitingRollout",
        )
        installed.until(
            "the cause", lambda: installed.condition("adopted", place, "CollectorReady")[1] == "ImageNotPullable", 60
        )
        assert "localhost/nowhere:1" in installed.condition("adopted", place, "CollectorReady")[2]
        assert installed.condition("adopted", place, "Ready")[0] == "True"
        yield before
    finally:
        lift(installed, broken_image)


def test_a_collector_that_cannot_be_pulled_is_found_out_on_a_pod_that_serves_nobody(
    place: str, installed: Installed
) -> None:
    with adopting(installed, place, break_rehearsals(place)) as before:
        message = installed.condition("adopted", place, "CollectorReady")[2]
        assert "Deployment theirs takes the collector in, and rolls, when" in message
        assert installed.get("deployment", "theirs", place)["metadata"]["generation"] == 1
        assert installed.pod_uids(place, "app=theirs") == before
    until_forgotten(installed, place)
    installed.cluster.kubectl("delete", "pods", "-n", place, "-l", "modelward.dev/component=rehearsal", "--wait=false")
    installed.until_condition("adopted", place, "CollectorReady", "True")
    assert "adopted-rehearsal" not in [
        one["metadata"]["name"] for one in installed.items("deployments", place, "modelward.dev/endpoint=adopted")
    ]


def test_a_collector_that_cannot_be_pulled_is_named_and_the_model_goes_on_serving(
    place: str, installed: Installed
) -> None:
    with adopting(installed, place, break_collectors(place)) as before:
        assert before < installed.pod_uids(place, "app=theirs")
