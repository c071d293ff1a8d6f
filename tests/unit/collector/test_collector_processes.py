"""The collector as it is run: processes die, the hub is away, the file changes, and requests pass."""

from __future__ import annotations

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from http_server import served
from waiting import PROCESS_PATIENCE_S
from waiting import wait_until as waited_for

from modelward.api.collector_config import CaptureSettings, CollectorConfig, config_to_json

TOKEN = b'data: {"model":"m","choices":[{"delta":{"content":"tok"}}]}\n\n'
wait_until = partial(waited_for, seconds=PROCESS_PATIENCE_S)
ENGINE_PAGE = b"llamacpp:requests_processing 2\nllamacpp:requests_deferred 1\nllamacpp:tokens_predicted_total 42\n"


class Model(BaseHTTPRequestHandler):
    """Streams a few events slowly, or answers at once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(ENGINE_PAGE)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b'"refuse"' in body:
            self._answer(b"{}", 503)
            return
        if b'"stream"' not in body:
            self._answer(b'{"id":"x","model":"m","choices":[{"message":{"content":"hello"}}]}')
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(8):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(TOKEN), TOKEN))
            time.sleep(0.1)
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    with served(Model) as url:
        yield url


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def command(pid: str) -> bytes:
    """Return a process's command line; one that has ended has none."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class Collector:
    """A collector run as a process of its own."""

    def __init__(self, upstream: str, directory: Path, *more: str) -> None:
        self.port, self.admin = free_port(), free_port()
        self.config = directory / "collector.json"
        command = [sys.executable, "-m", "modelward.collector", "--listen", f"127.0.0.1:{self.port}",
                   "--admin", f"127.0.0.1:{self.admin}", "--upstream", upstream, "--config", str(self.config),
                   "--spool", str(directory / "spool"), "--token-file", str(directory / "token"),
                   "--quiet-seconds", "0.2", "--leave-seconds", "0", "--drain-seconds", "5", *more]  # fmt: skip
        self.killed: set[int] = set()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def ask(self, body: str = '{"model":"m"}', path: str = "/v1/chat/completions") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PROCESS_PATIENCE_S)
        try:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PROCESS_PATIENCE_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def children(self, name: str) -> list[int]:
        pid = self.process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(p) for p in pids if f"collector.{name}".encode() in command(p)]

    def kill(self, name: str) -> None:
        """Kill a process of this name that was not killed before, once there is one."""
        found: list[int] = []

        def another() -> bool:
            found[:] = set(self.children(name)) - self.killed
            return bool(found)

        wait_until(another)
        pid = found[0]
        os.kill(pid, signal.SIGKILL)
        self.killed.add(pid)

    def shows(self, text: str) -> bool:
        return text in self.get("/metrics")

    def stop(self) -> str:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=PROCESS_PATIENCE_S)[1]


@contextmanager
def running(upstream: str, directory: Path, *more: str) -> Iterator[Collector]:
    collector = Collector(upstream, directory, *more)
    try:
        wait_until(lambda: collector.process.poll() is None and _answers(collector))
        yield collector
    finally:
        collector.stop()


def _answers(collector: Collector) -> bool:
    try:
        return collector.get("/readyz") == "ready\n"
    except OSError:
        return False


def _shows(collector: Collector, text: str) -> bool:
    return text in collector.get("/metrics")


BLIND = "\nmodelward_collector_passing_blind 1\n"
"""A whole line: the help text of this series begins with a 1 too."""


def test_killing_any_process_fails_no_new_request(model: str, tmp_path: Path) -> None:
    with running(model, tmp_path) as one:
        for round_, name in enumerate(("dataplane", "worker", "dataplane"), start=1):
            one.kill(name)
            for _ in range(5):
                assert one.ask()[0] == 200
            # An answer is passed on before it is counted; and the counts of the dead processes are still there.
            counted = f'outcome="ok"}} {5 * round_}'
            wait_until(partial(_shows, one, counted))
        text = one.get("/metrics")
        assert 'modelward_collector_restarts_total{process="dataplane"} 2' in text
        assert 'modelward_collector_restarts_total{process="worker"} 1' in text


def test_the_port_is_taken_before_anything_that_takes_time_is_loaded() -> None:
    slow = "{'asyncio', 'ssl', 'logging', 'http.server'}"
    load = f"import sys, modelward.collector.command; print({slow} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()", "a pod may be ready before its collector listens"


def test_a_data_plane_that_keeps_dying_is_replaced_by_a_blind_pump_and_comes_back(model: str, tmp_path: Path) -> None:
    with running(model, tmp_path) as one:
        for _ in range(3):
            one.kill("dataplane")
        wait_until(lambda: one.shows(BLIND))
        for _ in range(3):
            status, body = one.ask('{"stream":true}')
            assert (status, body) == (200, TOKEN * 8)
        assert one.get("/readyz") == "ready\n"


def test_a_gateway_to_https_whose_data_plane_keeps_dying_refuses_and_is_not_ready(model: str, tmp_path: Path) -> None:
    with running(model.replace("http://", "https://"), tmp_path) as one:
        for _ in range(3):
            one.kill("dataplane")
        wait_until(lambda: one.shows(BLIND))
        assert one.get("/readyz") == "the data plane does not run\n"
        assert one.ask()[0] == 502


def test_sigterm_lets_a_stream_finish_and_exits_cleanly(model: str, tmp_path: Path) -> None:
    with running(model, tmp_path) as one:
        answers: list[tuple[int, bytes]] = []
        asking = threading.Thread(target=lambda: answers.append(one.ask('{"stream":true}')))
        asking.start()
        wait_until(lambda: one.shows('modelward_requests_in_flight{revision=""} 1'))
        one.process.send_signal(signal.SIGTERM)
        asking.join(PROCESS_PATIENCE_S)
        assert answers == [(200, TOKEN * 8)]
        assert one.process.wait(PROCESS_PATIENCE_S) == 0


