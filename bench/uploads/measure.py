"""What one client's upload costs the others: their latency while 8 MB of each content pass, and the memory of many.

python bench/uploads/measure.py [--tree CHECKOUT] [--out bench/uploads/results.json]

The other client asks for a small JSON answer again and again, from a process of its own, while the upload runs. Written
are its latencies (p50, p99 and longest, ms) during each content, and during nothing, which is what the machine itself
does to it; and the memory that 20 unfinished uploads in 2-byte chunks (875 KB on the wire each) add to the data plane.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import socket
import statistics
import sys
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "proxy"))
from collector_process import Collector, collector, model_server

MB = 1 << 20
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
SMALL = b'POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 13\r\n\r\n{"model":"m"}'


def _chunked(body: bytes, size: int = 65_536) -> bytes:
    chunks = (body[i : i + size] for i in range(0, len(body), size))
    return HEAD + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"


def contents() -> dict[str, bytes]:
    """Return 8 MB of each content as it stands on the wire; tiny chunks count with their framing."""
    return {
        "nothing": b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
        "plain, with a length": b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (8 * MB) + b"x" * 8 * MB,
        "plain": _chunked(b"x" * 8 * MB),
        "line ends": _chunked(b"\r\n" * 4 * MB),
        "pretty JSON": _chunked((b'{\r\n\r\n  "line": 1234567890,\r\n\r\n' * 300_000)[: 8 * MB]),
        "quotes": _chunked(b'"' * 8 * MB),
        "2-byte chunks": _chunked(b"x" * (8 * MB * 2 // 7), 2),
        "1-byte chunks": _chunked(b"\n" * (8 * MB // 6), 1),
        "pipelined requests": b"GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n" * 8000,
    }


def _probe(port: int, stop: Event, told: Connection) -> None:
    """Ask for small answers until told to stop, and tell how long each took, in ms."""
    times: list[float] = []
    with socket.create_connection(("127.0.0.1", port)) as sock:
        while not stop.is_set():
            began = time.perf_counter()
            sock.sendall(SMALL)
            sock.recv(MB)
            times.append((time.perf_counter() - began) * 1000)
            time.sleep(0.002)
    told.send(times)


def _upload(port: int, wire: bytes) -> None:
    """Send, read what is answered, and wait until all of it has passed."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.settimeout(0.5)
        view = memoryview(wire)
        while view:
            try:
                view = view[sock.send(view[: 1 << 18]) :]
            except TimeoutError:
                sock.recv(MB)
        try:
            while sock.recv(MB):
                pass
        except TimeoutError:
            return


def _latency(one: Collector, wire: bytes) -> dict[str, float]:
    stop, (hears, told) = multiprocessing.Event(), multiprocessing.Pipe(duplex=False)
    prober = multiprocessing.Process(target=_probe, args=(one.port, stop, told))
    prober.start()
    time.sleep(0.3)
    _upload(one.port, wire)
    stop.set()
    times: list[float] = hears.recv()
    prober.join()
    p99 = statistics.quantiles(times, n=100)[98]
    return {
        "p50_ms": round(statistics.median(times), 2),
        "p99_ms": round(p99, 2),
        "longest_ms": round(max(times), 1),
        "answers": len(times),
    }


def _memory(one: Collector) -> float:
    before = one.memory_mb()
    uploads = [socket.create_connection(("127.0.0.1", one.port)) for _ in range(20)]
    for sock in uploads:
        sock.sendall(HEAD + b"2\r\nab\r\n" * 125_000)
    time.sleep(3)
    added = one.memory_mb() - before
    for sock in uploads:
        sock.close()
    return round(added, 1)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tree", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results.json"))
    chosen = parser.parse_args()
    result: dict[str, object] = {}
    with model_server() as upstream:
        with collector(chosen.tree, upstream) as one:
            result["memory_of_20_uploads_mb"] = _memory(one)
        with collector(chosen.tree, upstream) as one:
            result["other_clients_latency"] = {name: _latency(one, wire) for name, wire in contents().items()}
    chosen.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
