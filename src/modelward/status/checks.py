"""Objectives and evaluations as one list of checks, and the conditions and health that follow from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from modelward.api.base import Severity, VerdictValue
from modelward.api.llmendpoint import Health
from modelward.reasons.checks import CheckReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState
from modelward.status.error_rates import Unserved

Concern = Literal["Objectives", "Quality", "Safety"]
CONDITION: dict[Concern, str] = {
    "Objectives": "ObjectivesMet",
    "Quality": "QualityHealthy",
    "Safety": "SafetyHealthy",
}


_SOME_METRICS = frozenset({MetricsReason.PARTIAL_PODS, MetricsReason.PARTIAL_SIGNALS})
"""Not all that was expected, but numbers of requests there are; each check says itself what it misses."""


@dataclass(frozen=True, slots=True)
class Check:
    """One objective or evaluation with its verdict; `message` is the evidence in a few words.

    `was` is what an undecided check was when samples last decided it.
    """

    policy: str
    name: str
    concern: Concern
    severity: Severity
    verdict: VerdictValue
    reason: Reason
    message: str = ""
    was: str = ""
    found_verdict: VerdictValue = "Unknown"
    """What samples say by themselves, of which `verdict` is what stands."""
    found_reason: Reason = CheckReason.NOT_YET_DECIDED

    @property
    def evidence(self) -> str:
        """The check's name and what it found, as it stands in WHY."""
        return f"{self.name} {self.message}".strip()


def condition(concern: Concern, checks: Iterable[Check]) -> ConditionState:
    """Return the concern's condition: False as soon as one check failed, True only when all are decided and good.

    Checks of severity Info are reported in status but move no condition.
    """
    kind = CONDITION[concern]
    counted = [check for check in checks if check.concern == concern and check.severity != "Info"]
    failed = [check for check in counted if check.verdict == "Failed"]
    open_ = [check for check in counted if check.verdict == "Unknown"]
    if not counted:
        return ConditionState(kind, "Unknown", CheckReason.NOTHING_TO_CHECK, "no policy asks for this")
    if failed:
        return ConditionState(kind, "False", failed[0].reason, "; ".join(check.evidence for check in failed))
    if open_:
        return ConditionState(kind, "Unknown", open_[0].reason, "; ".join(check.evidence for check in open_))
    return ConditionState(kind, "True", CheckReason.PASSED, "; ".join(check.evidence for check in counted))


def decided(checks: Iterable[Check]) -> str:
    """Return `decided/total`, so that a healthy endpoint with open checks does not look fully checked."""
    every = list(checks)
    return f"{sum(check.verdict != 'Unknown' for check in every)}/{len(every)}" if every else "-"


def health(
    workload: ConditionState, metrics: ConditionState, checks: Iterable[Check], unserved: Unserved | None = None
) -> tuple[Health, str]:
    """Return health and the reason for it in one line.

    Unhealthy: not serving, or a Critical check failed. Degraded: a Warning one failed. Unknown: no request metrics, a
    check that failed is undecided now, or not one check is decided. Checks of severity Info move nothing. While
    requests come and none succeeds it is Degraded where the endpoint failed one, Unknown where only the callers did.
    """
    every = list(checks)
    counted = [check for check in every if check.severity != "Info"]
    failed = [check for check in counted if check.verdict == "Failed"]
    critical = [check for check in failed if check.severity == "Critical"]
    if workload.status != "True":
        return ("Unhealthy" if workload.status == "False" else "Unknown"), workload.message or workload.reason
    if failed:
        return ("Unhealthy", critical[0].evidence) if critical else ("Degraded", failed[0].evidence)
    if metrics.status != "True" and metrics.reason not in _SOME_METRICS:
        return "Unknown", metrics.message or metrics.reason
    if unserved is not None:
        return ("Degraded" if unserved.at_fault else "Unknown"), unserved.message
    if unsure := _unsure(counted):
        return "Unknown", f"{unsure.name}: {unsure.message or unsure.reason}"
    return "Healthy", _calm(every)


def _unsure(counted: list[Check]) -> Check | None:
    """Return the check that rules out Healthy: one that failed before, or the first where none is decided."""
    undecided = [check for check in counted if check.verdict == "Unknown"]
    failed_before = next((check for check in undecided if check.was == "Failed"), None)
    return failed_before or (undecided[0] if undecided and len(undecided) == len(counted) else None)


def _calm(checks: list[Check]) -> str:
    if not checks:
        return "serving; no policy watches it"
    waiting = [check for check in checks if check.verdict == "Unknown"]
    if not waiting:
        return "all checks passed"
    return f"{waiting[0].name}: {waiting[0].message or waiting[0].reason}"
