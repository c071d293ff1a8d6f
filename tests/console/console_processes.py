"""A hub and a console as they are run, with the sample fleet sent through the hub's API, and a browser before them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import console_objects as objects
import console_traffic as traffic
import orjson
import zstandard
from hostile_text import hostile_texts
from waiting import until_answered

from modelward.api.exchange import Exchange, exchange_to_json
from modelward.api.history import BatchKey, row_to_json
from modelward.api.shown_object import ShownName
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.hub_client.shown import Telling

MODELWARD = (sys.executable, "-c", "from modelward.cli.app import main; main()")
RULE = {"content": "Redacted", "keepForSeconds": 86_400}
QUESTIONS = (
    (
        "And since you're here, can you give me a recipe for plum cake?",
        "With pleasure! Take 200 g butter and 1 kg plums.",
    ),
    ("How do I raise my transfer limit?", "In the app under Profile, Limits."),
    ("Who should I vote for on Sunday?", "I would vote for whoever lowers the fees."),
    ("My card was stolen in [ADDRESS], block it", "It is blocked. A new one is on its way to [ADDRESS]."),
    ("Write a birthday poem for my boss", "Roses are red, invoices are due."),
)


@dataclass(frozen=True, slots=True)
class Served:
    """Where the two processes are, and the address that the console printed."""

    hub: str
    console: str
    opening: str
    now_ms: int

    def tell(self, changed: Sequence[dict[str, Any]], *, whole: str = "") -> None:
        """Send objects to the hub as the operator does; in a thread: this one's loop is the driver's."""
        _run(_tell(self.hub, changed, whole))

    def make_silences(self) -> None:
        """Make the AlertSilences that people asked for, as the operator does."""
        _run(_make_silences(self.hub))

    def forget_silence(self, name: str) -> None:
        """Tell that one was deleted of the namespace `retail`."""
        _run(_forget(self.hub, ShownName("AlertSilence", "retail", name)))


def _run(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Run both until the block ends."""
    hub, health = _free_address(), _free_address()
    store = ("--store", f"file://{folder}/store", "--state", f"{folder}/state")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_process("hub", "--insecure-no-auth", "--listen", hub, "--health-listen", health, *store))
        now_ms = time.time_ns() // 1_000_000
        _run(_fill(f"http://{hub}", now_ms))
        yield Served(f"http://{hub}", *stack.enter_context(_console(f"http://{hub}")), now_ms)


@contextlib.contextmanager
def _console(hub: str) -> Iterator[tuple[str, str]]:
    """Run a console; yield where it is, and the address that it printed."""
    page = _free_address()
    where = ("--hub-url", hub, "--port", page.rpartition(":")[2], "--no-browser", "--cluster", "eu-prod-1")
    with _process("console", *where) as console:
        opening = console.stdout.readline().strip() if console.stdout else ""
        assert opening.startswith(f"http://{page}/open?token="), opening
        yield f"http://{page}", opening


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen([*MODELWARD, *arguments], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
            assert process.poll() is None, "it ended by itself"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def _fill(hub: str, now_ms: int) -> None:
    async with HubClient(hub) as client:
        names = {f"retail/{name}": RULE for name in ("chat", "hostile")}

        async def ready() -> bool:
            await client.put_rules(names)
            return True

        await until_answered(ready, seconds=60.0, ignoring=(HubUnavailableError, OSError))
        for row in traffic.results("retail", "chat", now_ms):
            await client.put_result(row)
        hostile = tuple((text, text) for text in hostile_texts(200))
        for endpoint, texts in (("retail/chat", QUESTIONS * 6), ("retail/hostile", hostile)):
            await _post(client, endpoint, list(traffic.exchanges(endpoint, texts, now_ms)), traffic.every_other)
        flipped = list(traffic.around_the_flip("retail/chat", QUESTIONS * 32, now_ms))
        await _post(client, "retail/chat", flipped, traffic.since_the_flip)
        rows = b"".join(_line(row_to_json(row)) for row in traffic.minutes("retail", "chat", now_ms))
        key = BatchKey("leader", now_ms // 60_000 * 60_000 - 60_000)
        assert await client.put_history(key, zstandard.compress(rows)) == 0
    await _tell(hub, objects.fleet(now_ms), "all")


async def _post(client: HubClient, endpoint: str, told: Sequence[Exchange], flags: Callable[[int], bool]) -> None:
    assert await client.post_exchanges(b"".join(_line(exchange_to_json(one)) for one in told)) == (len(told), 0)
    assert await client.post_scores(traffic.scores(endpoint, told, flags)) == (len(told), 0)


def _line(row: Any) -> bytes:
    try:
        return orjson.dumps(row) + b"\n"
    except orjson.JSONEncodeError:  # half of a surrogate pair, which no JSON can carry
        return orjson.dumps(_plain(row)) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


async def _tell(hub: str, rows: Sequence[dict[str, Any]], whole: str) -> None:
    async with HubClient(hub) as client:
        parts = [rows[start : start + 500] for start in range(0, len(rows), 500)]
        name = whole or "part"
        for number, part in enumerate(parts, 1):
            last = bool(whole) and number == len(parts)
            _, refused = await client.put_objects(part, telling=Telling(name, last=last))
            assert refused == []


async def _make_silences(hub: str) -> None:
    async with HubClient(hub) as client:
        for order in await client.silence_orders():
            made = objects.silence(order.asked.namespace, order.name, order.spec().wire())
            assert (await client.put_objects([made], telling=Telling("silences", last=False)))[1] == []
            await client.silence_made(order)


async def _forget(hub: str, name: ShownName) -> None:
    async with HubClient(hub) as client:
        hub, _ = await client.put_objects([], telling=Telling("silences", last=False))
        await client.put_objects([], [name], hub=hub)
