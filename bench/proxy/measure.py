"""What a change of the collector costs: this checkout against another one, as ratios in one run.

python bench/proxy/measure.py --before CHECKOUT [--pairs 20] [--out bench/proxy/results.json]

Each pair starts both collectors in front of the same model server and asks them in turn, a few requests at a time, the
one and the other first: whatever else the machine does is the same for both. The collectors have a core of their own,
the clients and the model server another: in a cluster these are other machines, and on one core a client would be woken
only after all that the collector does once it has sent a token. Written are the ratio after/before of JSON p50, of the
time to first token (p50; on a new connection, and on one that is kept) and of the data plane's CPU time per request,
each as a mean of pairs with the bounds of its 95 % interval.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from collector_process import Collector, collector, model_server

ROOT = Path(__file__).parents[2]
BURSTS = 20
CLIENTS = 8
"""Connections that ask at once where many do."""
CORES = sorted(os.sched_getaffinity(0))
COLLECTOR_CORES, OTHER_CORES = set(CORES[-1:]), set(CORES[:-1] or CORES)
_BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "word " * 200}]}).encode()
_T_95 = {2: 12.7, 3: 4.3, 4: 3.18, 5: 2.78, 6: 2.57, 8: 2.36, 10: 2.26, 12: 2.2, 15: 2.14, 20: 2.09, 30: 2.05}


def _request(path: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (path, len(_BODY), _BODY)


JSON, STREAM = _request(b"/v1/chat/completions"), _request(b"/v1/chat/completions?stream")


async def _json(port: int, requests: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    for _ in range(requests):
        began = time.perf_counter()
        writer.write(JSON)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.rpartition(b"content-length: ")[2]))
        times.append(time.perf_counter() - began)
    writer.close()
    return times


async def _streams(port: int, requests: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    for _ in range(requests):
        began = time.perf_counter()
        writer.write(STREAM)
        await reader.readuntil(b"data: ")
        times.append(time.perf_counter() - began)
        await reader.readuntil(b"0\r\n\r\n")
    writer.close()
    return times


@dataclass
class Sample:
    """What one collector was seen to take: seconds per request, and CPU milliseconds for `requests` of them."""

    json: list[float] = field(default_factory=list)
    first_on_new: list[float] = field(default_factory=list)
    first_on_kept: list[float] = field(default_factory=list)
    cpu_ms: float = 0.0
    requests: int = 0

    def figures(self) -> dict[str, float]:
        """Return the figures that are compared."""
        return {
            "json_p50_ms": statistics.median(self.json) * 1000,
            "ttft_p50_ms": statistics.median(self.first_on_new) * 1000,
            "ttft_kept_p50_ms": statistics.median(self.first_on_kept) * 1000,
            "cpu_ms_per_request": self.cpu_ms / self.requests,
        }


async def _burst(one: Collector, sample: Sample, requests: int, streams: int) -> None:
    sample.json += await _json(one.port, requests)
    for times in await asyncio.gather(*(_streams(one.port, streams) for _ in range(CLIENTS))):
        sample.first_on_new += times[:1]
        sample.first_on_kept += times[1:]
    before = one.cpu_ms()
    await asyncio.gather(*(_json(one.port, requests // CLIENTS) for _ in range(CLIENTS)))
    sample.cpu_ms += one.cpu_ms() - before
    sample.requests += requests // CLIENTS * CLIENTS


async def _load(pair: list[Collector], requests: int, streams: int) -> list[Sample]:
    """Ask both in turn; the first burst only warms them up."""
    for one in pair:
        await _burst(one, Sample(), 200, 1)
    samples = [Sample() for _ in pair]
    for number in range(BURSTS):
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            await _burst(pair[place], samples[place], requests // BURSTS, max(2, streams // BURSTS // CLIENTS))
    return samples


def _pair(trees: list[Path], upstream: int, requests: int, streams: int) -> list[dict[str, float]]:
    with contextlib.ExitStack() as stack:
        pair = [stack.enter_context(collector(tree, upstream, COLLECTOR_CORES)) for tree in trees]
        return [sample.figures() for sample in uvloop.run(_load(pair, requests, streams))]


def ratio(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Return the geometric mean of after/before over pairs, with the bounds of its 95 % interval (Student's t)."""
    logs = [math.log(after / before) for before, after in pairs]
    spread = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.inf
    factor = _T_95[max(n for n in _T_95 if n <= max(2, len(logs)))]
    mean = statistics.fmean(logs)
    return {
        key: round(math.exp(mean + sign * factor * spread), 3) for key, sign in (("mean", 0), ("low", -1), ("high", 1))
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--streams", type=int, default=480)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results.json"))
    chosen = parser.parse_args()
    pairs: list[tuple[dict[str, float], dict[str, float]]] = []
    os.sched_setaffinity(0, OTHER_CORES)
    with model_server() as upstream:
        for number in range(chosen.pairs):
            trees = [chosen.before, ROOT] if number % 2 == 0 else [ROOT, chosen.before]
            samples = dict(zip(trees, _pair(trees, upstream, chosen.requests, chosen.streams), strict=True))
            pairs.append((samples[chosen.before], samples[ROOT]))
            print(number + 1, *({key: round(value, 3) for key, value in one.items()} for one in pairs[-1]), flush=True)
    ratios = {key: ratio([(before[key], after[key]) for before, after in pairs]) for key in pairs[0][0]}
    chosen.out.write_text(json.dumps({"pairs": len(pairs), "after_over_before": ratios}, indent=1) + "\n")
    print(json.dumps(ratios, indent=1))


if __name__ == "__main__":
    main()
