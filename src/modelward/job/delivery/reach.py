"""Where messages may go: hosts that the installation names, at addresses that lead to no machine's own services."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from modelward.desired.text_egress import in_cluster

HELM_VALUE = "alerts.allowedHosts"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_FORBIDDEN = (
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "::1/128", "fe80::/10", "ff00::/8",
    "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::/32",
)  # fmt: skip
FORBIDDEN: tuple[Network, ...] = tuple(map(ipaddress.ip_network, _FORBIDDEN))
"""This pod, link-local addresses, where clouds answer with credentials (169.254.169.254), groups, and the addresses
outside these ranges at which Alibaba, Azure, AWS and Google answer in the same way."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddressError(OSError):
    """A name leads to an address that nothing may be sent to."""


@dataclass(frozen=True, slots=True)
class Reach:
    """`hosts` are names or addresses, or `*.` and a domain; a Service is NAME.NAMESPACE.svc and is listed as well."""

    hosts: tuple[str, ...] = ()
    forbidden: tuple[Network, ...] = FORBIDDEN

    def refusal(self, scheme: str, host: str) -> str:
        """Return why a URL of this scheme and host is not asked; empty where it may be."""
        if not listed(host, self.hosts):
            return f"its host is not in {HELM_VALUE}"
        if scheme != "https" and not (scheme == "http" and in_cluster(host)):
            return "it must be https; http is for Services of the cluster, written NAME.NAMESPACE.svc"
        return self.address_refusal(host)

    def address_refusal(self, host: str) -> str:
        """Return why an address is not connected to; empty for a name, whose addresses are not known yet."""
        try:
            address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
        except ValueError:
            return ""
        within = any(one in network for one in _readings(address) for network in self.forbidden)
        return "it leads to a link-local, loopback or metadata address" if within else ""

    def check(self, address: str) -> None:
        """Raise ForbiddenAddressError for an address that is not connected to."""
        if told := self.address_refusal(address):
            raise ForbiddenAddressError(told)


def listed(host: str, hosts: Iterable[str]) -> bool:
    """Return whether one of the hosts is this one, or a `*.` domain above it."""
    return any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in hosts)


def _readings(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    """Return an address, and the IPv4 addresses that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    inner = [address.ipv4_mapped, address.sixtofour]
    inner += [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)] if address in _NAT64 else []
    return (address, *(one for one in inner if one is not None))
