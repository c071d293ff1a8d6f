"""Makes the hub's certificate authority known in its namespace, so that the operator can hand it to collectors."""

from __future__ import annotations

from modelward.kube.client import Client
from modelward.kube.kinds import CONFIG_MAP

CONFIG_MAP_NAME = "modelward-hub-ca"
KEY = "ca.crt"
_MANAGER = "modelward-hub"


async def publish(namespace: str, pem: bytes) -> None:
    """Write the PEM certificate (public, never the key) into the ConfigMap; an apply that changes nothing is none."""
    obj = {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.kind,
        "metadata": {
            "name": CONFIG_MAP_NAME,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": "modelward-hub", "app.kubernetes.io/part-of": "modelward"},
        },
        "data": {KEY: pem.decode()},
    }
    async with Client.connect() as client:
        await client.apply(obj, _MANAGER)
