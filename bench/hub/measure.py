"""What one namespace can make the hub spend: memory and CPU, before and after each kind of abuse, as JSON.

    python bench/hub/measure.py > hub.json

Real hubs with TLS and tokens on loopback, a process each; about a minute. Before the bounds of docs/hub.md the same
took 272 MB and 4 s of CPU (`small_good`, a post of 2 KB), 25 s of CPU (`small_empty`, 6 KB), 326 MB (`unfinished`),
575 MB and an answer of 108 MB to the operator (`results`), and 275 MB (`silent`).
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import zstandard
from hub_process import HubProcess, insecure

UPLOADS, UPLOAD_BYTES, SENT_BYTES = 40, 8_388_000, 7_900_000
RESULTS, RESULT_BYTES = 120, 900_000
SILENT = 1_000


def exchange(number: int) -> bytes:
    """Return one small exchange as a line."""
    row = {
        "id": f"e{number}", "time_ms": int(time.time() * 1_000), "endpoint": "loud/chat", "model": "m", "revision": "r",
        "operation": "chat", "status": 200, "outcome": "ok", "content": "Redacted", "timings": {"duration_ms": 5.0},
    }  # fmt: skip
    return json.dumps(row).encode() + b"\n"


def post(hub: HubProcess, lines: bytes) -> dict[str, Any]:
    """Post lines as zstd; return how many bytes that were and what came back."""
    body = zstandard.ZstdCompressor(level=3).compress(lines)
    status, _ = hub.ask("POST", "/v1/exchanges", "workload", body, "zstd")
    return {"wire_bytes": len(body), "status": status}


def small_good(hub: HubProcess) -> dict[str, Any]:
    """Post 100,000 exchanges that are alike."""
    return post(hub, exchange(1) * 100_000)


def small_empty(hub: HubProcess) -> dict[str, Any]:
    """Post 22 million lines that are no exchanges."""
    return post(hub, b"{}\n" * ((64 << 20) // 3 - 10))


def unfinished(hub: HubProcess) -> dict[str, Any]:
    """Begin uploads of 8 MB and end none."""
    held = [_begun(hub) for _ in range(UPLOADS)]
    time.sleep(1)
    reads = _other_reads(hub)
    refused = sum(_has_answer(one) for one in held)
    found = {"uploads": UPLOADS, "answered_before_their_end": refused, "other_post_s": reads, "rss_mb": hub.rss_mb()}
    for one in held:
        one.close()
    return found


def results(hub: HubProcess) -> dict[str, Any]:
    """Put large results of windows in the year 2077 and of now."""
    now_ms = int(time.time() * 1_000)
    taken = 0
    for number in range(RESULTS):
        to_ms = 3_400_000_000_000 if number % 2 else now_ms
        row = {
            "namespace": "loud", "endpoint": "chat", "policy": "p", "evaluation": "e", "from_ms": number,
            "to_ms": to_ms, "run": "r", "evaluator": {"name": "n", "version": "1"}, "revisions": {}, "examples": {},
            "reason": "x" * RESULT_BYTES,
        }  # fmt: skip
        path = f"/v1/results/loud/chat/p/e/{number:013d}-{to_ms:013d}"
        taken += hub.ask("PUT", path, "evaluator", json.dumps(row).encode())[0] == 204
    _, answer = hub.ask("GET", "/v1/results", "operator")
    return {"put": RESULTS, "taken": taken, "operator_reads_bytes": len(answer)}


def silent(hub: HubProcess) -> dict[str, Any]:
    """Open TLS connections and say nothing."""
    context, held = insecure(), []
    for _ in range(SILENT):
        raw = socket.create_connection(("127.0.0.1", hub.port), 10)
        held.append(context.wrap_socket(raw))
    found = {"connections": SILENT, "other_post_s": _other_reads(hub), "rss_mb": hub.rss_mb()}
    for one in held:
        one.close()
    return found


def _begun(hub: HubProcess) -> socket.socket:
    upload = insecure().wrap_socket(socket.create_connection(("127.0.0.1", hub.port), 10))
    token = hub.info["tokens"]["workload"]
    head = f"POST /v1/exchanges HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n"
    try:
        upload.sendall(f"{head}Content-Length: {UPLOAD_BYTES}\r\n\r\n".encode())
        upload.sendall(b"x" * SENT_BYTES)
    except OSError:  # refused before its end
        pass
    return upload


def _has_answer(upload: socket.socket) -> bool:
    upload.settimeout(0.05)
    try:
        return bool(upload.recv(1))
    except TimeoutError:
        return False
    except OSError:
        return True


def _other_reads(hub: HubProcess) -> float:
    """Return how long a post of another namespace takes, in seconds; it waits up to a second for the group commit."""
    begun = time.monotonic()
    line = exchange(1).replace(b"loud/", b"quiet/")
    status, _ = hub.ask("POST", "/v1/exchanges", "other", line)
    return round(time.monotonic() - begun, 3) if status == 202 else -1.0


def measured(abuse: Callable[[HubProcess], dict[str, Any]]) -> dict[str, Any]:
    """Run one abuse against a hub of its own."""
    with TemporaryDirectory(prefix="modelward-hub-") as folder:
        hub = HubProcess(Path(folder))
        try:
            hub.ask("POST", "/v1/exchanges", "other", exchange(1).replace(b"loud/", b"quiet/"))
            rss, cpu = hub.rss_mb(), hub.cpu_s()
            found = abuse(hub)
            after = found.pop("rss_mb", hub.rss_mb())
            cost = {"rss_before_mb": round(rss, 1), "rss_grows_mb": round(after - rss, 1)}
            return found | cost | {"cpu_s": round(hub.cpu_s() - cpu, 2)}
        finally:
            hub.stop()


if __name__ == "__main__":
    abuses = (small_good, small_empty, unfinished, results, silent)
    print(json.dumps({abuse.__name__: measured(abuse) for abuse in abuses}, indent=2))
