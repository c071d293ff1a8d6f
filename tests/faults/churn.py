"""A user who changes many endpoints without pause, knows what they asked for last, and how often a template changed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from calm import declare
from user import User, template

_CHANGES = ("image", "replicas", "image", "policy", "mode", "image", "replicas")
_ROLLS = frozenset({"image", "mode"})
"""The changes that a user makes to what stands in a pod template."""


@dataclass(slots=True)
class Churn:
    """Changes to some endpoints of a user's namespace, always the same ones for a seed."""

    user: User
    endpoints: int = 20
    seed: int = 0
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    sample: int = 10
    rolls: Counter[str] = field(default_factory=Counter)
    """How often the template of each endpoint was changed by the user."""
    changes: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.specs = {f"chat-{number:02}": template(replicas=1) for number in range(self.endpoints)}

    async def begin(self) -> None:
        """Declare the endpoints and a policy for them."""
        await declare(self.user, self.specs, self.sample)

    async def change(self) -> None:
        """Make one change."""
        self.changes += 1
        name, what = self._random.choice(sorted(self.specs)), self._random.choice(_CHANGES)
        if what == "policy":
            self.sample = 1 + self.sample % 99
            await declare(self.user, {}, self.sample)
            return
        change(self.specs[name], what, self.changes)
        self.rolls[name] += what in _ROLLS
        await self.user.endpoint(name, self.specs[name])

    async def release(self) -> None:
        """Give every endpoint another image."""
        self.changes += 1
        for name, spec in self.specs.items():
            change(spec, "image", self.changes)
            self.rolls[name] += 1
        await declare(self.user, self.specs)

    @asynccontextmanager
    async def going_on(self, every_s: float = 0.1) -> AsyncIterator[None]:
        """Make changes all the while, at most so often; the last one was made when the block has ended."""
        over = asyncio.Event()

        async def keep_changing() -> None:
            while not over.is_set():
                await self.change()
                await asyncio.sleep(every_s)

        changing = asyncio.create_task(keep_changing())
        try:
            yield
        finally:
            over.set()
            await changing


def change(spec: dict[str, Any], what: str, number: int) -> None:
    """Change an endpoint's spec in one respect: its `image`, `replicas` or collector's `mode`."""
    if what == "image":
        containers = spec["backend"]["template"]["podTemplate"]["spec"]["containers"]
        containers[0]["image"] = f"modelward.invalid/vllm:{number}"
    elif what == "replicas":
        spec["replicas"] = 1 + spec["replicas"] % 4
    else:
        gateway = spec.get("collector", {}).get("mode") == "Gateway"
        spec["collector"] = {"mode": "ScrapeOnly" if gateway else "Gateway"}
