"""Which way alerts go that are about an endpoint itself or a budget of money, and not about a check of one policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelward.alerts.kinds import ALERT_KINDS
from modelward.alerts.routing import routing_of
from modelward.api.alerts import AlertWay
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.desired.alert_way import way_of

OF_ENDPOINT = ("NotReady", "Unwatched", "TrafficUnseen", "ScalingStuck")


def way_of_money(policy: MonitoringPolicy) -> AlertWay:
    """Return the way of a budget of money: where no route leads OverBudget to a receiver, the chart's rules tell."""
    way, alerts = way_of(policy), policy.spec.alerts
    if way != "Direct" or alerts is None:
        return way
    routes = routing_of(policy.metadata.name, alerts).of("OverBudget", ALERT_KINDS["OverBudget"].severity)
    return "Direct" if any(True for _ in routes) else "Chart"


def endpoint_ways(policies: Iterable[MonitoringPolicy]) -> Mapping[str, AlertWay]:
    """Return the way of each of them: Direct where a route of some policy leads to a receiver, else Chart.

    A PrometheusRule of a policy has only the policy's own checks.
    """
    routings = [
        routing_of(one.metadata.name, one.spec.alerts)
        for one in policies
        if one.spec.alerts is not None and way_of(one) == "Direct"
    ]
    told = {
        name for name in OF_ENDPOINT if any(True for one in routings for _ in one.of(name, ALERT_KINDS[name].severity))
    }
    return {name: "Direct" if name in told else "Chart" for name in OF_ENDPOINT}
