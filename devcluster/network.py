"""The node's network namespace, its link to the host, and the little that this adds to the host."""

import ipaddress
import json
from pathlib import Path

from console import fail, run, succeeds
from settings import (
    CLUSTER_CIDR,
    HOST_ADDRESS,
    HOST_LINK,
    NAME,
    NODE_ADDRESS,
    NODE_LINK,
    POD_CIDR,
    RUN,
)

NAMESPACE_FILE = Path("/run/netns") / NAME
# The host forwards for pods and hides their addresses from the rest of the world; nothing else is touched.
_RULES = (
    ("nat", "POSTROUTING", "-s", CLUSTER_CIDR, "!", "-d", CLUSTER_CIDR, "-j", "MASQUERADE"),
    ("filter", "FORWARD", "-i", HOST_LINK, "-j", "ACCEPT"),
    ("filter", "FORWARD", "-o", HOST_LINK, "-j", "ACCEPT"),
)
# Kubelet and forwarding change these for the whole machine: noted by `up`, restored by `down`.
_SYSCTLS = (
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def up() -> None:
    """Make the namespace, the link, the route and the host's rules; keeps what is there already."""
    if NAMESPACE_FILE.exists():
        return
    _refuse_clash()
    _note_sysctls()
    run("ip", "netns", "add", NAME)
    run("ip", "link", "add", HOST_LINK, "type", "veth", "peer", "name", NODE_LINK, "netns", NAME)
    run("ip", "addr", "add", f"{HOST_ADDRESS}/30", "dev", HOST_LINK)
    run("ip", "link", "set", HOST_LINK, "up")
    run("ip", "route", "add", CLUSTER_CIDR, "via", NODE_ADDRESS, "dev", HOST_LINK)
    _inside("addr", "add", f"{NODE_ADDRESS}/30", "dev", NODE_LINK)
    for link in ("lo", NODE_LINK):
        _inside("link", "set", link, "up")
    _inside("route", "add", "default", "via", HOST_ADDRESS)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")
    for table, chain, *rule in _RULES:
        run("iptables", "-w", "-t", table, "-I", chain, *rule, "-m", "comment", "--comment", NAME)


def down() -> None:
    """Take everything away again; what hangs on the namespace (bridge, pods' links, chains, ipsets) goes with it."""
    # The link first: the kernel takes it away by itself some time after the namespace, and a new one would collide.
    succeeds("ip", "link", "del", HOST_LINK)
    if succeeds("ip", "link", "show", HOST_LINK):
        fail(f"the interface {HOST_LINK} does not go away; try `ip link del {HOST_LINK}`.")
    if NAMESPACE_FILE.exists():
        run("ip", "netns", "del", NAME)
    for table, chain, *rule in _RULES:
        spec = (*rule, "-m", "comment", "--comment", NAME)
        while succeeds("iptables", "-w", "-t", table, "-C", chain, *spec):
            run("iptables", "-w", "-t", table, "-D", chain, *spec)
    _restore_sysctls()


def cni_configuration() -> str:
    """One bridge for pods, addresses from the pod range; leases in /run/cni, which dies with the node."""
    ipam = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": POD_CIDR}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    return json.dumps({"cniVersion": "0.4.0", "name": NAME, "plugins": [bridge]})


def _inside(*command: str) -> None:
    run("ip", "-n", NAME, *command)


def _refuse_clash() -> None:
    ours = ipaddress.ip_network(CLUSTER_CIDR)
    for route in json.loads(run("ip", "-j", "-4", "route")):
        taken = route.get("dst", "default")
        if taken != "default" and route.get("dev") != HOST_LINK and ipaddress.ip_network(taken, False).overlaps(ours):
            fail(
                f"{CLUSTER_CIDR} is in use here ({taken} on {route.get('dev')}): set MODELWARD_DEVCLUSTER_NETWORK=A.B."
            )


def _note_sysctls() -> None:
    noted = RUN / "sysctls.json"
    if not noted.exists():
        RUN.mkdir(parents=True, exist_ok=True)
        noted.write_text(json.dumps({name: _sysctl(name).read_text() for name in _SYSCTLS if _sysctl(name).exists()}))


def _restore_sysctls() -> None:
    noted = RUN / "sysctls.json"
    if noted.exists():
        for name, value in json.loads(noted.read_text()).items():
            _sysctl(name).write_text(value)
        noted.unlink()


def _sysctl(name: str) -> Path:
    return Path("/proc/sys") / name
