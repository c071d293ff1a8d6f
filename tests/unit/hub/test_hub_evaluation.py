"""A run takes its windows from the hub and leaves results there, whatever single items do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from hub_fixtures import NOW_MS, exchange, ndjson, running_hub
from numpy.typing import NDArray

from modelward.api.exchange import Exchange, Redaction, Timings, exchange_from_json
from modelward.api.run_plan import Plan, PlanItem
from modelward.hub_client.client import HubClient
from modelward.job import evaluation
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluation import Tally, run_plan
from modelward.job.json_lines import BadLine, JsonLines
from modelward.job.minilm import shared_minilm

LEAK = (Redaction("IBAN", 1, "response"),)


def item(name: str, builtin: str = "PII", config: dict[str, Any] | None = None, endpoint: str = "chat") -> PlanItem:
    return PlanItem(endpoint, "baseline", name, builtin, config or {}, NOW_MS - 100_000, NOW_MS + 1)


def plan(*items: PlanItem) -> Plan:
    return Plan("retail-1", "retail", "https://unused", items)


async def test_a_run_leaves_a_result_per_item_and_a_tally(file_url: str, tmp_path: Path) -> None:
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(*(exchange(i, redactions=LEAK if i < 3 else ()) for i in range(10))))
        tally = await run_plan(plan(item("pii"), item("idle", endpoint="quiet")), r.client, tmp_path / "message")
        assert (tally.items, tally.done, tally.failed, tally.samples) == (2, 2, 0, 10)
        assert json.loads((tmp_path / "message").read_text()) == {
            "items": 2, "done": 2, "failed": 0, "samples": 10, "errors": [],
        }  # fmt: skip
        found = {x.evaluation: x for x in await r.client.results(0)}
        assert (found["pii"].revisions["r1"].flagged, found["pii"].revisions["r1"].samples) == (3, 10)
        assert [e.id for e in found["pii"].examples["r1"]] == ["e0", "e1", "e2"]
        assert (found["idle"].reason, found["idle"].revisions) == ("NoTraffic", {})


async def test_one_bad_item_fails_alone_and_its_result_never_looks_like_a_pass(
    file_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODELWARD_MINILM", str(tmp_path / "absent"))
    shared_minilm.cache_clear()
    scope = {"inScope": ["bank cards"]}
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(*(exchange(i) for i in range(4))))
        items = (
            item("typo", "OfTopic"),
            item("wrong", "OffTopicAnswered"),
            item("blind", "OffTopicAnswered", scope),
            item("pii"),
        )
        tally = await run_plan(plan(*items), r.client)
        assert (tally.done, tally.failed) == (1, 3)
        found = {x.evaluation: x for x in await r.client.results(0)}
        assert {name: x.reason for name, x in found.items()} == {
            "typo": "EvaluatorFailing", "wrong": "EvaluatorFailing", "blind": "EvaluatorFailing", "pii": "",
        }  # fmt: skip
        assert found["blind"].revisions["r1"].failed == 4
        assert "there are Coherence, " in tally.errors[0]


async def test_a_hub_that_stays_away_fails_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "PAUSES_S", (0.0, 0.0))
    async with HubClient("http://127.0.0.1:9") as client:
        tally = await run_plan(plan(item("a"), item("b")), client)
    assert (tally.done, tally.failed) == (0, 2)
    assert tally.errors[0].startswith("chat/a: HubUnavailable")


async def test_evaluators_of_one_window_share_its_sample_and_its_embeddings(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        embedded.extend(texts)
        return np.ones((len(texts), 384), np.float32)

    scope = {"inScope": ["bank cards"]}
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(*(exchange(i) for i in range(100))))
        asked: list[str] = []
        window = r.client.window

        async def counted(namespace: str, endpoint: str, *span: int) -> list[Exchange]:
            asked.append(endpoint)
            return await window(namespace, endpoint, *span)

        monkeypatch.setattr(r.client, "window", counted)
        items = (
            item("off", "OffTopicAnswered", scope),
            item("refused", "OnTopicRefused", scope),
            item("pii"),
            item("idle", endpoint="quiet"),
        )
        tally = await run_plan(plan(*items), r.client, embeddings=SharedEmbeddings(embed))
    assert (tally.done, tally.samples) == (4, 300)
    assert asked == ["chat", "quiet"]
    assert sorted(embedded) == sorted(set(embedded)), "each text once"
    assert set(scope["inScope"]) < set(embedded)


def test_the_tally_fits_a_termination_message_however_many_errors() -> None:
    tally = Tally(items=500)
    for i in range(500):
        tally.fail(item(f"e{i}"), "x" * 500)
    message = tally.message()
    assert len(message) <= 2_000
    assert json.loads(message)["failed"] == 500


async def test_a_window_is_compared_with_the_first_exchanges_of_its_revision_as_the_hub_has_them(file_url: str) -> None:
    """The reference is read again each time; of it the result keeps nothing but its two times."""
    old_ms = NOW_MS - 2 * 86_400_000
    old = [exchange(i, time_ms=old_ms + i - 100, timings=Timings(100.0 + i % 9)) for i in range(300)]
    new = [exchange(1_000 + i, time_ms=NOW_MS - 5_000 + i, timings=Timings(1_000.0 + i % 9)) for i in range(120)]
    config = {"number": "Duration"}
    drift = replace(
        item("slower", "NumericDrift", config), from_ms=NOW_MS - 3_950, to_ms=NOW_MS + 2_000, over_ms=60_000
    )
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(*old, *new))
        for seconds in (0, 1):
            later = replace(drift, to_ms=drift.to_ms + 1_000 * seconds)
            tally = await run_plan(Plan("modelward-20261120-101500", "retail", "", (later,)), r.client)
            assert (tally.done, tally.errors) == (1, [])
        first, second = sorted(await r.client.results(0), key=lambda one: one.to_ms)
    assert [(one.samples, one.reference_samples) for one in (*first.tests, *second.tests)] == [(120, 300)] * 2
    (test,) = second.tests
    assert test.p_value < 1e-6
    assert test.low > 0.5
    assert (test.reference_from_ms, test.reference_to_ms) == (old_ms, first.tests[0].reference_to_ms)
    assert old_ms < test.reference_to_ms < NOW_MS - 3_000
    assert first.revisions["r1"].samples < 120, "counts are of the item's own time"
    assert test.moved
    assert first.tests[0].moved == (), "only the newest result names what moved"


async def test_a_window_as_the_hub_answers_it_is_a_file_to_evaluate(file_url: str, tmp_path: Path) -> None:
    exported, bad = tmp_path / "exchanges.jsonl.zst", list[BadLine]()
    async with running_hub(file_url) as r:
        await r.client.post_exchanges(ndjson(*(exchange(i) for i in range(3))))
        url = f"http://127.0.0.1:{r.hub.ports[0]}/v1/windows/retail/chat?from=0&to={NOW_MS + 1}"
        async with aiohttp.ClientSession(auto_decompress=False) as session, session.get(url) as answer:
            exported.write_bytes(await answer.read())
    assert [one.id for one in JsonLines([exported], exchange_from_json, bad.append)] == ["e2", "e1", "e0"]
    assert bad == []
