"""What the operator reports about itself: metrics under the names of Kubernetes controllers, which dashboards know."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

RECONCILE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
QUEUE_BUCKETS = (0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1000)


class QueueMetrics:
    """Numbers of the work queue: how much waits, how long, and whether a key is stuck.

    Names: sigs.k8s.io/controller-runtime pkg/metrics/workqueue.go.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        by = ("name",)
        self._depth = Gauge("workqueue_depth", "Keys that are due and wait", by, registry=registry)
        self.adds = Counter("workqueue_adds", "Keys added", by, registry=registry)
        self.retries = Counter("workqueue_retries", "Keys added again after a failure", by, registry=registry)
        self.waited = Histogram(
            "workqueue_queue_duration_seconds", "Seconds a due key waited", by,
            registry=registry, buckets=QUEUE_BUCKETS,
        )  # fmt: skip
        self.worked = Histogram(
            "workqueue_work_duration_seconds", "Seconds a key was worked on", by,
            registry=registry, buckets=QUEUE_BUCKETS,
        )  # fmt: skip
        self._oldest = Gauge(
            "workqueue_longest_running_processor_seconds", "Age of the oldest work under way", registry=registry
        )
        self._unfinished = Gauge(
            "workqueue_unfinished_work_seconds", "Summed age of the work under way", registry=registry
        )

    def observe_depth(self, lane: str, depth: Callable[[], float]) -> None:
        """Let the depth of a lane be read at a scrape."""
        self._depth.labels(name=lane).set_function(depth)

    def observe_workers(self, ages: Callable[[], Sequence[float]]) -> None:
        """Let the ages (seconds) of the work under way be read at a scrape."""
        self._oldest.set_function(lambda: max(ages(), default=0.0))
        self._unfinished.set_function(lambda: sum(ages()))


class Telemetry:
    """The metric objects, in a registry of their own; other parts may register theirs in it.

    Names: sigs.k8s.io/controller-runtime pkg/internal/controller/metrics, client-go.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        by = "controller"
        self.reconciles = counter("controller_runtime_reconcile", "Reconciliations by result", by, "result")
        self.reconcile_errors = counter("controller_runtime_reconcile_errors", "Reconciliations that failed", by)
        self.terminal_errors = counter("controller_runtime_terminal_reconcile_errors", "Always 0: all is retried", by)
        self.reconcile_timeouts = counter("controller_runtime_reconcile_timeouts", "Cut off at their deadline", by)
        self.reconcile_time = histogram(
            "controller_runtime_reconcile_time_seconds", "Length of a reconciliation", RECONCILE_BUCKETS, by
        )
        self.workers_active = gauge("controller_runtime_active_workers", "Workers that are busy", by)
        self.workers_max = gauge("controller_runtime_max_concurrent_reconciles", "Workers there are", by)
        self.queue = QueueMetrics(self.registry)
        self.requests = counter("rest_client_requests", "Requests to the API server", "method", "code")
        self.leader = gauge("leader_election_master_status", "1 while this process leads", "name")
        self.hint_age = gauge("watch_last_event_age_seconds", "Seconds since the watch brought anything", "kind")
        self.relists = counter("relist", "Sweeps over all objects of a kind", "kind")
        self.drift = counter("modelward_store_drift", "What resyncs repaired because the watch missed it", "kind")
        self.sweep_errors = counter("modelward_sweep_errors", "Sweeps that failed", "kind")
        self.namespace_refused = gauge(
            "modelward_namespace_refused",
            "1 while the API server lets us list nothing of a watched namespace",
            "namespace",
        )
        self.hints = counter("modelward_hints", "Events that the watch brought", "kind")
        self.hub_rows_skipped = counter(
            "modelward_hub_rows_skipped",
            "Rows of the hub's answers that were left out: unreadable, future (of a time to come), share (too many)",
            "reason",
        )
        self.history_rows_dropped = counter(
            "modelward_history_rows_dropped",
            "Rows of history that never reach the hub: late (away for an hour), full (too much waits), off (none is "
            "kept), refused, rejected (of another time)",
            "reason",
        )
        self.hints_restarts = counter("modelward_hints_restarts", "Restarts of the watch, by what ended it", "reason")

    def observe_request(self, method: str, code: str) -> None:
        """Count one request to the API server."""
        self.requests.labels(method=method, code=code).inc()

    def observe_hints(self, kind: str, age: Callable[[], float | None]) -> None:
        """Let the age of the last hint of a kind be read at a scrape; NaN while there was none."""
        self.hint_age.labels(kind=kind).set_function(lambda: float("nan") if (value := age()) is None else value)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Iterable[float], *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=tuple(buckets))
