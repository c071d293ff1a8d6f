"""The PrometheusRule of one policy, for teams whose own Prometheus, or whose own routes, take their alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired import names
from modelward.desired.ownership import owner_references
from modelward.desired.rules.budget_rules import budget_groups
from modelward.desired.rules.check_rules import check_group
from modelward.desired.rules.rule import RuleScope

_API_VERSION = "monitoring.coreos.com/v1"


def rule_name(policy: str) -> str:
    """Return the name of a policy's PrometheusRule."""
    return f"modelward-{policy}"


def prometheus_rule(policy: MonitoringPolicy, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the object; `labels` are those by which the installation's Prometheus finds rules.

    It goes with its policy.
    """
    about = policy.metadata
    scope = RuleScope(about.namespace, about.name)
    references = owner_references(about, "MonitoringPolicy")
    return {
        "apiVersion": _API_VERSION,
        "kind": "PrometheusRule",
        "metadata": {
            "name": rule_name(about.name),
            "namespace": about.namespace,
            "labels": {**labels, names.MANAGED_BY: "modelward"},
            **({"ownerReferences": references} if references else {}),
        },
        "spec": {"groups": [*budget_groups(scope), check_group(scope)]},
    }
