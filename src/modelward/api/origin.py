"""Marks of traffic that is no user's: probes, golden sets and questions to judges are told apart by a signed header.

An unsigned header would hide users from metrics, cost and capture. A mark is `v1.ORIGIN.EXPIRES.MAC`: the MAC is the
first 16 bytes of HMAC-SHA256 (RFC 2104) over what stands before it, as hexadecimal digits, by a key of the namespace.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Literal, get_args

Origin = Literal["probe", "golden", "judge"]
"""`probe` asks an endpoint what no user asked, `golden` a set of questions with known answers, `judge` a judge."""
ORIGINS: tuple[Origin, ...] = get_args(Origin)

ORIGIN_HEADER = "x-modelward-origin"
KEY_BYTES = 32
LONGEST_S = 3_600
"""How long a mark may hold; a run takes at most a quarter of it."""
_VERSION = "v1"
_PURPOSE = b"modelward origin mark"
_MAC_DIGITS = 32
_MOST_CHARACTERS = 80


def origin_key(secret: bytes) -> bytes:
    """Return the key of marks that belongs to a namespace's secret; the one does not tell the other."""
    return hmac.digest(secret, _PURPOSE, hashlib.sha256)


def signed_mark(origin: Origin, expires_s: int, key: bytes) -> str:
    """Return a mark that holds until `expires_s`, seconds since 1970."""
    text = f"{_VERSION}.{origin}.{expires_s}"
    return f"{text}.{_mac(text, key)}"


def origin_of(mark: str, keys: Iterable[bytes], now_s: float) -> Origin | None:
    """Return where marked traffic comes from; None of a mark that is malformed, has expired, or no key made."""
    text, _, mac = mark.rpartition(".")
    version, _, rest = text.partition(".")
    name, _, expires = rest.partition(".")
    origin = next((known for known in ORIGINS if known == name), None)
    if origin is None or version != _VERSION or len(mark) > _MOST_CHARACTERS or not expires.isdecimal():
        return None
    if not mark.isascii() or not now_s < int(expires) <= now_s + 2 * LONGEST_S:
        return None
    return origin if any(hmac.compare_digest(mac, _mac(text, key)) for key in keys) else None


def _mac(text: str, key: bytes) -> str:
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()[:_MAC_DIGITS]
