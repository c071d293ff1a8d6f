"""Events for people: one for each condition that flipped, with the evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from modelward.api.base import Condition
from modelward.reasons.collector import CollectorReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.workload import WorkloadReason

_QUIET = frozenset({"Ready"})
"""Ready only repeats what Accepted or WorkloadReady said."""
_STARTING = frozenset(
    {WorkloadReason.NOT_READY, CollectorReason.STARTING, MetricsReason.PARTIAL_PODS, MetricsReason.PARTIAL_SIGNALS}
)
"""What every pod goes through that comes up; only one that was already up has something to report."""
_PARTLY = frozenset({MetricsReason.PARTIAL_PODS, MetricsReason.PARTIAL_SIGNALS})
"""Some pods give no numbers yet, as at each roll-out: that moves no health, and the condition says it."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A condition whose status changed."""

    type: Literal["Normal", "Warning"]
    reason: str
    note: str


def flips(before: Iterable[Condition], after: Iterable[Condition]) -> tuple[Flip, ...]:
    """Return the Events to post.

    Nothing for a first Unknown, nor for going back to Unknown without a cause that one can act on; nothing for pods
    that are starting.
    """
    old = {condition.type: condition for condition in before}
    return tuple(
        _flip(condition)
        for condition in after
        if condition.type not in _QUIET and _tells(old.get(condition.type), condition)
    )


def _tells(before: Condition | None, after: Condition) -> bool:
    if (before is None or before.status != "True") and after.reason in _STARTING:
        return False
    if after.reason in _PARTLY or (before is not None and before.reason in _PARTLY and after.status == "True"):
        return False
    if before is None:
        return after.status == "False"
    return before.status != after.status and after.status != "Unknown"


def _flip(condition: Condition) -> Flip:
    good = condition.status == "True"
    name = condition.type if good else f"Not{condition.type}"
    return Flip("Normal" if good else "Warning", name, f"{condition.reason}: {condition.message}"[:1000])
