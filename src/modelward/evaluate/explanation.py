"""Reasons that judges, containers and webhooks give: they may repeat what was judged, so they are cut and masked."""

from __future__ import annotations

from typing import Any

from modelward.api.kept_score import MAX_EXPLANATION
from modelward.privacy.redaction import redact

READ_CHARACTERS = 4 * MAX_EXPLANATION
"""Of a reason that is longer the rest is not read: masks are mostly shorter than what they stand for."""


def explanation(given: Any) -> str:
    """Return a reason as it may be kept: one line, masked, at most 300 characters; empty where it is no text.

    What cannot be printed goes before anything is masked, so that it hides no value. Masked before it is cut, because
    half a value is no value to a detector.
    """
    if not isinstance(given, str):
        return ""
    words = given[:READ_CHARACTERS].split()
    if len(given) > READ_CHARACTERS:
        del words[-1:]  # it may be half a value
    line = " ".join("".join(filter(str.isprintable, word)) for word in words)
    return redact(line).text[:MAX_EXPLANATION].rstrip()
