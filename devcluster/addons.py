"""Objects that every cluster of ours starts with: cluster DNS, the default storage class, and their rights."""

from typing import Any

from api import Client
from settings import DNS_PORT, DNS_SERVICE, HOST_ADDRESS, PROVISIONER, STORAGE_CLASS

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def apply(client: Client) -> None:
    """Apply them all; safe to repeat."""
    for path, document in _documents():
        client.apply(path, document)


def _documents() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("/api/v1/namespaces/kube-system/services/kube-dns", _dns_service()),
        ("/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns", _dns_endpoints()),
        (f"{_RBAC}/clusterroles/devcluster:dns", _dns_role()),
        (f"{_RBAC}/clusterrolebindings/devcluster:dns", _binding("devcluster:dns", "devcluster:dns")),
        (
            f"{_RBAC}/clusterrolebindings/devcluster:provisioner",
            _binding("devcluster:provisioner", "system:persistent-volume-provisioner"),
        ),
        (f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS}", _storage_class()),
    ]


def _dns_service() -> dict[str, Any]:
    # No selector: CoreDNS is a process on the host, and the slice below names it.
    ports = [{"name": f"dns-{kind}", "port": 53, "protocol": kind.upper()} for kind in ("udp", "tcp")]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": DNS_SERVICE, "ports": ports},
    }


def _dns_endpoints() -> dict[str, Any]:
    ports = [{"name": f"dns-{kind}", "port": DNS_PORT, "protocol": kind.upper()} for kind in ("udp", "tcp")]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {
                "kubernetes.io/service-name": "kube-dns",
                "endpointslice.kubernetes.io/managed-by": "modelward-devcluster",
            },
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [HOST_ADDRESS], "conditions": {"ready": True}}],
        "ports": ports,
    }


def _dns_role() -> dict[str, Any]:
    seen = ["get", "list", "watch"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "devcluster:dns"},
        "rules": [
            {"apiGroups": [""], "resources": ["services", "pods", "namespaces", "endpoints"], "verbs": seen},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": seen},
        ],
    }


def _binding(user: str, role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


def _storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    }
