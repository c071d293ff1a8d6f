"""A namespace over its share of the store loses its own oldest exchanges, and what still does not fit is 507."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hub_fixtures import HOUR_MS, NOW_MS, QUICK, Running, exchange, ndjson, running_hub

from modelward.hub import upkeep
from modelward.hub.errors import HubSettingsError, store_full
from modelward.hub.layout import ExchangeObject
from modelward.hub.settings import storage_bytes
from modelward.hub.shares import GIB, Size, size_of
from modelward.hub_client.client import HubUnavailableError, Stored

BLOCK = 4_096


def limit(hub: Running, **changes: Any) -> None:
    """Give each namespace a small share."""
    for name, value in changes.items():
        setattr(hub.hub.store.shares, name, value)


async def test_a_namespace_over_its_share_loses_its_own_oldest_and_nobody_elses(file_url: str) -> None:
    async with running_hub(file_url) as r:
        limit(r, size=Size(100 * BLOCK, 10 * BLOCK))
        await r.client.post_exchanges(ndjson(exchange(5_000, endpoint="quiet/chat")))
        for number in range(29, -1, -1):
            assert await r.client.post_exchanges(ndjson(exchange(number))) == (1, 0)
        kept = [e.id for e in await r.window()]
        assert 8 <= len(kept) <= 10
        assert kept == [f"e{number}" for number in range(len(kept) - 1, -1, -1)]
        assert (await r.client.endpoints())[0].endpoint == "quiet/chat"
        stored = {one.namespace: one for one in (await r.client.overview()).stored}
        assert stored["quiet"] == Stored("quiet", BLOCK, 10 * BLOCK, full=False)
        assert stored["retail"].full
        assert b"modelward_hub_share_deleted_exchanges_total 2" in r.hub.metrics.render()
    async with running_hub(file_url) as again:
        assert len(await again.window()) == len(kept)


async def test_what_is_larger_than_a_share_is_507_and_deletes_nothing(file_url: str) -> None:
    async with running_hub(file_url) as r:
        limit(r, size=Size(100 * BLOCK, 4 * BLOCK))
        await r.client.post_exchanges(ndjson(exchange(1)))
        with pytest.raises(HubUnavailableError) as refused:
            await r.client.post_exchanges(ndjson(exchange(2, response=os.urandom(20_000).hex())))
        assert (refused.value.status, refused.value.code) == (507, "StoreFull")
        assert [e.id for e in await r.window()] == ["e1"]
        assert (await r.client.overview()).stored[0].full
        await r.client.post_exchanges(ndjson(exchange(3)))
        assert not (await r.client.overview()).stored[0].full


async def test_a_store_whose_size_was_told_is_not_filled_beyond_it(file_url: str) -> None:
    async with running_hub(file_url) as r:
        limit(r, size=Size(10 * BLOCK, 8 * BLOCK, bounded=True))
        for number in range(7):
            await r.client.post_exchanges(ndjson(exchange(number)))
        for number in range(2):
            await r.client.post_exchanges(ndjson(exchange(number, endpoint="other/chat")))
        with pytest.raises(HubUnavailableError, match="full"):
            await r.client.post_exchanges(ndjson(exchange(9, endpoint="other/chat")))


async def test_objects_of_a_namespace_are_bounded_in_number_too(file_url: str) -> None:
    async with running_hub(file_url) as r:
        limit(r, max_objects=100)
        spread = [exchange(number, time_ms=NOW_MS - number * HOUR_MS) for number in range(160)]
        await r.client.post_exchanges(ndjson(*spread))
        assert 90 < r.hub.store.index.size() <= 102
        assert (await r.window())[-1].id == "e0"


async def test_joining_counts_what_lies_in_the_store_and_trims_nothing(file_url: str) -> None:
    clock = [NOW_MS]
    async with running_hub(file_url, now=lambda: clock[0]) as r:
        for number in range(8):
            await r.client.post_exchanges(ndjson(exchange(number)))
        limit(r, size=Size(100 * BLOCK, 8 * BLOCK))
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert len(await r.window()) == 8
        assert r.hub.store.index.usage("retail") == (BLOCK, 1)


async def test_of_endpoints_that_do_not_exist_a_few_are_kept(file_url: str) -> None:
    async with running_hub(file_url) as r:
        await r.client.put_rules({"retail/chat": {"content": "Redacted"}})
        invented = [exchange(number, endpoint=f"retail/e{number}") for number in range(3_000)]
        for start in (0, 1_500):
            await r.client.post_exchanges(ndjson(*invented[start : start + 1_500]))
        assert len(await r.client.endpoints()) == 1_000, "by hand; 10 where there are rules"
        assert await r.client.post_exchanges(ndjson(exchange(1))) == (1, 0)
        assert await r.client.post_exchanges(ndjson(invented[0], invented[-1])) == (1, 1)
        assert await r.client.post_exchanges(ndjson(exchange(1, endpoint="quiet/new"))) == (1, 0)
        assert b'modelward_hub_exchanges_total{result="unknown_endpoint"} 2001.0' in r.hub.metrics.render()
        await r.client.put_rules({"retail/e2999": {"content": "Redacted"}})
        assert await r.client.post_exchanges(ndjson(invented[-1])) == (1, 0)


async def test_a_namespace_with_very_many_objects_has_them_joined_before_they_make_exchanges_go(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "CROWDED_OBJECTS", 5)
    async with running_hub(file_url) as r:
        for number in range(8):
            await r.client.post_exchanges(ndjson(exchange(number)))
        for number in range(3):
            await r.client.post_exchanges(ndjson(exchange(number, endpoint="quiet/chat")))
        await r.hub.join_crowded()
        assert (r.hub.store.index.usage("retail")[1], r.hub.store.index.usage("quiet")[1]) == (1, 3)
        assert len(await r.window()) == 8


async def test_an_hour_that_cannot_be_joined_holds_up_no_other(file_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [NOW_MS]
    async with running_hub(file_url, now=lambda: clock[0]) as r:
        for number in range(2):
            for endpoint in ("loud/chat", "retail/chat"):
                await r.client.post_exchanges(ndjson(exchange(number, endpoint=endpoint)))
        put = r.hub.store.objects.put

        async def full_for_one(path: str, data: bytes) -> None:
            if path.startswith("exchanges/loud/"):
                raise store_full("no room")
            await put(path, data)

        monkeypatch.setattr(r.hub.store.objects, "put", full_for_one)
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert (r.hub.store.index.usage("loud")[1], r.hub.store.index.usage("retail")[1]) == (2, 1)


def test_a_share_is_a_tenth_and_at_least_a_gibibyte(tmp_path: Any) -> None:
    assert size_of("s3://bucket/x", None, None) == Size(1_000 * GIB, 100 * GIB)
    assert size_of("file:///x", 20 * GIB, None) == Size(20 * GIB, 2 * GIB, bounded=True)
    assert size_of("file:///x", 5 * GIB, None).share == GIB
    assert size_of("file:///x", 5 * GIB, 7).share == 7
    assert size_of(f"file://{tmp_path}", None, None).store > 0


@pytest.mark.parametrize(("text", "size"), [("", None), ("20Gi", 20 * GIB), ("1.5k", 1_500), ("7", 7), ("1Ki", 1_024)])
def test_sizes_are_read_as_kubernetes_writes_them(text: str, size: int | None) -> None:
    assert storage_bytes(text) == size


@pytest.mark.parametrize("text", ["0", "many", "1e3", "-1Gi", "1Zi", "5m"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(HubSettingsError, match="size"):
        storage_bytes(text)


def test_an_object_without_a_known_size_takes_a_block() -> None:
    item = ExchangeObject("retail/chat", "2026112400", NOW_MS, NOW_MS, 1, "a")
    assert (item.size, QUICK.unruled_endpoints) == (0, 10)
