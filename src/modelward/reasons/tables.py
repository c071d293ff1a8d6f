"""All tables of reasons, in the order of docs/reasons.md, and the lookup of a condition's reason."""

from __future__ import annotations

from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.calibration import CalibrationReason
from modelward.reasons.checks import CheckReason
from modelward.reasons.collector import CollectorReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.policy import (
    BoundReason,
    BudgetReason,
    DeliveryReason,
    EvaluatorReason,
    HistoryReason,
    PolicyReason,
    ReachableReason,
    RulesReason,
    SamplesReason,
    ScopeReason,
)
from modelward.reasons.reason import Reason, ReasonTable
from modelward.reasons.run import RunReason
from modelward.reasons.scaling import ScalingReason
from modelward.reasons.workload import WorkloadReason

TABLES: tuple[type[ReasonTable], ...] = (
    AcceptedReason,
    WorkloadReason,
    CollectorReason,
    MetricsReason,
    CheckReason,
    ScalingReason,
    PolicyReason,
    BoundReason,
    SamplesReason,
    HistoryReason,
    ScopeReason,
    BudgetReason,
    DeliveryReason,
    EvaluatorReason,
    CalibrationReason,
    ReachableReason,
    RulesReason,
    RunReason,
)
"""Ready is not among them: it repeats the reason of Accepted or WorkloadReady, whichever is not True."""


def reason_of(condition: str, name: str, kind: str = "LLMEndpoint") -> Reason | None:
    """Return what is known of a condition's reason; Ready is looked up where it comes from."""
    conditions = {"Accepted", "WorkloadReady"} if condition == "Ready" else {condition}
    of_kind = (table for table in TABLES if table.kind == kind and conditions & {*table.conditions})
    return next((reason for table in of_kind for reason in table.reasons if reason == name), None)