def test_drain_answers_only_when_nothing_is_in_flight(model: str, tmp_path: Path) -> None:
    with running(model, tmp_path) as one:
        asking = threading.Thread(target=lambda: one.ask('{"stream":true}'))
        asking.start()
        wait_until(lambda: one.shows('modelward_requests_in_flight{revision=""} 1'))
        assert one.get("/drain") == "nothing is in flight\n"
        assert one.shows('modelward_requests_in_flight{revision=""} 0')
        asking.join(PROCESS_PATIENCE_S)


def test_a_drain_waits_for_clients_that_a_starved_data_plane_has_not_seen_yet(model: str, tmp_path: Path) -> None:
    with running(model, tmp_path, "--quiet-seconds", "1.8") as one, ThreadPoolExecutor(2) as pool:
        (dataplane,) = one.children("dataplane")
        os.kill(dataplane, signal.SIGSTOP)
        client = pool.submit(one.ask)
        drained = pool.submit(one.get, "/drain")
        with pytest.raises(TimeoutError):
            drained.result(2.5)
        os.kill(dataplane, signal.SIGCONT)
        assert drained.result(5) == "nothing is in flight\n"
        assert client.done()
        assert client.result()[0] == 200


def test_a_client_that_keeps_its_connection_does_not_keep_a_pod_from_leaving(model: str, tmp_path: Path) -> None:
    def ask_until_closed() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=PROCESS_PATIENCE_S)
        connection.auto_open = 0
        connection.connect()
        while connection.sock is not None:
            connection.request("POST", "/v1/chat/completions", '{"model":"m"}')
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.read()
            asked.append(time.monotonic())
            time.sleep(0.02)
            if select.select([connection.sock], [], [], 0)[0]:
                connection.close()

    asked: list[float] = []
    with running(model, tmp_path) as one, ThreadPoolExecutor(1) as pool:
        client = pool.submit(ask_until_closed)
        wait_until(lambda: len(asked) > 5)
        began = time.monotonic()
        assert one.get("/drain") == "nothing is in flight\n"
        assert time.monotonic() - began < 4, "it went before the five seconds of the drain were over"
        client.result(5)


def test_settings_are_reloaded_and_a_hub_that_is_down_costs_no_request(model: str, tmp_path: Path) -> None:
    with running(model, tmp_path, "--engine", "llamacpp", "--engine-metrics", model) as one:
        assert one.ask()[0] == 200
        assert "config_info" not in one.get("/metrics")
        config = CollectorConfig(capture=CaptureSettings("Redacted", 1_000_000), hub_url="http://127.0.0.1:9")
        data = config_to_json(config)
        one.config.write_text(json.dumps(data))
        wait_until(lambda: one.shows(f'config_info{{generation="{data["generation"]}"}} 1'))
        for _ in range(20):
            assert one.ask()[0] == 200
        wait_until(
            lambda: one.shows("modelward_collector_captured_total 20")
        )  # bytes pass first, then they are counted
        wait_until(lambda: len(list((tmp_path / "spool").glob("*.exchanges"))) > 0)
        one.config.write_text("{")
        wait_until(lambda: one.shows("modelward_collector_config_errors_total 1"))
        assert one.shows(f'config_info{{generation="{data["generation"]}"}} 1')
        assert one.shows('modelward_engine_requests_waiting{revision=""} 1')
        assert one.shows("modelward_engine_up")


def test_a_503_of_an_engine_that_reports_a_queue_is_overload(model: str, tmp_path: Path) -> None:
    with running(model, tmp_path, "--engine", "llamacpp", "--engine-metrics", model) as one:

        def counted() -> bool:
            assert one.ask('{"refuse":1}')[0] == 503
            return one.shows('code="503",outcome="overload"')

        wait_until(counted)


def test_by_hand_exchanges_are_written_to_a_file_redacted(model: str, tmp_path: Path) -> None:
    output = tmp_path / "exchanges.jsonl"
    with running(model, tmp_path, "--capture-output", str(output)) as one:
        one.ask('{"model":"m","messages":[{"role":"user","content":"I am ann@example.org"}]}')
        wait_until(lambda: output.exists() and output.stat().st_size > 0)
        exchange = json.loads(output.read_text().splitlines()[0])
        assert exchange["messages"] == [{"role": "user", "text": "I am [EMAIL]"}]
        assert exchange["response"] == "hello"
        assert exchange["id"].startswith("mwh-"), "no engine makes an id like x"


def test_a_model_behind_a_real_nginx_is_served_alike(model: str, tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(nginx).exists():
        pytest.skip("nginx is not installed")
    port = free_port()
    (tmp_path / "file.bin").write_bytes(os.urandom(300_000))
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/log;"
        f"events {{}} http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;"
        f"server {{ listen 127.0.0.1:{port}; root {tmp_path}; keepalive_requests 3;"
        f"location /v1 {{ proxy_pass {model}; proxy_http_version 1.1; proxy_buffering off; }} }} }}"
    )
    process = subprocess.Popen([nginx, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "log")])
    try:
        with running(f"http://127.0.0.1:{port}", tmp_path) as one:
            for _ in range(8):  # over nginx's limit of requests per connection
                assert one.ask()[0] == 200
            assert one.ask('{"stream":true}')[1] == TOKEN * 8
            connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=PROCESS_PATIENCE_S)
            connection.request("GET", "/file.bin")
            assert connection.getresponse().read() == (tmp_path / "file.bin").read_bytes()
            connection.close()
    finally:
        process.terminate()
        process.wait(PROCESS_PATIENCE_S)
