"""Everything runs by hand, without a cluster, by the commands and flags that are promised."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from http_server import served
from waiting import wait_until

from modelward.api.exchange import Exchange, Message, Redaction, exchange_to_json

MODELWARD = (sys.executable, "-c", "from modelward.cli.app import main; main()")
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
ANSWER = b'{"id":"1","object":"chat.completion",  "choices":[{"message":{"content":"h\xc3\xa9 \\u00e9"}}],"usage":{}}\n'
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MODELWARD_")}
ENVIRONMENT["KUBECONFIG"] = "/nowhere/kubeconfig"


def by_hand(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = (*MODELWARD, *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=ENVIRONMENT)


@contextmanager
def running(log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the block ends, then stop it as Ctrl-C does."""
    with (
        log.open("wb") as output,
        subprocess.Popen((*MODELWARD, *arguments), stdout=output, stderr=output, env=ENVIRONMENT) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def free() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def asked(url: str, body: bytes | None = None) -> bytes:
    """Return what a URL answers, asking again until a server listens there."""
    answers: list[bytes] = []

    def answered() -> bool:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answers.append(bytes(response.read()))
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            return False
        return True

    wait_until(answered, 60)
    return answers[0]


class Engine(BaseHTTPRequestHandler):
    """A model server that keeps what it was asked."""

    bodies: list[bytes] = []  # noqa: RUF012 - one server in one test

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def engine() -> Iterator[str]:
    with served(Engine) as url:
        yield url


def counted(page: str) -> bool:
    names = [line for line in page.splitlines() if line.startswith("modelward_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in names) == 1


def test_a_collector_by_hand_passes_byte_for_byte_and_counts(engine: str, tmp_path: Path) -> None:
    front, admin = f"127.0.0.1:{free()}", f"127.0.0.1:{free()}"
    config = tmp_path / "absent.json"
    files = ("--config", str(config), "--spool", str(tmp_path / "spool"))
    question = b'{ "model":"m",\t"messages":[{"role":"user","content":"caf\xc3\xa9"}] }\n'
    log = tmp_path / "log"
    with running(log, "collector", "--listen", front, "--upstream", engine, "--admin", admin, *files) as process:
        answer = asked(f"http://{front}/v1/chat/completions", question)
        wait_until(lambda: counted(asked(f"http://{admin}/metrics").decode()))
    assert (Engine.bodies, answer) == ([question], ANSWER)
    assert process.returncode == 0, log.read_text()


def test_a_hub_by_hand_keeps_what_it_is_given(tmp_path: Path) -> None:
    front, health = f"127.0.0.1:{free()}", f"127.0.0.1:{free()}"
    store = ("--store", f"file://{tmp_path / 'store'}", "--state", str(tmp_path / "state"))
    log = tmp_path / "log"
    with running(log, "hub", "--listen", front, *store, "--health-listen", health, "--insecure-no-auth") as process:
        assert json.loads(asked(f"http://{front}/v1/endpoints"))["endpoints"] == []
    assert process.returncode in (0, -signal.SIGTERM), log.read_text()


def exchange(number: int, answer: str, *redactions: Redaction) -> dict[str, Any]:
    asked_ = (Message("user", "?"),)
    one = Exchange(str(number), 1, "retail/chat", "m", "r", "chat", 200, "ok", "Redacted", asked_, answer)
    return exchange_to_json(replace(one, redactions=redactions))


def test_an_evaluator_by_hand_scores_each_exchange_of_a_file(tmp_path: Path) -> None:
    evaluator, source, scores = tmp_path / "pii.yaml", tmp_path / "exchanges.jsonl", tmp_path / "scores.jsonl"
    evaluator.write_text("{apiVersion: modelward.dev/v1alpha1, kind: Evaluator, spec: {builtin: PII}}")
    lines = [
        exchange(1, "Opening hours are nine to five."),
        exchange(2, "Write to [email].", Redaction("email", 1, "response")),
    ]
    source.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    done = by_hand("evaluate", "--evaluator", str(evaluator), "--input", str(source), "--output", str(scores))
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["flagged"] for line in scores.read_text().splitlines()] == [False, True]


def test_a_file_is_rendered_by_hand() -> None:
    done = by_hand("render", str(EXAMPLES / "template.yaml"))
    assert done.returncode == 0, done.stderr
    assert {one["kind"] for one in yaml.safe_load_all(done.stdout)} >= {"ConfigMap", "Service", "Deployment"}


def test_images_are_listed_by_hand_one_a_line() -> None:
    done = by_hand("images")
    assert done.returncode == 0
    repositories = [line.rpartition(":")[0] for line in done.stdout.splitlines()]
    assert repositories == ["ghcr.io/modelward/collector", "ghcr.io/modelward/modelward"]
    assert done.stderr.count("digest not known: ") == 2
    assert "no cluster was read for what runs in it: no kubeconfig at /nowhere" in done.stderr


@pytest.mark.parametrize("command", [("explain", "retail/chat"), ("doctor",), ("preflight", "FILE")])
def test_what_needs_a_cluster_says_so_in_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    file.write_text("{}")
    arguments = [str(file) if one == "FILE" else one for one in command]
    done = by_hand(*arguments, "--kubeconfig", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "no kubeconfig at" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
