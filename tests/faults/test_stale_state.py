"""After a restart served from an older version nothing destructive is done from old data, whatever the version.

Each scenario is played first with nothing in its way. Then, for each version of it, a fresh life of the operator is
shown that version while the cluster is long past it. Workloads must stay as they are, to the generation, and every
child the same object; once the life catches up all must be as if it had never seen anything old.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import history
import pytest
from becoming import gone
from calls import Call, Match, of
from driver import Driver, driving
from proxy import Proxy
from snapshot import differences, snapshot
from user import User, deployment, reference, template

from faults import stale
from modelward.desired import names
from modelward.kube.kinds import CONFIG_MAP, DEPLOYMENT, LLM_ENDPOINT, SERVICE

FULL = os.environ.get("MODELWARD_FULL") == "1"
VERSIONS_IN_SHORT = 5
ROUNDS = 3
"""A life that goes on believes an older list when it comes again."""

Steps = AsyncIterator[None]
Scenario = Callable[[User], Steps]


async def pods_change(user: User) -> Steps:
    """A model server that Modelward runs is scaled, gets another image and is rolled."""
    await user.policy(capture={"content": "Redacted"})
    await user.endpoint("chat", template(replicas=1))
    yield
    await user.endpoint("chat", template(replicas=4))
    yield
    await user.endpoint("chat", template(image="modelward.invalid/vllm:1", replicas=2))
    yield
    about = {names.ROLLOUT_AT: "2026-01-01"}
    await user.endpoint("chat", template(image="modelward.invalid/vllm:1", replicas=3), annotations=about)
    yield


async def gateway_goes_and_comes(user: User) -> Steps:
    """A gateway is there, is no longer needed, and is there again."""
    await user.workload()
    for mode in ("Gateway", "ScrapeOnly", "Gateway"):
        await user.endpoint("chat", reference(mode=mode))
        yield


async def sidecar_goes_and_comes(user: User) -> Steps:
    """A workload is adopted, given back, and adopted again."""
    await user.workload()
    for mode in ("Sidecar", "ScrapeOnly", "Sidecar"):
        await user.endpoint("chat", reference(mode=mode))
        yield


async def workload_is_scaled(user: User) -> Steps:
    """Replicas that are declared on the endpoint are followed by a workload of the user's."""
    await user.workload()
    for replicas in (4, 1, 3):
        await user.endpoint("chat", reference(replicas=replicas))
        yield


async def names_are_used_again(user: User) -> Steps:
    """An endpoint goes with all it had, and its user puts things of their own where it was."""
    await user.endpoint("chat", template(replicas=2))
    yield
    await user.delete(LLM_ENDPOINT, "chat")
    yield
    for kind in (DEPLOYMENT, SERVICE):
        await gone(user, kind, "chat")
    await user.apply(deployment("chat"))
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "chat"}}
    await user.apply({**service, "spec": {"selector": {"app": "chat"}, "ports": [{"port": 80}]}})
    yield


async def endpoint_is_made_anew(user: User) -> Steps:
    """An endpoint is deleted and declared again with another spec."""
    await user.endpoint("chat", template(replicas=2))
    yield
    await user.delete(LLM_ENDPOINT, "chat")
    yield
    await gone(user, DEPLOYMENT, "chat")
    await user.endpoint("chat", template(image="modelward.invalid/vllm:1", collector={"mode": "ScrapeOnly"}))
    yield


async def sidecar_is_asked_out_and_wanted_again(user: User) -> Steps:
    """An adopted workload loses its endpoint, its owner asks the sidecar out, and then adopts anew."""
    await user.workload()
    await user.endpoint("chat", reference(mode="Sidecar"))
    yield
    await user.delete(LLM_ENDPOINT, "chat")
    await user.apply({**deployment(), "metadata": {"name": "my-vllm", "annotations": {RELEASE: "now"}}})
    yield
    for kind, name in ((CONFIG_MAP, names.collector_config("chat")), (SERVICE, "chat-collector")):
        await gone(user, kind, name)
    await user.endpoint("chat", reference(mode="Sidecar"))
    yield


