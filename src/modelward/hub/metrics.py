"""The hub's own numbers, in a registry of their own so that two hubs can live in one process."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class HubMetrics:
    """Counters and gauges of one hub; no label carries an endpoint: there may be thousands."""

    def __init__(self, buffered_bytes: Callable[[], float], objects: Callable[[], float]) -> None:
        """Register all; the two functions are read at each scrape."""
        self.registry = CollectorRegistry()
        self.exchanges = Counter(
            "modelward_hub_exchanges", "Exchanges posted, by what became of them", ["result"], registry=self.registry
        )
        self.received_bytes = Counter(
            "modelward_hub_received_bytes", "Compressed bytes of exchanges received", registry=self.registry
        )
        self.requests = Counter(
            "modelward_hub_requests", "API requests by action and status", ["action", "code"], registry=self.registry
        )
        self.errors = Counter("modelward_hub_errors", "Errors by their code", ["code"], registry=self.registry)
        self.results = Counter("modelward_hub_results", "Window results stored", registry=self.registry)
        self.refused = Counter(
            "modelward_hub_connections_refused",
            "Connections closed because there are too many (limit) or no descriptors left (descriptors)",
            ["reason"],
            registry=self.registry,
        )
        self.damaged = Counter(
            "modelward_hub_damaged", "Stored objects and rows found damaged, by kind", ["kind"], registry=self.registry
        )
        self.sweep_deleted = Counter(
            "modelward_hub_sweep_deleted_objects", "Objects deleted because too old", registry=self.registry
        )
        self.purged = Counter(
            "modelward_hub_purged_exchanges",
            "Exchanges deleted because a rule or an erasure forbids them",
            registry=self.registry,
        )
        self.trimmed = Counter(
            "modelward_hub_share_deleted_exchanges",
            "Exchanges deleted before their time because their namespace had more than its share",
            registry=self.registry,
        )
        self.store_seconds = Histogram(
            "modelward_hub_store_seconds", "Time until posted exchanges are stored", registry=self.registry
        )
        Gauge("modelward_hub_buffered_bytes", "Bytes that wait to be stored", registry=self.registry).set_function(
            buffered_bytes
        )
        Gauge("modelward_hub_objects", "Objects of exchanges in the store", registry=self.registry).set_function(
            objects
        )

    def render(self) -> bytes:
        """Return the Prometheus text."""
        return generate_latest(self.registry)
