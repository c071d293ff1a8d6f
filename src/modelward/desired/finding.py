"""What keeps us from doing what the user declared, in the words of a condition."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.reasons.reason import Reason


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition's reason and its message: what is wrong and what to do about it."""

    reason: Reason
    message: str
