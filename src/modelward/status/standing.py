"""What stands of a check: its last verdict, until evidence refutes it.

Samples that decide nothing refute nothing. So a verdict outlives a new leader, a hub that does not answer, readings
that are missing and windows that end one by one. It goes when samples decide again, 24 hours pass without any, or
another revision serves; then the check is Unknown and says what it was. All that is needed stands in status, so
that any leader comes to the same answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from modelward.api.check_status import CheckStatus
from modelward.api.quantity import timestamp_ms
from modelward.reasons.checks import CheckReason

KEPT_MS = 24 * 3_600_000
"""How long a verdict stands without a sample."""
NEVER_HONOURED = frozenset({CheckReason.VALUE_OUT_OF_RANGE, CheckReason.THRESHOLD_BELOW_EVALUATOR_NOISE})
"""The check was never measured: a verdict on less than it asks for, or on an evaluator's noise, does not stand."""

S = TypeVar("S", bound=CheckStatus)


def stand(found: S, before: S | None, hashes: Collection[str], now_ms: int) -> S:
    """Return the check as status shows it.

    `found` is what samples say now, `before` what status says. `hashes` are all names of the revision that serves,
    empty where it is unknown.
    """
    if found.verdict != "Unknown" or before is None or before.spec_hash not in ("", found.spec_hash):
        return _as_found(found)
    if before.verdict == "Unknown":
        return _recalling(found, before, before.was) if before.was else _as_found(found)
    if _stands(found, before, hashes, now_ms):
        heard_at = max(before.heard_at, found.heard_at)
        later = heard_at if heard_at > before.observed_at else ""
        return before.model_copy(update={"heard_at": later, "spec_hash": found.spec_hash})
    return _recalling(found, before, before.verdict)


def since_then(found: CheckStatus, told: CheckStatus) -> str:
    """Return the message of a check: of a verdict that stands also its age, and what samples say since then."""
    if told.verdict == found.verdict or not told.observed_at:
        return told.message
    minute = f"{told.observed_at[:16]}Z"
    return f"{told.message}, as of {minute}; since then: {found.message or found.reason}"


def spec_hash(asked: Mapping[str, Any]) -> str:
    """Return a short digest of the check: a verdict on another limit is none on this one."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _stands(found: CheckStatus, before: CheckStatus, hashes: Collection[str], now_ms: int) -> bool:
    if hashes and before.revision and before.revision not in hashes:
        return False
    if found.reason in NEVER_HONOURED or (found.reason == CheckReason.BYPASSED and before.verdict == "Passed"):
        return False  # what goes past us may be bad
    heard_at = max(before.observed_at, before.heard_at, found.heard_at)
    return bool(heard_at) and now_ms - timestamp_ms(heard_at) < KEPT_MS


def _as_found(found: S) -> S:
    """Return what samples say; where there are none of a check that was never decided, that it is not yet."""
    reason = CheckReason.NOT_YET_DECIDED.name if found.reason == CheckReason.NO_TRAFFIC else found.reason
    return found.model_copy(update={"heard_at": "", "reason": reason})


def _recalling(found: S, before: S, was: str) -> S:
    on = f" on revision {before.revision}" if before.revision else ""
    message = f"was {was}{on}; {found.message or found.reason}"[:256]
    update = {"was": was, "revision": before.revision, "message": message, "heard_at": ""}
    return found.model_copy(update=update)
