"""From checks to conditions and health."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import FRESH, SERVING, check

from modelward.reasons.checks import CheckReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.checks import CONDITION, Check, condition, decided, health
from modelward.status.conditions import ConditionState

VERDICTS = st.sampled_from(["Passed", "Failed", "Unknown"])
SEVERITIES = st.sampled_from(["Info", "Warning", "Critical"])
WAS = st.sampled_from(["", "Passed", "Failed"])
CHECKS = st.lists(st.builds(check, VERDICTS, SEVERITIES, st.sampled_from(list(CONDITION)), was=WAS), max_size=6)


@given(CHECKS, st.sampled_from(list(CONDITION)), VERDICTS)
def test_info_moves_no_condition(checks: list[Check], concern: str, verdict: str) -> None:
    extra = check(verdict, "Info", concern)
    assert condition(concern, [extra, *checks]) == condition(concern, checks)  # type: ignore[arg-type]


@given(CHECKS, VERDICTS)
def test_info_never_moves_health(checks: list[Check], verdict: str) -> None:
    extra = check(verdict, "Info")
    assert health(SERVING, FRESH, [extra, *checks])[0] == health(SERVING, FRESH, checks)[0]


@given(CHECKS, st.sampled_from(list(CONDITION)))
def test_a_condition_is_true_only_when_all_is_decided_and_good(checks: list[Check], concern: str) -> None:
    found = condition(concern, checks)  # type: ignore[arg-type]
    counted = {one.verdict for one in checks if one.concern == concern and one.severity != "Info"}
    expected = "False" if "Failed" in counted else "True" if counted == {"Passed"} else "Unknown"
    assert found.status == expected
    assert found.type == CONDITION[concern]  # type: ignore[index]


def test_a_condition_that_nobody_asked_for_is_unknown_and_says_so() -> None:
    assert condition("Safety", [check()]) == ConditionState(
        "SafetyHealthy", "Unknown", CheckReason.NOTHING_TO_CHECK, "no policy asks for this"
    )


def test_a_failed_condition_carries_the_evidence_of_every_failure() -> None:
    checks = [check("Failed", reason="AboveLimit"), check("Failed", name="refuses", message="9%"), check("Unknown")]
    found = condition("Quality", checks)
    assert (found.reason, found.message) == ("AboveLimit", "topic 1% (0-3) < 10%, n=140; refuses 9%")


DOWN = ConditionState("WorkloadReady", "False", WorkloadReason.CRASH_LOOP_BACK_OFF, "container model: CrashLoopBackOff")
STARTING = ConditionState("WorkloadReady", "Unknown", WorkloadReason.CREATING, "Deployment chat does not exist yet")
SILENT = ConditionState("MetricsAvailable", "Unknown", MetricsReason.MISSING, "no fresh numbers yet")
PARTIAL = ConditionState("MetricsAvailable", "False", MetricsReason.PARTIAL_PODS, "2 of 3 pods give numbers")


@pytest.mark.parametrize(
    ("workload", "metrics", "checks", "mood", "why"),
    [
        (DOWN, FRESH, [], "Unhealthy", "container model: CrashLoopBackOff"),
        (DOWN, FRESH, [check("Failed", "Critical")], "Unhealthy", "container model: CrashLoopBackOff"),
        (STARTING, FRESH, [], "Unknown", "Deployment chat does not exist yet"),
        (replace(DOWN, message=""), FRESH, [], "Unhealthy", "CrashLoopBackOff"),
        (SERVING, FRESH, [check("Failed"), check("Failed", "Critical", name="leaks")], "Unhealthy", "leaks 1%"),
        (SERVING, FRESH, [check("Failed"), check("Unknown", "Critical")], "Degraded", "topic 1%"),
        (SERVING, SILENT, [check("Failed")], "Degraded", "topic 1%"),
        (SERVING, SILENT, [check("Passed")], "Unknown", "no fresh numbers yet"),
        (SERVING, replace(SILENT, message=""), [], "Unknown", "Missing"),
        (SERVING, PARTIAL, [check("Passed")], "Healthy", "all checks passed"),
        (SERVING, FRESH, [check("Failed", "Info")], "Healthy", "all checks passed"),
        (SERVING, FRESH, [check(), check("Unknown", message="40 of 100 samples")], "Healthy", "topic: 40 of 100"),
        (SERVING, FRESH, [check("Unknown", message="", reason="NoTraffic")], "Unknown", "topic: NoTraffic"),
        (SERVING, FRESH, [check("Unknown", "Info", message="")], "Healthy", "topic: BelowLimit"),
        (SERVING, FRESH, [check("Passed", "Info"), check("Unknown", name="leaks")], "Unknown", "leaks: 1%"),
        (SERVING, FRESH, [check(), check("Unknown", name="leaks", was="Failed")], "Unknown", "leaks: 1%"),
        (SERVING, FRESH, [check(), check("Unknown", name="leaks", was="Passed")], "Healthy", "leaks: 1%"),
        (SERVING, FRESH, [check(), check("Unknown", "Info", name="leaks", was="Failed")], "Healthy", "leaks: 1%"),
        (SERVING, FRESH, [], "Healthy", "serving; no policy watches it"),
    ],
)
def test_health_says_the_worst_and_why(
    workload: ConditionState, metrics: ConditionState, checks: list[Check], mood: str, why: str
) -> None:
    found, reason = health(workload, metrics, checks)
    assert found == mood
    assert reason.startswith(why)


@given(CHECKS)
def test_healthy_needs_one_decided_check_none_that_failed_and_none_undecided_that_failed_before(
    checks: list[Check],
) -> None:
    counted = [one for one in checks if one.severity != "Info"]
    fine = (
        all(one.verdict != "Failed" for one in counted)
        and not any(one.verdict == "Unknown" and one.was == "Failed" for one in counted)
        and (not counted or any(one.verdict == "Passed" for one in counted))
    )
    assert (health(SERVING, FRESH, checks)[0] == "Healthy") == fine


@given(CHECKS)
def test_an_undecided_check_is_counted(checks: list[Check]) -> None:
    open_ = sum(one.verdict == "Unknown" for one in checks)
    assert decided(checks) == (f"{len(checks) - open_}/{len(checks)}" if checks else "-")
