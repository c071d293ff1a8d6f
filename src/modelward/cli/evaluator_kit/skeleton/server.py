"""Serves evaluator.py by the contract score/v1: GET /v1/manifest and POST /v1/score. Nothing to change here.

It needs Python alone. PORT is 18090 where Modelward runs it as a container. With SIGNING_KEY set, as behind a webhook,
it takes only requests that are signed with it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import evaluator

CONTRACT = "score/v1"
MAX_BYTES = 1_000_000
OLDEST_S = 300
SIGNING_KEY = os.environ.get("SIGNING_KEY", "")


def answer(body: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and reply of a request; a record that cannot be judged fails alone."""
    try:
        asked = json.loads(body)
        records, config = asked["records"], asked.get("config") or {}
        known = asked["contract"] == CONTRACT and all(isinstance(one["id"], str) for one in records)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 400, {"error": "not a request of score/v1"}
    if not known:
        return 400, {"error": f"this serves {CONTRACT}"}
    return 200, {"scores": [_scored(one, config) for one in records]}


def _scored(record: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    try:
        return {**evaluator.score(record, config), "id": record["id"]}
    except Exception as error:
        print(f"record failed: {type(error).__name__}", file=sys.stderr)  # never its text
        return {"id": record["id"], "state": "Failed"}


def signed(header: str, body: bytes, now_s: float) -> bool:
    """Return whether the header is `t=SECONDS,v1=HMAC-SHA256 of SECONDS.BODY`, and not old."""
    if not SIGNING_KEY:
        return True
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    at = parts.get("t", "")
    if not at.isdigit() or abs(now_s - int(at)) > OLDEST_S:
        return False
    wanted = hmac.new(SIGNING_KEY.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts.get("v1", ""))


class ScoreHandler(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Say what this is."""
        manifest = {"contract": CONTRACT, "name": evaluator.NAME, "version": evaluator.VERSION}
        known = self.path == "/v1/manifest"
        self._reply(200 if known else 404, {**manifest, "labels": list(evaluator.LABELS)} if known else {})

    def do_POST(self) -> None:
        """Score some records."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/v1/score" or not 0 < length <= MAX_BYTES:
            self.close_connection = True
            self._reply(404 if self.path != "/v1/score" else 413, {})
            return
        body = self.rfile.read(length)
        if not signed(self.headers.get("Modelward-Signature", ""), body, time.time()):
            self._reply(401, {"error": "Modelward-Signature is missing, wrong or old"})
            return
        self._reply(*answer(body))

    def _reply(self, status: int, reply: dict[str, Any]) -> None:
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        """Keep quiet: Modelward counts requests itself."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # On every address of the pod, because the kubelet asks for the manifest there.
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "18090"))), ScoreHandler).serve_forever()
