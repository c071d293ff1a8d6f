"""The operator dies after any of its writes, with or without the answer: the next life ends where a calm one ends."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import proxy as proxies
import pytest
from calls import writing
from control_plane import ControlPlane
from driver import NOON_MS, Driver, driving
from snapshot import Snapshot, differences, snapshot
from user import API, User, reference, template
from waiting import PROCESS_PATIENCE_S

from faults import Crash
from modelward.api.quantity import timestamp
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, POD, Object

FULL = os.environ.get("MODELWARD_FULL") == "1"
LIVES_AT_ONCE = 6
LONGEST_LIFE = 25
SECOND_S = 1.0
"""Which pods are the newest is told by their age, in whole seconds."""
POLICY: dict[str, Any] = {"capture": {"content": "Redacted", "sample": "10%"}}
ON_TOPIC = {
    "name": "stays-on-topic",
    "check": {"builtin": "OffTopicAnswered", "config": {"inScope": ["questions about bank cards"]}},
    "failAbove": "10%",
}

Act = Callable[[User], Awaitable[object]]
Tell = Callable[[Driver], None]


async def nothing(_user: User) -> None:
    """Change nothing."""


def silent(_driver: Driver) -> None:
    """Tell the operator nothing that it would not find out itself."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What stands before, calmly, what the user then changes, and how many writes that takes at the least."""

    name: str
    change: Act
    least: int
    before: Act = nothing
    tell: Tell = silent
    rolls: bool = False
    """Whether pods are replaced, by some that must be seen to be newer."""


@dataclass(frozen=True, slots=True)
class Life:
    """How one life that died, and the one after it, left a namespace; `writes` are those of the first."""

    end: Snapshot
    writes: tuple[str, ...]


async def sidecar(user: User, **spec: Any) -> None:
    await user.endpoint("chat", template(**{"replicas": 2, **spec}))


async def gateway(user: User) -> None:
    await sidecar(user, collector={"mode": "Gateway"}, gateway={"replicas": 1})


async def create_all_kinds(user: User) -> None:
    await user.policy(**POLICY, evaluations=[ON_TOPIC])
    await user.workload()
    await sidecar(user)
    await user.endpoint("watched", reference())
    await user.endpoint("relayed", reference(mode="Gateway", service={"name": "relayed", "port": 80}))
    external = {"engine": "openai", "backend": {"external": {"url": "https://api.example.invalid/v1"}}}
    await user.endpoint("remote", external)


async def update_template(user: User) -> None:
    await sidecar(user)
    changed = template("modelward.invalid/vllm:1", replicas=2)
    changed["backend"]["template"]["podTemplate"]["spec"]["containers"][0]["args"] = ["--threads=4"]
    await user.endpoint("chat", changed)
    await user.policy(capture={"content": "MetadataOnly", "sample": "50%"})


async def theirs(user: User) -> None:
    await user.workload()
    await user.policy(**POLICY)
    await user.endpoint("chat", reference())


async def adopt(user: User) -> None:
    await user.endpoint("chat", reference(mode="Sidecar"))


async def adopted(user: User) -> None:
    await theirs(user)
    await asyncio.sleep(SECOND_S)
    await adopt(user)


async def delete_and_release(user: User) -> None:
    await user.delete(LLM_ENDPOINT, "chat")
    metadata = {"name": "my-vllm", "annotations": {"modelward.dev/release": "now"}}
    await user.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}, "user-asks")


async def scale(user: User) -> None:
    await user.client.set_scale(LLM_ENDPOINT, user.namespace, "chat", 5, manager="kubectl")
    await user.client.set_scale(LLM_ENDPOINT, user.namespace, "theirs", 4, manager="kubectl")


async def scalable(user: User) -> None:
    await sidecar(user)
    await user.workload()
    await user.endpoint("theirs", {**reference(), "replicas": 2})


async def ask_for_a_run(user: User) -> None:
    window = {"from": timestamp(NOON_MS - 3_600_000), "to": timestamp(NOON_MS - 60_000)}
    spec = {"endpoint": "chat", **window}
    await user.apply({"apiVersion": API, "kind": "EvaluationRun", "metadata": {"name": "look-back"}, "spec": spec})


async def evaluated(user: User) -> None:
    await sidecar(user)
    await user.policy(**POLICY, evaluations=[ON_TOPIC])


def new_exchanges(driver: Driver) -> None:
    """Say what the hub would: it is there, and it has exchanges of a minute ago."""
    feed, namespace = driver.reconciler.runs.hub, driver.namespaces[0]
    feed.available, feed.newest_ms = True, {f"{namespace}/chat": NOON_MS - 60_000}


async def finish_five_runs(user: User) -> None:
    for number in range(5):
        await _finished_run(user, f"modelward-20260101-00000{number}")


async def _finished_run(user: User, name: str) -> None:
    window = {"from": timestamp(NOON_MS - 7_200_000), "to": timestamp(NOON_MS - 3_600_000)}
    item = {"endpoint": "chat", "policy": "baseline", "evaluation": "stays-on-topic", **window}
    metadata = {"name": name}
    made = await user.apply(
        {"apiVersion": API, "kind": "EvaluationRun", "metadata": metadata, "spec": {"items": [item]}}
    )
    time = timestamp(NOON_MS - 3_600_000)
    condition = {"type": "Complete", "status": "True", "reason": "Finished", "message": "", "lastTransitionTime": time}
    about = {"name": name, "namespace": user.namespace}
    status = {"result": "Passed", "completionTime": time, "conditions": [{**condition, "observedGeneration": 1}]}
    await user.client.apply_status({**_identity(made), "metadata": about, "status": status}, "earlier")


def _identity(obj: Object) -> Object:
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}


