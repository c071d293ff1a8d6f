"""Who did what to which samples, and who read them: kept apart from the samples, without any text of theirs."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

from modelward.api.exchange import whole_number
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError
from modelward.hub.layout import AUDIT_PREFIX, HOUR_MS
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
Verb = Literal["erase", "read"]
KEEP_MS = 400 * 24 * HOUR_MS
MOST_RECORDS = 50_000


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act: `who` is the account that asked and `by` the person it named; `object` as `namespace/name/id`."""

    time_ms: int
    who: str
    verb: Verb
    object: str
    count: int
    by: str = ""


@dataclass(slots=True)
class AuditLog:
    """All records, the oldest first; one object of the store each, `audit/{ms}-{uuid}.json`."""

    objects: ObjectStore
    damage: Damage
    clock_ms: Callable[[], int]
    _records: dict[str, AuditRecord] = field(default_factory=dict)

    async def load(self) -> None:
        """Read all records."""
        found = {}
        for path in sorted([path async for path, _ in self.objects.paths(AUDIT_PREFIX)]):
            try:
                found[path] = _record_from_json(orjson.loads(await self.objects.get(path) or b""))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
                self.damage.found("audit", path)
        self._records = found

    async def add(self, who: str, verb: Verb, what: str, count: int, by: str = "") -> bool:
        """Store a record; False when the store does not take it, and then the log is the only place that has it."""
        record = AuditRecord(self.clock_ms(), who, verb, what, count, by)
        path = f"{AUDIT_PREFIX}{record.time_ms:013d}-{uuid.uuid4().hex}.json"
        try:
            await self.objects.put(path, orjson.dumps(asdict(record)))
        except HubError as error:
            line = "audit record not stored code=%s who=%s verb=%s object=%r count=%d by=%r"
            log.error(line, error.code, who, verb, what, count, by)
            return False
        log.info("audit who=%s verb=%s object=%r count=%d by=%r", who, verb, what, count, by)
        self._records[path] = record
        return True

    def since(self, since_ms: int, verb: str = "") -> list[AuditRecord]:
        """Return the records of a time and after it, of one verb or of all."""
        return [one for one in self._records.values() if one.time_ms >= since_ms and verb in ("", one.verb)]

    async def drop_old(self) -> None:
        """Delete records after their time, and the oldest of too many."""
        oldest_ms = self.clock_ms() - KEEP_MS
        ordered = sorted(self._records, key=lambda path: self._records[path].time_ms)
        surplus = set(ordered[: max(0, len(ordered) - MOST_RECORDS)])
        gone = [path for path in ordered if path in surplus or self._records[path].time_ms < oldest_ms]
        await self.objects.delete(gone)
        for path in gone:
            del self._records[path]


def record_to_json(record: AuditRecord) -> dict[str, Any]:
    """Return a record as the API answers it."""
    return asdict(record)


def _record_from_json(row: Mapping[str, Any]) -> AuditRecord:
    verb = row["verb"]
    if verb not in ("erase", "read"):
        raise ValueError("no verb of ours")
    return AuditRecord(
        whole_number(row["time_ms"]),
        str(row["who"]),
        verb,
        str(row["object"]),
        whole_number(row["count"]),
        str(row.get("by", "")),
    )
