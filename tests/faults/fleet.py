"""Many endpoints of all modes in several namespaces, each judged by five evaluations, with pods that are made up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from metrics_pages import ENGINE_PORT
from user import User

from modelward.kube.client import Client
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, POD, Object

_AT_ONCE = 16
_MODES = ("Sidecar", "ScrapeOnly", "Gateway")


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many endpoints, spread evenly; the first namespace is the operator's as well."""

    client: Client
    users: tuple[User, ...]
    size: int

    @property
    def names(self) -> tuple[tuple[User, str], ...]:
        """Whose endpoint, and its name: `sidecar-…`, `scrapeonly-…` and `gateway-…` take turns."""
        return tuple(
            (self.users[number % len(self.users)], f"{_MODES[number // len(self.users) % 3].lower()}-{number}")
            for number in range(self.size)
        )

    @property
    def pods(self) -> int:
        """How many pods there will be: a gateway has one of its own."""
        return self.size + sum(name.startswith("gateway") for _, name in self.names)

    async def settle(self, evaluations: int = 5, **evaluation: Any) -> None:
        """Declare everything: workloads first, as users have them; then policies, then endpoints."""
        owned = [(user, name) for user, name in self.names if not name.startswith("sidecar")]
        await _all(user.apply(workload(name)) for user, name in owned)
        await _all(user.policy(**policy(evaluations, **evaluation)) for user in self.users)
        await _all(user.endpoint(name, spec(name)) for user, name in self.names)

    async def served(self, within_s: float, alive: Callable[[], None]) -> None:
        """Wait until each endpoint's status says that fresh numbers came from all of its pods.

        `alive` raises where there is nothing to wait for any more.
        """
        ends = time.monotonic() + within_s
        while left := [name for user in self.users for name in await self._unserved(user)]:
            alive()
            assert time.monotonic() < ends, f"after {within_s:g} s not served: {len(left)}, such as {left[:5]}"
            await asyncio.sleep(1.0)

    async def address(self, user: User, name: str) -> str:
        """Return the address of an endpoint's metrics: of its gateway's pod, of its model's otherwise."""
        wanted = f"{name}-gateway-" if name.startswith("gateway") else f"{name}-"
        pods = (await self.client.list(POD, user.namespace)).items
        return str(next(pod["status"]["podIP"] for pod in pods if pod["metadata"]["name"].startswith(wanted)))

    async def _unserved(self, user: User) -> list[str]:
        found = (await self.client.list(LLM_ENDPOINT, user.namespace)).items
        return [str(obj["metadata"]["name"]) for obj in found if not holds(obj, "MetricsAvailable")]


async def settled(client: Client, prefix: str, size: int, namespaces: int) -> Fleet:
    """Make the namespaces; nothing is in them yet."""
    users = [await User.settled(client, f"{prefix}-{number}") for number in range(namespaces)]
    return Fleet(client, tuple(users), size)


def spec(name: str) -> dict[str, Any]:
    """Return an endpoint's spec by its name."""
    if name.startswith("sidecar"):
        container = {"name": "model", "image": "modelward.invalid/vllm:0"}
        template = {"port": ENGINE_PORT, "podTemplate": {"spec": {"containers": [container]}}}
        return {"engine": "vllm", "backend": {"template": template}, "replicas": 1}
    mode = "Gateway" if name.startswith("gateway") else "ScrapeOnly"
    referred = {"engine": "vllm", "backend": {"workloadRef": {"name": name}}, "collector": {"mode": mode}}
    return referred | ({"gateway": {"replicas": 1}} if mode == "Gateway" else {})


def workload(name: str) -> Object:
    """Return the user's own Deployment of an endpoint."""
    labels = {"app": name}
    container = {"name": "server", "image": "modelward.invalid/vllm:0", "ports": [{"containerPort": ENGINE_PORT}]}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    about = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": DEPLOYMENT.kind, "metadata": {"name": name}, "spec": about}


def policy(evaluations: int, **evaluation: Any) -> dict[str, Any]:
    """Return a policy's spec with so many evaluations, which take turns with the evaluators, and two objectives."""
    checks: tuple[dict[str, Any], ...] = (
        {"builtin": "PII"},
        {"builtin": "OffTopicAnswered", "config": {"inScope": ["questions about bank cards"]}},
        {"builtin": "OnTopicRefused", "config": {"inScope": ["questions about bank cards"]}},
    )
    asked = [
        {"name": f"check-{n}", "check": checks[n % 3], "failAbove": "10%", **evaluation} for n in range(evaluations)
    ]
    objectives = [
        {"name": "first-token", "metric": "TimeToFirstToken", "percentile": 95, "maxDuration": "800ms"},
        {"name": "errors", "metric": "ErrorRate", "maxRate": "1%"},
    ]
    return {"capture": {"content": "Redacted"}, "evaluations": asked, "objectives": objectives}


def holds(obj: Object, condition: str) -> bool:
    """Return whether a condition of an object is True."""
    found = obj.get("status", {}).get("conditions", ())
    return any((one["type"], one["status"]) == (condition, "True") for one in found)


async def _all(work: Iterable[Awaitable[object]]) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Awaitable[object]) -> None:
        async with slots:
            await each

    await asyncio.gather(*(one(each) for each in work))
