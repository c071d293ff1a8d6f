"""What a single life of the operator without any trouble makes of a user's wishes; trouble must leave the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import proxy as proxies
from driver import driving
from snapshot import Snapshot, differences, snapshot
from user import User

from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, OWN_KINDS, SERVICE_ACCOUNT, Object

REVISION = "deployment.kubernetes.io/revision"
Specs = Mapping[str, dict[str, Any]]
"""The specs of endpoints by name."""
_HISTORY = frozenset({"managedFields", REVISION})
_OWN = frozenset(kind.kind for kind in OWN_KINDS)
_NEW_IMAGE, _OLD_IMAGE = "modelward.invalid/collector:1", "modelward.invalid/collector:0"


async def declare(user: User, specs: Specs, sample: int | None = None) -> None:
    """Declare endpoints, some at a time, and a policy that samples so many percent."""
    turns = asyncio.Semaphore(4)

    async def one(name: str, spec: dict[str, Any]) -> None:
        async with turns:
            await user.endpoint(name, spec)

    await asyncio.gather(*(one(name, spec) for name, spec in specs.items()))
    if sample is not None:
        await user.policy(capture={"content": "Redacted", "sample": f"{sample}%"})


async def calm_life(
    kubeconfig: Path, user: User, specs: Specs, sample: int | None = None, beside: str = "calm", **settings: Any
) -> Snapshot:
    """Return the children that come of it in a namespace beside the user's, whose name has this at its end."""
    namespace = f"{user.namespace}-{beside}"
    neighbour = await User.settled(user.client, namespace)
    await declare(neighbour, specs, sample)
    with proxies.running(kubeconfig) as proxy:
        async with driving(
            proxy, [namespace], **{"hub_url": None, **settings}
        ) as driver:  # operators of tests have none
            await driver.converge()
    return await _children(neighbour)


async def settles_as(calm: Snapshot, user: User, within_s: float = 60.0) -> None:
    """Wait until a user's children are those, and every endpoint's status speaks of its spec."""
    ends = asyncio.get_running_loop().time() + within_s
    while lines := [*differences(calm, await _needed(user, calm)), *await _untold(user)]:
        if asyncio.get_running_loop().time() > ends:
            raise AssertionError(f"not as after a calm life, {len(lines)} differences:\n" + "\n".join(lines[:20]))
        await asyncio.sleep(0.5)


async def _needed(user: User, calm: Snapshot) -> Snapshot:
    """Return the children without accounts that only former specs needed: they are shared, may do nothing, and stay."""
    found = await _children(user)
    return {name: obj for name, obj in found.items() if name in calm or obj["kind"] != SERVICE_ACCOUNT.kind}


async def revision(user: User, name: str) -> int:
    """Return how many pod templates a Deployment has had, by its own controller's count."""
    return int((await user.get(DEPLOYMENT, name))["metadata"]["annotations"][REVISION])


async def _untold(user: User) -> list[str]:
    listing = await user.client.list(LLM_ENDPOINT, user.namespace)
    return [f"{obj['metadata']['name']}: {told}" for obj in listing.items if (told := _accepted(obj)) is not None]


def _accepted(endpoint: Object) -> str | None:
    """Return what is wrong with the condition Accepted; None where it is True and of this spec."""
    found = endpoint.get("status", {}).get("conditions", ())
    accepted: Object = next((one for one in found if one["type"] == "Accepted"), {})
    current = accepted.get("observedGeneration") == endpoint["metadata"]["generation"]
    return None if accepted.get("status") == "True" and current else str(accepted or "no condition Accepted")


async def _children(user: User) -> Snapshot:
    """What the operator makes, without what tells of the way there.

    That is who wrote which field, how many templates there were, and which collector came with the last of them.
    """
    found = await snapshot(user.client, user.namespace, generations=False)
    return {name: _timeless(obj) for name, obj in found.items() if obj["kind"] not in _OWN}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in _HISTORY}
    if isinstance(value, list):
        return [_timeless(inner) for inner in value]
    return _OLD_IMAGE if value == _NEW_IMAGE else value
