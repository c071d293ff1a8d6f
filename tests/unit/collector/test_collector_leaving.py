"""What a caller of the open admin port can do to a collector ends by itself, and so does its need of descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector_rig import CHAT, json_answer, rig, run
from waiting import PATIENCE_S, wait_until

from modelward.collector import families
from modelward.collector.admin import _THREADS
from modelward.collector.dataplane import DataPlane
from modelward.collector.descriptors import connection_limit, exhausted, raise_limit
from modelward.collector.listening import listening_socket
from modelward.collector.options import Options
from modelward.collector.supervisor import LEAVING_SECONDS, Supervisor


async def _answer(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(json_answer(b"{}"))


@contextmanager
def supervisor(directory: Path) -> Iterator[Supervisor]:
    """A supervisor that has started nothing yet."""
    options = Options(admin="127.0.0.1:0", upstreams=("http://127.0.0.1:9",), config_file=str(directory / "none"))
    with listening_socket("127.0.0.1", 0) as listener:
        one = Supervisor(
            dataclasses.replace(options, drain_seconds=0.0, leave_seconds=0.0, quiet_seconds=0.0), listener
        )
        yield one
        one._admin._server.server_close()
        one._channel.close()
        one._worker_channel.close()


def test_a_drain_ends_keep_alive_only_for_as_long_as_a_pod_needs_to_leave(tmp_path: Path) -> None:
    async def work(one: Supervisor) -> None:
        proxy = DataPlane(one._options, asyncio.get_running_loop())
        proxy._tick(force=True)
        assert proxy._proxy.leaving
        one._leaving[0] = time.monotonic()  # the time has passed
        proxy._tick()
        assert not proxy._proxy.leaving, "whoever reaches the port must not end keep-alive for good"

    with supervisor(tmp_path) as one:
        one.drain(0.0)
        assert 0 < one._leaving[0] - time.monotonic() <= LEAVING_SECONDS
        one._options = dataclasses.replace(one._options, supervisor_pid=os.getppid())
        run(work(one))


def test_callers_that_wait_for_a_drain_use_up_a_bounded_number_of_threads(tmp_path: Path) -> None:
    with supervisor(tmp_path) as one:
        server = one._admin._server
        one._admin.start()
        host, port = str(server.server_address[0]), int(server.server_address[1])
        idle = [socket.create_connection((host, port)) for _ in range(_THREADS)]
        try:
            with socket.create_connection((host, port)) as refused:
                assert refused.recv(1) == b"", "closed, and no thread of its own"
        finally:
            for each in idle:
                each.close()
        wait_until(lambda: _answers(host, port))  # the threads of callers that left are free again
        server.shutdown()


def _answers(host: str, port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=PATIENCE_S)) as one_more:
        try:
            one_more.request("GET", "/healthz")
            return one_more.getresponse().read() == b"ok\n"
        except (ConnectionError, http.client.HTTPException):
            return False


def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert raise_limit() == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_each_client_has_room_for_its_model_server_and_one_that_idles() -> None:
    assert connection_limit(1_024) == 320
    assert connection_limit(1_048_576) > 300_000
    assert connection_limit(10) == 1


def test_a_client_beyond_the_limit_is_told_so_and_counted_and_the_others_are_served() -> None:
    async def work() -> None:
        async with rig(_answer) as one:
            one.proxy.connection_limit = 1
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(CHAT)
            await reader.readuntil(b"\r\n\r\n")
            assert (await one.ask(CHAT)).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert one.value(families.REFUSED_CONNECTIONS) == 1
            writer.close()
            await writer.wait_closed()

    run(work())


def test_our_own_want_of_descriptors_is_not_taken_for_a_server_that_refuses() -> None:
    async def work() -> None:
        async with rig(_answer) as one:
            target = one.proxy.targets.choose(0.0)
            assert target is not None
            one.proxy.connect_failed(target, OSError(24, "Too many open files"))
            assert one.value(families.UPSTREAM_ERRORS, reason="descriptors") == 1
            assert target.avoid_until == 0.0
            assert not exhausted(ConnectionRefusedError(111, "refused"))

    run(work())
