"""The cost of a quiet operator, measured: real processes of operator and hub, and many endpoints with pods."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import control_plane as alone
import fleet as fleets
import measured_operator
import metrics_pages
from audited import READS, asked_by_us, until_quiet
from control_plane import ControlPlane
from fleet import Fleet
from waiting import PROCESS_PATIENCE_S

from modelward.api.exchange import Exchange, Message, exchange_to_json
from modelward.desired import names
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.kube.client import Client
from modelward.kube.kinds import EVALUATION_RUN, POD

_POD_CIDR, _FIRST_POD = "127.73.0.0/16", "127.73.0.1"
_LOOKS = 60


@dataclass(frozen=True, slots=True)
class Load:
    """So many endpoints with five evaluations each, and the seconds for which they are watched being quiet.

    What changes at a start in numbers alone is written a status interval later. Either `start_s` is longer than the
    shipped interval, or `status_interval` is so long that these numbers do not come while they are watched.
    """

    endpoints: int
    namespaces: int
    watched_s: float
    start_s: float = 0.0
    status_interval: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the operator did and used in that time, and what one exchange for each endpoint led to after it.

    `writes_per_s` are from the API server's audit log and include the Lease, and `written` tells what they were;
    `cpu_share` is that of one core.
    """

    load: Load
    settled_s: float
    writes_per_s: float
    written: dict[str, int]
    reads_per_s: float
    cpu_share: float
    rss_bytes: int
    runs_quiet: int
    runs_after_one_exchange_each: int
    pods_after_one_exchange_each: int

    def numbers(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def measured(load: Load, folder: Path) -> Cost:
    """Set everything up, measure, and take it down again. Raises NoControlPlaneError."""
    with alone.control_plane(nodes=4, pod_cidr=_POD_CIDR) as plane, _hub(folder) as hub_url:
        return asyncio.run(_measured(load, plane, hub_url, folder))


async def _measured(load: Load, plane: ControlPlane, hub_url: str, folder: Path) -> Cost:
    async with Client.connect(str(plane.kubeconfig)) as client:
        fleet = await fleets.settled(client, "idle", load.endpoints, load.namespaces)
        with metrics_pages.serving(_FIRST_POD, fleet.pods + load.namespaces + 40):
            await fleet.settle()
            began, settings = time.monotonic(), {"hub_url": hub_url}
            if load.status_interval:
                settings["status_interval"] = load.status_interval
            with measured_operator.operating(plane.kubeconfig, "idle-0", folder / "operator.log", settings) as operator:
                await fleet.served(120 + load.endpoints, operator.alive)
                settled_s = time.monotonic() - began
                await asyncio.sleep(load.start_s)
                await until_quiet(plane)
                before, seen = operator.usage(), len(asked_by_us(plane))
                await asyncio.sleep(load.watched_s)
                operator.alive()
                after, asked = operator.usage(), asked_by_us(plane)[seen:]
                runs_quiet = await _count(fleet, EVALUATION_RUN)
                runs, pods = await _one_exchange_each(fleet, hub_url)
    seconds = after.at_s - before.at_s
    writes = [one for one in asked if one["verb"] not in READS]
    return Cost(
        load=load,
        settled_s=settled_s,
        writes_per_s=len(writes) / seconds,
        written=dict(Counter(_kind(one) for one in writes)),
        reads_per_s=(len(asked) - len(writes)) / seconds,
        cpu_share=(after.cpu_s - before.cpu_s) / seconds,
        rss_bytes=after.rss_bytes,
        runs_quiet=runs_quiet,
        runs_after_one_exchange_each=runs,
        pods_after_one_exchange_each=pods,
    )


def _kind(write: dict[str, Any]) -> str:
    about = write["objectRef"]
    return "/".join(filter(None, (about["resource"], about.get("subresource"))))


async def _one_exchange_each(fleet: Fleet, hub_url: str) -> tuple[int, int]:
    """Let the hub have an exchange of each endpoint; return how many runs and evaluation pods it led to."""
    now_ms = time.time_ns() // 1_000_000
    lines = [_line(f"{user.namespace}/{name}", now_ms) for user, name in fleet.names]
    async with HubClient(hub_url) as hub:
        accepted, _ = await hub.post_exchanges(b"\n".join(lines) + b"\n")
    assert accepted == fleet.size
    for _ in range(_LOOKS):
        if await _count(fleet, EVALUATION_RUN) >= len(fleet.users):
            break
        await asyncio.sleep(1.0)
    await asyncio.sleep(8.0)  # in which a second run would come, were there to be one
    return await _count(fleet, EVALUATION_RUN), await _count(fleet, POD, f"{names.COMPONENT}=evaluator")


def _line(endpoint: str, now_ms: int) -> bytes:
    asked = (Message("user", "Where is my card?"),)
    one = Exchange(
        f"x-{endpoint}", now_ms, endpoint, "m", "r1", "chat", 200, "ok", "Redacted", asked, "In the post."
    )  # fmt: skip
    return json.dumps(exchange_to_json(one)).encode()


async def _count(fleet: Fleet, kind: Any, selector: str | None = None) -> int:
    listings = [await fleet.client.list(kind, user.namespace, label_selector=selector) for user in fleet.users]
    return sum(len(listing.items) for listing in listings)


@contextmanager
def _hub(folder: Path) -> Iterator[str]:
    """Run a hub on loopback; gives its address."""
    ports = _two_ports()
    listen = [f"127.0.0.1:{port}" for port in ports]
    where = ("--insecure-no-auth", "--listen", listen[0], "--health-listen", listen[1], "--state", str(folder / "hub"))
    command = (sys.executable, "-c", "from modelward.cli.app import main; main()", "hub", *where)
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        asyncio.run(_answers(f"http://{listen[0]}"))
        yield f"http://{listen[0]}"
    finally:
        process.kill()
        process.wait()


async def _answers(hub_url: str) -> None:
    async with asyncio.timeout(PROCESS_PATIENCE_S), HubClient(hub_url) as hub:
        while True:
            try:
                await hub.endpoints()
            except HubUnavailableError:
                await asyncio.sleep(0.2)
            else:
                return


def _two_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
