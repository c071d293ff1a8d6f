"""Where the cluster lives and which addresses it takes: the one place to change when something clashes."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parent

_CACHE_HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE = Path(os.environ.get("MODELWARD_DEVCLUSTER_CACHE") or _CACHE_HOME / "modelward" / "devcluster")
BIN = CACHE / "bin"
STATE = Path(os.environ.get("MODELWARD_DEVCLUSTER_STATE") or "/var/lib/modelward-devcluster")

NAME = "modelward-devcluster"  # network namespace, cgroup, comment of our rules on the host
NODE = "devcluster"

# Everything is inside one /16: pods, Services, and the link between the host and the node's namespace.
PREFIX = os.environ.get("MODELWARD_DEVCLUSTER_NETWORK", "10.213")
CLUSTER_CIDR = f"{PREFIX}.0.0/16"
POD_CIDR = f"{PREFIX}.0.0/22"
SERVICE_CIDR = f"{PREFIX}.128.0/20"
API_SERVICE = f"{PREFIX}.128.1"
DNS_SERVICE = f"{PREFIX}.128.10"
HOST_ADDRESS = f"{PREFIX}.255.1"
NODE_ADDRESS = f"{PREFIX}.255.2"
HOST_LINK = "mwdev0"
NODE_LINK = "mwdev1"

# Ports on the host; kubelet, kube-proxy and pods have a network namespace of their own and keep the usual ones.
PORT_BASE = int(os.environ.get("MODELWARD_DEVCLUSTER_PORTS", "16440"))
ETCD_PORT = PORT_BASE
ETCD_PEER_PORT = PORT_BASE + 1
DNS_PORT = PORT_BASE + 2
API_PORT = PORT_BASE + 3
DNS_READY_PORT = PORT_BASE + 4
CONTROLLERS_PORT = PORT_BASE + 5
SCHEDULER_PORT = PORT_BASE + 6
DNS_HEALTH_PORT = PORT_BASE + 7

PKI = STATE / "pki"
LOGS = STATE / "logs"
RUN = STATE / "run"
VOLUMES = STATE / "volumes"
CONFIG = STATE / "config"
CONTAINERD_SOCKET = STATE / "containerd.sock"
KUBECONFIG = STATE / "admin.kubeconfig"
AUDIT_LOG = LOGS / "audit.log"

PAUSE_IMAGE = "localhost/modelward-pause:1"
STORAGE_CLASS = "hostpath"
PROVISIONER = "modelward.dev/hostpath"
