"""Whatever a watch loses, repeats, delays or ends with, all is as after a calm life within 60 s, and no ghost counts.

Each trouble plays in a namespace of its own with a process of its own. It spoils the watches while a user changes,
deletes and makes anew. They wait more than they work, so several play beside each other; with all at once the API
server of two cores takes more than ten seconds for an answer.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import measured_operator
import pytest
from calls import Call, Event, every
from calm import calm_life, declare, settles_as
from churn import Churn
from control_plane import ControlPlane
from operators import Operator, operating
from proxy import Proxy, let_go
from user import User, template
from waiting import PROCESS_PATIENCE_S

from faults import Fault, belated, ending, refuse, repeating, swapping, without
from modelward.kube.client import Client
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, SERVICE

pytestmark = pytest.mark.timeout(600)
FULL = os.environ.get("MODELWARD_FULL") == "1"
WITHIN_S = 60.0
SWEEP = "45s" if FULL else "15s"
"""In full as it ships; in short the machine may be slower than a cluster's."""
AT_ONCE = 5
ENDPOINTS, STORM_S, EVERY_S = 5, (30.0 if FULL else 8.0), 0.4


@dataclass(frozen=True, slots=True)
class Scene:
    """One operator over one namespace, in which endpoints come, change and go."""

    plane: ControlPlane
    operator: Operator
    churn: Churn

    @property
    def proxy(self) -> Proxy:
        """What stands between the operator and the API server."""
        return self.operator.proxy

    async def changes(self) -> None:
        """Change all kinds of things: specs, endpoints that go and come back as others, children that go."""
        user, specs = self.churn.user, self.churn.specs
        async with self.churn.going_on(EVERY_S):
            await asyncio.sleep(STORM_S / 4)
            await user.delete(DEPLOYMENT, "chat-00")
            await user.delete(SERVICE, "chat-01")
            await asyncio.sleep(STORM_S / 4)
            await declare(user, {"short-lived": template(replicas=1)})
            await asyncio.sleep(STORM_S / 2)
        specs.pop("chat-02")
        await user.delete(LLM_ENDPOINT, "chat-02")
        await user.delete(LLM_ENDPOINT, "short-lived")
        await user.delete(LLM_ENDPOINT, "chat-03")
        specs["chat-03"] = template(image="modelward.invalid/vllm:anew", replicas=2)
        await declare(user, {"chat-03": specs["chat-03"]})

    async def ends_calmly(self) -> float:
        """Hold what there is to what a calm life leaves, within 60 s from now; how long it took."""
        churn, begun = self.churn, time.monotonic()
        calm = await calm_life(self.plane.kubeconfig, churn.user, churn.specs, churn.sample)
        await settles_as(calm, churn.user, begun + WITHIN_S - time.monotonic())
        while ghosts := self.counted() ^ churn.specs.keys():
            assert time.monotonic() < begun + WITHIN_S, f"counted, or not, and should not: {ghosts}"
            await asyncio.sleep(0.5)
        return time.monotonic() - begun

    def counted(self) -> set[str]:
        """Return the endpoints that the operator's metrics speak of."""
        found = measured_operator.metrics(self.operator.log).of("modelward_condition")
        return {one.labels["endpoint"] for one in found if one.labels["namespace"] == self.churn.user.namespace}

    def restarts(self) -> dict[str, float]:
        """Return how often the watch was started again, by what had ended it."""
        found = measured_operator.metrics(self.operator.log).of("modelward_hints_restarts_total")
        return {one.labels["reason"]: one.value for one in found}


Trouble = Callable[[Scene], Awaitable[None]]


def watching(call: Call) -> bool:
    """Match requests for a watch."""
    return call.verb == "watch"


async def anew(scene: Scene) -> None:
    """Let all watches begin again, so that what spoils watches spoils these."""
    before = {call.number for call in scene.proxy.watching}
    scene.proxy.end_watches(every)
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while not (now := {call.number for call in scene.proxy.watching}) or now & before:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


async def lost(scene: Scene) -> None:
    """Every other event is lost."""
    numbers = count()
    scene.proxy.spoil_watches(every, without(lambda _: next(numbers) % 2 == 0))
    await anew(scene)
    await scene.changes()


async def deletions_lost(scene: Scene) -> None:
    """No deletion is ever heard of."""
    scene.proxy.spoil_watches(every, without(deleted))
    await anew(scene)
    await scene.changes()


async def late(scene: Scene) -> None:
    """Events come so late that lists have long told what followed."""
    scene.proxy.spoil_watches(every, belated(1.0))
    await anew(scene)
    await scene.changes()


