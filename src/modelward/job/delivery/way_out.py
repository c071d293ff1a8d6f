"""The way out of the cluster as an environment describes it: a proxy, exceptions from it, certificate authorities."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from yarl import URL


@dataclass(frozen=True)
class WayOut:
    """Reads HTTPS_PROXY, HTTP_PROXY, NO_PROXY (also in lower case) and SSL_CERT_FILE of the Helm value podSettings.env.

    A Job has them in its environment. The operator has them in its settings, because a proxy in its own environment
    would stand between it and the API server.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @cached_property
    def trusted(self) -> ssl.SSLContext:
        """Certificate authorities: of the file, else of the system. Raises OSError where the file is not there."""
        return ssl.create_default_context(cafile=self.environ.get("SSL_CERT_FILE") or None)

    def proxy(self, url: URL) -> str | None:
        """Return the proxy for a URL; None where it is asked directly."""
        return None if self._direct(url) else self._value(f"{url.scheme}_proxy") or None

    def _direct(self, url: URL) -> bool:
        host = url.raw_host or ""
        return any(_matches(one.strip().lower(), host, url.port or 0) for one in self._value("no_proxy").split(","))

    def _value(self, name: str) -> str:
        return self.environ.get(name) or self.environ.get(name.upper()) or ""


def _matches(entry: str, host: str, port: int) -> bool:
    """Return whether an entry of NO_PROXY is this host, a domain above it, a network that it is in, or `*`."""
    if not entry:
        return False
    if "/" in entry:
        return _within(entry, host)
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and "." in name:
        entry = name
        if int(number) != port:
            return False
    bare = entry.removeprefix("*").lstrip(".")
    return entry == "*" or host == bare or (bool(bare) and host.endswith(f".{bare}"))


def _within(network: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
