"""Command lines of the programs: the control plane on the host; containerd, kubelet and kube-proxy in the node."""

from pathlib import Path

import versions
from settings import (
    API_PORT,
    AUDIT_LOG,
    BIN,
    CONFIG,
    CONTAINERD_SOCKET,
    CONTROLLERS_PORT,
    ETCD_PEER_PORT,
    ETCD_PORT,
    HOST_ADDRESS,
    NODE,
    NODE_ADDRESS,
    PKI,
    SCHEDULER_PORT,
    SERVICE_CIDR,
    STATE,
)

Command = list[str | Path]
KUBE = BIN / "kube"
ETCD_URL = f"http://127.0.0.1:{ETCD_PORT}"
ISSUER = "https://kubernetes.default.svc.cluster.local"


def etcd() -> Command:
    """etcd without fsync: a power cut may cost this cluster, a kill does not."""
    peer = f"http://127.0.0.1:{ETCD_PEER_PORT}"
    return [KUBE, "etcd", "--data-dir", STATE / "etcd", "--unsafe-no-fsync", "--log-level=warn",
            "--listen-client-urls", ETCD_URL, "--advertise-client-urls", ETCD_URL, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"]  # fmt: skip


def apiserver() -> Command:
    """The API server, with what our tests rely on: admission policies, owner-reference permission, an audit log."""
    return [
        KUBE, "apiserver",
        f"--etcd-servers={ETCD_URL}",
        "--bind-address=0.0.0.0",
        f"--advertise-address={HOST_ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--tls-cert-file={PKI / 'apiserver.crt'}",
        f"--tls-private-key-file={PKI / 'apiserver.key'}",
        f"--client-ca-file={PKI / 'ca.crt'}",
        f"--kubelet-certificate-authority={PKI / 'ca.crt'}",
        f"--kubelet-client-certificate={PKI / 'apiserver-kubelet.crt'}",
        f"--kubelet-client-key={PKI / 'apiserver-kubelet.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={PKI / 'ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={PKI / 'front-proxy.crt'}",
        f"--proxy-client-key-file={PKI / 'front-proxy.key'}",
        f"--service-account-key-file={PKI / 'sa.pub'}",
        f"--service-account-signing-key-file={PKI / 'sa.key'}",
        f"--service-account-issuer={ISSUER}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
        "--feature-gates=MutatingAdmissionPolicy=true",
        "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
        f"--audit-policy-file={CONFIG / 'audit.yaml'}",
        f"--audit-log-path={AUDIT_LOG}",
        "--audit-log-maxsize=200",
        "--audit-log-maxbackup=2",
    ]  # fmt: skip


def controllers() -> Command:
    """The controller-manager; its client limits are lifted so that namespaces of tests go quickly."""
    return [
        KUBE, "controller-manager",
        f"--kubeconfig={PKI / 'controllers.kubeconfig'}",
        f"--authentication-kubeconfig={PKI / 'controllers.kubeconfig'}",
        f"--authorization-kubeconfig={PKI / 'controllers.kubeconfig'}",
        f"--secure-port={CONTROLLERS_PORT}",
        "--bind-address=127.0.0.1",
        f"--service-account-private-key-file={PKI / 'sa.key'}",
        f"--root-ca-file={PKI / 'ca.crt'}",
        f"--cluster-signing-cert-file={PKI / 'ca.crt'}",
        f"--cluster-signing-key-file={PKI / 'ca.key'}",
        "--use-service-account-credentials",
        "--leader-elect=false",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
    ]  # fmt: skip


def scheduler() -> Command:
    """The scheduler."""
    return [
        KUBE, "scheduler",
        f"--kubeconfig={PKI / 'scheduler.kubeconfig'}",
        f"--authentication-kubeconfig={PKI / 'scheduler.kubeconfig'}",
        f"--authorization-kubeconfig={PKI / 'scheduler.kubeconfig'}",
        f"--secure-port={SCHEDULER_PORT}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
    ]  # fmt: skip


def dns() -> Command:
    """CoreDNS on the host, where every upstream of the host's own resolver (also 127.0.0.53) answers."""
    return [BIN / "coredns", "-conf", CONFIG / "Corefile"]


def node_programs() -> dict[str, list[str]]:
    """What runs inside the node's namespaces, in starting order."""
    programs: dict[str, Command] = {
        "containerd": ["containerd", "-c", CONFIG / "containerd.toml"],
        "kubelet": [
            KUBE, "kubelet",
            f"--config={CONFIG / 'kubelet.yaml'}",
            f"--kubeconfig={PKI / 'kubelet.kubeconfig'}",
            f"--hostname-override={NODE}",
            f"--node-ip={NODE_ADDRESS}",
            f"--root-dir={STATE / 'kubelet'}",
        ],
        "kube-proxy": [KUBE, "proxy", f"--config={CONFIG / 'kube-proxy.yaml'}"],
    }  # fmt: skip
    return {name: [str(part) for part in command] for name, command in programs.items()}


def ctr(*arguments: str | Path) -> Command:
    """containerd's own client, in the namespace where kubelet looks for images."""
    return ["ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", *arguments]


def describe() -> str:
    """One line on what runs."""
    return f"Kubernetes {versions.KUBERNETES}, CoreDNS {versions.COREDNS}"
