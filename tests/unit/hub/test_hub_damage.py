"""Damaged stored data costs itself only, is set aside for a day and counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.hub.buffer import compress
from modelward.hub.stored import StoredLines, examine


async def stored_apart(hub: Running, objects: int = 4, each: int = 10) -> None:
    for number in range(objects):
        batch = [exchange(number * each + i) for i in range(each)]
        assert await hub.client.post_exchanges(ndjson(*batch)) == (each, 0)


def objects_in(path: Path) -> list[Path]:
    return sorted((path / "store" / "exchanges").rglob("*.zst"))


def counted(hub: Running, kind: str) -> float:
    return float(hub.hub.metrics.damaged.labels(kind)._value.get())


async def test_a_truncated_object_costs_its_own_exchanges_only_also_after_joining(tmp_path: Path) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}/store", now=lambda: clock[0]) as r:
        await stored_apart(r)
        hurt = objects_in(tmp_path)[1]
        hurt.write_bytes(hurt.read_bytes()[:100])
        assert len(await r.window()) == 30
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert len(await r.window()) == 30
        assert len(objects_in(tmp_path)) == 1
        assert len(list((tmp_path / "store" / "damaged").rglob("*.zst"))) == 1
        assert counted(r, "object") == 1
        clock[0] += 25 * HOUR_MS
        await r.hub.sweep()
        assert list((tmp_path / "store").glob("damaged/**/*.zst")) == []


async def test_an_hour_that_an_earlier_release_joined_with_a_damaged_part_is_read_around_it(tmp_path: Path) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}/store", now=lambda: clock[0]) as r:
        await stored_apart(r)
        first, second, *rest = objects_in(tmp_path)
        first.write_bytes(first.read_bytes() + second.read_bytes()[:90] + b"".join(p.read_bytes() for p in rest))
        for path in (second, *rest):
            path.unlink()
        assert len(await r.window()) == 30
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert len(await r.window()) == 30
        assert len(objects_in(tmp_path)) == 1


@pytest.mark.parametrize("content", [b"", b"no zstd", compress([b"{", b"[]", b'{"id":"x"}'])])
async def test_an_object_of_which_nothing_can_be_read_hides_nothing_else(tmp_path: Path, content: bytes) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}/store", now=lambda: clock[0]) as r:
        await stored_apart(r, objects=2)
        objects_in(tmp_path)[0].write_bytes(content)
        assert len(await r.window()) == 10
        assert await r.client.exchange("retail", "chat", "e1") is not None
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert len(await r.window()) == 10


async def test_what_may_hold_text_goes_with_the_right_to_keep_it(tmp_path: Path) -> None:
    clock = [NOW_MS]
    async with running_hub(f"file://{tmp_path}/store", now=lambda: clock[0]) as r:
        await stored_apart(r, objects=2)
        hurt = objects_in(tmp_path)[0]
        hurt.write_bytes(hurt.read_bytes()[:100])
        clock[0] += 4 * HOUR_MS
        await r.hub.sweep()
        assert list((tmp_path / "store").glob("damaged/**/*.zst"))
        await r.client.put_rules({"retail/chat": {"content": "MetadataOnly"}})
        await r.hub.sweep()
        assert list((tmp_path / "store").glob("damaged/**/*.zst")) == []


def result(evaluation: str) -> WindowResult:
    return WindowResult("retail", "chat", "p", evaluation, NOW_MS - 1, NOW_MS, "run", EvaluatorFacts("PII", "1"))


async def test_a_damaged_result_is_left_out_and_the_others_are_answered(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store"
    async with running_hub(url) as r:
        for name in ("a", "b", "c"):
            await r.client.put_result(result(name))
    hurt = next((tmp_path / "store" / "results").rglob("b/*.json"))
    hurt.write_bytes(hurt.read_bytes()[:40])
    async with running_hub(url) as r:
        assert [one.evaluation for one in await r.client.results(0)] == ["a", "c"]
        assert counted(r, "result") == 1
        assert not hurt.exists()
        await r.client.put_result(result("b"))
        assert [one.evaluation for one in await r.client.results(0)] == ["a", "b", "c"]


@pytest.mark.parametrize("content", [b"", b'{"rules": {"retail/ch', b"[]"])
async def test_damaged_rules_cost_text_and_not_the_start(tmp_path: Path, content: bytes) -> None:
    url = f"file://{tmp_path}/store"
    async with running_hub(url) as r:
        await r.client.put_rules({"retail/chat": {"content": "Redacted"}})
    (tmp_path / "store" / "rules.json").write_bytes(content)
    async with running_hub(url) as r:
        assert counted(r, "rules") == 1
        await r.client.put_rules({"retail/chat": {"content": "Redacted"}})
        assert await r.client.post_exchanges(ndjson(exchange(1))) == (1, 0)


ROW = b'{"id":"%d","time_ms":1,"timings":{"duration_ms":0}}'
FRAMES = [compress([ROW % number for number in range(first, first + 5)]) for first in (0, 5, 10)]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(st.integers(0, 2), st.integers(0, 200), st.binary(max_size=20), st.booleans())
def test_whatever_happens_to_one_frame_the_others_are_read(which: int, at: int, noise: bytes, cut: bool) -> None:
    frame = FRAMES[which]
    at = min(at, len(frame) - 1)
    hurt = frame[:at] + (b"" if cut else noise + frame[at + len(noise) :])
    data = b"".join([*FRAMES[:which], hurt, *FRAMES[which + 1 :]])
    good = set(StoredLines(b"".join(FRAMES[:which] + FRAMES[which + 1 :])))
    assert good <= set(StoredLines(data))
    assert examine(data).count >= len(good)
