"""Which revision of an endpoint served when, as far as its status tells."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.quantity import timestamp, timestamp_ms
from modelward.status.endpoint import KEPT_CHANGES
from modelward.status.revision import UNKNOWN_REVISION, Revision

_ARROW = " → "


@dataclass(frozen=True, slots=True)
class PastRevisions:
    """Revisions, newest first. What served before the last of them is not known, and taken for it."""

    newest_first: tuple[Revision, ...] = (UNKNOWN_REVISION,)
    known_from_ms: int = 0

    def at(self, now_ms: int) -> Revision:
        """Return the revision that served."""
        return next((one for one in self.newest_first if one.since_ms <= now_ms), self.newest_first[-1])

    def problem(self, from_ms: int) -> str:
        """Return what is not known of a time; empty where all is."""
        if self.known_from_ms <= from_ms:
            return ""
        oldest = self.newest_first[-1].name or "what serves"
        return f"which revision served before {timestamp(self.known_from_ms)} is not known; {oldest} is taken for it"


def past_revisions(status: LLMEndpointStatus, mode: str) -> PastRevisions:
    """Return the revisions that status knows of: the present one, and those of its last changes.

    Behind a gateway none is known, and verdicts tell none apart.
    """
    if mode == "Gateway" or not status.revision:
        return PastRevisions()
    serving = status.serving
    hashes = serving.hashes if serving and serving.hashes else (status.revision,)
    since_ms = timestamp_ms(serving.since) if serving and serving.since else 0
    found = [Revision(status.revision, hashes, "", since_ms)]
    changes = [(timestamp_ms(one.time), one.message) for one in status.changes if one.kind == "Revision"]
    for at_ms, message in changes:
        before, arrow, after = message.partition(_ARROW)
        if not arrow or after != found[-1].name:
            break
        found[-1] = Revision(found[-1].name, found[-1].hashes, "", at_ms)
        found.append(Revision(before, (before,), "", 0))
    last = found[-1]
    full = len(status.changes) >= KEPT_CHANGES
    known_ms = last.since_ms or (timestamp_ms(status.changes[-1].time) if full and len(found) > 1 else 0)
    return PastRevisions(tuple(found), known_ms)
