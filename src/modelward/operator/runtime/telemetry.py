"""What the operator reports about itself: metrics under the names of Kubernetes controllers, and log lines."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

RECONCILE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
QUEUE_BUCKETS = (0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1000)


class Telemetry:
    """The metric objects, in a registry of their own; other parts may register theirs in it.

    Names: sigs.k8s.io/controller-runtime pkg/internal/controller/metrics, pkg/metrics/workqueue.go, client-go.
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
        self.queue_depth = gauge("workqueue_depth", "Keys that are due and wait", "name")
        self.queue_adds = counter("workqueue_adds", "Keys added", "name")
        self.queue_retries = counter("workqueue_retries", "Keys added again after a failure", "name")
        self.queue_duration = histogram(
            "workqueue_queue_duration_seconds", "Seconds a due key waited", QUEUE_BUCKETS, "name"
        )
        self.queue_work = histogram(
            "workqueue_work_duration_seconds", "Seconds a key was worked on", QUEUE_BUCKETS, "name"
        )
        self.longest_running = gauge("workqueue_longest_running_processor_seconds", "Age of the oldest work under way")
        self.unfinished = gauge("workqueue_unfinished_work_seconds", "Summed age of the work under way")
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
        self.hints_restarts = counter("modelward_hints_restarts", "Restarts of the watch, by what ended it", "reason")

    def observe_request(self, method: str, code: str) -> None:
        """Count one request to the API server."""
        self.requests.labels(method=method, code=code).inc()

    def observe_queue(self, lane: str, depth: Callable[[], float]) -> None:
        """Let the depth of a lane be read at a scrape."""
        self.queue_depth.labels(name=lane).set_function(depth)

    def observe_workers(self, ages: Callable[[], Sequence[float]]) -> None:
        """Let the ages (seconds) of the work under way be read at a scrape."""
        self.longest_running.set_function(lambda: max(ages(), default=0.0))
        self.unfinished.set_function(lambda: sum(ages()))

    def observe_hints(self, kind: str, age: Callable[[], float | None]) -> None:
        """Let the age of the last hint of a kind be read at a scrape; NaN while there was none."""
        self.hint_age.labels(kind=kind).set_function(lambda: float("nan") if (value := age()) is None else value)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Iterable[float], *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=tuple(buckets))


_ESCAPED = {
    code: chr(code).encode("unicode_escape").decode() for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}
"""What ends a line or moves the cursor: C0 and C1 controls, and Unicode's line and paragraph separators."""


class TextFormatter(logging.Formatter):
    """One line: time, level, logger, message; control characters in it are escaped, only tracebacks span lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        message = record.getMessage().translate(_ESCAPED)
        line = f"{_time(record)} {record.levelname} {record.name} {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object on one line, the traceback in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        entry = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(style: Literal["text", "json"], level: str) -> None:
    """Log to standard error in one of two styles; libraries only from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in ("kopf", "aiohttp", "asyncio", "kubernetes"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # At each start it warns that signals are not its own to handle, which is as we want it.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
