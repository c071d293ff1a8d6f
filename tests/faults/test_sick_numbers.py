"""Pages that are well formed and whose numbers are ill: none is taken for zero, for health, or for less load."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import AsyncExitStack
from itertools import count

import aiohttp
import pytest
import sick_pages
from observed_endpoint import DAY_MS, NOON_MS, ObservedEndpoint
from shared_pods import Kind, shared_pods
from sick_pages import Reply, page, serving, vllm
from waiting import PATIENCE_S

from modelward.api.check_status import MetricStatus
from modelward.metrics.signals import Signal
from modelward.metrics.window import Freshness
from modelward.operator.observe.observer import Observer
from modelward.scrape.pages import PageTarget, Scraper

HOLDS = ("Unknown", "HoldingOnStaleMetrics")


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-5", "1e300"])
@pytest.mark.parametrize(
    ("kind", "signal", "words"),
    [
        ("engine", "tokens", "engine generation tokens, output tokens"),
        ("engine", "running", "engine running, in flight"),
        ("collector", "tokens", "chunks, output tokens"),
        ("collector", "running", "in flight"),
    ],
)
async def test_a_signal_without_a_number_is_named_and_scales_nothing_down(
    kind: Kind, signal: str, words: str, value: str
) -> None:
    async with shared_pods(kind) as shared:
        shared.serve(**{signal: value})
        await shared.pass_time(6, 40)
        for bed in (shared.mixed, shared.ill):
            status, reason, message = bed.condition("MetricsAvailable")
            assert (status, reason) == ("False", "PartialSignals")
            assert f"chat-1 gives no number for {words}" in message
            assert bed.condition("ScalingActive")[:2] == HOLDS
            assert bed.scales.asked == []
        shared.server.sickness = shared.load.well
        await shared.pass_time(1, 15)
        assert shared.mixed.condition("MetricsAvailable")[1] == "Fresh"


@pytest.mark.parametrize(("kind", "name"), [("engine", b"vllm:generation_tokens_total"),
                                            ("engine", b"vllm:num_requests_running"),
                                            ("collector", b"modelward_requests_total"),
                                            ("collector", b"modelward_engine_requests_waiting")])  # fmt: skip
async def test_a_metric_that_is_renamed_is_missed_and_scales_nothing_down(kind: Kind, name: bytes) -> None:
    async with shared_pods(kind) as shared:
        shared.serve(lambda text: text.replace(name, name + b"_v2"))
        await shared.pass_time(6, 40)
        for bed in (shared.mixed, shared.ill):
            assert bed.condition("MetricsAvailable")[:2] == ("False", "PartialSignals")
            assert bed.condition("ScalingActive")[:2] == HOLDS
            assert bed.scales.asked == []


@pytest.mark.parametrize("kind", ["engine", "collector"])
async def test_a_pod_whose_metrics_were_renamed_before_it_was_first_read_counts_as_missing(kind: Kind) -> None:
    async with shared_pods(kind) as shared:
        name = b"vllm:generation_tokens_total" if kind == "engine" else b"gen_ai_client_token_usage_sum"
        shared.serve(lambda text: text.replace(name, b"odd"))
        bed = shared.mixed
        bed.observer.forget("retail/chat")
        await shared.pass_time(6, 40)
        assert bed.condition("ScalingActive")[:2] == HOLDS
        assert "without output tokens" in bed.condition("ScalingActive")[2]
        assert bed.scales.asked == []


def _of(bed: ObservedEndpoint, objective: str) -> MetricStatus:
    return next(one for one in bed.status.metrics if one.name == objective)


async def test_errors_that_one_pod_does_not_tell_are_not_taken_for_none() -> None:
    async with shared_pods() as shared:
        shared.serve(errors="NaN")
        told = {bed: _of(bed, "errors") for bed in (shared.mixed, shared.ill)}
        await shared.pass_time(8, 40)
        for bed, before in told.items():
            assert _of(bed, "errors") == before, "what was measured before stands, and is no newer"
            who = "not every pod" if bed is shared.mixed else "no pod"
            assert f"since then: {who} has measured ErrorRate" in bed.condition("ObjectivesMet")[2]


async def test_a_collector_that_passes_without_counting_is_no_idle_one() -> None:
    async with shared_pods("collector") as shared:
        shared.serve(lambda text: text + b"modelward_collector_passing_blind 1\n", running=0)
        await shared.pass_time(6, 40)
        assert shared.ill.condition("MetricsAvailable")[:2] == ("False", "Missing")
        assert "passes requests without counting them" in shared.ill.condition("MetricsAvailable")[2]
        assert shared.ill.status.health == "Unknown"
        assert shared.ill.condition("ScalingActive")[:2] == HOLDS
        assert shared.mixed.condition("MetricsAvailable")[:2] == ("False", "PartialPods")
        assert shared.mixed.scales.asked == shared.ill.scales.asked == []


@pytest.mark.parametrize("kind", ["engine", "collector"])
async def test_counters_that_begin_anew_are_no_negative_load_and_no_surge(kind: Kind) -> None:
    async with shared_pods(kind) as shared:
        await shared.pass_time(4, 15)
        shared.load.requests = 0.0
        await shared.pass_time(4, 15)
        usage = shared.ill.status.usage
        assert usage is not None
        assert 100 <= int(usage.requests_per_minute) <= 125
        assert all(check.verdict == "Passed" for check in shared.ill.status.metrics)
        assert not [asked for asked in shared.ill.scales.asked if asked > 2]


async def test_other_buckets_of_a_histogram_are_a_new_one_and_no_wrong_latency() -> None:
    async with shared_pods() as shared:
        # As a release does that cuts its buckets anew: what was within 0.1 s is now within 0.05 s and 0.25 s.
        shared.serve(lambda text: text.replace(b'le="0.1"', b'le="0.05"').replace(b'le="1"', b'le="0.25"'))
        await shared.pass_time(6, 30)
        for bed in (shared.mixed, shared.ill):
            (first,) = [one for one in bed.status.metrics if one.name == "first-token"]
            assert first.verdict in ("Passed", "Unknown")
            assert first.samples <= 2 * 260


async def test_buckets_that_contradict_each_other_are_unknown_and_named() -> None:
    async with shared_pods() as shared:
        shared.serve(
            lambda text: text.replace(b'_bucket{le="0.1",model_name="m"} ', b'_bucket{le="0.1",model_name="m"} 9')
        )
        await shared.pass_time(3, 40)
        await shared.pass_time(1, 301)
        stood = _of(shared.ill, "first-token")
        await shared.pass_time(1, 301)
        assert "time to first token" in shared.ill.condition("MetricsAvailable")[2]
        assert _of(shared.ill, "first-token") == stood, "what was measured before stands, and is no newer"


async def test_model_names_without_end_take_no_memory_without_end() -> None:
    serial = count()

    async def answer(reply: Reply) -> None:
        rows = (f'vllm:prompt_tokens_total{{model_name="m{next(serial)}"}} 1\n' for _ in range(90))
        await page(vllm() + "".join(rows).encode())(reply)

    async with serving(answer) as server, aiohttp.ClientSession() as session:
        bed = ObservedEndpoint(session, (server.url,))
        tracemalloc.start()
        for steps in range(200):
            await bed.step()
            if steps == 99:
                half_bytes = tracemalloc.get_traced_memory()[0]
        whole_bytes = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert next(serial) >= 18_000
        assert whole_bytes < 1.5 * half_bytes + sick_pages.MEGABYTE
        assert len(bed.status.models) == 20


async def test_a_name_longer_than_a_status_may_hold_keeps_no_status_from_being_written() -> None:
    body = vllm().replace(b'model_name="m"', b'model_name="%b"' % (b"long" * 2_000))
    async with serving(page(body)) as server, aiohttp.ClientSession() as session:
        bed = ObservedEndpoint(session, (server.url,))
        for _ in range(3):
            await bed.step()
        assert [len(name) for name in bed.status.models] == [253]
        assert bed.condition("MetricsAvailable")[1] == "Fresh"


async def test_pods_that_hang_however_many_delay_no_others_readings() -> None:
    async with AsyncExitStack() as stack:
        hung = await stack.enter_async_context(serving(sick_pages.silent))
        well = await stack.enter_async_context(serving(page(vllm())))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        now_ms, observer = NOON_MS, Observer(lambda _: None)
        scraper = Scraper(session, lambda: now_ms, timeout_s=1.5)  # enough for the one that is well on any machine
        observer.watch("blocked/many", [PageTarget(f"p{number}", hung.url, "vllm", "engine") for number in range(100)])
        observer.watch("retail/chat", [PageTarget("chat-1", well.url, "vllm", "engine")])
        await observer.round(scraper)
        for _ in range(3):
            now_ms += 15_000
            later = asyncio.create_task(observer.round(scraper))
            async with asyncio.timeout(PATIENCE_S):
                while observer.of("retail/chat").latest["chat-1"].at_ms < now_ms:  # noqa: ASYNC110 - a real socket
                    await asyncio.sleep(0.005)
            assert not later.done(), "the hung ones take their two timeouts"
            assert observer.of("retail/chat").history.freshness("chat-1", now_ms) is Freshness.FRESH
            await later
        assert len(observer.of("blocked/many").problems()) == 100
        assert observer.of("blocked/many").history.level(Signal.IN_FLIGHT, None, now_ms + DAY_MS) is None