async def delete_all(user: User) -> None:
    for name in ("chat", "watched", "relayed", "remote"):
        await user.delete(LLM_ENDPOINT, name)


SCENARIOS = (
    Scenario("create", create_all_kinds, least=15),
    Scenario("update", update_template, least=3, before=evaluated, rolls=True),
    Scenario("to-a-gateway", gateway, least=6, before=evaluated, rolls=True),
    Scenario("from-a-gateway", sidecar, least=4, before=gateway, rolls=True),
    Scenario("adopt", adopt, least=6, before=theirs, rolls=True),
    Scenario("give-back", theirs, least=3, before=adopted, rolls=True),
    Scenario("release", delete_and_release, least=1, before=adopted, rolls=True),
    Scenario("scale", scale, least=4, before=scalable),
    Scenario("run", ask_for_a_run, least=4, before=evaluated),
    Scenario("scheduled-run", nothing, least=5, before=evaluated, tell=new_exchanges),
    Scenario("tidy", finish_five_runs, least=2, before=evaluated),
    Scenario("delete", delete_all, least=0, before=create_all_kinds),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_life_that_dies_at_any_write_is_completed_by_the_next(
    control_plane: ControlPlane, admin: Client, scenario: Scenario
) -> None:
    calm = await _life(control_plane, admin, scenario, None)
    assert len(calm.writes) >= scenario.least, calm.writes
    turns = asyncio.Semaphore(LIVES_AT_ONCE)

    async def broken(after: int, *, answered: bool) -> tuple[str, list[str]]:
        async with turns:
            life = await _life(control_plane, admin, scenario, Crash(after, writing, answered))
        # Controllers of the cluster come in between, so what is the k-th write of one life need not be of another's.
        died = life.writes[-1] if life.writes else "nothing"
        return f"dies with write {after} ({died}), answered={answered}", differences(calm.end, life.end)

    # The cluster is left the same whether the last write was answered or not: in short the two take turns.
    both = ((write, answered) for write in range(1, len(calm.writes) + 1) for answered in (True, False))
    chosen = [(write, answered) for write, answered in both if FULL or answered == bool(write % 2)]
    ends = await asyncio.gather(*(broken(after, answered=answered) for after, answered in chosen))
    wrong = [f"{how}:\n    " + "\n    ".join(found) for how, found in ends if found]
    assert not wrong, "\n".join(wrong)[:6000]


async def test_what_the_user_changes_after_a_life_that_died_goes_in(control_plane: ControlPlane, admin: Client) -> None:
    calm = await _life(control_plane, admin, Scenario("calm", sidecar, least=5), None)
    turns = asyncio.Semaphore(LIVES_AT_ONCE)

    async def in_turn(write: int) -> tuple[int, str, int, str]:
        async with turns:
            return await changed_after(write)

    async def changed_after(write: int) -> tuple[int, str, int, str]:
        user = await User.settled(admin, f"crash-changed-{uuid.uuid4().hex[:6]}")
        await sidecar(user)
        with proxies.running(control_plane.kubeconfig) as proxy:
            crash = Crash(write, writing)
            proxy.spoil(lambda _: True, crash)
            async with driving(proxy, [user.namespace]) as driver:
                await _until_death(driver, crash)
            proxy.clear()
            await sidecar(user, image="modelward.invalid/vllm:1", replicas=3)
            async with driving(proxy, [user.namespace]) as driver:
                await driver.converge()
        spec = (await user.get(DEPLOYMENT, "chat"))["spec"]
        accepted = (await user.condition("chat", "Accepted"))["status"]
        return write, spec["template"]["spec"]["containers"][0]["image"], spec["replicas"], accepted

    found = await asyncio.gather(*(in_turn(write) for write in range(1, len(calm.writes) + 1)))
    assert found == [(write, "modelward.invalid/vllm:1", 3, "True") for write, *_ in found]


async def _life(plane: ControlPlane, admin: Client, scenario: Scenario, crash: Crash | None) -> Life:
    user = await User.settled(admin, f"crash-{scenario.name}-{uuid.uuid4().hex[:6]}")
    with proxies.running(plane.kubeconfig) as proxy:
        await scenario.before(user)
        if scenario.before is not nothing:
            async with driving(proxy, [user.namespace]) as driver:
                await driver.converge()
        if scenario.rolls:
            await asyncio.sleep(SECOND_S)
        await scenario.change(user)
        if crash is not None:
            proxy.spoil(lambda _: True, crash)
        async with driving(proxy, [user.namespace]) as driver:
            scenario.tell(driver)
            await (driver.converge() if crash is None else _until_death(driver, crash))
            writes = driver.writes
        proxy.clear()
        async with driving(proxy, [user.namespace]) as driver:
            scenario.tell(driver)
            await driver.converge()
            assert not driver.failed, driver.failed
    await _no_stray_pods(user)
    return Life(await snapshot(admin, user.namespace), tuple(writes if crash is None else crash.seen))


async def _until_death(driver: Driver, crash: Crash) -> None:
    for _ in range(LONGEST_LIFE):
        try:
            await driver.sync()
            await driver.round()
        except ApiError:
            assert crash.happened
        if crash.happened:
            return
        await asyncio.sleep(0.1)


async def _no_stray_pods(user: User) -> None:
    """No pods of a workload that is gone, nor of one roll-out too many; one that cannot end keeps its surge."""

    async def stray() -> int:
        deployments = (await user.client.list(DEPLOYMENT, user.namespace)).items
        pods = (await user.client.list(POD, user.namespace)).items
        owned = [pod for pod in pods if pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"]
        return len(owned) - sum(int(one["spec"]["replicas"]) + 1 for one in deployments)

    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while await stray() > 0:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
