"""Scores from outside: from a tool's post to a verdict that waits for calibration."""

from __future__ import annotations

import gzip
from typing import Any

import aiohttp
import orjson
import pytest
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub
from secured_hub import OPERATOR, Cluster, secured_hub

from modelward.api.evaluation import WindowResult
from modelward.api.kept_score import imported_set
from modelward.api.run_plan import Plan, PlanItem
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.verdict import decide
from modelward.hub.otlp_scores import ENDPOINT, ERROR, EVENT, NAME, RESPONSE, VALUE
from modelward.hub_client.client import HubClient, ScoreSet
from modelward.job.evaluation import run_plan
from modelward.job.installed import catalogue

ENGINES = "chatcmpl-b8f7c9a0d1e24f3a9b5c6d7e8f901a2b"
CONFIG: dict[str, Any] = {"name": "faithfulness", "source": "ragas", "flagBelow": "50%"}
WHERE = ScoreSet("retail", "chat", imported_set("ragas", "faithfulness"))


def line(number: int, **more: Any) -> dict[str, Any]:
    return {"endpoint": "retail/chat", "id": f"e{number}", "source": "ragas", "name": "faithfulness", **more}


async def judged(hub: Running, **changes: Any) -> WindowResult:
    config = {**CONFIG, **changes}
    item = PlanItem(
        "chat", "p", "faithful", "faithful", {name: value for name, value in config.items() if value is not None},
        NOW_MS - HOUR_MS, NOW_MS + 1, kind="imported", statistic="Mean",
    )  # fmt: skip
    await run_plan(Plan("run", "retail", "", (item,)), hub.client, known=catalogue())
    [found] = await hub.client.results(0)
    return found


async def test_posted_scores_are_counted_by_their_own_flag_or_by_the_threshold() -> None:
    async with running_hub("memory://") as hub:
        await hub.client.post_exchanges(ndjson(*(exchange(i) for i in range(10))))
        rows = [
            line(0, value=0.9),
            line(1, value=0.2),
            line(2, value=0.9, flagged=True),
            line(3, value=0.1, flagged=False),
        ]
        assert await hub.client.post_scores(rows) == (4, 0)
        counts = (await judged(hub)).revisions["r1"]
        assert (counts.samples, counts.flagged, counts.not_applicable) == (4, 2, 6)
        assert await hub.client.post_scores([line(1, value=0.8)]) == (1, 0)
        assert (await judged(hub)).revisions["r1"].flagged == 1, "the newest score is the one that counts"
        assert (await judged(hub, flagBelow=None, flagAbove="70%")).revisions["r1"].flagged == 3


async def test_a_share_of_flags_decides_nothing_before_calibration_and_a_mean_does() -> None:
    async with running_hub("memory://") as hub:
        await hub.client.post_exchanges(ndjson(*(exchange(i) for i in range(300))))
        await hub.client.post_scores([line(i, value=0.9) for i in range(300)])
        found = await judged(hub)
        counts = found.revisions["r1"]
        share = decide(counts, found.evaluator, VerdictRule(fail_above_ppm=100_000))
        assert (share.verdict, share.reason) == ("Unknown", "NotCalibrated")
        mean = decide(counts, found.evaluator, VerdictRule(fail_below_ppm=500_000, statistic="Mean"))
        assert mean.verdict == "Passed"


async def test_a_score_that_comes_late_has_its_window_judged_again() -> None:
    async with running_hub("memory://") as hub:
        await hub.client.post_exchanges(ndjson(exchange(60)))
        before = (await hub.client.endpoints())[0].late
        assert await hub.client.post_scores([line(60, value=0.1), line(999, value=0.1)]) == (2, 0)
        [held] = await hub.client.endpoints()
        assert len(held.late) >= len(before)
        assert held.late[-1].first_ms <= exchange(60).time_ms <= held.late[-1].last_ms
        found = await hub.client.find_scores(WHERE, [exchange(60)])
        assert found.scores["e60"].time_ms == exchange(60).time_ms, "it goes with its exchange"


async def test_a_score_may_come_before_its_exchange() -> None:
    async with running_hub("memory://") as hub:
        await hub.client.post_scores([line(5, value=0.1)])
        await hub.client.post_exchanges(ndjson(exchange(5)))
        assert (await judged(hub)).revisions["r1"].samples == 1


