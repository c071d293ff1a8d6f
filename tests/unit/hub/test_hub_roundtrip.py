"""What collectors post comes out as fair windows, and what evaluators put comes out as results."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import zstandard
from hub_fixtures import HOUR_MS, NOW_MS, QUICK, exchange, ndjson, running_hub
from s3_gateway import BUCKET, listens, s3_gateway
from waiting import a_moment, until, wait_until

from modelward.api.evaluation import Counts, EvaluatorFacts, Late, WindowResult
from modelward.api.exchange import Timings
from modelward.hub.errors import HubSettingsError
from modelward.hub.settings import HubSettings, Limits
from modelward.hub_client.client import HubClient, HubUnavailableError, KeptSamples


@pytest.fixture
def s3_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket on a real S3 server."""
    with s3_gateway(tmp_path / "s3", monkeypatch):
        yield f"s3://{BUCKET}/hub"


@pytest.fixture(params=["file", "memory", "s3"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        return str(request.getfixturevalue("s3_url"))
    return "memory://" if request.param == "memory" else f"file://{tmp_path}/store"


def result(to_ms: int = NOW_MS, **changes: object) -> WindowResult:
    counts = {"r1": Counts(10, 2, weight=10.0, weight_squared=10.0, flagged_weight=2.0)}
    base = WindowResult(
        "retail", "chat", "baseline", "topic", to_ms - HOUR_MS, to_ms, "run", EvaluatorFacts("Topic", "1"), counts
    )
    return replace(base, **changes)  # type: ignore[arg-type]


async def test_every_store_serves_windows_results_rules_and_retention_alike(store_url: str) -> None:
    clock = [NOW_MS]
    async with running_hub(store_url, now=lambda: clock[0]) as r:
        sent = [exchange(i) for i in range(60)] + [exchange(5_000), exchange(1, endpoint="retail/other")]
        assert await r.client.post_exchanges(ndjson(*sent)) == (62, 0)
        assert await r.window(59) == [exchange(i) for i in range(59, -1, -1)]
        held = {h.endpoint: h for h in await r.client.endpoints()}
        late = (Late(NOW_MS - 5_000_000, NOW_MS, NOW_MS),)
        assert held["retail/chat"] == KeptSamples("retail/chat", 61, NOW_MS - 5_000_000, NOW_MS, late)
        assert await r.client.exchange("retail", "chat", "e7") == exchange(7)
        assert await r.client.exchange("retail", "chat", "none") is None
        await r.client.put_result(result())
        await r.client.put_result(result(run="again"))
        assert await r.client.results(NOW_MS) == [result(run="again")]
        assert await r.client.results(NOW_MS + 1) == []
        assert await r.client.results(0, "retail", "other") == []
        clock[0] += 169 * HOUR_MS
        await r.hub.sweep()
        assert await r.client.endpoints() == []
        assert await r.client.results(0) == []


async def test_a_window_larger_than_asked_for_is_thinned_evenly_and_weighted(file_url: str) -> None:
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(*(exchange(i, inclusion=0.5) for i in range(1_000))))
        kept = await r.window(limit=100)
        assert len(kept) == 100
        assert {e.inclusion for e in kept} == {0.05}
        assert kept == sorted(kept, key=lambda e: e.time_ms)
        assert kept == await r.window(limit=100)
        older = sum(e.time_ms < NOW_MS - 500_000 for e in kept)
        assert 25 < older < 75


async def test_an_exchange_belongs_to_the_window_in_which_it_ended(file_url: str) -> None:
    """It is heard of only then: by its beginning it would fall into a window that was judged before it came."""
    slow = exchange(time_ms=NOW_MS - 70_000, timings=Timings(60_000.0))
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(slow))
        judged = await r.client.window("retail", "chat", NOW_MS - 90_000, NOW_MS - 30_000, 10)
        following = await r.client.window("retail", "chat", NOW_MS - 30_000, NOW_MS, 10)
        assert (judged, following) == ([], [slow])


@pytest.mark.parametrize("duration_ms", [-1.0, 1e300])
async def test_a_duration_that_cannot_be_true_harms_nothing(file_url: str, duration_ms: float) -> None:
    odd = exchange(timings=Timings(duration_ms))
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(odd))
        assert await r.window() == [odd]


async def test_a_batch_sent_twice_is_read_once(file_url: str) -> None:
    async with running_hub(file_url) as r:
        for _ in range(2):
            await r.client.post_exchanges(ndjson(exchange(1), exchange(2)))
        assert [e.id for e in await r.window()] == ["e2", "e1"]


