"""The user of a namespace: declares endpoints and policies, has a workload, and reads what became of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from waiting import PROCESS_PATIENCE_S

from modelward.kube.client import Client
from modelward.kube.errors import Forbidden, Invalid
from modelward.kube.kinds import LLM_ENDPOINT, SERVICE_ACCOUNT, Kind, Object

API = "modelward.dev/v1alpha1"
TEAM = {"team": "retail"}


@dataclass(frozen=True, slots=True)
class User:
    """Acts in one namespace, past any proxy."""

    client: Client
    namespace: str

    @classmethod
    async def settled(cls, client: Client, namespace: str) -> Self:
        """Make a namespace, unless it is there, and wait until it is as namespaces are."""
        await client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, "user")
        async with asyncio.timeout(PROCESS_PATIENCE_S):
            while await client.find(SERVICE_ACCOUNT, namespace, "default") is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        return cls(client, namespace)

    async def apply(self, obj: Object, manager: str = "user") -> Object:
        """Server-side apply of a whole object, with its namespace put in."""
        metadata = {"namespace": self.namespace, **obj["metadata"]}
        return await self.client.apply({**obj, "metadata": metadata}, manager, strict=True)

    async def endpoint(self, name: str, spec: dict[str, Any], **metadata: Any) -> Object:
        """Declare an endpoint."""
        about = {"name": name, "labels": TEAM, **metadata}
        return await self.apply({"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": spec})

    async def policy(self, name: str = "baseline", **spec: Any) -> Object:
        """Declare a policy for all endpoints of the team."""
        about = {"endpointSelector": {"matchLabels": TEAM}, **spec}
        return await self.apply(
            {"apiVersion": API, "kind": "MonitoringPolicy", "metadata": {"name": name}, "spec": about}
        )

    async def workload(self, name: str = "my-vllm", **spec: Any) -> Object:
        """Deploy a model server of their own."""
        return await self.apply(deployment(name, **spec))

    async def get(self, kind: Kind, name: str) -> Object:
        """Return an object."""
        return await self.client.get(kind, self.namespace, name)

    async def find(self, kind: Kind, name: str) -> Object | None:
        """Return an object, or None."""
        return await self.client.find(kind, self.namespace, name)

    async def delete(self, kind: Kind, name: str) -> None:
        """Delete an object."""
        await self.client.delete(kind, self.namespace, name)

    async def refused(self, obj: Object) -> bool:
        """Return whether an object would be refused by now; the API server needs a moment to hear of a new rule."""
        try:
            metadata = {**obj["metadata"], "namespace": self.namespace}
            await self.client.create({**obj, "metadata": metadata}, dry_run=True)
        except (Forbidden, Invalid):
            return True
        return False

    async def condition(self, name: str, type_: str, kind: Kind = LLM_ENDPOINT) -> dict[str, Any]:
        """Return a condition of an object, empty while there is none."""
        found = (await self.get(kind, name)).get("status", {}).get("conditions", [])
        return next((one for one in found if one["type"] == type_), {})


def template(image: str = "modelward.invalid/vllm:0", **spec: Any) -> dict[str, Any]:
    """Return the spec of an endpoint whose model server Modelward runs; without a node its pods stay pending."""
    pod = {"spec": {"containers": [{"name": "model", "image": image}]}}
    return {"engine": "llamacpp", "backend": {"template": {"port": 8080, "podTemplate": pod}}, **spec}


def reference(name: str = "my-vllm", mode: str = "ScrapeOnly", **spec: Any) -> dict[str, Any]:
    """Return the spec of an endpoint that watches or adopts a Deployment of the user's."""
    return {"engine": "vllm", "backend": {"workloadRef": {"name": name}}, "collector": {"mode": mode}, **spec}


def deployment(name: str = "my-vllm", **spec: Any) -> Object:
    """Return a Deployment as users have them."""
    labels = {"app": name}
    container = {"name": "server", "image": "modelward.invalid/vllm:0", "ports": [{"containerPort": 8000}]}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod, **spec},
    }
