"""The header by which a webhook, of an evaluator or of alerts, knows that a request is ours, and when it was made."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "Modelward-Signature"


def signature(key: str, body: bytes, time_s: int) -> str:
    """Return `t=UNIX_SECONDS,v1=HEX`: the HMAC-SHA256 of `UNIX_SECONDS.BODY` under the key.

    Who receives it computes the same and refuses times that are more than five minutes off, against replays.
    """
    digest = hmac.new(key.encode(), f"{time_s}.".encode() + body, hashlib.sha256)
    return f"t={time_s},v1={digest.hexdigest()}"