async def repeated(scene: Scene) -> None:
    """Events come twice."""
    scene.proxy.spoil_watches(every, repeating)
    await anew(scene)
    await scene.changes()


async def swapped(scene: Scene) -> None:
    """Events come in the wrong order."""
    scene.proxy.spoil_watches(every, swapping(5))
    await anew(scene)
    await scene.changes()


async def expired(scene: Scene) -> None:
    """Events are missed, deletions among them, and then the version to go on from is too old: 410."""
    scene.proxy.spoil_watches(every, without(lambda _: True))
    await anew(scene)
    await scene.changes()
    scene.proxy.clear()
    assert scene.proxy.expire_watches(every) > 0


async def broken(scene: Scene) -> None:
    """An error other than 410 comes in the middle of a watch, again and again."""
    storming = asyncio.create_task(scene.changes())
    while not storming.done():
        scene.proxy.end_watches(every, ending(500, "InternalError"))
        await asyncio.sleep(1.0)
    await storming
    await restarted(scene, "WatchingError")


def turned_away(status: int, reason: str, ends_with: str) -> Trouble:
    """Return the trouble that watches are refused for as long as things change."""

    async def refused(scene: Scene) -> None:
        refusal: Fault = refuse(status, reason)
        scene.proxy.spoil(watching, refusal)
        scene.proxy.end_watches(every)
        await scene.changes()
        await restarted(scene, ends_with)
        scene.proxy.clear()

    refused.__name__ = f"refused_{status}"
    return refused


async def restarted(scene: Scene, reason: str) -> None:
    """Hold that the watch was started again, and that it was this that had ended it."""
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while reason not in scene.restarts():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)


def deleted(event: Event) -> bool:
    """Match what tells that an object is gone."""
    return bool(event["type"] == "DELETED")


TROUBLES: tuple[Trouble, ...] = (
    lost,
    deletions_lost,
    late,
    repeated,
    swapped,
    expired,
    broken,
    turned_away(403, "Forbidden", "APIForbiddenError"),
    turned_away(404, "NotFound", "APINotFoundError"),
    turned_away(500, "InternalError", "APIServerError"),
)
Outcomes = Mapping[str, BaseException | None]


@asynccontextmanager
async def scene(trouble: Trouble, plane: ControlPlane, folder: Path, seed: int) -> AsyncIterator[Scene]:
    namespace = f"watch-{trouble.__name__.replace('_', '-')}-{uuid.uuid4().hex[:6]}"
    async with Client.connect(str(plane.kubeconfig)) as client:
        churn = Churn(await User.settled(client, namespace), ENDPOINTS, seed)
        await churn.begin()
        (folder / namespace).mkdir()
        with operating(plane.kubeconfig, folder / namespace, [namespace]) as start:
            operator = start("operator", sweep_interval=SWEEP)
            await operator.leads()
            yield Scene(plane, operator, churn)
            assert operator.alive, operator.tail()
            assert await operator.stop() == 0


async def play(trouble: Trouble, plane: ControlPlane, folder: Path, seed: int) -> None:
    async with scene(trouble, plane, folder, seed) as here:
        await trouble(here)
        took_s = await here.ends_calmly()
        print(f"{trouble.__name__}: changes={here.churn.changes} settled in {took_s:.1f} s restarts={here.restarts()}")


@pytest.fixture(scope="module")
def outcomes(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Play all troubles, some at a time; what became of each."""
    folder = tmp_path_factory.mktemp("watches")

    async def everything() -> Outcomes:
        room = asyncio.Semaphore(AT_ONCE)

        async def in_turn(trouble: Trouble, seed: int) -> None:
            async with room:
                await play(trouble, control_plane, folder, seed)

        playing = [in_turn(trouble, seed) for seed, trouble in enumerate(TROUBLES)]
        found = await asyncio.gather(*playing, return_exceptions=True)
        await let_go()
        return {trouble.__name__: outcome for trouble, outcome in zip(TROUBLES, found, strict=True)}

    return asyncio.run(everything())


@pytest.mark.parametrize("trouble", [trouble.__name__ for trouble in TROUBLES])
def test_after_any_trouble_with_a_watch_all_is_as_it_should_within_a_minute(outcomes: Outcomes, trouble: str) -> None:
    assert_good(outcomes[trouble])


def assert_good(outcome: BaseException | None) -> None:
    """Raise what a scenario ended with."""
    if outcome is not None:
        raise outcome
