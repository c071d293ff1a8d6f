"""Whatever happens to the history's database, it is said, what is whole serves, and rows go on to be taken."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from history_rows import NOW_MS, Clock, Kept, batch, kept, row

from modelward.api.history import MINUTE_MS
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError
from modelward.hub.history.file import VERSION, network_file_system, version_of
from modelward.hub.history.retention import HistoryBounds
from modelward.hub.history.upkeep import HistoryUpkeep
from modelward.hub.objects import ObjectStore
from modelward.hub.results import ResultStore


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


async def test_an_older_hub_leaves_a_newer_database_untouched_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    async with kept(path) as k:
        await k.put([row(0)])
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = contents(tmp_path)
    async with kept(path) as k:
        assert (k.store.state, version_of(path)) == ("Newer", VERSION + 1)
        with pytest.raises(HubError, match="newer hub"):
            await k.put([row(1)])
        with pytest.raises(HubError) as refused:
            await k.asked("requests", (0, 1))
        assert (refused.value.status, refused.value.code) == (503, "HistoryNewer")
        await k.store.purge("retail")
    assert contents(tmp_path) == before


def test_a_version_that_only_the_write_ahead_log_tells_is_seen(tmp_path: Path) -> None:
    """A newer hub that was killed has its version there alone."""
    path = tmp_path / "h.db"
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = WAL'); c.execute('PRAGMA wal_autocheckpoint = 0')\n"
        "c.execute('CREATE TABLE t (a)'); c.execute('PRAGMA user_version = 7'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert int.from_bytes(path.read_bytes()[60:64], "big") == 0
    assert version_of(path) == 7


def harm_it(path: Path, harm: str) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    if harm == "torn":
        path.write_bytes(data[: len(data) * 6 // 10])
    elif harm == "overwritten":
        path.write_bytes(data[:middle] + b"\xff" * 20_000 + data[middle + 20_000 :])
    elif harm == "no database":
        path.write_bytes(b"\0" * len(data))
    else:
        path.with_name("h.db-wal").write_bytes(b"\x37\x7f\x06\x82 torn")


async def requests_of(k: Kept, endpoint: str) -> int:
    """Ask, and once more: what a reader meets is set aside by the writer."""
    for _ in range(2):
        with contextlib.suppress(HubError):
            series = await k.asked("requests", (0, 400), endpoint=("retail", endpoint), points=1)
            return next((line.values[0] or 0 for line in series.lines if line.name == "ok"), 0)
        await k.store.used()
    raise AssertionError("it does not answer")


@pytest.mark.parametrize(
    ("harm", "least", "most"), [("torn", 1, 59), ("overwritten", 1, 59), ("no database", 0, 0), ("torn log", 60, 60)]
)
async def test_a_damaged_database_is_set_aside_and_what_is_whole_serves(
    tmp_path: Path, harm: str, least: int, most: int
) -> None:
    path, names = tmp_path / "h.db", [f"e{number}" for number in range(60)]
    async with kept(path) as k:
        k.clock.ms += 100 * MINUTE_MS
        for name in names:
            await k.store.put(batch(*(row(minute, f"retail/{name}") for minute in range(100)), epoch=name))
        k.clock.ms = NOW_MS + 6 * 3_600_000
        await k.store.seal()
    harm_it(path, harm)
    clock, damaged = Clock(NOW_MS + 6 * 3_600_000), list[str]()
    async with kept(path, clock=clock, damaged=damaged.append) as k:
        await k.put([row(360, f"retail/{name}") for name in names], epoch="after")
        found = [await requests_of(k, name) for name in names]
        assert all(9 <= one <= 9 * 101 for one in found), "what came since is there, and nothing twice"
        assert least <= found.count(9 * 101) <= most
        assert bool(damaged) == (harm != "torn log")
        after = await k.store.used()
    async with kept(path, clock=clock) as k:
        assert k.store.state == "Ready"
        assert await k.store.used() == after, "what was taken over is not taken over again"


async def test_a_full_disk_refuses_rows_and_serves_what_there_is(tmp_path: Path) -> None:
    """The bound is the file's own, so that exchanges have the rest of the disk."""
    async with kept(tmp_path / "h.db", HistoryBounds(262_144, 10 << 20)) as k:
        await k.put([row(0)])
        much = [row(minute, f"retail/e{endpoint}") for endpoint in range(80) for minute in range(50)]
        k.clock.ms = NOW_MS + 50 * MINUTE_MS
        with pytest.raises(HubError) as refused:
            await k.store.put(batch(*much, epoch="much"))
        assert (refused.value.status, k.store.state) == (507, "Full")
        series = await k.asked("requests", (0, 1))
        assert [line.values for line in series.lines if line.name == "ok"] == [(9,)]
        assert "full" in series.problem
        await k.put([row(1)], epoch="again")
        assert k.store.state == "Ready"
        assert not (await k.asked("requests", (0, 2))).problem


def test_a_network_file_system_is_known_by_its_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
        f"40 22 0:40 / {tmp_path}/share rw,relatime shared:1 - nfs4 server:/x rw\n"
        f"41 22 0:41 / {tmp_path}/share/local rw - xfs /dev/sdb rw\n"
    )
    assert network_file_system(tmp_path / "share" / "history", mounts) == "nfs4"
    assert network_file_system(tmp_path / "share" / "local" / "history", mounts) == ""
    assert network_file_system(tmp_path / "history", mounts) == ""
    assert network_file_system(tmp_path, tmp_path / "absent") == ""


async def test_on_a_network_file_system_there_is_no_write_ahead_log(tmp_path: Path) -> None:
    async with kept(tmp_path / "h.db", network=lambda _: "nfs4") as k:
        await k.put([row(0)])
        assert (k.store.state, "nfs4" in k.store.problem) == ("Ready", True)
        assert not (tmp_path / "h.db-wal").exists()
        assert (await k.asked("requests", (0, 1))).lines


async def test_a_clock_that_jumps_deletes_nothing_unless_it_lasts(tmp_path: Path) -> None:
    """Also where the hub starts under it: what is newest in the database tells."""
    async with kept(tmp_path / "h.db") as k:
        await k.put([row(0)])
    async with kept(tmp_path / "h.db", clock=Clock(NOW_MS + 3_000 * 86_400_000)) as k:
        objects = ObjectStore("memory://")
        results = ResultStore(objects, Damage(objects, lambda _kind, _count: None, k.clock), k.clock)
        upkeep = HistoryUpkeep(k.store, results)
        await upkeep.begin()
        await upkeep.seal()
        await upkeep.tidy()
        assert await k.store.used()
        await upkeep.tidy()
        assert not await k.store.used()
