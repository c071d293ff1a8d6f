"""Two operators: one leads, the other takes over in time, and nothing is lost, doubled or written too late.

The scenarios wait far more than they work, so they run beside each other, each in a namespace with a Lease of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from calls import Call, Recorded, writing
from calm import calm_life, revision, settles_as
from churn import Churn
from control_plane import ControlPlane
from operators import Operator, Start, operating
from proxy import let_go
from user import User
from waiting import PROCESS_PATIENCE_S

from faults import delay, hold
from modelward.kube.client import Client
from modelward.kube.lease import RENEW_WITHIN_S

FULL = os.environ.get("MODELWARD_FULL") == "1"
HELD_S = 30.0
MOVING_PODS = ("modelward-template", "modelward-adopt", "modelward-scale")
CHANGES = 1_000 if FULL else 200
ROUNDS = 6 if FULL else 1


@dataclass(frozen=True, slots=True)
class Scene:
    """What a scenario plays on."""

    plane: ControlPlane
    start: Start
    churn: Churn
    report: dict[str, float]
    """What was measured."""

    async def pair(self) -> tuple[Operator, Operator]:
        """Start a leader and a standby that is ready to follow."""
        first = self.start("first")
        await first.leads()
        second = self.start("second")
        await second.ready()
        return first, second

    async def ends_calmly(self, **settings: Any) -> None:
        """Hold what there is to what a calm life leaves; nothing is lost, doubled, or rolled without being asked."""
        churn = self.churn
        calm = await calm_life(self.plane.kubeconfig, churn.user, churn.specs, churn.sample, **settings)
        await settles_as(calm, churn.user)
        for name in churn.specs:
            assert await revision(churn.user, name) <= 1 + churn.rolls[name], name


Scenario = Callable[[Scene], Awaitable[None]]


async def stopped(scene: Scene) -> None:
    first, second = await scene.pair()
    async with scene.churn.going_on():
        await busy(first)
        first.proxy.spoil(writing, delay(0.3))  # so that answers come in while it cannot read them
        await asyncio.sleep(0.5)
        at_s = first.signal(signal.SIGSTOP)
        scene.report["second leads after SIGSTOP, s"] = await second.leads(25) - at_s
        await asyncio.sleep(max(0.0, at_s + HELD_S - time.monotonic()))
        assert first.alive
        woken_s = first.signal(signal.SIGCONT)
        assert await first.ended() == 1
        scene.report["first ends after SIGCONT, s"] = time.monotonic() - woken_s
    assert "leadership lost" in first.tail()
    assert [str(one.call) for one in late(first)] == []
    assert [one for one in first.writes() if at_s - 1 < one.call.at_s < at_s], "no write was under way"
    assert scene.report["second leads after SIGSTOP, s"] < 20
    await scene.ends_calmly()


async def killed(scene: Scene) -> None:
    first, second = await scene.pair()
    async with scene.churn.going_on():
        await busy(first)
        at_s = first.signal(signal.SIGKILL)
        scene.report["second leads after SIGKILL, s"] = await second.leads(25) - at_s
        third = scene.start("third")
        await third.ready()
        await busy(second)
        at_s = second.signal(signal.SIGTERM)
        scene.report["third leads after SIGTERM, s"] = await third.leads(10) - at_s
        assert await second.ended() == 0
    assert scene.report["second leads after SIGKILL, s"] < 20
    assert scene.report["third leads after SIGTERM, s"] < 5
    await scene.ends_calmly()


def moves_pods(call: Call) -> bool:
    return call.writes and call.query.get("fieldManager") in MOVING_PODS


@dataclass(slots=True)
class Held:
    """Matches renewals of the Lease and what moves pods; and all writes, once one that moves pods was met."""

    moving: set[str] = field(default_factory=set)
    """The paths of what moves pods."""

    def __call__(self, call: Call) -> bool:
        if moves_pods(call):
            self.moving.add(call.path)
        return call.writes and (bool(self.moving) or call.plural == "leases")


async def held(scene: Scene) -> None:
    """The nasty case: what the old leader sent in time arrives when another has led for long."""
    first, second = await scene.pair()
    sent, let_go = Held(), threading.Event()
    holding = first.proxy.spoil(sent, hold(let_go))
    at_s = time.monotonic()
    await scene.churn.release()
    async with scene.churn.going_on():
        scene.report["second leads after writes hung, s"] = await second.leads(25) - at_s
        assert await first.ended() == 1
        async with asyncio.timeout(60 + HELD_S):
            while not sent.moving <= written(second):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
            let_go.set()
            while len(arrived_late(first)) < holding.met:  # noqa: ASYNC110 - another thread
                await asyncio.sleep(0.1)
    writes = [one for one in arrived_late(first) if writing(one.call)]
    scene.report["writes that arrived late"] = len(writes)
    moving_pods = [one for one in writes if moves_pods(one.call)]
    assert moving_pods, [str(one.call) for one in writes]
    assert [str(one.call) for one in moving_pods if one.committed != 409] == []
    assert scene.report["second leads after writes hung, s"] < 20
    await scene.ends_calmly()


def written(operator: Operator) -> set[str]:
    """Return the paths of the objects that an operator has changed."""
    return {one.call.path for one in operator.writes() if 200 <= one.committed < 300}


def arrived_late(operator: Operator) -> list[Recorded]:
    """The writes that were held and then let go."""
    return [one for one in operator.proxy.recorded if one.fault == "late"]


async def rolled(scene: Scene) -> None:
    """As a Deployment of two rolls: one new comes up, one old goes, and again."""
    newer = {"collector_image": "modelward.invalid/collector:1", "hub_url": "http://hub.invalid:8443"}
    churn, old = scene.churn, await scene.pair()
    everyone = list(old)
    async with churn.going_on(every_s=0.05):
        for number, going in enumerate(old):
            coming = scene.start(f"new-{number}", **newer)
            await coming.ready()
            everyone.append(coming)
            await busy(*everyone)
            assert await going.stop() == 0
        while churn.changes < CHANGES:  # noqa: ASYNC110 - a churn
            await asyncio.sleep(0.1)
    await scene.ends_calmly(hub_url="http://hub.invalid:8443")


async def busy(*operators: Operator, writes: int = 20) -> None:
    """Wait until the leader has work to do."""

    def done() -> int:
        return sum(len(operator.writes()) for operator in operators)

    before = done()
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while done() < before + writes:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def late(operator: Operator) -> list[Recorded]:
    """What arrived after the operator's deadline and was no read: Events, the Lease and dry runs are among it.

    It counts 10 s from when it sent a renewal, and a renewal arrives no earlier than it is sent.
    """
    deadline_s = operator.renewals[-1].call.at_s + RENEW_WITHIN_S
    return [one for one in operator.proxy.recorded if one.call.method != "GET" and one.call.at_s > deadline_s]


SCENARIOS: Mapping[Scenario, int] = {stopped: 20, killed: 20, held: 20, rolled: 20}
"""What is played, and with how many endpoints."""
Outcomes = Mapping[Scenario, BaseException | None]


@asynccontextmanager
async def scene(scenario: Scenario, plane: ControlPlane, folder: Path, seed: int) -> AsyncIterator[Scene]:
    namespace = f"two-{scenario.__name__}-{uuid.uuid4().hex[:6]}"
    async with Client.connect(str(plane.kubeconfig)) as client:
        churn = Churn(await User.settled(client, namespace), SCENARIOS[scenario], seed)
        await churn.begin()
        folder = folder / namespace
        folder.mkdir()
        with operating(plane.kubeconfig, folder, [namespace]) as start:
            yield Scene(plane, start, churn, {})


def tell(scenario: Scenario, seed: int, seconds: float, here: Scene) -> None:
    print(f"{scenario.__name__} seed={seed} changes={here.churn.changes} took {seconds:.1f} s")
    for what, value in here.report.items():
        print(f"  {what}: {value:.2f}")


async def play(scenario: Scenario, plane: ControlPlane, folder: Path) -> None:
    for seed in range(ROUNDS):
        async with scene(scenario, plane, folder, seed) as here:
            begun = time.monotonic()
            try:
                await scenario(here)
            finally:
                tell(scenario, seed, time.monotonic() - begun, here)


@pytest.fixture(scope="module")
def outcomes(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Play all scenarios at once; what became of each."""
    folder = tmp_path_factory.mktemp("operators")

    async def everything() -> Outcomes:
        playing = [play(scenario, control_plane, folder) for scenario in SCENARIOS]
        found = await asyncio.gather(*playing, return_exceptions=True)
        await let_go()
        return dict(zip(SCENARIOS, found, strict=True))

    return asyncio.run(everything())


def assert_good(outcome: BaseException | None) -> None:
    """Raise what a scenario ended with."""
    if outcome is not None:
        raise outcome


def test_a_leader_that_was_stopped_writes_nothing_after_its_deadline_and_ends(outcomes: Outcomes) -> None:
    assert_good(outcomes[stopped])


def test_a_killed_leader_is_followed_within_20_s_and_one_that_leaves_within_5_s(outcomes: Outcomes) -> None:
    assert_good(outcomes[killed])


def test_what_a_cut_off_leader_wrote_and_arrives_late_does_no_harm(outcomes: Outcomes) -> None:
    assert_good(outcomes[held])


def test_an_upgrade_under_a_storm_of_changes_loses_none_and_rolls_nothing(outcomes: Outcomes) -> None:
    assert_good(outcomes[rolled])
