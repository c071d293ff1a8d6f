"""The condition HistoryKept of a policy: whether the hub takes the rows of its endpoints."""

from __future__ import annotations

from modelward.api.history import HistoryHealth
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.reasons.policy import HistoryReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState

TYPE = "HistoryKept"
_AWAY = ConditionState(TYPE, "Unknown", HistoryReason.HUB_UNAVAILABLE, "the hub does not say how its history is")
_TROUBLE: dict[str, tuple[Reason, str]] = {
    "Full": (
        HistoryReason.HISTORY_FULL,
        "no room is left: enlarge the hub's volume, or raise history.size of the chart",
    ),
    "Newer": (
        HistoryReason.HISTORY_NEWER,
        "its database is of a newer version, and is left untouched: install that version again, or move the database",
    ),
    "Unusable": (HistoryReason.HISTORY_UNUSABLE, "its database cannot be opened or written: the hub's log says why"),
}


def history_kept(policy: MonitoringPolicy, health: HistoryHealth | None) -> tuple[ConditionState, ...]:
    """Return the condition where something is, or was, wrong; none of most policies. `health` is None where unknown."""
    was_told = any(condition.type == TYPE for condition in policy.status.conditions)
    if health is not None and health.state in _TROUBLE:
        reason, told = _TROUBLE[health.state]
        return (ConditionState(TYPE, "False", reason, f"the hub keeps no history of these endpoints now: {told}"),)
    if health is not None and health.state == "Ready" and not health.copied:
        told = "the hub's history is not copied to its object store: the hub's log says why"
        return (ConditionState(TYPE, "False", HistoryReason.HISTORY_NOT_COPIED, told),)
    if not was_told or (health is not None and health.state == "Off"):
        return ()
    if health is None or health.state != "Ready":
        return (_AWAY,)
    return (ConditionState(TYPE, "True", HistoryReason.HISTORY_KEPT),)
