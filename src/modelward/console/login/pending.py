"""Sign-ins that have begun: what must come back with the answer, for ten minutes and to the same browser."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

LASTS_MS = 10 * 60_000
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Begun:
    """One sign-in: `state` comes back in the address, `nonce` in the token, `browser` in a cookie."""

    state: str
    nonce: str
    verifier: str
    browser: str
    until_ms: int

    @property
    def challenge(self) -> str:
        """What proves later that whoever brings the code has begun the sign-in (RFC 7636, S256)."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(slots=True)
class PendingLogins:
    """Sign-ins by their state; each answers once."""

    clock_ms: Callable[[], int]
    most: int = MOST
    _all: OrderedDict[str, Begun] = field(default_factory=OrderedDict)

    def begin(self) -> Begun:
        """Return a new sign-in; the oldest make way where too many have begun."""
        now = self.clock_ms()
        while self._all and (len(self._all) >= self.most or next(iter(self._all.values())).until_ms <= now):
            self._all.popitem(last=False)
        state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
        begun = Begun(state, nonce, verifier, browser, now + LASTS_MS)
        self._all[begun.state] = begun
        return begun

    def take(self, state: str, browser: str) -> Begun | None:
        """Return the sign-in that a browser has begun, once; None for any other."""
        begun = self._all.pop(state, None)
        if begun is None or begun.until_ms <= self.clock_ms():
            return None
        return begun if hmac.compare_digest(begun.browser.encode(), browser.encode()) else None
