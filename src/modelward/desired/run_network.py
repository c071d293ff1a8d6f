"""The network of a run whose pod holds a container of a team's own: the hub and DNS, and nothing else."""

from __future__ import annotations

from typing import Any

from modelward.api.evaluationrun import EvaluationRun
from modelward.desired import names
from modelward.desired.installation import Installation
from modelward.desired.ownership import owner_references

HUB_PORT = 8443
DNS_PORTS = (53, 5353)
"""Of CoreDNS, also where its pods listen on 5353."""
NODE_LOCAL_DNS = "169.254.20.10/32"
"""Where a node's own DNS cache answers, which is no pod."""


def network_policy(run: EvaluationRun, installation: Installation) -> dict[str, Any]:
    """Return the NetworkPolicy that selects the run's own pods alone; it goes with the run.

    It holds where the cluster's network enforces such policies. What it allows, it allows to the scoring container and
    the one beside it alike, since both have one address.
    """
    references = owner_references(run.metadata, "EvaluationRun")
    label = {names.RUN: names.fit(run.metadata.name)}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": names.run_job(run.metadata.name),
            "namespace": run.metadata.namespace,
            "labels": {**names.shared_labels("evaluator"), **label},
            **({"ownerReferences": references} if references else {}),
        },
        "spec": {
            "podSelector": {"matchLabels": {names.COMPONENT: "evaluator", **label}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [],
            "egress": [_hub(installation.namespace), _dns()],
        },
    }


def _hub(namespace: str) -> dict[str, Any]:
    pods = {"app.kubernetes.io/name": "modelward", "app.kubernetes.io/component": "hub"}
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": pods},
    }
    return {"to": [peer], "ports": [{"port": HUB_PORT, "protocol": "TCP"}]}


def _dns() -> dict[str, Any]:
    ports = [{"port": port, "protocol": protocol} for port in DNS_PORTS for protocol in ("UDP", "TCP")]
    return {"to": [{"namespaceSelector": {}}, {"ipBlock": {"cidr": NODE_LOCAL_DNS}}], "ports": ports}
