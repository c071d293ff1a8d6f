"""The admin port: metrics, drain and probes, apart from the traffic and served by the supervisor."""

from __future__ import annotations

import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from modelward.collector.rendering import CONTENT_TYPE

log = logging.getLogger("modelward.collector.admin")

_THREADS = 64
_TEXT = "text/plain; charset=utf-8"


class Supervised(Protocol):
    """What the admin port reports, and what it can request."""

    @property
    def ready(self) -> bool:
        """Whether the data plane runs."""

    @property
    def drain_seconds(self) -> float:
        """How long a drain may take."""

    def metrics(self) -> str:
        """Return the metrics page."""

    def drain(self, seconds: float) -> bool:
        """Wait until nothing is in flight; return whether that came to be."""


class _BoundedServer(ThreadingHTTPServer):
    """A thread for each request, and so many at most: whoever reaches the port must not use up the collector."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._free = threading.Semaphore(_THREADS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


class AdminServer:
    """Serves `/metrics`, `/drain`, `/healthz` and `/readyz`, each request in a thread of its own."""

    def __init__(self, address: tuple[str, int], supervisor: Supervised) -> None:
        class Server(_BoundedServer):
            address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET

        class Bound(_Handler):
            pass

        Bound.supervisor = supervisor
        self._server = Server(address, Bound)

    def start(self) -> None:
        """Begin to serve."""
        threading.Thread(target=self._server.serve_forever, name="admin", daemon=True).start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    supervisor: Supervised
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, self.supervisor.metrics(), CONTENT_TYPE)
        elif path == "/healthz":
            self._answer(200, "ok\n")
        elif path == "/readyz":
            ready = self.supervisor.ready
            self._answer(200 if ready else 503, "ready\n" if ready else "the data plane does not run\n")
        elif path == "/drain":
            self._drain()
        else:
            self._answer(404, "paths: /metrics /drain /healthz /readyz\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        log.debug(format, *args)

    def _drain(self) -> None:
        seconds = self.supervisor.drain_seconds
        done = self.supervisor.drain(seconds)
        self._answer(200, "nothing is in flight\n" if done else f"requests are still in flight after {seconds:g} s\n")

    def _answer(self, code: int, text: str, kind: str = _TEXT) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
