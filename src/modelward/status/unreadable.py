"""The condition of a stored object that this version cannot read: which field, what follows, and what to do."""

from __future__ import annotations

from pydantic import ValidationError

from modelward.api.form import in_words
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState

_NEXT = "write what it takes, or bring CustomResourceDefinitions and operator to one release (`modelward doctor`)"


def unreadable(type_: str, reason: Reason, error: ValidationError, consequence: str) -> ConditionState:
    """Return the condition as False; `consequence` ends the sentence that this version cannot read the object."""
    first, *others = in_words(error)
    more = f" (and {len(others)} more)" if others else ""
    message = f"{first}{more}; this version cannot read it, and {consequence}: {_NEXT}"
    return ConditionState(type_, "False", reason, message)
