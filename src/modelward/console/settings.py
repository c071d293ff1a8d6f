"""How a console is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from modelward.api.address import host_and_port

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ConsoleSettingsError(ValueError):
    """A setting that cannot be; the message says what to write."""


@dataclass(frozen=True, slots=True)
class OidcClientSettings:
    """The identity provider of a console in a cluster, and the client that the console is to it."""

    issuer: str
    client_id: str
    client_secret_file: Path | None = None
    """None for a public client: PKCE protects the code in both cases."""
    scopes: tuple[str, ...] = ("openid", "email", "groups")
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if not parts.hostname or not (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        ):
            raise ConsoleSettingsError(f"the issuer must be an https URL, not {self.issuer!r}")
        if not self.client_id:
            raise ConsoleSettingsError("an OIDC issuer needs the client id that the console has at it")
        if "openid" not in self.scopes:
            raise ConsoleSettingsError("the scopes must have openid: without it the issuer gives no ID token")


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """One console: where it listens, at which hub it reads, and how people sign in.

    `url` is the address that people open; what comes for another host is refused. `hub_ca_file` is read anew when it
    changes; None is for plain HTTP to a hub on the same machine.
    """

    listen: str
    url: str
    hub_url: str
    hub_ca_file: Path | None = None
    cluster: str = ""
    oidc: OidcClientSettings | None = None
    pasted: bool = False
    hosts: tuple[str, ...] = field(default=())
    """Further values of `Host` that are let in, such as `localhost:8090` beside `127.0.0.1:8090`."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            raise ConsoleSettingsError(
                f"the console's address is scheme and host, such as https://console.example.com, not {self.url!r}"
            )
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ConsoleSettingsError(
                f"{self.url} sends tokens in the clear; put TLS in front of it and write https://"
            )
        try:
            host_and_port(self.listen)
        except ValueError as error:
            raise ConsoleSettingsError(str(error)) from None

    @property
    def secure(self) -> bool:
        """Whether people reach it by TLS."""
        return self.url.startswith("https://")

    @property
    def host(self) -> str:
        """The host that people write, with its port."""
        return urlsplit(self.url).netloc

    @property
    def origin(self) -> str:
        """The origin of its pages."""
        return self.url.rstrip("/")
