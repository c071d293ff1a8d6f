"""Configuration files that the programs read at their start."""

import json
import re
import subprocess
from pathlib import Path

import network
from settings import (
    API_PORT,
    CLUSTER_CIDR,
    CONFIG,
    CONTAINERD_SOCKET,
    DNS_HEALTH_PORT,
    DNS_PORT,
    DNS_READY_PORT,
    DNS_SERVICE,
    HOST_ADDRESS,
    NAME,
    NODE,
    PAUSE_IMAGE,
    PKI,
    STATE,
)


def write() -> None:
    """Write every file anew: they depend on settings and on this machine alone."""
    CONFIG.mkdir(parents=True, exist_ok=True)
    (CONFIG / "cni").mkdir(exist_ok=True)
    (CONFIG / "cni" / "10-bridge.conflist").write_text(network.cni_configuration())
    (CONFIG / "containerd.toml").write_text(_containerd())
    (CONFIG / "kubelet.yaml").write_text(json.dumps(_kubelet(), indent=1))
    (CONFIG / "kube-proxy.yaml").write_text(json.dumps(_proxy(), indent=1))
    write_audit()
    (CONFIG / "Corefile").write_text(_corefile())


def write_audit() -> None:
    """Write the one file that the API server reads."""
    CONFIG.mkdir(parents=True, exist_ok=True)
    (CONFIG / "audit.yaml").write_text(json.dumps(_audit(), indent=1))


def _containerd() -> str:
    # Format 2 is read by containerd 1.6 and 1.7 and migrated in memory by 2.x.
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{STATE / "containerd"}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[{cri}]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = {str(not _may_lower_oom_score()).lower()}
  [{cri}.containerd]
    snapshotter = "{_snapshotter()}"
  [{cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [{cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{CONFIG / "cni"}"
"""


def _may_lower_oom_score() -> bool:
    # Root in a container or a locked-down machine may not protect a process from the out-of-memory killer.
    probe = ["sh", "-c", "echo -999 > /proc/self/oom_score_adj"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _snapshotter() -> str:
    # An overlay on an overlay (state folder inside a container) does not mount.
    kind = subprocess.run(["stat", "-f", "-c", "%T", STATE], capture_output=True, text=True, check=False).stdout.strip()
    return "native" if kind == "overlayfs" else "overlayfs"


def _kubelet() -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(PKI / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(PKI / "kubelet.crt"),
        "tlsPrivateKeyFile": str(PKI / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{NAME}",
        "enforceNodeAllocatable": ["pods"],
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": "/etc/resolv.conf",
        "volumePluginDir": str(STATE / "kubelet-plugins"),
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 250,
        # Mounted ConfigMaps and projected tokens are refreshed at this pace (default: a minute).
        "syncFrequency": "10s",
        "logging": {"verbosity": 1},
    }


def _proxy() -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(PKI / "proxy.kubeconfig")},
        "mode": "iptables",
        "clusterCIDR": CLUSTER_CIDR,
        "hostnameOverride": NODE,
        # These limits are the machine's, not the namespace's: leave them as they are.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _audit() -> dict[str, object]:
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "users": ["system:kube-scheduler", "system:kube-proxy"]},
            {"level": "None", "userGroups": ["system:nodes"]},
            {"level": "Metadata"},
        ],
    }


def _corefile() -> str:
    # Without an upstream CoreDNS would not start, so the block is there only when the host has one.
    has_upstream = re.search(r"^\s*nameserver\s", Path("/etc/resolv.conf").read_text(), re.MULTILINE)
    forward = "    forward . /etc/resolv.conf\n" if has_upstream else ""
    return f""".:{DNS_PORT} {{
    bind {HOST_ADDRESS}
    errors
    health 127.0.0.1:{DNS_HEALTH_PORT}
    ready 127.0.0.1:{DNS_READY_PORT}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        endpoint https://127.0.0.1:{API_PORT}
        kubeconfig {PKI / "dns.kubeconfig"}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }}
{forward}    cache 5
}}
"""
