"""Which way the alerts of a policy go out, so that none of them goes two ways."""

from __future__ import annotations

from modelward.api.alerts import AlertWay
from modelward.api.base import Severity
from modelward.api.monitoringpolicy import MonitoringPolicy

NOT_TOLD = "None"
"""The way of a check of severity Info, of which no alert tells."""


def way_of(policy: MonitoringPolicy) -> AlertWay:
    """Return the way that holds for a policy.

    Chart: the rules of the installation's chart. Direct: receivers of its own. Policy: its own PrometheusRule.
    """
    alerts = policy.spec.alerts
    if alerts is None:
        return "Chart"
    return alerts.via or ("Direct" if alerts.receivers else "Chart")


def way_of_check(way: str, severity: Severity) -> str:
    """Return the label `via` of a check's series."""
    return NOT_TOLD if severity == "Info" else way
