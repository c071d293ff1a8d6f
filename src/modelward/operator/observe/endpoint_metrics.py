"""What one reconcile of an endpoint tells Prometheus and its history."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry

from modelward.alerts.ways import endpoint_ways
from modelward.api.llmendpoint import LLMEndpointStatus
from modelward.desired.alert_way import way_of
from modelward.desired.monitoring_plan import MonitoringPlan
from modelward.metrics.window import History
from modelward.operator.endpoint.gathered import Gathered
from modelward.operator.minutes.ledger import MinuteLedger
from modelward.operator.minutes.rows import MinuteFacts
from modelward.operator.observe.burn_windows import BurnWindows
from modelward.operator.observe.cost_ledger import CostLedger
from modelward.operator.observe.cost_metrics import CostMetrics, SpendMetrics
from modelward.operator.observe.objective_ledger import ObjectiveLedger
from modelward.operator.observe.objective_metrics import ObjectiveMetrics
from modelward.operator.observe.spend_book import SpendBook
from modelward.operator.observe.verdict_metrics import VerdictMetrics
from modelward.status.checks import Check
from modelward.status.revision import names_of_pods


class EndpointMetrics:
    """The series of all endpoints: of their statuses, objectives and costs; and what goes into their history."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.verdicts = VerdictMetrics(registry)
        self.ledger = ObjectiveLedger()
        self.objectives = ObjectiveMetrics(registry, self.ledger)
        self.burns = BurnWindows()
        self.costs = CostLedger()
        self.cost_metrics = CostMetrics(registry, self.costs)
        self.spend = SpendBook(self.costs)
        self.spend_metrics = SpendMetrics(registry, self.spend)
        self.minutes = MinuteLedger()

    def count(self, known: Gathered, asked: MonitoringPlan, history: History, now_ms: int) -> None:
        """Count what the newest readings add, before anything is decided on it."""
        self.ledger.count(known.key, asked.objectives, history)
        budgeted = [(one.policy, one.objective.name) for one in asked.objectives if one.objective.budget]
        self.burns.note(known.key, self.ledger.of(known.key), budgeted, now_ms)
        self.costs.count(known.key, known.endpoint.spec.prices, history)

    def endpoint(
        self, known: Gathered, asked: MonitoringPlan, status: LLMEndpointStatus, checks: Iterable[Check]
    ) -> None:
        """Remember the newest status of an endpoint, written or not, and what is asked of it.

        Where it is what the endpoint has already, that one is kept: a second copy of each would be memory for nothing.
        """
        about, before = known.endpoint.metadata, known.endpoint.status
        status = before if status == before else status
        applied = {one.name for one in status.applied_policies}
        policies = [one for one in known.policies if one.metadata.name in applied]
        ways, own = {one.metadata.name: way_of(one) for one in policies}, endpoint_ways(policies)
        self.verdicts.endpoint(about.namespace, about.name, status, checks, known.endpoint.spec.prices, ways, own)
        self.cost_metrics.endpoint(about.namespace, about.name)
        self.objectives.endpoint(about.namespace, about.name, asked.objectives, ways)
        revisions = names_of_pods(known.pods, status)
        desired = status.scaling.desired if status.scaling is not None else None
        self.minutes.note(known.key, MinuteFacts(revisions, known.endpoint.spec.prices, status.ready_replicas, desired))

    def fall_silent(self, namespace: str, name: str) -> None:
        """Export nothing of an endpoint that cannot be read any more; what was counted is kept."""
        self.verdicts.forget(namespace, name)
        self.objectives.forget(namespace, name)
        self.cost_metrics.forget(namespace, name)

    def forget(self, namespace: str, name: str) -> None:
        """Drop the series of an endpoint that is gone."""
        self.fall_silent(namespace, name)
        self.ledger.forget(f"{namespace}/{name}")
        self.burns.forget(f"{namespace}/{name}")
        self.costs.forget(f"{namespace}/{name}")
        self.minutes.forget(f"{namespace}/{name}")
