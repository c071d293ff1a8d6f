"""The hub as it is run, with collectors and the operator's client as processes of their own, over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import string
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import replace
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from http_server import served
from hub_fixtures import exchange, ndjson
from secured_hub import OPERATOR, Cluster
from waiting import PROCESS_PATIENCE_S, until_answered

from modelward.api.collector_config import CaptureSettings, CollectorConfig, config_to_json
from modelward.api.exchange import Exchange
from modelward.collector.shipping import HubConnection as CollectorsHub
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.privacy.identifiers import hashed

SECURED = """
import asyncio, sys
from pathlib import Path
from modelward.hub.process import serve
from modelward.hub.settings import ApiServer, HubSettings
listen, health, api_server, folder = sys.argv[1:5]
async def publish(pem):
    Path(folder, "ca.tmp").write_bytes(pem)
    Path(folder, "ca.tmp").rename(Path(folder, "ca.pem"))
settings = HubSettings("memory://", listen, health, Path(folder, "state"),
                       api_server=ApiServer(api_server, Path(folder, "pod-token"), None))
asyncio.run(serve(settings, publish))
"""
REDACTED = {"content": "Redacted", "keepForSeconds": 3_600}


def free_address() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextlib.asynccontextmanager
async def process(*command: str, **env: str) -> AsyncIterator[None]:
    started = await asyncio.create_subprocess_exec(sys.executable, *command, env={**os.environ, **env})
    try:
        yield
        assert started.returncode is None
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGTERM)
        await asyncio.wait_for(started.wait(), PROCESS_PATIENCE_S)


eventually = partial(until_answered, seconds=90.0, ignoring=(HubUnavailableError, OSError))


async def test_the_operator_hears_that_a_small_share_is_full_and_that_it_is_not_any_more(tmp_path: Path) -> None:
    listen = free_address()
    command = ("-c", "from modelward.cli.app import main; main()", "hub", "--insecure-no-auth", "--listen", listen,
               "--health-listen", free_address(), "--store", f"file://{tmp_path}/store", "--state", f"{tmp_path}/state",
               "--namespace-share", "128Ki")  # fmt: skip
    rng = random.Random(1)
    async with process(*command), HubClient(f"http://{listen}") as client:

        async def told(*, full: bool) -> bool:
            stored = (await client.overview()).stored
            return [(one.namespace, one.full, one.share_bytes) for one in stored] == [("retail", full, 128 * 1024)]

        await eventually(lambda: _done(client.put_rules({"retail/chat": REDACTED})))
        await client.post_exchanges(ndjson(replace(exchange(0), time_ms=now_ms())))
        await eventually(lambda: told(full=False))
        for batch in range(12):
            text = ["".join(rng.choices(string.ascii_letters, k=3_000)) for _ in range(8)]
            found = [
                replace(exchange(0), id=f"b{batch}-{number}", time_ms=now_ms(), response=one)
                for number, one in enumerate(text)
            ]
            await client.post_exchanges(ndjson(*found))
            await eventually(partial(_written, client, found[-1].id))
        await eventually(lambda: told(full=True))
        await client.erase({"namespace": "retail", "endpoint": "chat"})
        assert (await client.overview()).stored == []


async def _done(asked: Awaitable[object]) -> bool:
    await asked
    return True


async def _written(client: HubClient, name: str) -> bool:
    return await client.exchange("retail", "chat", name) is not None


class Model(BaseHTTPRequestHandler):
    """Answers every chat."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"id":"typed by jane","model":"m","choices":[{"message":{"role":"assistant","content":"hello"}}]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def model() -> Iterator[str]:
    with served(Model) as url:
        yield url


def _asked(address: str) -> bool:
    connection = HTTPConnection(address, timeout=PROCESS_PATIENCE_S)
    try:
        connection.request("POST", "/v1/chat/completions", b'{"model":"m"}', {"x-conversation-id": "jane"})
        answer = connection.getresponse()
        answer.read()  # a client that leaves before would cut the exchange short
        return answer.status == 200
    finally:
        connection.close()


async def test_a_collector_fetches_its_namespaces_key_with_its_token_and_nobody_elses(
    cluster: Cluster, model: str, tmp_path: Path
) -> None:
    listen, front = free_address(), free_address()
    url, authority = f"https://localhost:{listen.rpartition(':')[2]}", tmp_path / "ca.pem"
    (tmp_path / "pod-token").write_text("pod-token")
    (tmp_path / "token").write_text(cluster.token("retail", "default"))
    (tmp_path / "other-token").write_text(cluster.token("other", "default"))
    config = CollectorConfig(capture=CaptureSettings("Redacted", 1_000_000), hub_url=url)
    (tmp_path / "collector.json").write_text(json.dumps(config_to_json(config)))
    collector = ("-m", "modelward.collector", "--listen", front, "--admin", free_address(), "--upstream", model,
                 "--config", str(tmp_path / "collector.json"), "--spool", str(tmp_path / "spool"),
                 "--token-file", str(tmp_path / "token"), "--hub-ca", str(authority))  # fmt: skip
    hub = ("-c", SECURED, listen, free_address(), cluster.url, str(tmp_path))
    named = {"MODELWARD_NAMESPACE": "retail", "MODELWARD_ENDPOINT": "chat", "MODELWARD_REVISION": "r1"}
    async with process(*hub):
        await eventually(lambda: _there(authority))
        token = cluster.token(*OPERATOR)
        async with HubClient(url, authority.read_bytes(), lambda: token) as client, process(*collector, **named):
            await eventually(lambda: _done(client.put_rules({"retail/chat": REDACTED})))
            await eventually(lambda: asyncio.to_thread(_asked, front))
            # What passes before the worker has fetched the key is kept without one.
            await eventually(lambda: _keyed(client, front))
            kept = next(one for one in await _window(client) if one.conversation)
        own = CollectorsHub(url, str(tmp_path / "token"), str(authority))
        key = (await asyncio.to_thread(own.keys, "retail")).secret
        assert kept.conversation == hashed("jane", key, "conversation")
        assert kept.id == f"mwh-{hashed('typed by jane', key, 'exchange')}"
        with pytest.raises(ConnectionError, match="403"):
            await asyncio.to_thread(own.keys, "other")
        stranger = CollectorsHub(url, str(tmp_path / "other-token"), str(authority))
        with pytest.raises(ConnectionError, match="403"):
            await asyncio.to_thread(stranger.keys, "retail")


async def _there(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def _window(client: HubClient) -> list[Exchange]:
    return list(await client.window("retail", "chat", now_ms() - 120_000, now_ms() + 60_000, 100))


async def _keyed(client: HubClient, front: str) -> bool:
    """Ask once more, and tell whether an exchange that was kept by now carries a conversation."""
    await asyncio.to_thread(_asked, front)
    return any(one.conversation for one in await _window(client))
