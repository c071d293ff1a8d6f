"""History over HTTP: put once, asked by name, bounded, and never in the way of exchanges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import aiohttp
import orjson
import pytest
import zstandard
from history_rows import part, row
from hub_fixtures import NOW_MS, exchange, ndjson, running_hub
from waiting import until, until_answered

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.history import MINUTE_MS, BatchKey, HistoryHealth, HistoryRow, row_to_json
from modelward.api.series import HistoryQuery, SeriesLine
from modelward.hub.history.file import VERSION, opened
from modelward.hub_client.client import HubClient, HubUnavailableError

MINUTE = NOW_MS // MINUTE_MS * MINUTE_MS - MINUTE_MS
AGO = NOW_MS - 3_600_000


def body(rows: Iterable[HistoryRow]) -> bytes:
    return zstandard.compress(b"\n".join(orjson.dumps(row_to_json(one)) for one in rows))


async def put(client: HubClient, *rows: HistoryRow, epoch: str = "leader") -> int:
    return await client.put_history(BatchKey(epoch, MINUTE), body(rows))


async def lines(client: HubClient, asked: HistoryQuery) -> tuple[SeriesLine, ...]:
    return (await client.history("retail", "chat", asked)).lines


def forget(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


async def requests(client: HubClient, endpoint: str = "chat") -> int:
    series = await client.history("retail", endpoint, HistoryQuery("requests", AGO, NOW_MS, points=1))
    return sum(value or 0 for line in series.lines for value in line.values)


async def test_a_batch_that_is_put_again_counts_once_and_bad_rows_are_counted() -> None:
    async with running_hub("memory://") as r:
        await until(lambda: r.hub.history.state == "Ready")
        good, wrong = row(minute_ms=MINUTE), replace(row(minute_ms=MINUTE), namespace="../retail")
        for _ in range(2):
            assert await put(r.client, good, wrong, row(minute_ms=NOW_MS + 86_400_000)) == 2 or _
        assert await requests(r.client) == 10
        period = await r.client.objective_period("retail", "chat", AGO, NOW_MS)
        assert [(one.name, one.events, one.bad) for one in period.objectives] == [("errors", 10, 1)]


async def test_results_of_windows_are_in_the_history_and_come_back_after_a_restart(file_url: str) -> None:
    counts = Counts(20, 5, weight=20.0, weight_squared=20.0, flagged_weight=5.0)
    facts, run = EvaluatorFacts("PII", "1"), "modelward-20261127-100000"
    result = WindowResult("retail", "chat", "p", "pii", AGO, NOW_MS - 60_000, run, facts, {"r1": counts})
    asked = HistoryQuery("checks", AGO, NOW_MS, "revision", 1)
    async with running_hub(file_url) as r:
        await until(lambda: r.hub.history.state == "Ready")
        await r.client.put_result(result)
        await r.client.put_result(result)
    forget(Path(file_url.removeprefix("file://")) / "history")
    async with running_hub(file_url) as r:
        await until_answered(lambda: lines(r.client, asked), 30, ignoring=(HubUnavailableError,))
        (line,) = await lines(r.client, asked)
        assert (line.name, line.revision, line.n, line.values) == ("pii", "r1", (20,), (250_000,))
        (sums,) = (await r.client.objective_period("retail", "chat", AGO, NOW_MS)).checks or ()
        assert (sums.policy, sums.name, sums.counts) == ("p", "pii", counts)
        assert AGO - 60_000 <= sums.first_ms < NOW_MS


async def test_what_people_erase_with_a_namespace_is_gone_and_an_endpoints_numbers_stay() -> None:
    async with running_hub("memory://") as r:
        await until(lambda: r.hub.history.state == "Ready")
        await put(r.client, row(minute_ms=MINUTE), row(endpoint="other/chat", minute_ms=MINUTE))
        await r.client.erase({"namespace": "retail", "endpoint": "chat"})
        assert await requests(r.client) == 10
        await r.client.erase({"namespace": "retail"})
        assert await requests(r.client) == 0
        assert await r.hub.history.used() == {"other": pytest.approx(250, abs=200)}


@pytest.mark.parametrize(
    "query",
    [
        "metric=prompts&from=1&to=2",
        "metric=ttft&from=2&to=2",
        "metric=ttft&from=1&to=2&points=1001",
        "metric=ttft&from=1&to=2&points=0",
        "metric=ttft&by=caller&from=1&to=2",
        "metric=ttft",
    ],
)
async def test_a_question_that_is_none_is_refused_with_what_it_may_be(query: str) -> None:
    async with running_hub("memory://") as r, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{r.hub.ports[0]}/v1/history/retail/chat?{query}"
        async with session.get(url) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]["message"]


async def test_exchanges_are_taken_whatever_has_become_of_the_history(tmp_path: Path) -> None:
    folder = tmp_path / "store" / "history"
    folder.mkdir(parents=True)
    connection = opened(folder / "history.db", 1 << 20)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    async with running_hub(f"file://{tmp_path}/store") as r:
        await until(lambda: r.hub.history.state == "Newer")
        await r.client.post_exchanges(ndjson(exchange(1)))
        assert [one.id for one in await r.window()] == ["e1"]
        with pytest.raises(HubUnavailableError, match="newer hub") as refused:
            await put(r.client, row(minute_ms=MINUTE))
        assert (refused.value.status, refused.value.code) == (503, "HistoryNewer")
        assert (await r.client.overview()).history == HistoryHealth("Newer"), "policies tell it"
        assert (await r.client.erase({"namespace": "retail"}))["exchanges"] == 1
        async with aiohttp.ClientSession() as session, session.get(f"{r.health}/metrics") as page:
            assert 'modelward_hub_history_state{state="Newer"} 1.0' in await page.text()


async def test_too_many_rows_and_too_large_ones_are_refused() -> None:
    async with running_hub("memory://") as r:
        await until(lambda: r.hub.history.state == "Ready")
        with pytest.raises(HubUnavailableError) as refused:
            await put(r.client, *[row(minute_ms=MINUTE)] * 2_001)
        assert refused.value.status == 413
        wide = row(minute_ms=MINUTE, parts=tuple(part(revision=f"r{n}") for n in range(7)))
        assert await put(r.client, wide) == 1
