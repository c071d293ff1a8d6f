"""Which way the alerts of a policy go out, so that none of them goes two ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from modelward.api.base import Severity
from modelward.api.monitoringpolicy import MonitoringPolicy

AlertWay = Literal["Chart", "Direct", "Policy"]
NOT_TOLD = "None"
"""The way of a check of severity Info, of which no alert tells."""


def way_of(policy: MonitoringPolicy) -> AlertWay:
    """Return the way that holds for a policy.

    Chart: the rules of the installation's chart. Direct: receivers of its own. Policy: its own PrometheusRule.
    """
    del policy
    return "Chart"


def way_of_check(way: str, severity: Severity) -> str:
    """Return the label `via` of a check's series."""
    return NOT_TOLD if severity == "Info" else way


def way_of_endpoint(ways: Iterable[str]) -> AlertWay:
    """Return which way alerts go that are about an endpoint itself, by the ways of its policies.

    One with receivers of its own tells of its endpoints too; a PrometheusRule of a policy has only the policy's checks.
    """
    return "Direct" if "Direct" in ways else "Chart"
