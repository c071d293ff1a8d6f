"""When a status is worth a write: flips at once, numbers at intervals, nothing when nothing changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.status.cadence import worth_writing

INTERVAL_MS = 300_000
BEFORE: dict[str, Any] = {
    "health": "Healthy",
    "summary": "all checks passed",
    "usage": {"requestsPerMinute": "12"},
    "evaluations": [{"name": "topic", "rate": "3%", "samples": 140, "verdict": "Passed", "observedAt": "then"}],
    "conditions": [{"type": "Ready", "status": "True", "reason": "Serving", "message": "3 of 3 replicas ready"}],
    "scaling": {"desired": 2, "reason": "Load", "message": "because", "capacity": "40 tok/s"},
}
NUMBERS: list[dict[str, Any]] = [
    {"usage": {"requestsPerMinute": "99"}},
    {"summary": "topic: 40 of 100 samples"},
    {"evaluations": [{**BEFORE["evaluations"][0], "rate": "4%", "samples": 150, "observedAt": "now"}]},
    {"conditions": [{**BEFORE["conditions"][0], "message": "2 of 3 replicas ready"}]},
    {"scaling": {"desired": 2, "reason": "Steady", "message": "other", "capacity": "41 tok/s"}},
]
FLIPS: list[dict[str, Any]] = [
    {"health": "Degraded"},
    {"evaluations": [{**BEFORE["evaluations"][0], "verdict": "Failed"}]},
    {"conditions": [{**BEFORE["conditions"][0], "status": "False"}]},
    {"conditions": [{**BEFORE["conditions"][0], "reason": "Refused"}]},
    {"scaling": {"desired": 3, "reason": "Load", "message": "because", "capacity": "40 tok/s"}},
    {"observedGeneration": 2},
    {"evaluations": []},
]


@given(st.integers(0, 10**9))
def test_nothing_is_written_when_nothing_changed(since_ms: int) -> None:
    assert not worth_writing(BEFORE, {**BEFORE}, since_ms, INTERVAL_MS)


@pytest.mark.parametrize("change", NUMBERS)
def test_numbers_wait_for_the_interval(change: dict[str, Any]) -> None:
    after = {**BEFORE, **change}
    assert not worth_writing(BEFORE, after, INTERVAL_MS - 1, INTERVAL_MS)
    assert worth_writing(BEFORE, after, INTERVAL_MS, INTERVAL_MS)


@pytest.mark.parametrize("change", FLIPS)
def test_flips_are_written_at_once(change: dict[str, Any]) -> None:
    assert worth_writing(BEFORE, {**BEFORE, **change}, 0, INTERVAL_MS)


def scaled(status: str, reason: str) -> dict[str, Any]:
    return {"conditions": [{"type": "ScalingActive", "status": status, "reason": reason}]}


def test_a_reason_of_scaling_that_flips_while_it_decides_waits_for_the_interval() -> None:
    load, steady = scaled("True", "Load"), scaled("True", "Steady")
    assert not worth_writing(load, steady, 0, INTERVAL_MS)
    assert worth_writing(load, steady, INTERVAL_MS, INTERVAL_MS)
    assert worth_writing(load, scaled("Unknown", "HoldingOnStaleMetrics"), 0, INTERVAL_MS)
    assert worth_writing(scaled("False", "Refused"), scaled("False", "AnotherScaler"), 0, INTERVAL_MS)
