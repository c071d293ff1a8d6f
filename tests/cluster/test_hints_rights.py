"""The watch under a ServiceAccount whose rights change: a 403 ends kopf, and must not end us."""

import asyncio
import os
import ssl
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from waiting import PROCESS_PATIENCE_S

from modelward.kube import access
from modelward.kube.client import Client
from modelward.kube.errors import Forbidden
from modelward.kube.kinds import CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT, Kind, Object
from modelward.kube.transport import Transport
from modelward.operator.cache.kopf_watch import Watched
from modelward.operator.cache.watcher import Pauses, Watcher
from modelward.operator.runtime.telemetry import Telemetry

pytestmark = pytest.mark.cluster

RBAC = "rbac.authorization.k8s.io"
ROLE = Kind(RBAC, "v1", "roles", "Role")
BINDING = Kind(RBAC, "v1", "rolebindings", "RoleBinding")


@pytest.fixture
async def admin() -> AsyncIterator[Client]:
    async with Client.connect(os.environ["MODELWARD_TEST_KUBECONFIG"]) as client:
        yield client


@pytest.fixture
async def namespace(admin: Client) -> AsyncIterator[str]:
    name = f"rights-{uuid.uuid4().hex[:8]}"
    await admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "watcher", "namespace": name}}
    await admin.create(account)
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "watcher"}
    subject = {"kind": "ServiceAccount", "name": "watcher", "namespace": name}
    await post(admin, BINDING, name, {"metadata": {"name": "watcher"}, "roleRef": reference, "subjects": [subject]})
    yield name
    await admin.delete(NAMESPACE, None, name)


async def post(admin: Client, kind: Kind, namespace: str, document: Object, path: str | None = None) -> Object:
    whole = {"apiVersion": kind.api_version, "kind": kind.kind} | document
    return await admin._write("POST", path or kind.path(namespace), whole, "application/json", 10.0, {})


async def allow(admin: Client, namespace: str) -> None:
    rights = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}
    await post(admin, ROLE, namespace, {"metadata": {"name": "watcher"}, "rules": [rights]})


@pytest.fixture
async def limited(admin: Client, namespace: str) -> AsyncIterator[Client]:
    """A client with the token of a ServiceAccount, without the admin's certificate."""
    request = Kind("authentication.k8s.io", "v1", "tokenrequests", "TokenRequest")
    path = SERVICE_ACCOUNT.path(namespace, "watcher", "token")
    token = (await post(admin, request, namespace, {"spec": {"expirationSeconds": 3600}}, path))["status"]["token"]

    async def authorization() -> str:
        return f"Bearer {token}"

    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    credentials: access.Access = replace(admin.access, ssl=trust, authorization=authorization, refresher=None)
    client = Client(Transport(credentials))
    yield client
    await client.close()


async def test_hints_come_back_when_a_right_is_given_taken_away_and_given_again(
    admin: Client, limited: Client, namespace: str
) -> None:
    with pytest.raises(Forbidden, match="configmaps"):
        await limited.list(CONFIG_MAP, namespace)
    seen: list[str] = []
    telemetry = Telemetry()
    hints = Watcher(
        limited,
        [Watched(CONFIG_MAP)],
        [namespace],
        lambda _kind, _event, obj: seen.append(obj["metadata"]["name"]),
        telemetry,
        Pauses(first=0.1, longest=0.5, absent_kinds=60),
    )
    task = asyncio.create_task(hints.run())
    try:
        await _restarted(telemetry)
        for name in ("first", "second"):
            await allow(admin, namespace)
            await admin.create(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}
            )
            async with asyncio.timeout(PROCESS_PATIENCE_S):
                while name not in seen:  # noqa: ASYNC110 - what is waited for is in a cluster
                    await asyncio.sleep(0.05)
            await admin.delete(ROLE, namespace, "watcher")
        assert hints.problem() is None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _restarted(telemetry: Telemetry) -> None:
    counter = "modelward_hints_restarts_total"
    async with asyncio.timeout(PROCESS_PATIENCE_S):
        while not telemetry.registry.get_sample_value(counter, {"reason": "APIForbiddenError"}):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
