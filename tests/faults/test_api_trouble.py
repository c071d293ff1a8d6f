"""Trouble with the API server: who meets it backs off as promised, everybody else goes on, and afterwards all is well.

An operator's own process behind the proxy; the times are those at which requests came to the proxy.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from calls import Call, Match, Recorded, Reply, every, of
from calm import calm_life, declare, settles_as
from churn import change
from control_plane import ControlPlane
from operators import Operator, operating
from user import User, template

from faults import Fault, Forward, delay, drop, refuse, truncate
from modelward.kube.kinds import CONFIG_MAP, DEPLOYMENT
from modelward.kube.lease import RENEW_WITHIN_S, RETRY_S
from modelward.operator.runtime.workers import backoff

FULL = os.environ.get("MODELWARD_FULL") == "1"
TROUBLE_S = 120.0 if FULL else 15.0
RETRY_AFTER_S = 3
SLOW_S = 10.5
"""Longer than a write may take."""
PROGRESS_S = 10.0
"""Within how many seconds a change of an endpoint without trouble is carried out: it waits for no slow write."""
NOTICED_S = 5.0
"""What a loaded machine may add to a wait."""
TRIES_INSISTED = 3
"""How often an endpoint that is throttled is tried at least while its user goes on changing it."""
OUTAGES_S = (6.0, 10.0)
FIRST_SECOND, LATER_SECONDS = 350, 100
"""Requests of one process with 20 endpoints at work when nothing is answered any more.

