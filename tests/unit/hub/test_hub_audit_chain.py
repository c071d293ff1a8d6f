"""The audit of a namespace is a chain: what was changed, taken out or put in between is seen, after a restart too."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.hub import audit
from modelward.hub.audit import AuditLog, AuditRecord
from modelward.hub.damage import Damage
from modelward.hub.objects import ObjectStore

NOW_MS = 1_795_480_000_000


def log_on(objects: ObjectStore, now_ms: int = NOW_MS) -> AuditLog:
    return AuditLog(objects, Damage(objects, lambda _kind, _count: None, lambda: now_ms), lambda: now_ms)


async def reads(log: AuditLog, namespace: str, number: int) -> None:
    for count in range(number):
        assert await log.keep(
            AuditRecord(NOW_MS + count, "oidc:ann", "read", f"{namespace}/chat", count, ids=(f"e{count}",))
        )


async def paths_of(objects: ObjectStore) -> list[str]:
    """Return where the records lie, in the order of the chain."""
    found = []
    async for path, _ in objects.paths("audit/"):
        found.append((orjson.loads(await objects.get(path) or b"")["sequence"], path))
    return [path for _, path in sorted(found)]


async def broken_by(how: str, position: int, number: int) -> str:
    objects = ObjectStore("memory://")
    await reads(log_on(objects), "retail", number)
    path = (await paths_of(objects))[position % number]
    row = orjson.loads(await objects.get(path) or b"")
    if how == "gone":
        await objects.delete([path])
    else:
        changes: dict[str, dict[str, Any]] = {
            "who": {"who": "oidc:eve"},
            "ids": {"ids": []},
            "allowed": {"allowed": False},
        }
        await objects.put(path, orjson.dumps(row | changes[how]))
    again = log_on(objects)
    await again.load()
    return again.break_of("retail")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["gone", "who", "ids", "allowed"]), st.integers(0, 9), st.integers(2, 9))
def test_a_record_that_is_changed_or_taken_out_breaks_the_chain(how: str, position: int, number: int) -> None:
    problem = asyncio.run(broken_by(how, position, number))
    at_an_end = how == "gone" and position % number in (0, number - 1)
    assert bool(problem) != at_an_end, "what is before the oldest and after the newest is not known from the records"


async def test_a_chain_goes_on_after_a_restart_and_namespaces_have_their_own(tmp_path: Path) -> None:
    objects = ObjectStore(f"file://{tmp_path}/store")
    await reads(log_on(objects), "retail", 3)
    again = log_on(objects)
    await again.load()
    await reads(again, "bank", 2)
    await reads(again, "retail", 2)
    assert [one.sequence for one in again.of("retail")] == [1, 2, 3, 4, 5]
    assert [one.sequence for one in again.of("bank")] == [1, 2]
    assert (again.break_of("retail"), again.break_of("bank")) == ("", "")


async def test_records_of_versions_without_a_chain_stay_and_begin_none() -> None:
    objects = ObjectStore("memory://")
    old = {"time_ms": NOW_MS, "who": "system:x", "verb": "read", "object": "retail/chat exchange e1", "count": 1}
    await objects.put(f"audit/{NOW_MS:013d}-{'0' * 32}.json", orjson.dumps(old))
    log = log_on(objects)
    await log.load()
    await reads(log, "retail", 3)
    assert (len(log.of("retail")), log.break_of("retail")) == (4, "")


async def test_one_namespace_pushes_out_no_record_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST_OF_NAMESPACE", 8)
    monkeypatch.setattr(audit, "MOST_RECORDS", 12)
    log = log_on(ObjectStore("memory://"))
    await reads(log, "quiet", 3)
    for namespace in ("loud", "other"):
        await reads(log, namespace, 20)
    await log.drop_old()
    left = {name: len(log.of(name)) for name in ("quiet", "loud", "other")}
    assert left["quiet"] == 3
    assert sum(left.values()) == 12
    assert {log.break_of(name) for name in left} == {""}


def test_a_record_is_about_one_namespace() -> None:
    record = AuditRecord(NOW_MS, "a", "erase", "retail/chat exchange e1", 1)
    assert record.namespace == "retail"
    assert replace(record, object="retail conversation c").namespace == "retail"
