"""What the cluster takes and this version cannot read is refused in plain words; a preflight never ends in a crash."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from modelward.cli.cluster.installation import Setup
from modelward.cli.preflight.examine import Examination
from modelward.kube.client import Client
from modelward.kube.errors import Forbidden
from modelward.kube.kinds import HORIZONTAL_POD_AUTOSCALER, SERVICE, Kind, Object
from modelward.operator.runtime.settings import Settings

API = "modelward.dev/v1alpha1"
WORKLOAD: Object = {
    "metadata": {"name": "mine", "namespace": "retail", "uid": "w"},
    "spec": {
        "replicas": 6,
        "selector": {"matchLabels": {"app": "v"}},
        "template": {
            "metadata": {"labels": {"app": "v"}},
            "spec": {"containers": [{"name": "server", "image": "vllm", "ports": [{"containerPort": 8000}]}]},
        },
    },
}


class Cluster:
    """Takes everything as it comes, as the API server does with definitions of another release."""

    def __init__(self, autoscalers: list[Object] | None = None, services: tuple[Object, ...] = ()) -> None:
        self.autoscalers, self.services = autoscalers, services

    async def find(self, kind: Kind, _: str | None, name: str) -> Object | None:
        return WORKLOAD if (kind.kind, name) == ("Deployment", "mine") else None

    async def list(self, kind: Kind, _: str | None = None, **__: str) -> Any:
        if kind is SERVICE:
            return SimpleNamespace(items=self.services)
        if kind is not HORIZONTAL_POD_AUTOSCALER:
            return SimpleNamespace(items=())
        if self.autoscalers is None:
            raise Forbidden(403, "Forbidden", "cannot list")
        return SimpleNamespace(items=tuple(self.autoscalers))

    async def apply(self, obj: Object, _: str, **__: bool) -> Object:
        return obj


async def effects(cluster: Cluster, *objects: Object) -> Any:
    return await Examination(cast(Client, cluster), objects, Setup(None, "not read")).effects()


def ours(kind: str, **spec: Any) -> Object:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": "chat", "namespace": "retail"}, "spec": spec}


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        (ours("LLMEndpoint", backend={"template": {"image": "i", "port": "no"}}), "spec.backend.template"),
        (ours("MonitoringPolicy", endpointSelector=[]), "spec.endpointSelector"),
        (ours("Evaluator", builtin=[]), "spec.builtin"),
    ],
)
async def test_what_this_version_cannot_read_is_refused_with_its_field(obj: Object, field: str) -> None:
    (found,) = await effects(Cluster(), obj)
    assert (found.outcome, found.reason) == ("Refused", "InvalidSpec")
    assert found.why.startswith("the API server accepts it, and this version of Modelward cannot read it: ")
    assert f": {field}" in found.why


def autoscaler(kind: str, name: str) -> Object:
    target = {"apiVersion": "apps/v1", "kind": kind, "name": name}
    return {"metadata": {"name": "hpa"}, "spec": {"scaleTargetRef": target, "maxReplicas": 9}}


WATCHED = ours("LLMEndpoint", backend={"workloadRef": {"name": "mine"}}, replicas=4)


async def test_an_autoscaler_of_the_workload_keeps_its_replicas() -> None:
    (found,) = await effects(Cluster([autoscaler("StatefulSet", "mine"), autoscaler("Deployment", "mine")]), WATCHED)
    assert (found.outcome, found.stops) == ("Nothing", 0)
    assert any(note.startswith("HorizontalPodAutoscaler hpa drives Deployment mine") for note in found.notes)


async def test_an_autoscaler_of_another_workload_keeps_nothing() -> None:
    (found,) = await effects(Cluster([autoscaler("Deployment", "other")]), WATCHED)
    assert (found.outcome, found.stops) == ("Nothing", 2)


async def test_autoscalers_that_may_not_be_read_are_a_note() -> None:
    (found,) = await effects(Cluster(None), WATCHED)
    assert found.stops == 2
    assert "if a HorizontalPodAutoscaler drives the workload, its replicas stay: cannot list" in found.notes


def leading(name: str, port: int) -> Object:
    ports = [{"port": 80, "targetPort": port}]
    metadata = {"name": name, "namespace": "retail"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {"app": "v"}, "ports": ports},
    }


def adopting(**reference: Any) -> Object:
    backend = {"workloadRef": {"name": "mine", **reference}}
    return ours("LLMEndpoint", backend=backend, collector={"mode": "Sidecar"})


async def test_services_that_lead_past_the_collector_are_named_before_it_is_put_in() -> None:
    cluster = Cluster(services=(leading("old", 8000), leading("fine", 18080)))
    (found,) = await effects(cluster, adopting())
    assert "clients of Service old bypass the collector: set its targetPort to 18080" in found.notes
    mended = leading("old", 18080)
    (found, *_) = await effects(cluster, adopting(), mended)
    assert not any("bypass" in note for note in found.notes), "the file mends it"


async def test_a_port_that_no_container_declares_is_questioned() -> None:
    (found,) = await effects(Cluster(), adopting(port=8080))
    said = "no container of Deployment mine declares port 8080 (declared: 8000); is the port right?"
    assert said in found.notes
    (found,) = await effects(Cluster(), adopting(port=8000))
    assert said not in found.notes


@pytest.mark.parametrize(("allowed", "refused"), [((), True), (("judge.example",), False)])
async def test_a_webhook_is_judged_by_the_hosts_that_the_installation_allows(
    allowed: tuple[str, ...], refused: bool
) -> None:
    asked = ours("Evaluator", webhook={"url": "https://judge.example", "secretRef": {"name": "modelward-a"}})
    setup = Setup(Settings("modelward-system", "collector", "modelward", allowed_hosts=allowed))
    (found,) = await Examination(cast(Client, Cluster()), [asked], setup).effects()
    assert ("egress.allowedHosts" in found.why) is refused, found
