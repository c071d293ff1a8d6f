"""What endpoints cost, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from modelward.api.budget import COST_UNITS
from modelward.operator.observe.cost_ledger import CostLedger
from modelward.operator.observe.spend_book import SpendBook


class CostMetrics(Collector):
    """Rendered from the ledger as it is at a scrape: no series outlives its endpoint."""

    def __init__(self, registry: CollectorRegistry, ledger: CostLedger) -> None:
        self._ledger = ledger
        self._shown: set[str] = set()
        registry.register(self)

    def endpoint(self, namespace: str, name: str) -> None:
        """Export what an endpoint costs from now on."""
        self._shown.add(f"{namespace}/{name}")

    def forget(self, namespace: str, name: str) -> None:
        """Export nothing more of an endpoint."""
        self._shown.discard(f"{namespace}/{name}")

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the families; called by prometheus_client for each scrape, in a thread of its own."""
        labels = ["namespace", "endpoint", "model"]
        cost = CounterMetricFamily(
            "modelward_cost",
            "What tokens cost, at the price of each moment, in units of the currency",
            labels=[*labels, "currency"],
        )
        unpriced = CounterMetricFamily(
            "modelward_unpriced_tokens", "Tokens of models without a price, which are in no cost", labels=labels
        )
        for endpoint, known in self._ledger.endpoints():
            if endpoint not in self._shown:
                continue
            namespace, _, name = endpoint.partition("/")
            for (model, currency), units in tuple(known.costs.items()):
                cost.add_metric([namespace, name, model, currency], units / COST_UNITS)
            for model, tokens in tuple(known.unpriced.items()):
                unpriced.add_metric([namespace, name, model], tokens)
        yield from (cost, unpriced)


class SpendMetrics(Collector):
    """What policies with a budget of money have spent; no series outlives its policy."""

    def __init__(self, registry: CollectorRegistry, book: SpendBook) -> None:
        self._book = book
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families; called by prometheus_client for each scrape, in a thread of its own."""
        labels = ["namespace", "policy", "period", "currency"]
        spent = GaugeMetricFamily(
            "modelward_spend", "What the endpoints of a policy cost in the UTC day or month so far", labels=labels
        )
        limit = GaugeMetricFamily(
            "modelward_spend_limit",
            "What they should not cost more than, by the policy's budget",
            labels=[*labels, "via"],
        )
        for (namespace, policy), account in self._book.known():
            for period, most in account.limits:
                values = [namespace, policy, period, account.spending.currency]
                spent.add_metric(values, account.spending.of(period) / COST_UNITS)
                limit.add_metric([*values, account.via], most / COST_UNITS)
        yield from (spent, limit)
