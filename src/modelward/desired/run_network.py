"""The network of a Job whose pod holds a container of a team's own: the hub and DNS, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelward.desired import names
from modelward.desired.installation import Installation

HUB_PORT = 8443
DNS_PORTS = (53, 5353)
"""Of CoreDNS, also where its pods listen on 5353."""
_OWN = (names.COMPONENT, names.RUN, names.EVALUATOR)
"""Labels by which the pods of one Job, or of one evaluator's calibrations, are told from all others."""
NODE_LOCAL_DNS = "169.254.20.10/32"
"""Where a node's own DNS cache answers, which is no pod."""


def network_policy(job: Mapping[str, Any], installation: Installation) -> dict[str, Any]:
    """Return the NetworkPolicy that selects the pods of a Job alone; it has the Job's name and goes as the Job does.

    It holds where the cluster's network enforces such policies. What it allows, it allows to the scoring container and
    the one beside it alike, since both have one address.
    """
    labels = job["spec"]["template"]["metadata"]["labels"]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": dict(job["metadata"]),
        "spec": {
            "podSelector": {"matchLabels": {name: labels[name] for name in _OWN if name in labels}},
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
