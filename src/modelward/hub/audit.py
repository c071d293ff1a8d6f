"""Who did what to which samples, and who read them: kept apart from the samples, without any text of theirs.

The records of a namespace are a chain: each holds a hash of itself and of the one before, so that a record that was
changed or taken out is seen. Whoever may write the store can make a new chain; the log has each hash as it was made.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import orjson

from modelward.api.exchange import whole_number
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError
from modelward.hub.layout import AUDIT_PREFIX, HOUR_MS
from modelward.hub.objects import ObjectStore

log = logging.getLogger(__name__)
Verb = Literal["erase", "read", "label", "silence"]
KEEP_MS = 400 * 24 * HOUR_MS
MOST_RECORDS = 100_000
MOST_OF_NAMESPACE = 20_000
"""Of more than that the namespace's own oldest go, and of more than all the oldest of the largest namespaces."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act: `who` is the account that asked and `by` the person it named; `object` as `namespace/name/id`.

    `ids` are the exchanges whose text was shown and `filter` how they were found. Not `allowed` is what was tried.
    `token` is the `jti` of the token. `sequence` counts the records of the namespace, `chain` is the hash.
    """

    time_ms: int
    who: str
    verb: Verb
    object: str
    count: int
    by: str = ""
    ids: tuple[str, ...] = ()
    filter: str = ""
    allowed: bool = True
    token: str = ""
    sequence: int = 0
    chain: str = ""

    @property
    def namespace(self) -> str:
        """The namespace that it is about."""
        return self.object.partition(" ")[0].partition("/")[0]

    def after(self, before: AuditRecord | None) -> AuditRecord:
        """Return it as the link that follows another."""
        numbered = replace(self, sequence=before.sequence + 1 if before else 1, chain="")
        data = orjson.dumps(asdict(numbered), option=orjson.OPT_SORT_KEYS)
        return replace(numbered, chain=hashlib.sha256((before.chain if before else "").encode() + data).hexdigest())


@dataclass(slots=True)
class AuditLog:
    """All records; one object of the store each, `audit/{ms}-{uuid}.json`."""

    objects: ObjectStore
    damage: Damage
    clock_ms: Callable[[], int]
    _records: dict[str, AuditRecord] = field(default_factory=dict)
    _paths: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By namespace, in the order of the chain."""
    _erasures: dict[str, AuditRecord] = field(default_factory=dict)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> None:
        """Read all records."""
        found: list[tuple[str, AuditRecord]] = []
        for path in sorted([path async for path, _ in self.objects.paths(AUDIT_PREFIX)]):
            try:
                found.append((path, _record_from_json(orjson.loads(await self.objects.get(path) or b""))))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
                self.damage.found("audit", path)
        self._records, self._erasures = {}, {}
        self._paths.clear()
        for path, record in sorted(found, key=lambda one: one[1].sequence):
            self._take(path, record)

    def _take(self, path: str, record: AuditRecord) -> None:
        self._records[path] = record
        self._paths[record.namespace].append(path)
        if record.verb == "erase":
            self._erasures[path] = record

    async def add(self, who: str, verb: Verb, what: str, count: int, by: str = "") -> bool:
        """Store a record; False when the store does not take it, and then the log is the only place that has it."""
        return await self.keep(AuditRecord(self.clock_ms(), who, verb, what, count, by))

    async def keep(self, record: AuditRecord) -> bool:
        """Store a record as the next of its namespace's chain; False when the store does not take it."""
        path = f"{AUDIT_PREFIX}{record.time_ms:013d}-{uuid.uuid4().hex}.json"
        async with self._writing:
            own = self._paths.get(record.namespace)
            linked = record.after(self._records[own[-1]] if own else None)
            told = "who=%s verb=%s object=%r count=%d by=%r allowed=%s sequence=%d chain=%s"
            words = (
                linked.who, linked.verb, linked.object, linked.count, linked.by, linked.allowed, linked.sequence,
                linked.chain,
            )  # fmt: skip
            try:
                await self.objects.put(path, orjson.dumps(asdict(linked)))
            except HubError as error:
                log.error(f"audit record not stored code=%s {told}", error.code, *words)  # noqa: G004
                return False
            self._take(path, linked)
        log.info(f"audit {told}", *words)  # noqa: G004
        return True

    def since(self, since_ms: int, verb: str = "") -> list[AuditRecord]:
        """Return the records of a time and after it, of one verb or of all."""
        among = self._erasures if verb == "erase" else self._records
        return [one for one in among.values() if one.time_ms >= since_ms and verb in ("", one.verb)]

    def of(self, namespace: str) -> list[AuditRecord]:
        """Return the records of a namespace, the oldest first."""
        return [self._records[path] for path in self._paths.get(namespace, ())]

    def break_of(self, namespace: str) -> str:
        """Return where the chain of a namespace breaks, in words; empty where it is whole.

        Records of versions that kept no chain, and what was before the oldest that is kept, are not part of it.
        """
        before: AuditRecord | None = None
        for one in self.of(namespace):
            if not one.chain:
                continue
            if before is not None and one.sequence != before.sequence + 1:
                return f"records {before.sequence + 1} to {one.sequence - 1} are missing"
            if (before is not None or one.sequence == 1) and one.after(before).chain != one.chain:
                return f"record {one.sequence} is not as it was written, or follows another"
            before = one
        return ""

    async def drop_old(self) -> None:
        """Delete records after their time, and the oldest of too many."""
        oldest_ms = self.clock_ms() - KEEP_MS
        gone: list[str] = []
        for paths in self._paths.values():
            old = sum(self._records[path].time_ms < oldest_ms for path in paths)
            gone += paths[: max(old, len(paths) - MOST_OF_NAMESPACE)]
        await self._drop(gone)
        while (surplus := len(self._records) - MOST_RECORDS) > 0:
            largest = max(self._paths.values(), key=len)
            await self._drop(largest[: max(1, min(surplus, len(largest) // 10))])

    async def _drop(self, gone: list[str]) -> None:
        await self.objects.delete(gone)
        for path in gone:
            record = self._records.pop(path)
            self._erasures.pop(path, None)
            self._paths[record.namespace].remove(path)
            if not self._paths[record.namespace]:
                del self._paths[record.namespace]


def record_to_json(record: AuditRecord) -> dict[str, Any]:
    """Return a record as the API answers it."""
    return asdict(record)


def _record_from_json(row: Mapping[str, Any]) -> AuditRecord:
    verb = row["verb"]
    if verb not in get_args(Verb):
        raise ValueError("no verb of ours")
    return AuditRecord(
        whole_number(row["time_ms"]),
        str(row["who"]),
        verb,
        str(row["object"]),
        whole_number(row["count"]),
        str(row.get("by", "")),
        tuple(map(str, row.get("ids", ()))),
        str(row.get("filter", "")),
        row.get("allowed") is not False,
        str(row.get("token", "")),
        whole_number(row.get("sequence", 0)),
        str(row.get("chain", "")),
    )
