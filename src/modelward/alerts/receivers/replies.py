"""What replies amount to, for all receivers alike: which problems pass by themselves, and which need a person."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.alerts.receiver import ReceiverReply, Undelivered

Replies = tuple[ReceiverReply, ...]
_NO_ACCESS = 403
_TOO_MANY, _TIMEOUT, _TOO_EARLY = 429, 408, 425
_PERMANENT_ERRORS = frozenset({"Forbidden", "SecretNotFound", "SecretUnusable", "NoAddress", "NoStartTLS"})
"""Words with which the port begins what a person has to mend."""


def succeeded(reply: ReceiverReply) -> bool:
    """Return whether HTTP says that it is done."""
    return 200 <= reply.status < 300


def undelivered(reply: ReceiverReply, hint: str = "") -> Undelivered:
    """Return what a reply that is no success means. Only its status is told, and words of our own."""
    if not reply.status:
        return Undelivered(reply.error or "no answer", reply.retry_after_s, unsent(reply))
    hint = hint or ("it leads elsewhere, and no redirect is followed" if 300 <= reply.status < 400 else "")
    cause = f"HTTP {reply.status}" + (f": {hint}" if hint else "")
    return Undelivered(cause, reply.retry_after_s, is_permanent(reply))


def unsent(reply: ReceiverReply) -> bool:
    """Return whether it was not even sent, and will not be until a person mends the receiver."""
    return reply.error.partition(" ")[0] in _PERMANENT_ERRORS


def is_permanent(reply: ReceiverReply) -> bool:
    """Return whether asking again changes nothing: 3xx and 4xx, but for those that say "later"."""
    later = reply.status in (_TOO_MANY, _TIMEOUT, _TOO_EARLY) or reply.status >= 500
    # GitHub says 403 where it means "later", with the time in a header.
    return not later and not (reply.status == _NO_ACCESS and reply.retry_after_s is not None)


def first_failure(replies: Sequence[ReceiverReply]) -> ReceiverReply | None:
    """Return the first reply that is no success."""
    return next((reply for reply in replies if not succeeded(reply)), None)