In the first second: 20 endpoints and 100 retries, both doubled by aiohttp where they read, and 10 watches tried twice,
doubled as well; later 10 retries, the watches, the Lease, and what users change.
"""


async def nonsense(_call: Call, _forward: Forward) -> Reply | None:
    """What stands between us and the API server answers in its place, and breaks off."""
    return Reply(200, b'{"kind": "Deployment", "meta', {"Content-Type": "application/json"})


BACKING_OFF: Mapping[str, Fault] = {
    "conflict": refuse(409, "Conflict"),
    "internal": refuse(500, "InternalError"),
    "nonsense": nonsense,
    "cut": drop,
}
TROUBLES = {
    **BACKING_OFF,
    "throttled": refuse(429, "TooManyRequests", retry_after_s=RETRY_AFTER_S),
    "slow": delay(SLOW_S),
    "truncated": truncate,
}
"""What befalls the Deployment of the endpoint of this name, whenever it is written to."""
FORBIDDEN = refuse(403, "Forbidden", "no ConfigMaps for you")


@dataclass(slots=True)
class Bystander:
    """A user who goes on changing endpoints that have no trouble, and sees how long each change takes."""

    user: User
    specs: Mapping[str, dict[str, Any]]
    seconds: list[float] = field(default_factory=list)

    async def go_on(self, seconds: float) -> None:
        """Change one after the other."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await self._change(sorted(self.specs)[len(self.seconds) % len(self.specs)])
            await asyncio.sleep(0.3)

    async def _change(self, name: str) -> None:
        spec, asked_s = self.specs[name], time.monotonic()
        change(spec, "replicas", 0)
        await self.user.endpoint(name, spec)
        async with asyncio.timeout(30):
            while (await self.user.get(DEPLOYMENT, name))["spec"]["replicas"] != spec["replicas"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        self.seconds.append(time.monotonic() - asked_s)


async def test_trouble_with_one_object_is_retried_as_promised_and_holds_nobody_else_up(
    control_plane: ControlPlane, user: User, tmp_path: Path
) -> None:
    specs = {name: template(replicas=1) for name in (*TROUBLES, "good-0", "good-1", "good-2")}
    good = {name: spec for name, spec in specs.items() if name.startswith("good")}
    await declare(user, specs)
    with operating(control_plane.kubeconfig, tmp_path, [user.namespace]) as start:
        operator = start("operator")
        await operator.leads()
        await settles_as(await calm_life(control_plane.kubeconfig, user, specs), user)
        for name, fault in TROUBLES.items():
            operator.proxy.spoil(applying(name), fault)
            change(specs[name], "image", 1)
        mark, begun_s = len(operator.proxy.recorded), time.monotonic()
        await declare(user, {name: specs[name] for name in TROUBLES})
        bystander = Bystander(user, good)

        def insisted() -> bool:
            throttled = tries(operator.proxy.since(mark), ["throttled"])["throttled"]
            return len(throttled) >= TRIES_INSISTED and time.monotonic() > begun_s + TROUBLE_S / 2

        _, insisted_until = await asyncio.gather(bystander.go_on(TROUBLE_S), insist(user, specs["throttled"], insisted))
        tried, lasted_s = tries(operator.proxy.since(mark), TROUBLES), time.monotonic() - begun_s
        operator.proxy.clear()
        calm = await calm_life(control_plane.kubeconfig, user, specs, beside="after")
        await settles_as(calm, user, 60 + 2 * TROUBLE_S)  # a wait is at most twice as long as all before it together
        assert await operator.stop() == 0
    print(f"slowest change of others: {max(bystander.seconds):.2f} s of {len(bystander.seconds)}")
    assert max(bystander.seconds) < PROGRESS_S
    for name in BACKING_OFF:
        assert len(tried[name]) > 5, name
        assert wrongly_waited(tried[name]) == [], name
    assert min(gaps(tried["throttled"])) >= RETRY_AFTER_S
    longest = [max(RETRY_AFTER_S * 1.5, backoff(failures, 0.0)) for failures in range(len(tried["throttled"]))]
    waited = gaps(tried["throttled"])
    assert all(gap <= most + NOTICED_S for gap, most in zip(waited, longest, strict=False)), waited
    while_insisting = [at_s for at_s in tried["throttled"] if at_s < insisted_until]
    assert max(gaps(while_insisting)) <= RETRY_AFTER_S * 1.5 + NOTICED_S, "a change waits for nothing else"
    assert 1 <= len(tried["slow"]) <= 1 + lasted_s / SLOW_S
    assert len(tried["truncated"]) == 1, "it was carried out, and the watch said so"


async def test_a_kind_that_is_forbidden_is_named_and_the_other_kinds_go_on(
    control_plane: ControlPlane, user: User, tmp_path: Path
) -> None:
    specs = {"chat": template(replicas=1)}
    await declare(user, specs)
    with operating(control_plane.kubeconfig, tmp_path, [user.namespace]) as start:
        operator = start("operator", scrape_interval="2s")
        await operator.leads()
        await settles_as(await calm_life(control_plane.kubeconfig, user, specs), user)
        operator.proxy.spoil(of("configmaps", verb="apply"), FORBIDDEN)
        mark = len(operator.proxy.recorded)
        await user.delete(CONFIG_MAP, "modelward-collector-chat")
        change(specs["chat"], "replicas", 0)
        await declare(user, specs)
        await asyncio.sleep(6.0)
        accepted = await user.condition("chat", "Accepted")
        assert accepted["reason"] == "Refused"
        assert "no ConfigMaps for you" in accepted["message"]
        assert (await user.get(DEPLOYMENT, "chat"))["spec"]["replicas"] == specs["chat"]["replicas"]
        refused = [one for one in operator.proxy.since(mark) if one.answered == 403]
        assert len(refused) < 12
        operator.proxy.clear()
        await settles_as(await calm_life(control_plane.kubeconfig, user, specs, beside="after"), user)
        assert await operator.stop() == 0


async def test_an_outage_is_neither_answered_by_a_storm_nor_are_changes_made_in_it_lost(
    control_plane: ControlPlane, user: User, tmp_path: Path
) -> None:
    specs = {f"chat-{number:02}": template(replicas=1) for number in range(20)}
    await declare(user, specs, sample=10)
    with operating(control_plane.kubeconfig, tmp_path, [user.namespace]) as start:
        pair = [start("first"), start("second")]
        await asyncio.gather(*(one.ready() for one in pair))
        for number, seconds in enumerate(OUTAGES_S):
            rates, lasted_s = await outage(pair, seconds, user, specs, number)
            print(f"outage of {seconds:g} s: requests/s {rates}")
            assert max(per_second[0] for per_second in rates.values()) <= FIRST_SECOND
            later = [count for per_second in rates.values() for at, count in per_second.items() if at > 0]
            assert max(later) <= LATER_SECONDS
            if lasted_s < RENEW_WITHIN_S - RETRY_S:
                assert all(one.alive for one in pair)
            calm = await calm_life(control_plane.kubeconfig, user, specs, 10, beside=f"after-{number}")
            await settles_as(calm, user)
        assert sorted([await left(one) for one in pair]) in ([0, 0], [0, 1])


async def outage(
    pair: Sequence[Operator], seconds: float, user: User, specs: Mapping[str, dict[str, Any]], number: int
) -> tuple[dict[str, Counter[int]], float]:
    """Let nothing through while the user changes all endpoints; requests of each process by second, and how long."""
    marks = {one.name: len(one.proxy.recorded) for one in pair}
    begun = time.monotonic()
    for one in pair:
        one.proxy.spoil(every, drop)
        one.proxy.end_watches(every)
    for spec in specs.values():
        change(spec, "image", number + 1)
    await declare(user, specs)
    await asyncio.sleep(begun + seconds - time.monotonic())
    found = {
        one.name: Counter(int(each.call.at_s - begun) for each in one.proxy.since(marks[one.name])) for one in pair
    }
    for one in pair:
        one.proxy.clear()
    return found, time.monotonic() - begun


async def left(operator: Operator) -> int:
    """Return the exit code, after SIGTERM of one that runs; who led through 10 s without the Lease has ended."""
    if operator.alive:
        return await operator.stop()
    assert "leadership lost" in operator.tail()
    return await operator.ended()


async def insist(user: User, spec: dict[str, Any], enough: Callable[[], bool]) -> float:
    """Change an endpoint again and again with which the API server wants to be left alone; return until when."""
    while True:
        change(spec, "replicas", 0)
        await user.endpoint("throttled", spec)
        if enough():
            return time.monotonic()
        await asyncio.sleep(0.5)


def applying(name: str) -> Match:
    """Match what changes a Deployment, and no dry run."""
    about = of("deployments", verb="apply", name=name)
    return lambda call: call.writes and about(call)


def tries(recorded: Iterable[Recorded], names: Iterable[str]) -> dict[str, list[float]]:
    """When each of these Deployments was to be written to."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for one in recorded:
        if one.call.name in found and applying(one.call.name)(one.call):
            found[one.call.name].append(one.call.at_s)
    return {name: sorted(times) for name, times in found.items()}


def gaps(times: Sequence[float]) -> list[float]:
    """Return the waits between tries."""
    return [after - before for before, after in pairwise(times)]


def wrongly_waited(times: Sequence[float]) -> list[str]:
    """Tell where a wait is not what is promised: 5 ms, doubled each time, less up to a half by jitter."""
    promised = [(backoff(failures, 1.0), backoff(failures, 0.0)) for failures in range(len(times))]
    return [
        f"try {number + 2} came after {waited:.3f} s, promised {least:.3f} to {most:.3f}"
        for number, (waited, (least, most)) in enumerate(zip(gaps(times), promised, strict=False))
        if not least <= waited + 0.01 or not waited <= most + NOTICED_S
    ]
