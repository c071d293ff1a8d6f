"""How people may log in at the hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from modelward.hub.errors import HubSettingsError

SYSTEM = "system:"


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An OpenID Connect issuer whose ID tokens count here, with what is put before the names that it gives.

    The prefixes are mandatory: without one a user of the issuer could be named as one of the cluster's own.
    """

    issuer: str
    audience: str = ""
    user_claim: str = "sub"
    user_prefix: str = "oidc:"
    groups_claim: str = "groups"
    group_prefix: str = "oidc:"
    ca_file: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        loopback = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
            raise HubSettingsError(f"the issuer must be an https URL, not {self.issuer!r}")
        if not self.audience:
            raise HubSettingsError("an OIDC issuer needs the client id that its ID tokens are for (audience)")
        for what, prefix in (("user", self.user_prefix), ("group", self.group_prefix)):
            if not prefix or prefix.startswith(SYSTEM):
                raise HubSettingsError(f"the OIDC {what} prefix must not be empty nor begin with {SYSTEM}: {prefix!r}")


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """Which ways are open. `accounts`: tokens of the accounts modelward-reader and modelward-viewer of a namespace.

    `reviews` says whether the hub may ask SubjectAccessReviews: in all namespaces, or in `namespaces` where there are
    any. OIDC needs it. With `pasted`, tokens of the API server's own audience count, by what they may do there.
    """

    accounts: bool = True
    oidc: OidcSettings | None = None
    pasted: bool = False
    reviews: bool = False
    namespaces: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.oidc and not self.reviews:
            raise HubSettingsError("OIDC needs SubjectAccessReviews: without them no person could be let in")


_OIDC = {
    "issuer": "issuer", "clientId": "audience", "userClaim": "user_claim", "userPrefix": "user_prefix",
    "groupsClaim": "groups_claim", "groupPrefix": "group_prefix", "caFile": "ca_file",
}  # fmt: skip


def people_settings(text: str) -> PeopleSettings:
    """Read `{"accounts", "oidc", "pasted", "reviews", "namespaces"}`; HubSettingsError when it is not that."""
    try:
        data = json.loads(text or "{}")
        oidc = _oidc(data.get("oidc") or {})
        namespaces = tuple(map(str, data.get("namespaces") or ()))
    except (ValueError, TypeError, AttributeError) as error:
        raise HubSettingsError(f"how people log in is JSON, as the chart writes it: {error}") from None
    return PeopleSettings(
        data.get("accounts") is not False, oidc, data.get("pasted") is True, data.get("reviews") is True, namespaces
    )


def _oidc(row: Mapping[str, Any]) -> OidcSettings | None:
    if unknown := row.keys() - _OIDC.keys():
        raise HubSettingsError(f"no settings of OIDC: {', '.join(sorted(unknown))}")
    return OidcSettings(**{_OIDC[name]: str(value) for name, value in row.items()}) if row.get("issuer") else None
