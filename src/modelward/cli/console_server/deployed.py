"""A console in the cluster: for everybody at one address, who sign in with tokens of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelward.console.server import serve
from modelward.console.settings import ConsoleSettings, OidcClientSettings


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the command was asked for; without an issuer people do not sign in by OpenID Connect."""

    listen: str
    url: str
    hub_url: str
    hub_ca: Path | None = None
    cluster: str = ""
    issuer: str = ""
    client_id: str = ""
    client_secret_file: Path | None = None
    scopes: str = ""
    issuer_ca: Path | None = None
    pasted: bool = False


async def deploy(asked: Deployed) -> None:
    """Serve pages until a signal; ConsoleSettingsError where a setting cannot be."""
    one, oidc = asked, None
    if one.issuer:
        scopes = tuple(one.scopes.split())
        oidc = OidcClientSettings(one.issuer, one.client_id, one.client_secret_file, scopes, one.issuer_ca)
    await serve(ConsoleSettings(one.listen, one.url, one.hub_url, one.hub_ca, one.cluster, oidc, one.pasted))
