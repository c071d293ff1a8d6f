"""A real Prometheus answers with the same series as the hub's own rows, of the namespace that is asked for alone."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from history_rows import NOW_MS, kept, part, row
from waiting import until_answered

from modelward.api.history import BOUNDS, MINUTE_MS, LevelSpread, ObjectiveCount
from modelward.api.series import HISTORY_METRICS, HistoryMetric, HistoryQuery, HistorySeries
from modelward.hub.errors import HubError
from modelward.hub.history.prometheus import PrometheusHistory
from modelward.hub.history.promql import queries

MINUTES = 30
needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="Prometheus is not installed"
)


def page() -> Iterator[str]:
    """Yield what a Prometheus would have scraped of two tenants: 40 requests a minute each, a tenth failed."""
    for space, factor in (("retail", 1), ("other", 5)):
        own = f'namespace="{space}",endpoint="chat",model="m",revision="r1"'
        for second in range(0, MINUTES * 60 + 1, 15):
            at, count = NOW_MS // 1_000 + second, second * 40 / 60 * factor
            yield f'modelward_requests_total{{{own},outcome="ok"}} {count * 0.9} {at}'
            yield f'modelward_requests_total{{{own},outcome="error"}} {count * 0.1} {at}'
            for place, bound in enumerate((*BOUNDS["ttft"], "+Inf")):
                grown = count if place >= 9 else 0
                yield f'gen_ai_server_time_to_first_token_seconds_bucket{{{own},le="{bound}"}} {grown} {at}'
            yield f'gen_ai_client_token_usage_sum{{{own},gen_ai_token_type="input"}} {count * 10} {at}'
            of = f'namespace="{space}",endpoint="chat"'
            yield f'modelward_cost_total{{{of},model="m",currency="USD"}} {count / 1000} {at}'
            yield f'modelward_health{{namespace="{space}",endpoint="chat",health="Healthy"}} 1 {at}'
            yield f'modelward_replicas{{namespace="{space}",endpoint="chat"}} {2 * factor} {at}'
            yield f"modelward_engine_requests_waiting{{{own}}} {second % 60} {at}"
            yield f"modelward_engine_kv_cache_usage_ratio{{{own}}} 0.25 {at}"
            for name, share in (("events", 1.0), ("bad", 0.1)):
                of = f'namespace="{space}",endpoint="chat",policy="p",objective="errors"'
                yield f"modelward_objective_{name}_total{{{of}}} {count * share} {at}"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus whose database is made from a page with times, so that no test waits for scrapes."""
    folder = tmp_path_factory.mktemp("prometheus")
    lines = sorted(page(), key=lambda line: line.split("{")[0])
    (folder / "page.om").write_text("\n".join([*lines, "# EOF", ""]))
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "page.om", "data"], cwd=folder, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ["--storage.tsdb.path=data", "--storage.tsdb.retention.time=90y", f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *options], cwd=folder, stdout=log, stderr=log)
    try:
        asyncio.run(_ready(address))
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


async def _ready(address: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def asked() -> bool:
            async with session.get(f"http://{address}/-/ready") as answer:
                return answer.status == 200

        await until_answered(asked, 60, ignoring=(aiohttp.ClientError,))


def column(series: HistorySeries, name: str) -> tuple[int | None, ...]:
    return next(line.values for line in series.lines if line.name == name)[1:-1]


def question(metric: HistoryMetric, points: int = 1_000) -> HistoryQuery:
    return HistoryQuery(metric, NOW_MS, NOW_MS + MINUTES * MINUTE_MS, "revision", points)


@needs_prometheus
async def test_prometheus_and_the_hub_itself_answer_alike(prometheus: str, tmp_path: Path) -> None:
    outcomes = {"ok": 36, "error": 4}
    ttft = (*(0,) * 9, 40, *(0,) * 11)
    one = part(outcomes=outcomes, latencies={"ttft": ttft}, input_tokens=400, output_tokens=None, cost=40 * 10**9)
    levels = {"ready": LevelSpread(1, 2, 2, 2), "kv": LevelSpread(4, 1_000_000, 250_000, 250_000)}
    own = [
        row(minute, parts=(one,), levels=levels, objectives=(ObjectiveCount("p", "errors", 40, 4),))
        for minute in range(MINUTES)
    ]
    async with (
        kept(tmp_path / "h.db") as hub,
        kept(prometheus=PrometheusHistory(prometheus)) as asks,
    ):
        await hub.put(own)
        asks.clock.ms = hub.clock.ms
        for metric, name in (
            ("requests", "ok"), ("requests", "error"), ("errors", "errors"), ("ttft", "p95"), ("tokens", "input"),
            ("cost", "cost"), ("replicas", "ready"), ("kv", "kv"), ("objectives", "errors"),
        ):  # fmt: skip
            theirs = await asks.store.answer(("retail", "chat"), question(metric))  # type: ignore[arg-type]
            ours = await hub.store.answer(("retail", "chat"), question(metric))  # type: ignore[arg-type]
            assert (theirs.tier, ours.tier) == ("prometheus", "1m")
            assert theirs.at_ms == ours.at_ms
            assert column(theirs, name) == column(ours, name), metric
            assert set(theirs.seen[1:-1]) == {1_000_000}


@needs_prometheus
async def test_every_metric_can_be_asked_and_what_is_not_there_is_unknown(prometheus: str) -> None:
    async with kept(prometheus=PrometheusHistory(prometheus)) as k:
        k.clock.ms += MINUTES * MINUTE_MS
        for metric in HISTORY_METRICS:
            nothing = await k.store.answer(("retail", "absent"), question(metric, 7))
            assert not any(value for line in nothing.lines for value in line.values)
            assert not any(nothing.seen)
        queue = await k.store.answer(("retail", "chat"), question("queue", 1))
        (line,) = [line for line in queue.lines if line.name == "queue"]
        assert (line.low, line.high) == ((0,), (45,))


async def test_a_prometheus_that_is_away_is_said_and_the_hubs_own_checks_are_answered() -> None:
    async with kept(prometheus=PrometheusHistory("http://127.0.0.1:9")) as k:
        with pytest.raises(HubError, match="Prometheus at") as refused:
            await k.store.answer(("retail", "chat"), question("requests"))
        assert refused.value.status == 503
        for own in ("checks", "callers"):
            assert (await k.store.answer(("retail", "chat"), question(own))).tier == "1m"


def test_no_query_is_without_its_namespace_and_endpoint() -> None:
    for metric in HISTORY_METRICS:
        for query in queries(metric, "model", ("retail", "chat"), 60_000):
            selectors = query.text.count("{")
            assert selectors == query.text.count('{namespace="retail",endpoint="chat"') >= 1
