"""What judges spend, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from modelward.operator.hub.budgets import BudgetFeed


class BudgetMetrics(Collector):
    """Rendered from the hub's ledgers as they are at a scrape: no series outlives its policy."""

    def __init__(self, registry: CollectorRegistry, budgets: BudgetFeed) -> None:
        self._budgets = budgets
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the families; called by prometheus_client for each scrape, in a thread of its own."""
        labels = ["namespace", "policy"]
        spent = CounterMetricFamily(
            "modelward_judge_tokens",
            "Tokens that judges spent, of policies with a budget",
            labels=[*labels, "evaluator"],
        )
        remaining = GaugeMetricFamily(
            "modelward_judge_budget_remaining_tokens", "Tokens that the UTC day still has for judges", labels=labels
        )
        limits = self._budgets.limits
        for (namespace, policy), state in tuple(self._budgets.states.items()):
            for evaluator, tokens in state.evaluators.items():
                spent.add_metric([namespace, policy, evaluator], tokens)
            known = limits.get((namespace, policy))
            if known is not None and known.tokens is not None:
                left = 0 if state.lost else max(0, known.tokens - state.spend.tokens)
                remaining.add_metric([namespace, policy], left)
        yield from (spent, remaining)
