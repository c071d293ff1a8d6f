"""Writes status when it is worth a write, and reports flips."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeVar

from modelward.api.base import Condition, Model
from modelward.api.endpoint_status import Health, LLMEndpointStatus
from modelward.api.quantity import timestamp
from modelward.desired.names import FRAME_MANAGER
from modelward.kube.errors import Forbidden, Invalid, NotFound
from modelward.kube.kinds import Kind, Object
from modelward.operator.notify.notifier import Notification
from modelward.operator.runtime.context import Context
from modelward.status.cadence import worth_writing
from modelward.status.conditions import ConditionState, settle
from modelward.status.endpoint import summary
from modelward.status.flips import flips

S = TypeVar("S", bound=Model)


class StatusWriter:
    """Compares with what the server has, so that a restart or a second writer loses and repeats nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._written_ms: OrderedDict[str, int] = OrderedDict()
        """When each status was written, the one that was written longest ago first."""

    async def write(self, kind: Kind, raw: Object, status: S, before: S, now_ms: int) -> bool:
        """Write the status if it says something new, and an Event for each flip; return whether it was written."""
        after = wire(status)
        uid = raw["metadata"]["uid"]
        since_ms = now_ms - self._written_ms.get(uid, 0)
        interval_ms = round(self._context.settings.status_interval_s * 1_000)
        if not worth_writing(wire(before), after, since_ms, interval_ms):
            return False
        await self._apply(kind, raw, after)
        self._note(uid, now_ms, interval_ms)
        await self._tell(raw, _conditions(before), _conditions(status))
        return True

    def _note(self, uid: str, now_ms: int, interval_ms: int) -> None:
        """Remember a write, and forget those so old that they say the same as none: their objects may be gone."""
        self._written_ms[uid] = now_ms
        self._written_ms.move_to_end(uid)
        while not 0 <= now_ms - next(iter(self._written_ms.values())) < interval_ms:
            self._written_ms.popitem(last=False)

    async def refuse(
        self, kind: Kind, raw: Object, states: Sequence[ConditionState], mood: tuple[Health, str] | None, now_ms: int
    ) -> None:
        """Say that a spec cannot be read, and leave what is known of pods and verdicts as it was.

        The status is taken as it stands on the server, because the rest of it may be of another release. `mood`
        is the health that follows, with the reason for it; None of a kind that has none.
        """
        was, generation = _untold(raw.get("status", {})), raw["metadata"].get("generation", 0)
        before = tuple(Condition.model_validate(one) for one in was.get("conditions", ()))
        settled = settle(states, before, generation, now_ms)
        conditions = {condition.type: condition for condition in (*before, *settled)}
        after = {
            **was,
            **(_health(was, *mood, now_ms) if mood else {}),
            "observedGeneration": generation,
            "conditions": [condition.wire() for condition in conditions.values()],
        }
        if after != was:
            await self._apply(kind, raw, after)
            await self._tell(raw, before, settled)

    async def _tell(self, raw: Object, before: Sequence[Condition], after: Sequence[Condition]) -> None:
        for flip in flips(before, after):
            await self._context.announcer.notify(Notification(raw, flip.type, flip.reason, flip.note))

    async def _apply(self, kind: Kind, raw: Object, status: dict[str, Any]) -> None:
        metadata = {key: raw["metadata"][key] for key in ("name", "namespace", "uid")}
        obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": status}
        try:
            self._context.store.put(kind, await self._context.client.apply_status(obj, FRAME_MANAGER))
        except NotFound:
            return  # deleted since: the next hint says so
        except (Forbidden, Invalid) as error:  # where no condition can be written, an Event can
            note = f"its status cannot be written: {error.message}"[:900]
            await self._context.announcer.notify(Notification(raw, "Warning", "StatusRefused", note))
            raise


def _health(was: Object, mood: Health, why: str, now_ms: int) -> dict[str, Any]:
    since = was.get("healthSince") if was.get("health") == mood else None
    return {"health": mood, "healthSince": since or timestamp(now_ms), "summary": summary(why)}


def untold(status: LLMEndpointStatus) -> LLMEndpointStatus:
    """Return a status without what receivers were told of alerts: that has a writer of its own."""
    if not any(one.deliveries for one in status.alerts):
        return status
    alerts = tuple(one.model_copy(update={"deliveries": ()}) for one in status.alerts if one.state)
    return status.model_copy(update={"alerts": alerts})


def _untold(status: dict[str, Any]) -> dict[str, Any]:
    """Return the same of a status that cannot be read."""
    rows = status.get("alerts")
    if not isinstance(rows, list):
        return status
    kept = [{key: value for key, value in row.items() if key != "deliveries"} for row in rows if isinstance(row, dict)]
    return {**status, "alerts": [row for row in kept if row.get("state")]}


def _conditions(status: Model) -> tuple[Condition, ...]:
    found: tuple[Condition, ...] = getattr(status, "conditions", ())
    return found


def wire(status: Model) -> dict[str, Any]:
    """Return a status as it stands on the server: camelCase, and without what is empty."""
    trimmed: dict[str, Any] = _without_empty(status.model_dump(mode="json", by_alias=True, exclude_none=True))
    return trimmed


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        trimmed = {key: _without_empty(part) for key, part in value.items()}
        return {key: part for key, part in trimmed.items() if part not in ("", [], {})}
    if isinstance(value, list):
        return [_without_empty(part) for part in value]
    return value
