"""What the hub accepted outlives a power cut: calls are recorded, and replayed without what was not synced."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hub_fixtures import HOUR_MS, NOW_MS, exchange, ndjson, running_hub

from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.hub import certificates, durability
from modelward.hub.durability import FolderSync, sync_path


@dataclass(slots=True)
class Disk:
    """What is on the disk for sure: content by inode, and the names in a folder, each as of its last sync."""

    content: dict[int, bytes] = field(default_factory=dict)
    names: dict[int, dict[str, int]] = field(default_factory=dict)
    synced: list[Path] = field(default_factory=list)

    def sync(self, path: Path) -> None:
        """Record one sync, and do it."""
        sync_path(path)
        if path.is_dir():
            self.names[path.stat().st_ino] = {entry.name: entry.inode() for entry in os.scandir(path)}
        elif path.exists():
            self.content[path.stat().st_ino] = path.read_bytes()
        self.synced.append(path)

    def after_power_cut(self, root: Path, to: Path) -> None:
        """Write anew what a power cut leaves of a folder: names without synced content are empty files."""
        self._restore(root.stat().st_ino, to)

    def _restore(self, inode: int, to: Path) -> None:
        to.mkdir(parents=True)
        for name, child in self.names.get(inode, {}).items():
            if child in self.names:
                self._restore(child, to / name)
            else:
                (to / name).write_bytes(self.content.get(child, b""))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    found = Disk()
    monkeypatch.setattr(durability, "sync_path", found.sync)
    return found


RESULT = WindowResult("retail", "chat", "p", "e", NOW_MS - 1, NOW_MS, "run", EvaluatorFacts("PII", "1"))


async def test_what_was_accepted_outlives_a_power_cut_of_the_node(tmp_path: Path, disk: Disk) -> None:
    async with running_hub(f"file://{tmp_path}/store") as r:
        await r.client.put_rules({"retail/chat": {"content": "Redacted"}})
        for number in range(3):
            await r.client.post_exchanges(ndjson(exchange(number), exchange(number, endpoint="retail/other")))
        await r.client.put_result(RESULT)
        disk.after_power_cut(tmp_path / "store", tmp_path / "left")
    async with running_hub(f"file://{tmp_path}/left") as r:
        assert await r.window() == [exchange(i) for i in (2, 1, 0)]
        assert len(await r.client.window("retail", "other", 0, NOW_MS + 1, 10)) == 3
        assert await r.client.results(0) == [RESULT]
        assert r.hub.store.rules.of("retail/chat").content == "Redacted"


async def test_a_power_cut_while_objects_are_joined_loses_none(tmp_path: Path, disk: Disk) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}/store", now=lambda: clock[0]) as r:
        for number in range(4):
            await r.client.post_exchanges(ndjson(exchange(number)))
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert r.hub.store.index.size() == 1
        disk.after_power_cut(tmp_path / "store", tmp_path / "left")
    async with running_hub(f"file://{tmp_path}/left") as r:
        assert len(await r.window()) == 4
        assert r.hub.store.index.size() == 1, "deleted parts stay deleted"


async def test_writes_at_the_same_time_share_a_sync(tmp_path: Path, disk: Disk) -> None:
    sync = FolderSync(tmp_path)
    (tmp_path / "hour").mkdir()
    paths = [f"hour/{number}" for number in range(20)]
    for path in paths:
        (tmp_path / path).write_bytes(b"x")
    await asyncio.gather(*(sync.synced([path]) for path in paths))
    assert {path for path in disk.synced if path.is_file()} == {tmp_path / path for path in paths}
    assert disk.synced.count(tmp_path / "hour") <= 2


async def test_a_disk_that_refuses_to_sync_is_told_to_those_who_wait_and_not_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = FolderSync(tmp_path)

    def refuse(_: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(durability, "sync_path", refuse)
        with pytest.raises(OSError, match="Input/output"):
            await sync.synced(["a"])
    await sync.synced(["a"])


def test_the_authority_is_synced_before_anybody_is_told_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(number: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{number}")).name)
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    certificates.ensure(tmp_path / "state", "mw", datetime.now(UTC))
    assert synced == ["ca.new", "state", "ca.new", "state", "tls.new", "state", "tls.new", "state"]
