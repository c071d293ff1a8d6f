"""What the doctor makes of what it saw: nothing is reported good that was not checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from modelward.api import crd
from modelward.cli.cluster.installation import Setup
from modelward.cli.cluster.reading import Unread
from modelward.cli.doctor.checkup import checkup
from modelward.cli.doctor.observed import InstallationFacts, Rights
from modelward.cli.doctor.remark import Remark, exit_code
from modelward.cli.doctor.remark_page import document, page
from modelward.hub.certificates import ensure
from modelward.operator.runtime.settings import read

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HUB = "https://modelward-hub.modelward-system.svc:8443"
SETTINGS = {"namespace": "modelward-system", "collectorImage": "collector:2", "evaluatorImage": "m", "hubUrl": HUB}


def lease(renewed: datetime, holder: str = "modelward-1_a") -> dict[str, Any]:
    return {"spec": {"holderIdentity": holder, "renewTime": renewed.isoformat().replace("+00:00", "Z")}}


def pod(image: str = "collector:2", endpoint: str = "chat") -> dict[str, Any]:
    env = [{"name": "MODELWARD_ENDPOINT", "value": endpoint}, {"name": "X", "valueFrom": {}}]
    inits = [{"name": "modelward-collector", "image": image, "env": env}]
    return {"spec": {"initContainers": inits, "containers": [{"name": "model", "image": "x"}]}}


def chat(generation: int = 2, observed: int = 2, **condition: str) -> dict[str, Any]:
    conditions = [{"type": "MetricsAvailable", "reason": "Fresh", **condition}]
    about = {"namespace": "retail", "name": "chat", "uid": "u", "generation": generation}
    return {"metadata": about, "status": {"observedGeneration": observed, "conditions": conditions}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    made = ensure(Path(tmp_path_factory.mktemp("hub")), "modelward-system", NOW)
    return {"data": {"ca.crt": made.ca_pem.decode()}}


def workload(kind: str, name: str, container: str, replicas: int = 1, version: str = "1") -> dict[str, Any]:
    containers = [{"name": container, "image": f"modelward:{version}"}]
    spec = {"replicas": replicas, "template": {"spec": {"containers": containers}}}
    about = {"name": name, "labels": {"app.kubernetes.io/version": version}}
    return {"kind": kind, "metadata": about, "spec": spec, "status": {"readyReplicas": replicas}}


@pytest.fixture
def well(authority: dict[str, Any]) -> InstallationFacts:
    return InstallationFacts(
        namespace="modelward-system",
        version="1",
        now=NOW,
        setup=Setup(read(SETTINGS, "test")),
        definitions={one["metadata"]["name"]: one for one in crd.documents()},
        operator=workload("Deployment", "modelward", "operator", 2),
        lease_before=lease(NOW),
        lease=lease(NOW),
        rights=Rights("system:serviceaccount:modelward-system:modelward", ()),
        kubernetes={"gitVersion": "v1.35.4"},
        hub_slices=({"endpoints": [{"conditions": {"ready": True}}]},),
        hub_workloads=(workload("StatefulSet", "modelward-hub", "hub"),),
        hub_authority=authority,
        endpoints=(chat(),),
        endpoints_before=(chat(),),
        pods={"retail": (pod(),)},
    )


def remarks(seen: InstallationFacts, *severities: str) -> list[Remark]:
    return [remark for remark in checkup(seen) if remark.severity in (severities or ("Error", "Warning", "Notice"))]


def test_an_installation_in_order_has_no_finding(well: InstallationFacts) -> None:
    assert remarks(well, "Error", "Warning", "Notice", "NotRead") == []
    assert exit_code(checkup(well)) == 0
    assert len(remarks(well, "Good")) == 10


def changed_definition() -> dict[str, Any]:
    found = crd.documents()[0]
    version = found["spec"]["versions"][0]
    return {**found, "spec": {**found["spec"], "versions": [{**version, "schema": {}}]}}


PLURALS = frozenset({one["spec"]["names"]["plural"] for one in crd.documents()})
UNREADABLE = {one["metadata"]["name"]: Unread("forbidden") for one in crd.documents()}
AUTHORITY_LOST = {"data": {"ca.crt": "no certificate"}}
DRIFT = {"pods": {"retail": (pod(), pod("collector:1"))}}
FINDINGS: list[tuple[dict[str, Any], str, str]] = [
    ({"definitions": {}}, "Error", "llmendpoints.modelward.dev is not installed"),
    ({"definitions": {"llmendpoints.modelward.dev": changed_definition()}}, "Warning", "differs in schema"),
    ({"definitions": UNREADABLE}, "Error", "evaluators.modelward.dev is not served"),
    ({"operator": None}, "Error", "there is no Deployment modelward"),
    ({"operator": {"metadata": {}, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}}, "Warning", "1 of 2"),
    ({"operator": {"metadata": {}, "spec": {"replicas": 2}}}, "Error", "0 of 2"),
    ({"lease": None}, "Error", "no replica leads"),
    ({"lease": lease(NOW, "")}, "Error", "no replica leads"),
    ({"rights": Rights("op", ("patch apps/deployments",))}, "Error", "may not: patch apps/deployments"),
    ({"hub_slices": ({"endpoints": [{"conditions": {"ready": False}}]},)}, "Error", "no ready pod"),
    ({"hub_authority": None}, "Error", "missing or empty"),
    ({"hub_authority": AUTHORITY_LOST}, "Error", "holds no certificate"),
    ({"now": NOW + timedelta(days=3640), "lease": lease(NOW + timedelta(days=3640))}, "Warning", "it ends on"),
    ({"now": NOW + timedelta(days=3660), "lease": lease(NOW + timedelta(days=3660))}, "Error", "it is valid from"),
    (DRIFT, "Notice", "1 of 2 pods run collector:1, not collector:2. AwaitingRollout"),
    ({"setup": Setup(read({**SETTINGS, "hubUrl": None}, "t"))}, "Notice", "answers are not checked"),
    ({"endpoints": (chat(3, 2),), "endpoints_before": (chat(3, 2),)}, "Error", "generation 2, the spec is 3"),
    ({"endpoints": (chat(reason="ScrapeBlocked", message="10.0.0.1:18081"),)}, "Warning", "ScrapeBlocked: 10.0.0.1"),
    ({"endpoints": (chat(type="Accepted", reason="Refused", message="Service chat: denied"),)}, "Warning",
     "Accepted is Refused: Service chat: denied"),
    ({"endpoints": (chat(type="CollectorReady", reason="ImageNotPullable", message="no x:1"),)}, "Warning", "no x:1"),
    ({"endpoints": (chat(type="QualityHealthy", reason="HubUnavailable", message="timed out"),)}, "Warning",
     "HubUnavailable, say retail/chat: timed out"),
    ({"hub_answer": "hub https://h: TimeoutError"}, "Error", "it does not answer the operator: hub https://h: Timeout"),
    ({"kubernetes": {"gitVersion": "v1.29.3+k3s1"}}, "Error", "it is v1.29.3+k3s1; Modelward needs 1.30"),
    ({"hub_workloads": (workload("Deployment", "modelward-hub", "hub", version="0"),)}, "Warning",
     "it is version 0 modelward:0, the operator version 1 modelward:1"),
    ({"setup": Setup(read({**SETTINGS, "watchNamespaces": ["x"]}, "t"))}, "Warning", "not among watchNamespaces"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "severity", "what"), FINDINGS, ids=[what for _, _, what in FINDINGS])
def test_each_trouble_is_found_with_a_next_command(
    well: InstallationFacts, seen: dict[str, Any], severity: str, what: str
) -> None:
    found = [remark for remark in remarks(replace(well, **seen), severity) if what in remark.what]
    assert found
    assert all(remark.next for remark in found)


def test_a_lease_that_moved_between_two_looks_is_held_whatever_the_clocks_say(well: InstallationFacts) -> None:
    old = NOW - timedelta(hours=1)
    moving = replace(well, lease_before=lease(old), lease=lease(old + timedelta(seconds=4)))
    assert remarks(moving, "Error") == []
    standing = replace(well, lease_before=lease(old), lease=lease(old))
    assert "has not renewed it" in remarks(standing, "Error")[0].what


def test_a_spec_that_was_just_written_is_not_held_against_anybody(well: InstallationFacts) -> None:
    assert remarks(replace(well, endpoints=(chat(3, 2),)), "Error") == []


def test_what_may_not_be_read_is_said_and_is_neither_good_nor_a_finding(well: InstallationFacts) -> None:
    no = Unread("forbidden")
    blind = InstallationFacts(
        "modelward-system", "1", NOW, Setup(None, "forbidden"),
        {one["metadata"]["name"]: no for one in crd.documents()}, PLURALS, no, no, no, Rights(), no, None, no, no, no,
        {"validatingwebhookconfigurations": no}, no, no, {"retail": no},
    )  # fmt: skip
    found = checkup(blind)
    assert {remark.severity for remark in found} == {"NotRead"}
    assert exit_code(found) == 0
    assert {
        "Kubernetes", "CRDs", "operator", "leader", "rights", "settings", "hub", "hub's CA", "hub's release",
        "admission", "endpoints",
    } <= {remark.subject for remark in found}  # fmt: skip


def test_a_hub_that_answers_the_operator_is_well_whatever_may_not_be_read(well: InstallationFacts) -> None:
    inside = replace(well, hub_answer="", hub_slices=Unread("forbidden"))
    (found,) = [remark for remark in checkup(inside) if remark.subject == "hub"]
    assert (found.severity, found.what) == ("Good", "it answers the operator")


def test_a_refusal_is_said_once_though_ready_repeats_it(well: InstallationFacts) -> None:
    one = chat(type="WorkloadReady", reason="Refused", message="exceeded quota: small")
    one["status"]["conditions"].append({**one["status"]["conditions"][0], "type": "Ready"})
    (found,) = remarks(replace(well, endpoints=(one,)), "Warning")
    assert found.next == "kubectl describe quota -n retail small"


def test_many_endpoints_with_the_same_trouble_do_not_flood_the_terminal(well: InstallationFacts) -> None:
    many = tuple(chat(3, 2) for _ in range(30))
    found = remarks(replace(well, endpoints=many, endpoints_before=many), "Error", "Warning")
    assert len(found) == 11
    assert "20 more" in found[-1].what


def test_the_page_begins_with_what_is_wrong(well: InstallationFacts) -> None:
    found = checkup(replace(well, lease=None))
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(page(found), soft_wrap=True)
        lines = console.export_text().splitlines()
    assert lines[0].startswith("error   leader: no replica leads")
    assert lines[1].strip().startswith("next: kubectl logs")
    assert lines[-1] == "errors: 1, warnings: 0"
    assert document(found)["exitCode"] == 1
