"""What a status has room to list. What it has not counts for health and conditions all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from modelward.api.check_status import CheckStatus
from modelward.api.endpoint_status import MAX_CHECKS, MAX_POLICIES, MAX_SELECTOR_CHARS
from modelward.reasons.accepted import AcceptedReason
from modelward.status.conditions import ConditionState

S = TypeVar("S", bound=CheckStatus)


def listed(checks: Sequence[S]) -> tuple[S, ...]:
    """Return as many as a status lists: what failed first, then what failed before: neither may be forgotten."""
    if len(checks) <= MAX_CHECKS:
        return tuple(checks)
    return tuple(sorted(checks, key=_expendable)[:MAX_CHECKS])


def told_cut(
    accepted: ConditionState, *, policies: int, objectives: int, evaluations: int, selector: str
) -> ConditionState:
    """Return Accepted with what the status has no room to list."""
    bounds = (
        (policies, MAX_POLICIES, "policies"),
        (objectives, MAX_CHECKS, "objectives"),
        (evaluations, MAX_CHECKS, "evaluations"),
    )
    cut = [f"{most} of {count} {what}" for count, most, what in bounds if count > most]
    told = [f"status lists {', '.join(cut)}; all of them count"] if cut else []
    if len(selector) > MAX_SELECTOR_CHARS:
        told.append(f"its selector has {len(selector)} characters and is left out: no autoscaler can use it")
    if not told:
        return accepted
    reason = AcceptedReason.STATUS_CUT if accepted.reason == AcceptedReason.VALID else accepted.reason
    message = "; ".join(part for part in (accepted.message, *told) if part)
    return ConditionState(accepted.type, accepted.status, reason, message)


def _expendable(check: CheckStatus) -> tuple[bool, bool]:
    return check.verdict != "Failed", check.was != "Failed"