async def test_past_hours_are_joined_without_losing_an_exchange(file_url: str) -> None:
    clock = [NOW_MS]
    async with running_hub(file_url, now=lambda: clock[0]) as r:
        for i in range(5):
            await r.client.post_exchanges(ndjson(exchange(i)))
        assert r.hub.store.index.size() == 5
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert r.hub.store.index.size() == 1
        assert len(await r.window()) == 5
    async with running_hub(file_url) as again:
        assert [h.exchanges for h in await again.client.endpoints()] == [5]


async def test_tightened_rules_hold_at_once_for_what_comes_and_what_is_kept(file_url: str) -> None:
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(exchange(1), exchange(2, content="Full")))
        await r.client.put_rules({"retail/chat": {"content": "Redacted", "maxBodyBytes": 8}})
        full, redacted = await r.window()
        assert (full.content, full.messages, full.response) == ("MetadataOnly", (), "")
        assert (redacted.response, redacted.question, redacted.truncated) == ("on its w", "where is", True)
        await r.client.put_rules({"retail/chat": {"content": "None"}})
        assert await r.window() == []
        assert await r.client.exchange("retail", "chat", "e1") is None
        assert await r.client.post_exchanges(ndjson(exchange(3))) == (0, 1)
        await r.hub.sweep()
        assert await r.client.endpoints() == []


async def test_rules_and_data_outlive_a_restart(file_url: str) -> None:
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(exchange(1)))
        await r.client.put_rules({"retail/chat": {"content": "MetadataOnly", "keepForSeconds": 3_600}})
        await r.client.put_result(result())
    async with running_hub(file_url) as again:
        assert [(e.id, e.response) for e in await again.window()] == [("e1", "")]
        assert await again.client.results(0) == [result()]
        assert await again.client.post_exchanges(ndjson(exchange(4_000))) == (0, 1)


async def test_bad_lines_are_counted_and_good_ones_kept(file_url: str) -> None:
    bad = [b"{", b"[1]", b'"x"', b"{}", ndjson(exchange(1, endpoint="../../etc")).strip(),
           ndjson(exchange(1, time_ms=NOW_MS + HOUR_MS)).strip(), b'{"id":"' + b"x" * (2 << 20) + b'"}']  # fmt: skip
    async with running_hub(file_url) as r:
        assert await r.client.post_exchanges(b"\n".join([*bad, ndjson(exchange(1))])) == (1, len(bad))
        async with aiohttp.ClientSession() as session, session.get(f"{r.health}/metrics") as response:
            text = await response.text()
        assert 'modelward_hub_exchanges_total{result="too_long"} 1.0' in text
        assert 'modelward_hub_exchanges_total{result="future"} 1.0' in text


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"not zstd at all", "zstd", 400),
        (zstandard.compress(b"\0" * (80 << 20)), "zstd", 413),
        (zstandard.compress(b'{"a":"' + b"x" * (70 << 20)), "zstd", 413),
        (os.urandom(9 << 20), "zstd", 413),
        (b"{}", "gzip", 415),
    ],
    ids=["garbage", "bomb", "bomb in one line", "too large", "gzip"],
)
async def test_bodies_that_would_hurt_are_refused(file_url: str, body: bytes, encoding: str, status: int) -> None:
    async with running_hub(file_url) as r:
        url = f"http://127.0.0.1:{r.hub.ports[0]}/v1/exchanges"
        headers = {"Content-Encoding": encoding}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=io.BytesIO(body), headers=headers) as answer,
        ):
            assert answer.status == status
            assert (await answer.json())["error"]["message"]
        assert await r.client.post_exchanges(ndjson(exchange(1))) == (1, 0)


@pytest.mark.parametrize(
    "path",
    ["/v1/windows/retail/chat", "/v1/windows/retail/chat?from=5&to=5", "/v1/windows/retail/chat?from=-1&to=x",
     "/v1/windows/retail/chat?from=1&to=2&limit=0", "/v1/results?since=abc", "/v1/nothing"],
)  # fmt: skip
async def test_malformed_questions_get_an_error_that_says_so(file_url: str, path: str) -> None:
    async with running_hub(file_url) as r, aiohttp.ClientSession(f"http://127.0.0.1:{r.hub.ports[0]}") as session:
        response = await session.get(path)
        assert response.status in (400, 404)
        assert (await response.json())["error"]["code"] in ("BadRequest", "NotFound")


