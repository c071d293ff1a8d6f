"""A run's NetworkPolicy selects the run's own pods, and lets them reach the hub and DNS alone."""

from __future__ import annotations

from typing import Any

from desired_specimens import PLAIN

from modelward.api.evaluationrun import EvaluationRun
from modelward.desired import evaluator_job
from modelward.desired.run_network import network_policy

RUN = EvaluationRun.model_validate(
    {"metadata": {"name": "r" * 80, "namespace": "retail", "uid": "u"}, "spec": {"endpoint": "chat"}}
)


JOB = evaluator_job.job(RUN, PLAIN)


def spec() -> dict[str, Any]:
    return dict(network_policy(JOB, PLAIN)["spec"])


def test_it_selects_the_pods_of_its_run_whatever_the_length_of_its_name() -> None:
    labels = JOB["spec"]["template"]["metadata"]["labels"]
    selected = spec()["podSelector"]["matchLabels"]
    assert selected.items() <= labels.items()
    assert "modelward.dev/run" in selected
    assert len(network_policy(JOB, PLAIN)["metadata"]["name"]) <= 63


def test_nothing_comes_in_and_only_the_hub_and_dns_are_reached() -> None:
    found = spec()
    assert (found["policyTypes"], found["ingress"]) == (["Ingress", "Egress"], [])
    hub, dns = found["egress"]
    (peer,) = hub["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": PLAIN.namespace}
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "hub"
    assert hub["ports"] == [{"port": 8443, "protocol": "TCP"}]
    assert {port["port"] for port in dns["ports"]} == {53, 5353}
    assert all(peer for rule in found["egress"] for peer in rule["to"]), "an empty peer would be the whole world"


def test_it_goes_with_its_run() -> None:
    (owner,) = network_policy(JOB, PLAIN)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("EvaluationRun", "u")
