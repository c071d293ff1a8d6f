"""One endpoint hangs, one floods events, one has a huge metrics page: the others do not notice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from itertools import count, cycle, islice
from pathlib import Path

import control_plane as alone
import fleet as fleets
import measured_operator
import metrics_pages
import noise
import pytest
import reaction
from audited import until_quiet
from control_plane import ControlPlane, NoControlPlaneError
from fleet import Fleet
from measured_operator import MeasuredOperator
from reaction import Stopwatch, quantile
from user import User
from waiting import PROCESS_PATIENCE_S

from modelward.kube.client import Client

FULL = os.environ.get("MODELWARD_FULL") == "1"
SIZE, NAMESPACES, ROUNDS, CHANGES = (300, 10, 4, 200) if FULL else (24, 2, 2, 30)
SETTLED_S = 420.0 if FULL else 90.0
STARTED_S = 90.0
"""Until the first verdicts of all endpoints, which come at once after a start, are written too."""
_TOO_LARGE = "reason=TooLarge"
SHARE = 0.99 if FULL else 0.9
"""Of few changes one in a hundred is the slowest of all, which tells more of the machine than of the operator."""
SHARED_MACHINE_S = 0.0 if FULL else 1.0
"""What other processes may add to one of few and short changes by taking cores; a hang costs ten times that."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane with made-up nodes; their pods' addresses are of this module alone."""
    try:
        with alone.control_plane(nodes=4, pod_cidr="127.72.0.0/16") as running:
            yield running
    except NoControlPlaneError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no control plane: {error}", pytrace=False)
        pytest.skip(f"no control plane: {error}")


async def test_neighbours_that_hang_flood_or_burst_delay_nobody_and_cost_no_memory(
    plane: ControlPlane, tmp_path: Path
) -> None:
    async with Client.connect(str(plane.kubeconfig)) as client, reaction.watching(plane.kubeconfig) as stopwatch:
        fleet = await fleets.settled(client, "neighbours", SIZE, NAMESPACES)
        with metrics_pages.serving("127.72.0.1", fleet.pods + 40) as pages:
            await fleet.settle()
            with measured_operator.operating(plane.kubeconfig, "neighbours-0", tmp_path / "log", {}) as operator:
                await fleet.served(SETTLED_S, operator.alive)
                if FULL:
                    await asyncio.sleep(STARTED_S)
                    await until_quiet(plane)
                await assert_undelayed(plane, fleet, pages, operator, stopwatch)


async def assert_undelayed(
    plane: ControlPlane,
    fleet: Fleet,
    pages: metrics_pages.PageServer,
    operator: MeasuredOperator,
    stopwatch: Stopwatch,
) -> None:
    loud, user = noise.settled(fleet), fleet.users[0]
    own = [name for owner, name in fleet.names if owner == user]
    large = [name for name in own if name.startswith("gateway")][:2]
    odd = {await fleet.address(user, name): mode for name, mode in zip(large, ("huge", "heavy"), strict=True)}
    odd[await fleet.address(user, loud.hanging)] = "hang"
    others = [one for one in fleet.names if one[1] not in (*large, loud.hanging, loud.flooding)]
    others = [one for one in others if not one[1].startswith("scrapeonly")]
    ports = count(10_000)
    took: dict[str, list[float]] = {"quiet": [], "noisy": []}
    await _changes(stopwatch, others, ports)  # what is slow only the first time
    memory_before = operator.usage().rss_bytes
    for _ in range(ROUNDS):
        took["quiet"] += await _changes(stopwatch, others, ports)
        async with loud.loud(plane, odd, pages):
            await asyncio.sleep(2.0)
            await _read(pages, odd)
            took["noisy"] += await _changes(stopwatch, others, ports)
        await _calm(operator)
    await loud.hang_up()
    quiet_s, noisy_s = (quantile(took[kind], SHARE) for kind in ("quiet", "noisy"))
    memory = operator.usage().rss_bytes
    print(
        f"endpoints={SIZE} changes={len(took['quiet'])} share={SHARE:g} quiet_s={quiet_s:.3f} noisy_s={noisy_s:.3f}"
        f" median_quiet_s={quantile(took['quiet'], 0.5):.3f} median_noisy_s={quantile(took['noisy'], 0.5):.3f}"
        f" floods={loud.floods} hangs={loud.hangs}"
        f" rss_before={memory_before / 1e6:.0f}MB rss_after={memory / 1e6:.0f}MB"
    )
    log = operator.tail(10_000_000)
    assert loud.floods > ROUNDS * 20
    assert loud.hangs
    assert f"key=endpoint/{user.namespace}/{loud.hanging}" in log, "the endpoint that was to hang did not"
    refused = {name for name in own for line in log.splitlines() if _TOO_LARGE in line and f"/{name} " in line}
    assert refused == {large[0]}, "the page just under the bound is read as a whole, the one over it is not"
    assert noisy_s <= 2 * quiet_s + SHARED_MACHINE_S
    assert memory < 250_000_000
    assert memory - memory_before < 60_000_000


async def _changes(stopwatch: Stopwatch, endpoints: list[tuple[User, str]], ports: Iterator[int]) -> list[float]:
    """Change endpoints one after another, each to a port that it has not had; return the seconds that each took."""
    took = []
    for user, name in islice(cycle(endpoints), CHANGES):
        took.append(await stopwatch.change(user, name, next(ports)))
        await asyncio.sleep(0.02)
    return took


async def _read(pages: metrics_pages.PageServer, odd: Mapping[str, str]) -> None:
    """Wait until the pages that are large have been given; each has its turn once in a scrape interval."""
    large = {address: mode for address, mode in odd.items() if mode != "hang"}
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while not all([await asyncio.to_thread(pages.let, *one) for one in large.items()]):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def _calm(operator: MeasuredOperator) -> None:
    """Wait until nothing hangs any more."""
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while _longest_running_s(operator) > 1.0:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.5)


def _longest_running_s(operator: MeasuredOperator) -> float:
    return operator.metrics().of("workqueue_longest_running_processor_seconds")[0].value
