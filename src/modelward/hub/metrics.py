"""The hub's own numbers, in a registry of their own so that two hubs can live in one process."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class HubMetrics:
    """Counters and gauges of one hub; no label carries an endpoint: there may be thousands."""

    def __init__(self, buffered_bytes: Callable[[], float], objects: Callable[[], float]) -> None:
        """Register all; the two functions are read at each scrape."""
        self.registry = CollectorRegistry()
        counter = self._counter
        self.exchanges = counter("modelward_hub_exchanges", "Exchanges posted, by what became of them", "result")
        self.received_bytes = counter("modelward_hub_received_bytes", "Compressed bytes of exchanges received")
        self.requests = counter("modelward_hub_requests", "API requests by action and status", "action", "code")
        self.errors = counter("modelward_hub_errors", "Errors by their code", "code")
        self.results = counter("modelward_hub_results", "Window results stored")
        self.scores = counter("modelward_hub_scores", "Scores of exchanges posted, by what became of them", "result")
        self.refused = counter(
            "modelward_hub_connections_refused",
            "Connections closed because there are too many (limit) or no descriptors left (descriptors)",
            "reason",
        )
        self.damaged = counter("modelward_hub_damaged", "Stored objects and rows found damaged, by kind", "kind")
        self.sweep_deleted = counter("modelward_hub_sweep_deleted_objects", "Objects deleted because too old")
        self.purged = counter(
            "modelward_hub_purged_exchanges", "Exchanges deleted because a rule or an erasure forbids them"
        )
        self.gone_namespaces = counter(
            "modelward_hub_erased_namespaces", "Namespaces erased because the cluster has them no longer"
        )
        self.trimmed = counter(
            "modelward_hub_share_deleted_exchanges",
            "Exchanges deleted before their time because their namespace had more than its share",
        )
        self.history_rows = counter(
            "modelward_hub_history_rows", "Rows of history put, by what became of them", "result"
        )
        self.history_trimmed = counter(
            "modelward_hub_history_share_deleted_bytes",
            "Bytes of history deleted before their time because their namespace had more than its share",
        )
        self._history_state = Gauge(
            "modelward_hub_history_state", "1 for the state that the history is in", ["state"], registry=self.registry
        )
        self.store_seconds = Histogram(
            "modelward_hub_store_seconds", "Time until posted exchanges are stored", registry=self.registry
        )
        self._gauge("modelward_hub_buffered_bytes", "Bytes that wait to be stored").set_function(buffered_bytes)
        self._gauge("modelward_hub_objects", "Objects of exchanges in the store").set_function(objects)

    def render(self) -> bytes:
        """Return the Prometheus text."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def show_history_state(self, state: str) -> None:
        """Show which state the history is in."""
        self._history_state.clear()
        self._history_state.labels(state).set(1)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)
