"""Whether traffic is seen and numbers come from every pod."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import MINUTE_MS, NOW_MS, history, latency, pod, waiting

from modelward.api.usage import Prices
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.reasons.reason import Reason
from modelward.status.collector import Collectors, collector_state, metrics_state, sidecars
from modelward.status.usage import usage_status


def test_collectors_are_counted_among_running_pods_only() -> None:
    gone = pod("gone", phase="Succeeded")
    pods = [pod("a"), pod("b", sidecar=False), pod("c", sidecar=None), gone]
    assert sidecars(pods) == Collectors(desired=3, ready=1, missing=1)


def test_a_collector_that_cannot_be_pulled_is_named_before_its_pod_runs() -> None:
    stuck = pod("a", phase="Pending", podIP="", initContainerStatuses=waiting("ErrImagePull", "modelward-collector"))
    found = sidecars([stuck])
    assert found.trouble == ("ImageNotPullable", "container modelward-collector cannot pull its image: why it does")
    state = collector_state("Sidecar", found, None, None)
    assert (state.status, state.reason) == ("False", "ImageNotPullable")


@pytest.mark.parametrize(
    ("collectors", "seen_ppm", "problem", "status", "reason"),
    [
        (Collectors(3, 3, 0), 990_000, ("RemovedByOther", "who"), "False", "RemovedByOther"),
        (Collectors(0, 0, 0), None, None, "Unknown", "NoPods"),
        (Collectors(3, 2, 1), 990_000, None, "False", "AwaitingRollout"),
        (Collectors(3, 2, 0), 990_000, None, "False", "Starting"),
        (Collectors(3, 3, 0), 420_000, None, "False", "Bypassed"),
        (Collectors(3, 3, 0), 899_999, None, "False", "Bypassed"),
        (Collectors(3, 3, 0), 900_000, None, "True", "SeesTraffic"),
        (Collectors(3, 3, 0), None, None, "True", "SeesTraffic"),
        (Collectors(3, 3, 0, outdated=2, told=3), None, None, "True", "AwaitingRollout"),
        (Collectors(3, 3, 0, outdated=2, unloaded=1, told=3), None, None, "True", "AwaitingReload"),
        (Collectors(3, 3, 0, outdated=2, unloaded=1, told=3), 420_000, None, "False", "Bypassed"),
    ],
)
def test_collector_ready_says_what_keeps_traffic_from_being_seen(
    collectors: Collectors, seen_ppm: int | None, problem: Any, status: str, reason: str
) -> None:
    found = collector_state("Sidecar", collectors, seen_ppm, problem)
    assert (found.status, found.reason) == (status, reason)
    assert collector_state("ScrapeOnly", collectors, seen_ppm, problem).reason == "ScrapeOnly"


def test_what_collectors_wait_for_is_told_with_counts_and_beside_what_is_worse() -> None:
    outdated = "2 of 3 pods run a collector of another release; this one comes with their next roll-out"
    unloaded = "1 of 2 collectors run a previous configuration; the kubelet delivers the new one within two minutes"
    found = collector_state("Sidecar", Collectors(3, 3, 0, outdated=2, unloaded=1, told=2), None, None)
    assert found.message == f"3 of 3 collectors ready; {unloaded}; {outdated}"
    starting = collector_state("Sidecar", Collectors(3, 2, 0, unloaded=1, told=2), None, None)
    assert (starting.reason, starting.message) == ("Starting", f"2 of 3 collectors ready; {unloaded}")


def test_a_memory_limit_that_is_too_small_is_told_and_takes_nothing_from_what_is_seen() -> None:
    found = collector_state("Sidecar", Collectors(1, 1, 0, unloaded=1, told=1, short_of_memory="64Mi"), None, None)
    assert (found.status, found.reason) == ("True", "MemoryTooSmall")
    assert "memory limit 64Mi is too small for a collector to serve with: write at least 80Mi" in found.message


def test_the_share_that_is_bypassed_is_told() -> None:
    found = collector_state("Sidecar", Collectors(1, 1, 0), 420_000, None)
    assert found.message == "42% seen; send clients to status.address.url"


def test_a_service_that_leads_past_the_collector_is_named_and_takes_nothing_from_what_is_seen() -> None:
    found = collector_state("Sidecar", Collectors(1, 1, 0, bypassing=("chat", "old")), None, None)
    assert (found.status, found.reason) == ("True", "ServiceBypasses")
    assert "Service chat, old goes past the collector: set its targetPort to 18080" in found.message


PODS = ("a", "b")


@pytest.mark.parametrize(
    ("read", "failures", "age_ms", "status", "reason", "message"),
    [
        (PODS, {}, 0, "True", "Fresh", "fresh numbers from 2 of 2 pods"),
        (("a",), {}, 0, "False", "PartialPods", "1 of 2 pods give numbers"),
        (("a",), {"b": ("ScrapeBlocked", "b shut")}, 0, "False", "PartialPods", "1 of 2 pods give numbers: b shut"),
        ((), {"b": ("ScrapeBlocked", "b refused")}, 0, "False", "ScrapeBlocked", "b refused"),
        ((), {}, 0, "Unknown", "Missing", "no fresh numbers yet"),
        (PODS, {}, 45_000, "Unknown", "Stale", "no fresh numbers yet"),
        (PODS, {}, 5 * MINUTE_MS, "Unknown", "Missing", "no fresh numbers yet"),
    ],
)  # fmt: skip
def test_metrics_are_available_when_every_pod_gives_fresh_numbers(
    read: tuple[str, ...], failures: dict[str, tuple[Reason, str]], age_ms: int, status: str, reason: str, message: str
) -> None:
    readings = history({Signal.REQUESTS: 1.0}, pods=read, until_ms=NOW_MS - age_ms)
    found = metrics_state(readings, PODS, failures, NOW_MS)
    assert (found.status, found.reason, found.message) == (status, reason, message)


def test_where_there_is_no_pod_nothing_is_missing() -> None:
    assert metrics_state(History(), (), {}, NOW_MS).reason == "NoPods"


def test_usage_that_is_not_known_is_left_out_and_never_zero() -> None:
    assert usage_status(History(), NOW_MS) is None
    bare = usage_status(history({Signal.REQUESTS: 600.0}), NOW_MS)
    assert bare is not None
    assert (bare.requests_per_minute, bare.output_tokens_per_minute, bare.first_token_p95, bare.error_rate) == (
        "60", "", "", "",
    )  # fmt: skip


def test_usage_is_that_of_the_last_five_minutes() -> None:
    totals = {Signal.REQUESTS: 600.0, Signal.ERRORS: 6.0, Signal.INPUT_TOKENS: 1_200.0, Signal.OUTPUT_TOKENS: 6_000.0}
    found = usage_status(history(totals, {Signal.TTFT: latency(600, 0)}), NOW_MS)
    assert found is not None
    assert found.wire() == {
        "requestsPerMinute": "60",
        "inputTokensPerMinute": "120",
        "outputTokensPerMinute": "600",
        "firstTokenP95": "95ms",
        "errorRate": "1%",
        "costPerHour": "",
    }


def test_an_hour_costs_what_its_tokens_do_where_each_model_has_a_price() -> None:
    totals = {Signal.REQUESTS: 600.0, Signal.INPUT_TOKENS: 1_200.0, Signal.OUTPUT_TOKENS: 6_000.0}
    price = {"model": "*", "perMillionInputTokens": "1000", "perMillionOutputTokens": "10000"}
    one = Prices.model_validate({"currency": "EUR", "models": [price]})
    own = {**price, "model": "small", "perMillionOutputTokens": "0"}
    two = Prices.model_validate({"currency": "EUR", "models": [price, own]})
    none = Prices.model_validate({"currency": "EUR", "models": [own]})
    told = [usage_status(history(totals, {}), NOW_MS, prices) for prices in (one, two, none)]
    assert [found.cost_per_hour for found in told if found] == ["367.20 EUR", "367.20 EUR", ""]
    silent = usage_status(history({Signal.REQUESTS: 600.0}, {}), NOW_MS, one)
    assert silent is not None
    assert silent.cost_per_hour == "", "tokens that are not known cost no nothing"


@given(st.floats(0, 1_000), st.floats(0, 1_000), st.integers(0, 50), st.integers(0, 50))
def test_no_readings_break_usage(requests: float, errors: float, fast: int, slow: int) -> None:
    totals = {Signal.REQUESTS: requests, Signal.ERRORS: errors}
    found = usage_status(history(totals, {Signal.TTFT: latency(fast, slow)}), NOW_MS)
    assert found is not None
    assert len(found.error_rate) <= 9
    type(found).model_validate(found.wire())
