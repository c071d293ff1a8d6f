"""When a new status is worth a write: flips at once, numbers now and then, nothing when nothing changed.

Three hundred quiet endpoints must cost the API server next to nothing, and a watcher of `kubectl get -w` must see a
flip within seconds.
"""

from __future__ import annotations

from typing import Any

_NUMBERS = frozenset(
    {
        "usage", "value", "rate", "low", "high", "difference", "samples", "observedAt", "heardAt", "message",
        "examples", "run", "capacity", "summary", "trafficSeen", "decisions",
        "tokensSpent", "tokensLeft", "costSpent", "costLeft", "unreported", "refused",
        "spent", "remaining", "burn", "seen", "costOfDay", "costOfMonth",
    }
)  # fmt: skip


def _flips(value: Any, within: str = "") -> Any:
    """Return what is left of a status when every number that moves by itself is taken out; `within` is its field."""
    if isinstance(value, dict):
        moving = _NUMBERS | {"reason"} if _follows_load(value, within) else _NUMBERS
        return {key: _flips(part, key) for key, part in value.items() if key not in moving}
    if isinstance(value, list):
        return [_flips(part, within) for part in value]
    return value


def _follows_load(part: dict[str, Any], within: str) -> bool:
    """Return whether the reason in this part only follows the load.

    While the scaler decides (ScalingActive is True) its reason changes hundreds of times a day between holding, steady
    and load. What it does about the load is `desired`, which is written at once, with its reason and the decisions.
    """
    decides = within == "conditions" and part.get("type") == "ScalingActive" and part.get("status") == "True"
    return decides or within == "scaling"


def worth_writing(before: dict[str, Any], after: dict[str, Any], since_last_ms: int, interval_ms: int) -> bool:
    """Return whether `after` must be written now; `since_last_ms` is the time since our last write of this status.

    It is negative after the clock was set back: the time is then unknown, and numbers must not wait for it.
    """
    if before == after:
        return False
    return _flips(before) != _flips(after) or not 0 <= since_last_ms < interval_ms
