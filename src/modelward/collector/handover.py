"""One captured exchange on its way from the data plane to the worker: one message, or a memory file if it is large."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from modelward.api.exchange import Outcome, Timings, Usage
from modelward.collector.shared_metrics import Cell

_INLINE_BYTES = 96 * 1024
"""A socket's send buffer is about 200 KB by default; a larger message would be refused for good."""


@dataclass(frozen=True, slots=True)
class CapturedExchange:
    """What the worker needs to make an exchange: bodies without transfer coding, and what was measured."""

    time_ms: int
    operation: str
    model: str
    status: int
    outcome: Outcome
    inclusion: float
    truncated: bool
    conversation: str
    content_type: str
    request_encoding: str
    response_encoding: str
    usage: Usage
    timings: Timings
    request: bytes
    response: bytes
    client_ids: str = ""
    """The ids that the client gave its request in headers, one a line."""
    caller: str = ""
    """The name under which its caller is counted."""


def send(channel: socket.socket, parcel: CapturedExchange, handed_bytes: float) -> None:
    """Send without waiting; raises BlockingIOError when the worker is behind and OSError when it is gone.

    `handed_bytes` are all bytes of bodies that were ever handed over, these included.
    """
    meta = asdict(parcel) | {"handed_bytes": handed_bytes}
    request, response = meta.pop("request"), meta.pop("response")
    meta["request_bytes"] = len(request)
    head = orjson.dumps(meta)
    if len(head) + len(request) + len(response) <= _INLINE_BYTES:
        channel.sendmsg([b"".join((len(head).to_bytes(4), head, request, response))], (), socket.MSG_DONTWAIT)
        return
    fd = os.memfd_create("exchange")
    try:
        os.writev(fd, [request, response])
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fd.to_bytes(4, "little"))]
        channel.sendmsg([len(head).to_bytes(4) + head], ancillary, socket.MSG_DONTWAIT)
    finally:
        os.close(fd)


def receive(channel: socket.socket, taken: Cell) -> CapturedExchange | None:
    """Wait for the next exchange; None when the data plane's end is closed. Raises TimeoutError, ValueError.

    `taken` is set to what had been handed over with this exchange, even if it cannot be read in the end: what an
    earlier worker took and lost, or never could read, counts against the budget no longer than until the next one.
    """
    data, fds, _, _ = socket.recv_fds(channel, 256 * 1024, 1)
    try:
        if not data:
            return None
        length = int.from_bytes(data[:4])
        meta = orjson.loads(data[4 : 4 + length])
        taken[0] = meta.pop("handed_bytes")
        bodies = _read_all(fds[0]) if fds else data[4 + length :]
        return _parcel(meta, bodies)
    finally:
        for fd in fds:
            os.close(fd)


def _read_all(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    return os.pread(fd, size, 0)


def _parcel(meta: dict[str, Any], bodies: bytes) -> CapturedExchange:
    split = meta.pop("request_bytes")
    meta["usage"] = Usage(**meta["usage"])
    meta["timings"] = Timings(**meta["timings"])
    return CapturedExchange(**meta, request=bodies[:split], response=bodies[split:])