RELEASE = "modelward.dev/release"
SCENARIOS: tuple[Scenario, ...] = (
    pods_change,
    gateway_goes_and_comes,
    sidecar_goes_and_comes,
    workload_is_scaled,
    names_are_used_again,
    endpoint_is_made_anew,
    sidecar_is_asked_out_and_wanted_again,
)


@dataclass(frozen=True, slots=True)
class Reads:
    """Which reads are answered from the past."""

    name: str
    match: Match


def lists(call: Call) -> bool:
    return call.verb == "list"


# No API server answers a GET of one object from its past unless asked to; a broken proxy in between may.
READS = (
    Reads("lists of endpoints", of("llmendpoints", verb="list")),
    Reads("all lists", lists),
    Reads("all reads", lambda call: call.verb in ("list", "get")),
)


async def children(user: User) -> dict[str, tuple[str, int]]:
    """Return uid and generation of each object that a write could have moved, by what it is.

    A change of a Deployment's spec moves its generation; another object in its place has another uid. A rehearsal may
    come once more, since no pod rests on it; it must go, which the snapshots before and after show.
    """
    listings = [await user.client.list(kind, user.namespace) for kind in (DEPLOYMENT, SERVICE, CONFIG_MAP)]
    found = [one for listing in listings for one in listing.items if names.component(one) != "rehearsal"]
    return {
        f"{one['kind']}/{one['metadata']['name']}": (one["metadata"]["uid"], one["metadata"].get("generation", 0))
        for one in found
    }


async def played(proxy: Proxy, user: User, scenario: Scenario) -> list[int]:
    """Play a scenario with nothing in its way; return the versions that it went through."""
    async with (
        history.recorded(user.client, proxy, user.namespace) as versions,
        driving(proxy, [user.namespace]) as driver,
    ):
        async for _ in scenario(user):
            await driver.converge()
    return versions


def chosen(versions: Sequence[int]) -> Sequence[int]:
    """Return all versions but the newest, or some of them spread over the whole scenario."""
    past = versions[:-1]
    if FULL or len(past) <= VERSIONS_IN_SHORT:
        return past
    step = (len(past) - 1) / (VERSIONS_IN_SHORT - 1)
    return [past[round(at * step)] for at in range(VERSIONS_IN_SHORT)]


async def shown_the_past(driver: Driver, reads: Reads, version: int) -> None:
    rule = driver.proxy.spoil(reads.match, stale(str(version)))
    for _ in range(ROUNDS):
        await driver.sync()
        await driver.round()
        driver.asked |= dict.fromkeys(driver.failed, 0.0)  # as the queue does, of what there is no longer as well
    assert rule.met
    driver.proxy.clear()


async def hurt(driver: Driver, user: User, reads: Reads, version: int) -> list[str]:
    """Return what changes while a life is shown the past, and what has changed when it has caught up."""
    then, calm = await children(user), await snapshot(user.client, user.namespace)
    await shown_the_past(driver, reads, version)
    now = await children(user)
    await driver.converge()
    later, after = await children(user), await snapshot(user.client, user.namespace)
    changed = [f"meanwhile {line}" for line in differences(then, now)]
    changed += [f"later {line}" for line in (*differences(then, later), *differences(calm, after))]
    return [f"{reads.name} of {version}: {line}" for line in changed] + (driver.writes if changed else [])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_nothing_destructive_is_done_from_old_data_after_a_restart(
    proxy: Proxy, user: User, scenario: Scenario
) -> None:
    past = chosen(await played(proxy, user, scenario))
    assert len(past) >= VERSIONS_IN_SHORT
    wrong = []
    for version in past:
        for reads in READS:
            async with driving(proxy, [user.namespace]) as driver:
                wrong += await hurt(driver, user, reads, version)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_nothing_destructive_is_done_from_old_data_in_a_life_that_goes_on(
    proxy: Proxy, user: User, scenario: Scenario
) -> None:
    past = chosen(await played(proxy, user, scenario))
    wrong = []
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        for version in past:
            for reads in READS:
                wrong += await hurt(driver, user, reads, version)
    assert not wrong, "\n".join(wrong)