async def test_a_result_is_only_taken_under_its_own_key(file_url: str) -> None:
    async with running_hub(file_url) as r:
        with pytest.raises(HubUnavailableError, match="own namespace"):
            await r.client.put_result(result(from_ms=NOW_MS, to_ms=NOW_MS))
        with pytest.raises(HubUnavailableError, match="own namespace"):
            await r.client.put_result(result(policy="UPPER"))


async def test_posts_beyond_the_buffer_are_told_to_come_back(file_url: str) -> None:
    async with running_hub(file_url, Limits(flush_interval_s=5, buffer_bytes=3_000)) as r:
        first = asyncio.create_task(r.client.post_exchanges(ndjson(*(exchange(i) for i in range(4)))))
        await until(lambda: r.hub.buffer.bytes_held > 0)
        with pytest.raises(HubUnavailableError) as refused:
            await r.client.post_exchanges(ndjson(*(exchange(i) for i in range(9))))
        assert (refused.value.status, refused.value.code) == (503, "Busy")
        r.hub.buffer.hurry()
        assert await first == (4, 0)


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KiB."""
    volume = tmp_path / "volume"
    volume.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(volume)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small volume cannot be mounted here (needs root)")
    yield volume
    subprocess.run(["umount", "-l", str(volume)], check=True)


async def test_a_full_volume_is_507_and_what_was_stored_is_still_served(small_volume: Path) -> None:
    async with running_hub(f"file://{small_volume}/store") as r:
        assert await r.client.post_exchanges(ndjson(exchange(1))) == (1, 0)
        big = exchange(2, response=os.urandom(130_000).hex())
        with pytest.raises(HubUnavailableError, match="keepFor") as refused:
            await r.client.post_exchanges(ndjson(big))
        assert (refused.value.status, refused.value.code) == (507, "StoreFull")
        assert [e.id for e in await r.window()] == ["e1"]
        assert b'modelward_hub_errors_total{code="StoreFull"} 1.0' in r.hub.metrics.render()
        assert await r.client.post_exchanges(ndjson(exchange(3))) == (1, 0)


SERVE = """
import asyncio, sys
from modelward.hub.process import serve
from modelward.hub.settings import HubSettings
asyncio.run(serve(HubSettings(sys.argv[1], f"127.0.0.1:{sys.argv[2]}", "127.0.0.1:0", auth=False)))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_what_was_accepted_outlives_a_killed_hub_and_a_stopping_one_answers_first(
    file_url: str, how: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    hub = subprocess.Popen([sys.executable, "-c", SERVE, file_url, str(port)])  # noqa: ASYNC220  # starts at once
    try:
        await asyncio.to_thread(wait_until, lambda: listens(port))
        fresh = exchange(time_ms=time.time_ns() // 1_000_000)
        async with HubClient(f"http://127.0.0.1:{port}") as client:
            assert await client.post_exchanges(ndjson(fresh)) == (1, 0)
            if how == signal.SIGTERM:
                late = asyncio.create_task(client.post_exchanges(ndjson(replace(fresh, id="late"))))
                await a_moment()
                hub.send_signal(how)
                assert await late == (1, 0)
            else:
                hub.send_signal(how)
        assert await asyncio.to_thread(hub.wait, 20) == (0 if how == signal.SIGTERM else -signal.SIGKILL)
    finally:
        hub.kill()
        hub.wait()
    async with running_hub(file_url) as r:
        held = await r.client.endpoints()
        assert held[0].exchanges == (2 if how == signal.SIGTERM else 1)


def test_without_authentication_it_listens_on_loopback_only() -> None:
    with pytest.raises(HubSettingsError, match="loopback"):
        HubSettings("memory://", "0.0.0.0:8443", auth=False)
    with pytest.raises(HubSettingsError, match="HOST:PORT"):
        HubSettings("memory://", "8443", auth=False)
    assert HubSettings("memory://", "[::1]:0", auth=False, limits=QUICK)


async def test_a_store_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(HubSettingsError, match="not a store"):
        async with running_hub("ftp://somewhere"):
            pass


async def test_a_hub_that_is_away_is_one_kind_of_error() -> None:
    async with HubClient("http://127.0.0.1:9", timeout_s=2) as client:
        with pytest.raises(HubUnavailableError, match="hub http"):
            await client.endpoints()