async def test_a_workload_posts_for_its_own_namespace_and_reads_nothing(cluster: Cluster, tmp_path: Any) -> None:
    async with (
        secured_hub(cluster, tmp_path) as s,
        s.client("retail", "ragas-job") as tool,
        s.client("retail", "modelward-evaluate") as evaluate,
        s.client("other", "modelward-evaluate") as foreign,
        s.client(*OPERATOR) as operator,
    ):
        typed = "ticket of jane.doe@example.com"
        await tool.post_exchanges(ndjson(exchange(1, id=ENGINES), exchange(2, id=typed)))
        rows = [line(1, value=0.1) | {"id": ENGINES}, line(2, value=0.2) | {"id": typed}]
        assert await tool.post_scores([*rows, line(3, value=0.1) | {"endpoint": "other/chat"}]) == (2, 1)
        assert await tool.post_scores(
            [{"endpoint": "retail/chat", "set": WHERE.score_set, "id": "x", "time_ms": NOW_MS}]
        ) == (0, 1)
        window = await evaluate.window("retail", "chat", 0, NOW_MS + 1, 10)
        found = await evaluate.find_scores(WHERE, window)
        assert sorted(one.value or 0 for one in found.scores.values()) == [0.1, 0.2]
        assert "jane" not in str(found)
        for caller in (tool, foreign, operator):
            await _refused(caller, window)


async def _refused(caller: HubClient, window: Any) -> None:
    with pytest.raises(Exception, match="may not keep scores"):
        await caller.find_scores(WHERE, window)


def otlp(*events: dict[str, Any], source: str = "ragas", name: str = EVENT) -> dict[str, Any]:
    """Return what an OpenTelemetry exporter sends of events with these attributes."""

    def said(value: Any) -> dict[str, Any]:
        return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}

    records = [
        {"eventName": name, "attributes": [{"key": key, "value": said(value)} for key, value in event.items()]}
        for event in events
    ]
    about = {"attributes": [{"key": "service.name", "value": {"stringValue": source}}]}
    return {"resourceLogs": [{"resource": about, "scopeLogs": [{"logRecords": records}]}]}


def event(number: int, **changes: Any) -> dict[str, Any]:
    base = {NAME: "faithfulness", VALUE: 0.25, RESPONSE: f"e{number}", ENDPOINT: "retail/chat"}
    return base | changes


async def test_scores_come_as_events_of_opentelemetry_too() -> None:
    async with running_hub("memory://") as hub, aiohttp.ClientSession() as session:
        await hub.client.post_exchanges(ndjson(*(exchange(i) for i in range(4))))
        url = f"http://127.0.0.1:{hub.hub.ports[0]}/v1/logs"
        async with session.post(url, json=otlp(event(1), event(2, **{VALUE: 7.5}))) as answer:
            assert (answer.status, await answer.json()) == (200, {})
        packed = gzip.compress(orjson.dumps(otlp(event(3), event(0, **{ERROR: "timeout"}))))
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        async with session.post(url, data=packed, headers=headers) as answer:
            assert await answer.json() == {"partialSuccess": {"rejectedLogRecords": "1"}}
        async with session.post(url, json=otlp(event(0), name="gen_ai.client.inference")) as answer:
            assert await answer.json() == {}, "other events are no scores"
        window = [exchange(i) for i in range(4)]
        found = (await hub.client.find_scores(WHERE, window)).scores
        told = {name: (one.value, one.number) for name, one in found.items()}
        assert told == {"e1": (0.25, None), "e2": (None, 7.5), "e3": (0.25, None)}


@pytest.mark.parametrize(
    ("body", "kind", "encoding", "status"),
    [
        (b"\x0a\x02", "application/x-protobuf", "", 415),
        (b"{", "application/json", "", 200),
        (b'{"resourceLogs": {"a": [7]}}', "application/json", "", 200),
        (b"no gzip", "application/json", "gzip", 400),
        (gzip.compress(b" " * (17 << 20)), "application/json", "gzip", 413),
        (orjson.dumps(otlp(*({} for _ in range(2_001)))), "application/json", "", 413),
    ],
)
async def test_what_is_no_otlp_or_too_much_of_it_is_refused(body: bytes, kind: str, encoding: str, status: int) -> None:
    async with running_hub("memory://") as hub, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{hub.hub.ports[0]}/v1/logs"
        headers = {"Content-Type": kind, **({"Content-Encoding": encoding} if encoding else {})}
        async with session.post(url, data=body, headers=headers) as answer:
            assert answer.status == status
