"""From verdicts to what alerts hear of them. The operator and the preview of a policy take the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelward.alerts.episode import AlertInput, AlertVerdict
from modelward.alerts.kinds import ALERT_KINDS
from modelward.alerts.routing import Routing
from modelward.api.base import Severity
from modelward.api.check_status import ErrorBudgetStatus
from modelward.reasons.checks import CheckReason
from modelward.status.checks import Check

_BURNS: Mapping[str, AlertVerdict] = {"Fast": "Failed", "Slow": "Failed", "No": "Passed"}


def input_of_check(check: Check) -> AlertInput:
    """Return what the alert of an objective or evaluation hears: what samples say now, not the verdict that stands."""
    kind = "Objective" if check.concern == "Objectives" else "Check"
    verdict: AlertVerdict = check.found_verdict
    if verdict == "Unknown" and check.found_reason == CheckReason.NEAR_THRESHOLD:
        verdict = "NearThreshold"
    reason, what = str(check.found_reason), check.evidence[:256]
    return AlertInput(check.policy, f"{kind}/{check.name}", verdict, check.severity, reason, what)


def inputs_of_check(check: Check, routing: Routing) -> Iterator[AlertInput]:
    """Yield the same, and CheckUndecided where the policy asks for it."""
    heard = input_of_check(check)
    yield heard
    undecided = f"CheckUndecided/{check.name}"
    if check.severity != "Info" and any(routing.of(undecided, "Warning")):
        paused = check.found_reason == CheckReason.POLICY_PAUSED
        open_: AlertVerdict = "Failed" if check.verdict == "Unknown" else "Passed"
        for_ms = ALERT_KINDS["CheckUndecided"].for_ms
        told: AlertVerdict = "Unknown" if paused else open_
        yield AlertInput(check.policy, undecided, told, "Warning", heard.reason, heard.what, for_ms)


def input_of_budget(row: ErrorBudgetStatus) -> AlertInput:
    """Return what the alert of an error budget hears: a fast burn is critical, a slow one a warning."""
    verdict: AlertVerdict = _BURNS.get(row.burning, "Unknown")
    severity: Severity = "Critical" if row.burning == "Fast" else "Warning"
    reason = f"Burns{row.burning}" if verdict == "Failed" else str(CheckReason.TOO_FEW_SAMPLES)
    what = f"{row.objective}: {row.message or row.burning}"
    return AlertInput(row.policy, f"BudgetBurn/{row.objective}", verdict, severity, reason, what[:256])
