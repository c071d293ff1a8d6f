"""Errors have owners: what callers did wrong does not count against an endpoint, and hides nothing that it did."""

from __future__ import annotations

import pytest
from status_specimens import FRESH, MINUTE_MS, NOW_MS, SERVING, check, history, objective

from modelward.api.llmendpoint import MetricStatus
from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.status.checks import health
from modelward.status.error_rates import rate_counts, unserved, untimed
from modelward.status.judgement import JudgementInput
from modelward.status.objective_judgement import judge_objective
from modelward.status.revision import UNKNOWN_REVISION
from modelward.status.usage import usage_status

_NAMES = {
    "errors": Signal.ERRORS,
    "client": Signal.CLIENT_ERRORS,
    "overload": Signal.OVERLOADS,
    "cancelled": Signal.CANCELLED,
}


def ended(requests: int, **classes: int) -> History:
    """Ten minutes in which so many requests ended, by class."""
    totals = {Signal.REQUESTS: float(requests)} | {
        signal: float(classes.get(name, 0)) for name, signal in _NAMES.items()
    }
    return history(totals)


def judged(metric: str, found: History) -> MetricStatus:
    return judge_objective(objective(metric), found, JudgementInput(UNKNOWN_REVISION, 1_000_000), NOW_MS)[1]


@pytest.mark.parametrize(
    ("metric", "classes", "verdict", "samples"),
    [
        ("ErrorRate", {"client": 500}, "Passed", 500),
        ("ErrorRate", {"overload": 500}, "Passed", 500),
        ("ErrorRate", {"errors": 100}, "Failed", 1_000),
        ("ClientErrorRate", {"client": 500}, "Failed", 1_000),
        ("ClientErrorRate", {"errors": 500}, "Passed", 1_000),
        ("OverloadRate", {"overload": 100}, "Failed", 1_000),
        ("OverloadRate", {"errors": 300, "client": 300}, "Passed", 700),
    ],
)
def test_each_rate_counts_what_its_owner_did(metric: str, classes: dict[str, int], verdict: str, samples: int) -> None:
    found = judged(metric, ended(1_000, **classes))
    assert (found.verdict, found.samples) == (verdict, samples)


def test_a_scanner_does_not_dilute_the_errors_of_an_endpoint() -> None:
    assert judged("ErrorRate", ended(10_000, client=9_000, errors=50)).value == "5%"


def test_what_an_engine_does_not_count_is_unknown_and_says_who_counts_it() -> None:
    engine = history({Signal.REQUESTS: 1_000.0, Signal.ERRORS: 0.0})
    assert judged("ErrorRate", engine).verdict == "Passed"
    for metric in ("ClientErrorRate", "OverloadRate"):
        found = judged(metric, engine)
        assert (found.verdict, found.reason) == ("Unknown", "Missing")
        assert "a collector does" in found.message
        assert metric in found.message
    assert "no pod has measured" in judged("OverloadRate", History()).message


def test_of_an_engine_that_counts_no_requests_or_times_no_token_that_is_said() -> None:
    llama = history({Signal.OUTPUT_TOKENS: 192.0})
    for metric in ("ErrorRate", "ClientErrorRate", "OverloadRate"):
        found = judged(metric, llama)
        assert (found.verdict, found.reason) == ("Unknown", "Missing")
        assert found.message.startswith(
            f"no pod counts requests, of which {metric} is a share: this engine's own metrics"
        )
    for metric, signal in (("TimeToFirstToken", Signal.TTFT), ("RequestDuration", Signal.DURATION)):
        assert "in the last 15m" in untimed(metric, signal, "15m", History(), NOW_MS)
        told = untimed(metric, signal, "15m", llama, NOW_MS)
        assert told.startswith(f"no pod has measured {metric} so far: engines' own metrics may lack it, a collector")
        assert told.endswith("of streamed answers") == (signal is Signal.TTFT)


def test_the_error_column_shows_the_endpoints_own_errors() -> None:
    used = usage_status(ended(1_000, client=500, errors=50), NOW_MS)
    assert used is not None
    assert used.error_rate == "10%"


@pytest.mark.parametrize(
    ("classes", "mood"),
    [
        ({"errors": 40}, "Degraded"),
        ({"errors": 10, "client": 30}, "Degraded"),
        ({"client": 40}, "Unknown"),
        ({"overload": 40}, "Unknown"),
        ({"cancelled": 40}, "Unknown"),
        ({"errors": 30}, "Healthy"),
        ({}, "Healthy"),
    ],
)
def test_an_endpoint_that_serves_nothing_is_never_healthy(classes: dict[str, int], mood: str) -> None:
    found = unserved(ended(40, **classes), NOW_MS)
    assert health(SERVING, FRESH, [check()], found)[0] == mood
    assert (found is None) == (mood == "Healthy")


def test_why_nothing_was_served_is_said_with_the_counts() -> None:
    found = unserved(ended(40, errors=30, client=10), NOW_MS)
    assert found is not None
    assert found.message == "none of 20 requests of the last 5m succeeded: 15 errors, 5 client errors"


def test_idleness_and_engines_that_count_no_failures_are_not_taken_for_an_outage() -> None:
    assert unserved(ended(0), NOW_MS) is None
    assert unserved(history({Signal.REQUESTS: 40.0}), NOW_MS) is None
    assert unserved(History(), NOW_MS) is None


def test_a_pod_without_its_counts_leaves_the_rate_unknown() -> None:
    found = ended(1_000, errors=0)
    assert rate_counts("ErrorRate", found, NOW_MS, 10 * MINUTE_MS) is not None
    assert rate_counts("ErrorRate", history({Signal.REQUESTS: 1_000.0}), NOW_MS, 10 * MINUTE_MS) is None
