"""What a network plugin does with NetworkPolicies, for the devcluster, whose bridge does nothing: iptables on the node.

It covers what Modelward writes: selectors of pods and namespaces by matchLabels, blocks of addresses, and ports by
number. Pods are IPv4 and on the one node.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from installation import Cluster

NODE = ("nsenter", "--net=/run/netns/modelward-devcluster")
CHAINS = {"Egress": "MODELWARD-EGRESS", "Ingress": "MODELWARD-INGRESS"}
"""A packet passes both: what its pod may send, and what the other may get."""
EVERY_S = 0.5
DNS_NAMESPACE, DNS_PORT = "kube-system", 53
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that decides what may be sent: policies, pods and the labels of namespaces.

    `dns` has the port by the address of a DNS server that is no pod but stands for one of kube-system's: the
    devcluster's CoreDNS is a process of the node.
    """

    policies: Sequence[Object]
    pods: Sequence[Object]
    namespaces: Mapping[str, Mapping[str, str]]
    dns: Mapping[str, int]


def rules_of(known: Known, direction: str) -> list[str]:
    """Return the chain of a direction; replies to what was let through pass."""
    own, peers = ("-s", "to") if direction == "Egress" else ("-d", "from")
    rules = ["-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"]
    for pod in known.pods:
        chosen = [one for one in known.policies if direction in one["spec"]["policyTypes"] and _selects(one, pod)]
        if not chosen or not _address(pod):
            continue
        for rule in (rule for one in chosen for rule in one["spec"].get(direction.lower()) or ()):
            rules += _allowed(known, rule, f"{own} {_address(pod)}", peers, pod["metadata"]["namespace"])
        rules.append(f"{own} {_address(pod)} -j REJECT")
    return rules


def _selects(policy: Object, pod: Object) -> bool:
    same = policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return same and _matches(policy["spec"]["podSelector"], pod["metadata"].get("labels", {}))


def _matches(selector: Object, labels: Mapping[str, str]) -> bool:
    assert not selector.get("matchExpressions"), "the enforcer knows matchLabels only"
    return all(labels.get(name) == value for name, value in (selector.get("matchLabels") or {}).items())


def _allowed(known: Known, rule: Object, own: str, peers: str, namespace: str) -> Iterator[str]:
    other = "-d" if peers == "to" else "-s"
    for address in [at for peer in rule.get(peers) or () for at in _addresses(known, peer, namespace)] or ["0.0.0.0/0"]:
        ports = {(one["protocol"].lower(), one["port"]) for one in rule.get("ports") or ()}
        if address in known.dns and any(port == DNS_PORT for _, port in ports):
            ports |= {(protocol, known.dns[address]) for protocol in ("tcp", "udp")}
        every = [f" -p {protocol} --dport {port}" for protocol, port in sorted(ports)]
        yield from (f"{own} {other} {address}{port} -j RETURN" for port in every or [""])


def _addresses(known: Known, peer: Object, namespace: str) -> list[str]:
    if "ipBlock" in peer:
        assert not peer["ipBlock"].get("except"), "the enforcer knows whole blocks only"
        return [peer["ipBlock"]["cidr"]]
    spaces = peer.get("namespaceSelector")
    inside = {
        name
        for name, labels in known.namespaces.items()
        if (name == namespace if spaces is None else _matches(spaces, labels))
    }
    pods = [one for one in known.pods if one["metadata"]["namespace"] in inside]
    chosen = [one for one in pods if _matches(peer.get("podSelector") or {}, one["metadata"].get("labels", {}))]
    return [address for one in chosen if (address := _address(one))] or ["255.255.255.255"]


def _address(pod: Object) -> str:
    address = str(pod.get("status", {}).get("podIP", ""))
    host = pod["spec"].get("hostNetwork") or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return address if address and not host and ipaddress.ip_address(address).version == 4 else ""


@contextlib.contextmanager
def enforced(cluster: Cluster) -> Iterator[None]:
    """Enforce all NetworkPolicies of the cluster, as they and the pods come and go."""
    over = threading.Event()
    _load(_known(cluster))
    for chain in CHAINS.values():
        _node("iptables", "-w", "-I", "FORWARD", "-j", chain)
    keeper = threading.Thread(target=_keep, args=(cluster, over))
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()
        for chain in CHAINS.values():
            _node("iptables", "-w", "-D", "FORWARD", "-j", chain)
            _node("iptables", "-w", "-F", chain)
            _node("iptables", "-w", "-X", chain)


def _keep(cluster: Cluster, over: threading.Event) -> None:
    while not over.wait(EVERY_S):
        _load(_known(cluster))


def _known(cluster: Cluster) -> Known:
    kinds = "networkpolicies.networking.k8s.io,pods,namespaces,endpointslices.discovery.k8s.io"
    items = json.loads(cluster.kubectl("get", kinds, "-A", "-o", "json"))["items"]
    of: dict[str, list[Object]] = {kind: [one for one in items if one["kind"] == kind] for kind in _KINDS}
    labels = {one["metadata"]["name"]: one["metadata"].get("labels", {}) for one in of["Namespace"]}
    dns = {
        address: int(one["ports"][0]["port"])
        for one in of["EndpointSlice"]
        if one["metadata"]["namespace"] == DNS_NAMESPACE and one["metadata"]["name"].startswith("kube-dns")
        for end in one["endpoints"]
        for address in end["addresses"]
    }
    about = {"metadata": {"namespace": DNS_NAMESPACE}, "spec": {}}
    stand_ins = [{**about, "status": {"podIP": address}} for address in dns]
    return Known(of["NetworkPolicy"], [*of["Pod"], *stand_ins], labels, dns)


_KINDS = ("NetworkPolicy", "Pod", "Namespace", "EndpointSlice")


def _load(known: Known) -> None:
    """Replace both chains at once: no packet finds half of one."""
    lines = [f":{chain} - [0:0]" for chain in CHAINS.values()]
    lines += [f"-A {chain} {rule}" for direction, chain in CHAINS.items() for rule in rules_of(known, direction)]
    _node("iptables-restore", "-w", "--noflush", stdin="\n".join(["*filter", *lines, "COMMIT", ""]))


def _node(*command: str, stdin: str | None = None) -> None:
    done = subprocess.run([*NODE, *command], input=stdin, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
