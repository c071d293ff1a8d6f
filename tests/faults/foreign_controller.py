"""A foreign controller that keeps a Deployment as its own object says, as KServe and its like do.

It runs in a thread of its own with its own connection, sees changes by a watch, and knows nothing of us.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Conflict
from modelward.kube.kinds import DEPLOYMENT, Object

How = Literal["replace", "apply", "patch"]
"""PUT of the whole object; forced server-side apply of it; a merge patch of its spec's template."""
MANAGER = "inference-controller"
_LOOK_S = 0.05


@dataclass(slots=True)
class ForeignController:
    """Reverts one Deployment to what it wants whenever the pod template differs from that."""

    kubeconfig: Path
    wanted: Object
    how: How
    reverts: int = 0
    """How often it has changed the Deployment."""
    dealt_with: str = ""
    """The newest resourceVersion that it has looked at and is content with."""
    errors: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Work until stopped."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """Let `run` return."""
        self._stop.set()

    async def _run(self) -> None:
        async with Client.connect(str(self.kubeconfig)) as client:
            async for found in self._states(client):
                after = found
                if self.how == "apply" or _template(found) != _template(self.wanted):
                    try:
                        after = await self._revert(client, found)
                    except Conflict:
                        continue
                    except ApiError as error:
                        self.errors.append(str(error))
                self.reverts += after["metadata"]["generation"] != found["metadata"]["generation"]
                if after["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]:
                    self.dealt_with = found["metadata"]["resourceVersion"]

    async def _states(self, client: Client) -> AsyncIterator[Object]:
        """Give the Deployment whenever it has changed."""
        metadata, version = self.wanted["metadata"], ""
        while not self._stop.is_set():
            found = await client.find(DEPLOYMENT, metadata["namespace"], metadata["name"])
            if found is not None and found["metadata"]["resourceVersion"] != version:
                version = found["metadata"]["resourceVersion"]
                yield found
            await asyncio.sleep(_LOOK_S)

    async def _revert(self, client: Client, found: Object) -> Object:
        """Return the Deployment as it is after; only what was found is changed, or it raises Conflict."""
        metadata = self.wanted["metadata"]
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        wanted = {**self.wanted, "metadata": {**metadata, **version}}
        match self.how:
            case "replace":
                return await client.replace(wanted, manager=MANAGER)
            case "apply":
                return await client.apply(wanted, MANAGER)
            case "patch":
                nothing: dict[str, Any] = {"initContainers": None, "volumes": None}
                template = {"spec": {**self.wanted["spec"]["template"]["spec"], **nothing}}
                patch = {"metadata": version, "spec": {"template": template}}
                return await client.patch(DEPLOYMENT, metadata["namespace"], metadata["name"], patch, manager=MANAGER)


def _template(obj: Object) -> tuple[Any, ...]:
    spec = obj["spec"]["template"]["spec"]
    names: Callable[[str], list[str]] = lambda part: [item["name"] for item in spec.get(part) or ()]  # noqa: E731
    return names("initContainers"), names("volumes"), [(one["name"], one["image"]) for one in spec["containers"]]


@contextmanager
def controlling(kubeconfig: Path, wanted: Object, how: How) -> Iterator[ForeignController]:
    """Run one beside the block; `wanted` needs its namespace. Raises AssertionError where it met an error."""
    controller = ForeignController(kubeconfig, wanted, how)
    thread = threading.Thread(target=controller.run, name="foreign-controller", daemon=True)
    thread.start()
    try:
        yield controller
    finally:
        controller.stop()
        thread.join(10)
    assert not controller.errors, controller.errors
