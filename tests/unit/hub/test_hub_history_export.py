"""With a copy in the object store a lost database comes back: the same counts, once, whatever breaks off in between."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from history_rows import NOW_MS, Clock, Kept, batch, kept, row
from s3_gateway import BUCKET, S3Gateway, s3_gateway

from modelward.api.history import MINUTE_MS, HistoryHealth
from modelward.api.series import HistoryQuery
from modelward.hub.damage import Damage
from modelward.hub.errors import HubError, store_unavailable
from modelward.hub.history.export import HistoryExport
from modelward.hub.history.upkeep import HistoryUpkeep
from modelward.hub.objects import ObjectStore
from modelward.hub.results import ResultStore

DAY_MS = 86_400_000
ENDPOINTS = [f"retail/e{number}" for number in range(6)] + ["other/chat"]


class Breaking(ObjectStore):
    """An object store that fails after so many reads, or writes."""

    def __init__(self, url: str, reads: int = 10_000, writes: int = 10_000) -> None:
        super().__init__(url)
        self.reads, self.writes = reads, writes

    async def put(self, path: str, data: bytes) -> None:
        """Write an object, as long as it lasts."""
        self.writes -= 1
        if self.writes < 0:
            raise store_unavailable("gone")
        await super().put(path, data)

    async def get(self, path: str) -> bytes | None:
        """Return an object, as long as it lasts."""
        self.reads -= 1
        if self.reads < 0:
            raise store_unavailable("gone")
        return await super().get(path)


async def lived(k: Kept, export: HistoryExport, days: int) -> None:
    """Let days pass: an hour of rows each, which are sealed and copied."""
    await export.restore()
    for day in range(days):
        for minute in range(0, 60, 10):
            k.clock.ms = NOW_MS + day * DAY_MS + (minute + 1) * MINUTE_MS
            rows = [row(day * 1_440 + minute, endpoint) for endpoint in ENDPOINTS]
            await k.store.put(batch(*rows, epoch=f"{day}"))
        await export.export()
        k.clock.ms += 20 * 3_600_000
        await k.store.seal()
        await k.store.tidy()
        await export.export()


async def counted(k: Kept) -> list[int]:
    """Return what is known of each endpoint, by hours."""
    query = HistoryQuery("requests", NOW_MS, NOW_MS + 20 * DAY_MS, points=1)
    found = []
    for endpoint in ENDPOINTS:
        namespace, _, name = endpoint.partition("/")
        series = await k.store.answer((namespace, name), query)
        found.append(sum(value or 0 for line in series.lines for value in line.values))
    return found


@pytest.mark.parametrize("days", [1, 6])
async def test_a_lost_database_is_read_back_once(tmp_path: Path, days: int) -> None:
    url, clock = f"file://{tmp_path}/objects", Clock()
    async with kept(tmp_path / "first.db", clock=clock) as k:
        await lived(k, HistoryExport(k.store, ObjectStore(url)), days)
        k.clock.ms += 9 * DAY_MS
        before = await counted(k)
    assert before == [days * 60] * len(ENDPOINTS)
    async with kept(tmp_path / "second.db", clock=clock) as k:
        for reads in (1, 2, 4, 10_000):  # the store goes away in between
            export = HistoryExport(k.store, Breaking(url, reads))
            try:
                await export.restore()
            except HubError:
                await export.export()  # writes no less over more
        assert await counted(k) == before
        await HistoryExport(k.store, ObjectStore(url)).restore()
        assert await counted(k) == before
    async with kept(tmp_path / "third.db", clock=clock) as k:
        await k.put([row(0, "retail/new", minute_ms=clock.ms // MINUTE_MS * MINUTE_MS)])
        await HistoryExport(k.store, ObjectStore(url)).restore()
        assert await counted(k) == before, "what came while it was read back is beside it"


@pytest.mark.parametrize("writes", [1, 2, 4])
async def test_a_copy_that_breaks_off_loses_nothing_and_doubles_nothing(tmp_path: Path, writes: int) -> None:
    url, clock = f"file://{tmp_path}/objects", Clock()
    async with kept(tmp_path / "first.db", clock=clock) as k:
        await lived(k, HistoryExport(k.store, ObjectStore(url)), 2)
        before = await counted(k)
        k.clock.ms += 3 * DAY_MS  # days are over now
        breaking = HistoryExport(k.store, Breaking(url, writes=writes))
        await breaking.restore()
        with pytest.raises(HubError):
            await breaking.export()
    async with kept(tmp_path / "second.db", clock=clock) as k:
        assert await HistoryExport(k.store, ObjectStore(url)).restore() > 0
        assert await counted(k) == before


async def test_a_torn_object_costs_itself(tmp_path: Path) -> None:
    url, clock = f"file://{tmp_path}/objects", Clock()
    async with kept(tmp_path / "first.db", clock=clock) as k:
        await lived(k, HistoryExport(k.store, ObjectStore(url)), 1)
    torn = min((tmp_path / "objects" / "history-days" / "retail").iterdir())
    torn.write_bytes(torn.read_bytes()[:-9])
    async with kept(tmp_path / "second.db", clock=clock) as k:
        await HistoryExport(k.store, ObjectStore(url)).restore()
        found = await counted(k)
        assert 0 < found.count(60) < len(ENDPOINTS)
        assert set(found) <= {0, 60}


async def test_a_purged_namespace_leaves_no_object_and_old_days_go(tmp_path: Path) -> None:
    url, clock = f"file://{tmp_path}/objects", Clock()
    async with kept(tmp_path / "h.db", clock=clock) as k:
        export = HistoryExport(k.store, ObjectStore(url))
        k.store.purged = export.purge
        await lived(k, export, 12)
        days = [path for path in export.known if "/running" not in path]
        assert days
        await k.store.purge("retail")
        assert {path.split("/")[1] for path in export.known} == {"other"}
        k.clock.ms += 20 * DAY_MS
        await k.store.seal()
        await k.store.tidy()
        await export.export()
        assert not [path for path in export.known if path.startswith("history-days/other/1-")], "five minutes: 14 days"


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Gateway]:
    """A real S3 server."""
    with s3_gateway(tmp_path / "s3", monkeypatch) as found:
        yield found


async def test_s3_brings_a_lost_database_back_and_a_copy_goes_on_where_it_broke_off(
    tmp_path: Path, gateway: S3Gateway
) -> None:
    clock = Clock()
    async with kept(tmp_path / "first.db", clock=clock) as k:
        await lived(k, HistoryExport(k.store, ObjectStore(S3_URL)), 1)
        clock.ms += 3 * DAY_MS  # days are over now
        breaking = HistoryExport(k.store, Breaking(S3_URL, writes=3))
        await breaking.restore()
        with pytest.raises(HubError):
            await breaking.export()
        gateway.stop()  # with all that it knew but the objects
        gateway.start()
        again = HistoryExport(k.store, ObjectStore(S3_URL))
        await again.restore()
        await again.export()
        written = objects_of(gateway)
        assert len(written) > 10
        await again.export()
        assert objects_of(gateway) == written, "the same once more is the same"
        before = await counted(k)
    assert before == [60] * len(ENDPOINTS)
    async with kept(tmp_path / "second.db", clock=clock) as k:
        assert await HistoryExport(k.store, ObjectStore(S3_URL)).restore() > 0
        assert await counted(k) == before


async def test_an_object_that_s3_has_half_written_costs_itself(tmp_path: Path, gateway: S3Gateway) -> None:
    clock = Clock()
    async with kept(tmp_path / "first.db", clock=clock) as k:
        await lived(k, HistoryExport(k.store, ObjectStore(S3_URL)), 1)
    torn = min((gateway.folder / BUCKET / "hub" / "history-days" / "retail").iterdir())
    torn.write_bytes(torn.read_bytes()[:-9])
    async with kept(tmp_path / "second.db", clock=clock) as k:
        await HistoryExport(k.store, ObjectStore(S3_URL)).restore()
        found = await counted(k)
        assert (0 < found.count(60) < len(ENDPOINTS), set(found) <= {0, 60}) == (True, True)


@pytest.mark.parametrize("trouble", ["credentials", "bucket"])
async def test_where_s3_refuses_history_goes_on_and_says_why(
    tmp_path: Path, gateway: S3Gateway, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    clock = Clock()
    async with kept(tmp_path / "h.db", clock=clock) as k:
        await lived(k, HistoryExport(k.store, ObjectStore(S3_URL)), 1)
        bucket = gateway.folder / BUCKET
        if trouble == "credentials":
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        else:
            shutil.move(bucket, tmp_path / "away")
        refused = HistoryExport(k.store, ObjectStore(S3_URL))
        for ask in (refused.restore, refused.export):
            with pytest.raises(HubError) as found:
                await ask()
            assert found.value.code == "StoreUnavailable"
            assert {"credentials": "check the keys", "bucket": "make the bucket"}[trouble] in str(found.value)
            assert "testsecret" not in str(found.value)
        upkeep = upkeep_of(k, tmp_path, refused)
        with pytest.raises(HubError):
            await upkeep.copy()
        assert k.store.health == HistoryHealth("Ready", copied=False)
        await k.put([row(2_000, minute_ms=clock.ms // MINUTE_MS * MINUTE_MS)])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
        if trouble == "bucket":
            shutil.move(tmp_path / "away", bucket)
        mended = HistoryExport(k.store, ObjectStore(S3_URL))
        upkeep.export = mended
        await upkeep.begin()
        await upkeep.copy()
        assert k.store.health == HistoryHealth("Ready")
        before = await counted(k)
    async with kept(tmp_path / "second.db", clock=clock) as k:
        await HistoryExport(k.store, ObjectStore(S3_URL)).restore()
        assert await counted(k) == before


async def test_a_copy_outlasts_a_restart_of_s3(tmp_path: Path, gateway: S3Gateway) -> None:
    async with kept(tmp_path / "h.db") as k:
        export = HistoryExport(k.store, ObjectStore(S3_URL))
        await export.restore()
        await k.put([row(0)])
        gateway.stop()
        asked = asyncio.Event()

        def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()
            asked.set()

        down = await asyncio.start_server(hang_up, "127.0.0.1", gateway.port)
        copying = asyncio.create_task(export.export())
        await asked.wait()
        down.close()
        await down.wait_closed()
        await asyncio.to_thread(gateway.start)
        await copying
        assert objects_of(gateway)


def upkeep_of(k: Kept, folder: Path, export: HistoryExport) -> HistoryUpkeep:
    """Return what a hub does with such a copy."""
    objects = ObjectStore(f"file://{folder}/hub")
    results = ResultStore(objects, Damage(objects, lambda _kind, _count: None, k.clock), k.clock)
    return HistoryUpkeep(k.store, results, export)


S3_URL = f"s3://{BUCKET}/hub"


def objects_of(gateway: S3Gateway) -> dict[str, bytes]:
    """Return what lies in the bucket."""
    files = (path for path in (gateway.folder / BUCKET).rglob("*.zst") if path.is_file())
    return {str(path.relative_to(gateway.folder)): path.read_bytes() for path in files}
