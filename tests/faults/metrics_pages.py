"""The metrics pages of many pods that are only objects: one process that listens on the loopback address of each.

Started with the first address, how many and the ports, it takes lines `ADDRESS MODE` from its standard input: `normal`,
`hang` (accepts and never answers), `huge` (5 MB) or `heavy` (just small enough to be read as a whole). It answers each
line with how many pages it has given as that address.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import cast

from modelward.collector.families import FAMILIES, Family
from modelward.collector.rendering import render

COLLECTOR_PORT, ENGINE_PORT = 18081, 18082
HUGE_BYTES, HEAVY_BYTES = 5_000_000, 1_900_000
_LABELS = {"model": "m", "revision": "r1", "operation": "chat", "code": "200", "outcome": "ok", "version": "0.1.0"}
_ENGINE = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{model_name="m"}} 0
vllm:num_requests_waiting{{model_name="m"}} 0
vllm:kv_cache_usage_perc{{model_name="m"}} 0.1
vllm:request_success_total{{finished_reason="stop",model_name="m"}} 1000
vllm:prompt_tokens_total{{model_name="m"}} 100000
vllm:generation_tokens_total{{model_name="m"}} 100000
{histograms}"""


def collector_page() -> bytes:
    """Return what a collector renders that has served a thousand requests of one model."""
    series = [((family.name, _labels(family)), _values(family)) for family in FAMILIES.values()]
    signals = {"modelward_engine_up": 1.0, "modelward_engine_requests_total": 1000.0}
    return render(series, signals, "r1").encode()


def engine_page() -> bytes:
    """Return a page as vLLM has it."""
    bounds = (0.001, 0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, "+Inf")
    names = ("time_to_first_token_seconds", "request_time_per_output_token_seconds", "e2e_request_latency_seconds",
             "request_queue_time_seconds", "request_prefill_time_seconds", "request_decode_time_seconds")  # fmt: skip
    rows = [
        f'vllm:{name}_bucket{{le="{bound}",model_name="m"}} {1000 if bound == "+Inf" else 10 * at}\n'
        for name in names
        for at, bound in enumerate(bounds)
    ]
    ends = [f'vllm:{name}_{end}{{model_name="m"}} 1000\n' for name in names for end in ("sum", "count")]
    return _ENGINE.format(histograms="".join(rows + ends)).encode()


def padded(page: bytes, size: int) -> bytes:
    """Return a page with so many more series of long labels that it just has so many bytes."""
    row = 'odd_requests_total{{path="/v1/{0:09d}/{1}",code="200"}} 1\n'
    rows = [row.format(number, "x" * 120) for number in range(-(-(size - len(page)) // len(row.format(0, "x" * 120))))]
    return page + "".join(rows).encode()


def _labels(family: Family) -> tuple[str, ...]:
    return tuple(_LABELS.get(label, "x") for label in family.labels)


def _values(family: Family) -> list[float]:
    if family.kind != "histogram":
        return [0.0 if family.kind == "gauge" and not family.labels else 1000.0]
    return [1000.0 / (len(family.bounds) + 1)] * (len(family.bounds) + 1) + [500.0]


PagesByPort = Mapping[int, bytes | None]
"""None for a page that never comes."""


class Pages(asyncio.Protocol):
    """One connection; which pod was asked is told by the address that it came to."""

    def __init__(self, plain: PagesByPort, odd: dict[str, PagesByPort], given: Counter[str]) -> None:
        self._plain, self._odd, self._given = plain, odd, given

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.Transport, transport)
        self._asked = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._asked += data
        while b"\r\n\r\n" in self._asked:
            self._asked = self._asked.partition(b"\r\n\r\n")[2]
            self._answer()

    def _answer(self) -> None:
        host, port = self._transport.get_extra_info("sockname")[:2]
        page = self._odd.get(host, self._plain)[port]
        if page is not None:
            if port == ENGINE_PORT:
                page += b"process_cpu_seconds_total %.6f\n" % time.process_time()  # as every Python process has it
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(page)}\r\n\r\n"
            self._transport.write(head.encode() + page)
            self._given[host] += 1


async def serve(first: str, count: int, ports: tuple[int, int]) -> None:
    """Listen until standard input ends; say `ready` when all addresses are taken."""
    pages = {ports[0]: collector_page(), ports[1]: engine_page()}
    odd: dict[str, PagesByPort] = {}
    given: Counter[str] = Counter()
    modes: dict[str, PagesByPort] = {
        "hang": dict.fromkeys(ports),
        "huge": {port: padded(page, HUGE_BYTES) for port, page in pages.items()},
        "heavy": {port: padded(page, HEAVY_BYTES) for port, page in pages.items()},
    }
    loop, hosts = asyncio.get_running_loop(), [str(ip_address(first) + number) for number in range(count)]
    for port in ports:
        await loop.create_server(lambda: Pages(pages, odd, given), hosts, port)
    print("ready", flush=True)
    while line := (await asyncio.to_thread(sys.stdin.readline)).split():
        address, mode = line
        if mode == "normal":
            odd.pop(address, None)
        elif odd.get(address) is not modes[mode]:
            odd[address] = modes[mode]
            given[address] = 0
        print(given[address], flush=True)


@contextmanager
def serving(first: str, count: int) -> Iterator[PageServer]:
    """Run one for so many addresses from the first on."""
    command = (sys.executable, __file__, first, str(count), str(COLLECTOR_PORT), str(ENGINE_PORT))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        server = PageServer(process)
        assert server.said() == "ready", "the pages are not served"
        yield server
    finally:
        process.kill()
        process.communicate()


class PageServer:
    """The process, as those who started it use it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def let(self, address: str, mode: str) -> int:
        """Give a pod another kind of page; return how many it has given since it was given that kind."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{address} {mode}\n")
        self._process.stdin.flush()
        return int(self.said())

    def said(self) -> str:
        """Wait for its answer."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), (int(sys.argv[3]), int(sys.argv[4]))))
