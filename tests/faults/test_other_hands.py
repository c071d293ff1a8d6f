"""Other hands on what Modelward makes: what is ours is put back, what is theirs stays, and nobody is fought."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from driver import Driver, driving
from owned_fields import Path, altered, owned, text, without
from proxy import Proxy
from snapshot import differences, snapshot
from user import User, reference, template

from modelward.kube.errors import Conflict, Invalid
from modelward.kube.kinds import CONFIG_MAP, DEPLOYMENT, SERVICE, SERVICE_ACCOUNT, Kind, Object

FULL = bool(os.environ.get("MODELWARD_FULL"))
CHILDREN: tuple[tuple[Kind, str], ...] = (
    (DEPLOYMENT, "chat"),
    (SERVICE, "chat"),
    (CONFIG_MAP, "modelward-collector-chat"),
    (DEPLOYMENT, "front-gateway"),
    (SERVICE, "front"),
    (SERVICE, "front-pods"),
    (CONFIG_MAP, "modelward-collector-front"),
    (SERVICE_ACCOUNT, "modelward-gateway"),
    (SERVICE, "theirs-collector"),
    (CONFIG_MAP, "modelward-collector-theirs"),
)
"""Every child of one endpoint of each kind."""


async def declared(user: User) -> None:
    """Declare an endpoint that we run, one behind a gateway, and one that we adopt."""
    await user.workload()
    await user.endpoint("chat", template(replicas=2))
    await user.endpoint("front", template(replicas=1, collector={"mode": "Gateway"}))
    await user.endpoint("theirs", reference(mode="Sidecar"))
    await user.policy(capture={"content": "Redacted", "sample": "10%"})


async def edit(user: User, obj: Object) -> Object:
    """Store the whole object as `kubectl edit` does."""
    return await user.client.replace(obj, manager="kubectl-edit")


async def seen(user: User) -> dict[str, Any]:
    """Return all children as they are, with what we own of each."""
    found = await snapshot(user.client, user.namespace, generations=False)
    children = {f"{kind.kind}/{name}": found.get(f"{kind.kind}/{name}") for kind, name in CHILDREN}
    for child in filter(None, children.values()):
        child["ours"] = sorted(map(text, owned(child, "modelward")))
        child["metadata"].pop("managedFields")
        child["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    return children


async def heal(driver: Driver) -> None:
    """Look and reconcile once, and again where somebody else was faster."""
    for _ in range(5):
        await driver.sync()
        await driver.round()
        if not driver.failed:
            return


@dataclass(slots=True)
class Edits:
    """All edits of one child: each field that we own with another value, and without it."""

    kind: Kind
    name: str
    left: list[tuple[Path, Callable[[Mapping[str, Any], Path], dict[str, Any]]]]
    made: int = 0

    async def next(self, user: User) -> str:
        """Make the next edit that the API server takes; empty when none is left."""
        while self.left:
            path, change = self.left.pop()
            try:
                await edit(user, change(await user.get(self.kind, self.name), path))
            except (Invalid, LookupError):  # required, immutable, or no such value: nobody can edit it so
                continue
            except Conflict:  # the cluster's own controllers note something on it all the time
                self.left.append((path, change))
                continue
            self.made += 1
            return f"{self.kind.kind} {self.name}: {change.__name__} {text(path)}"
        return ""


def edits(kind: Kind, obj: Object, step: int) -> Edits:
    paths = [path for path in owned(obj, "modelward") if path[-1] not in ("name", "namespace") or len(path) > 2]
    return Edits(kind, obj["metadata"]["name"], [(path, how) for path in paths[::step] for how in (altered, without)])


async def test_each_field_of_ours_that_another_hand_changes_or_takes_out_is_put_back(proxy: Proxy, user: User) -> None:
    await declared(user)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        before = await seen(user)
        found = [(kind, await user.get(kind, name)) for kind, name in CHILDREN]
        every = [edits(kind, obj, 1 if FULL or kind != DEPLOYMENT else 4) for kind, obj in found]
        left: list[str] = []
        while made := [what for one in every if (what := await one.next(user))]:
            await heal(driver)
            if now := differences(before, await seen(user)):
                left += ["edited:", *made, "left:", *now]
                before = await seen(user)
        assert not left, "\n".join(left)
        assert not driver.failed
    assert min(one.made for one in every) >= 4, {one.name: one.made for one in every}
    print(f"edits healed: {sum(one.made for one in every)}")
