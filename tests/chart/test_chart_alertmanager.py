"""A real Alertmanager takes what is posted to it, keeps it, resolves it, and posts as our webhooks do."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from chart_render import program
from plain_receiver import PlainReceiver
from receiver_cases import FACT, FIRING, hostile, receiver
from secure_hosts import ELSEWHERE, NamedHosts
from waiting import until, wait_until

from modelward.alerts.message import AlertMessage
from modelward.alerts.receiver import Addressee, Answered, HttpCall, Told, Undelivered
from modelward.alerts.receivers.registry import receiver_of
from modelward.api.quantity import timestamp
from modelward.job.delivery.courier import Courier
from modelward.job.delivery.http import HttpSender
from modelward.job.delivery.reach import Reach
from modelward.job.delivery.smtp import MailSender

HOSTS = ("alertmanager-0.monitoring.svc", "alertmanager-1.monitoring.svc")
CONFIG = """
route: {receiver: hook, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: "%s"}]}]
"""


@dataclass(frozen=True)
class Replicas:
    """Two Alertmanagers that know nothing of each other, and where they post to."""

    ports: tuple[int, int]
    hook: PlainReceiver

    @property
    def courier(self) -> Courier:
        places = {host: ("127.0.0.1", port) for host, port in zip(HOSTS, self.ports, strict=True)}
        about = (Reach(HOSTS, ELSEWHERE),)
        return Courier(HttpSender(*about, resolver=NamedHosts(places)), MailSender(*about))

    async def post(self, message: AlertMessage) -> Answered:
        urls = [f"http://{host}:9093" for host in HOSTS]
        return await self.courier.deliver(message, Addressee(receiver("alertmanager", urls=urls)))

    def alerts(self, number: int = 0) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.ports[number]}/api/v2/alerts"
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@contextmanager
def running(folder: Path, hook: str) -> Iterator[int]:
    """Run one on a free port while the block runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    folder.mkdir()
    (folder / "config.yml").write_text(CONFIG % hook)
    arguments = [f"--config.file={folder}/config.yml", f"--storage.path={folder}", "--cluster.listen-address="]
    process = subprocess.Popen(
        [program("prometheus-alertmanager"), *arguments, f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: process.poll() is None and _ready(port))
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[Replicas]:
    hook = PlainReceiver()
    server = TestServer(hook.application)
    await server.start_server()
    with ExitStack() as stack:
        url = str(server.make_url("/"))
        ports = [
            await asyncio.to_thread(stack.enter_context, running(tmp_path / str(number), url)) for number in range(2)
        ]
        yield Replicas((ports[0], ports[1]), hook)
    await server.close()


def now_message(**changes: Any) -> AlertMessage:
    """Return a firing message of now: Alertmanager goes by the real clock."""
    now_ms = int(time.time() * 1_000)
    facts = tuple(replace(one, since_ms=now_ms - 60_000) for one in FIRING.alerts)
    return replace(FIRING, sent_ms=now_ms, alerts=facts, **changes)


async def test_every_replica_has_the_alert_for_an_hour(replicas: Replicas) -> None:
    message = now_message()
    assert await replicas.post(message) == Told()
    for number in range(2):
        (alert,) = replicas.alerts(number)
        assert alert["labels"] == {
            "alertname": "ModelwardCheckFailed", "cluster": "prod-eu", "namespace": "retail", "endpoint": "chat",
            "policy": "baseline", "check": "stays-on-topic", "severity": "critical",
        }  # fmt: skip
        assert alert["endsAt"][:19] == timestamp(message.sent_ms + 3_600_000)[:19]
        assert alert["status"]["state"] == "active"
        assert alert["annotations"]["next"] == FACT.next_command


async def test_what_is_posted_again_is_the_same_alert_and_what_ends_is_gone(replicas: Replicas) -> None:
    message = now_message()
    for _ in range(3):
        assert await replicas.post(message) == Told()
    assert len(replicas.alerts()) == 1
    fact = replace(message.alerts[0], state="Resolved")
    over = replace(message, kind="Resolved", open=0, alerts=(fact,))
    assert await replicas.post(over) == Told()
    await until(lambda: replicas.alerts() == [])
    await until(lambda: [one["status"] for one in replicas.hook.bodies].count("resolved") == 2)


async def test_an_alert_that_gets_worse_is_one_alert(replicas: Replicas) -> None:
    mild = now_message(severity="Warning")
    assert await replicas.post(replace(mild, alerts=(replace(mild.alerts[0], severity="Warning"),))) == Told()
    assert [one["labels"]["severity"] for one in replicas.alerts()] == ["warning"]
    assert await replicas.post(replace(now_message(), kind="Raised")) == Told()
    await until(lambda: [one["labels"]["severity"] for one in replicas.alerts()] == ["critical"])


async def test_one_replica_is_enough_and_none_is_not(replicas: Replicas) -> None:
    gone = Replicas((replicas.ports[0], 1), replicas.hook)
    assert await gone.post(now_message()) == Told()
    assert await Replicas((1, 1), replicas.hook).post(now_message()) == Undelivered("Unreachable")


async def test_hostile_names_are_taken_as_they_are(replicas: Replicas) -> None:
    texts = hostile().alerts[0]
    message = now_message()
    assert await replicas.post(replace(message, alerts=(replace(texts, since_ms=message.sent_ms),))) == Told()
    (alert,) = replicas.alerts()
    assert alert["labels"]["endpoint"].startswith("@here @team/admins")


async def test_our_webhook_in_its_format_has_the_fields_that_it_posts_itself(replicas: Replicas) -> None:
    assert await replicas.post(now_message()) == Told()
    await until(lambda: replicas.hook.bodies)
    theirs = replicas.hook.bodies[0]
    to = Addressee(receiver("alertmanager-webhook"))
    (call,) = receiver_of(to.receiver).requests(now_message(), to)
    assert isinstance(call, HttpCall)
    ours = json.loads(call.body)
    assert set(ours) == set(theirs)
    assert set(ours["alerts"][0]) == set(theirs["alerts"][0])
    assert {name: type(value) for name, value in ours.items()} == {name: type(value) for name, value in theirs.items()}
    assert (ours["version"], ours["status"], ours["alerts"][0]["endsAt"]) == ("4", "firing", "0001-01-01T00:00:00Z")
    assert ours["alerts"][0]["labels"] == theirs["alerts"][0]["labels"]
