"""Writes status when it is worth a write, and tells people about flips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from modelward.api.base import Condition, Model
from modelward.controller.context import Context
from modelward.desired.names import FRAME_MANAGER
from modelward.kube.errors import Forbidden, Invalid, NotFound
from modelward.kube.kinds import Kind, Object
from modelward.status.cadence import worth_writing
from modelward.status.conditions import State, settle
from modelward.status.flips import flips

S = TypeVar("S", bound=Model)


class StatusWriter:
    """Compares with what the server has, so that a restart or a second writer loses and repeats nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._written_ms: dict[str, int] = {}

    async def write(self, kind: Kind, raw: Object, status: S, before: S, now_ms: int) -> bool:
        """Write the status if it says something new, and an Event for each flip; tell whether it was written."""
        after = wire(status)
        uid = raw["metadata"]["uid"]
        since_ms = now_ms - self._written_ms.get(uid, 0)
        interval_ms = round(self._context.settings.status_interval_s * 1_000)
        if not worth_writing(wire(before), after, since_ms, interval_ms):
            return False
        await self._apply(kind, raw, after)
        self._written_ms[uid] = now_ms
        for flip in flips(_conditions(before), _conditions(status)):
            await self._context.client.event(raw, type=flip.type, reason=flip.reason, note=flip.note)
        return True

    async def refuse(
        self,
        kind: Kind,
        raw: Object,
        generation: int,
        before: Sequence[Condition],
        states: Sequence[State],
        now_ms: int,
    ) -> None:
        """Say that a spec cannot be read, and leave everything else of the status as it was."""
        kept = {condition.type: condition for condition in before}
        settled = {condition.type: condition for condition in settle(states, before, generation, now_ms)}
        conditions = [condition.wire() for condition in {**kept, **settled}.values()]
        after = {**raw.get("status", {}), "conditions": conditions}
        if after != raw.get("status", {}):
            await self._apply(kind, raw, after)

    async def _apply(self, kind: Kind, raw: Object, status: dict[str, Any]) -> None:
        metadata = {key: raw["metadata"][key] for key in ("name", "namespace", "uid")}
        obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": status}
        try:
            self._context.store.put(kind, await self._context.client.apply_status(obj, FRAME_MANAGER))
        except NotFound:
            return  # deleted meanwhile: the next hint says so
        except (Forbidden, Invalid) as error:  # where no condition can be written, an Event can
            note = f"its status cannot be written: {error.message}"[:900]
            await self._context.client.event(raw, type="Warning", reason="StatusRefused", note=note)
            raise


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
