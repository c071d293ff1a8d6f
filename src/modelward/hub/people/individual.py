"""A person who asks the hub, as far as a valid token says."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.person import PersonSource, Right

EVERYTHING: frozenset[Right] = frozenset({"Numbers", "Policies", "Text", "Label", "Silence", "Audit"})
VIEWER: frozenset[Right] = frozenset({"Numbers", "Policies"})
READER: frozenset[Right] = frozenset({"Numbers", "Policies", "Text", "Label", "Audit"})


@dataclass(frozen=True, slots=True)
class Individual:
    """Who it is and how that is known: `name` as the audit has it, `groups` as a review is asked with them.

    The token of an account carries `rights` in its `namespace` and none elsewhere. `token` is kept only where the API
    server must be asked with it. `jti` is what its issuer calls the token, `expires_ms` when it ends.
    """

    name: str
    source: PersonSource
    groups: tuple[str, ...] = ()
    namespace: str = ""
    rights: frozenset[Right] = frozenset()
    jti: str = ""
    expires_ms: int | None = None
    token: str = ""

    def __str__(self) -> str:
        """Return the name; never the token."""
        return self.name

    def __repr__(self) -> str:
        """Return what a log may hold."""
        return f"Individual({self.name!r}, {self.source})"


BY_HAND = Individual("by hand", "ByHand", rights=EVERYTHING)
"""Whoever asks a hub without authentication."""
