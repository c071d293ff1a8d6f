"""The series of error budgets: what each objective counted, and what it may miss, for rules of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import PPM, duration_ms
from modelward.desired.alert_way import way_of_check
from modelward.desired.monitoring_plan import BoundObjective
from modelward.operator.observe.objective_ledger import ObjectiveKey, ObjectiveLedger
from modelward.status.objective_events import allowance_ppm


@dataclass(frozen=True, slots=True)
class _Asked:
    objective: PolicyObjective
    via: str


class ObjectiveMetrics(Collector):
    """Rendered from the ledger as it is at a scrape: no series outlives its endpoint, policy or objective."""

    def __init__(self, registry: CollectorRegistry, ledger: ObjectiveLedger) -> None:
        self._ledger = ledger
        self._asked: dict[tuple[str, str], dict[ObjectiveKey, _Asked]] = {}
        registry.register(self)

    def endpoint(self, namespace: str, name: str, asked: Iterable[BoundObjective], ways: Mapping[str, str]) -> None:
        """Remember the objectives asked of an endpoint; `ways` says by policy which way its alerts go out."""
        self._asked[namespace, name] = {
            (one.policy, one.objective.name): _Asked(
                one.objective, way_of_check(ways.get(one.policy, ""), one.objective.severity)
            )
            for one in asked
        }

    def forget(self, namespace: str, name: str) -> None:
        """Drop the series of an endpoint that is gone."""
        self._asked.pop((namespace, name), None)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the families; called by prometheus_client for each scrape, in a thread of its own."""
        events = CounterMetricFamily(
            "modelward_objective_events", "Requests that an objective is about", labels=_LABELS
        )
        bad = CounterMetricFamily(
            "modelward_objective_bad", "Requests that it is about, over its bound", labels=_LABELS
        )
        ratio, period, least = (GaugeMetricFamily(name, text, labels=[*_LABELS, "via"]) for name, text in _GAUGES)
        for (namespace, name), asked in tuple(self._asked.items()):
            counted = self._ledger.of(f"{namespace}/{name}")
            for key, one in asked.items():
                values = [namespace, name, *key]
                if key in counted:
                    events.add_metric(values, counted[key].events)
                    bad.add_metric(values, counted[key].bad)
                if one.objective.budget is not None:
                    ratio.add_metric([*values, one.via], allowance_ppm(one.objective) / PPM)
                    period.add_metric([*values, one.via], duration_ms(one.objective.budget.period) / 1_000)
                    least.add_metric([*values, one.via], one.objective.min_requests)
        yield from (events, bad, ratio, period, least)


_LABELS = ["namespace", "endpoint", "policy", "objective"]
_GAUGES = (
    ("modelward_objective_budget_ratio", "Share of requests that may be over the bound, 0 to 1"),
    ("modelward_objective_period_seconds", "What the objective's error budget is for"),
    ("modelward_objective_min_events", "Fewest requests of a window for an alert"),
)
