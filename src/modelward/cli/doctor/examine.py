"""What `modelward doctor` reads of a cluster; it changes nothing, and what it may not read it reports."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib.metadata import version

from modelward.api import crd
from modelward.api.objects import KubeObject
from modelward.cli.cluster.installation import Setup, setup
from modelward.cli.cluster.reading import ClusterReader, Unread, reading
from modelward.cli.doctor.checkup import checkup, fresh
from modelward.cli.doctor.contact import cluster_version, hub_contact
from modelward.cli.doctor.interceptors import interceptors
from modelward.cli.doctor.observed import InstallationFacts, Objects
from modelward.cli.doctor.remark import Remark
from modelward.cli.doctor.rights_asked import rights_asked
from modelward.kube.certificate import CONFIG_MAP_NAME
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import (
    CONFIG_MAP,
    CUSTOM_RESOURCE_DEFINITION,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    LEASE,
    LLM_ENDPOINT,
    OWN_KINDS,
    POD,
    STATEFUL_SET,
)

SECOND_LOOK_S = 5.0
"""The Lease is renewed every 2 s, and a spec just written has its status by then."""
_HUB = "app.kubernetes.io/component=hub"
_HUB_SERVICE = "kubernetes.io/service-name=modelward-hub"


async def examined(kubeconfig: str | None, namespace: str) -> tuple[Remark, ...]:
    """Return what there is to say about the installation in a namespace."""
    async with Client.connect(kubeconfig) as client:
        try:
            await client.served(LLM_ENDPOINT)
        except ApiError as error:
            if error.status in (0, 401):
                return (Remark("Error", "API server", error.message, "kubectl cluster-info; kubectl auth whoami"),)
        return checkup(await observed(client, namespace))


async def observed(client: Client, namespace: str, second_look_s: float = SECOND_LOOK_S) -> InstallationFacts:
    """Read all that the checks need; read again only where the first answer leaves something open."""
    reads = await reading(client, namespace)
    known = await setup(reads, namespace)
    before = await _moving(reads, namespace, known)
    now = before
    if _open(*before):
        await asyncio.sleep(second_look_s)
        now = await _moving(reads, namespace, known)
    authority = await reads.find(CONFIG_MAP, namespace, CONFIG_MAP_NAME)
    definitions = [document["metadata"]["name"] for document in crd.documents()]
    return InstallationFacts(
        namespace=namespace,
        version=version("modelward"),
        now=datetime.now(UTC),
        setup=known,
        definitions={name: await reads.find(CUSTOM_RESOURCE_DEFINITION, None, name) for name in definitions},
        served=frozenset([kind.plural for kind in OWN_KINDS if await reads.served(kind)]),
        operator=await reads.find(DEPLOYMENT, namespace, "modelward"),
        lease_before=before[0],
        lease=now[0],
        rights=await rights_asked(reads, namespace, known),
        kubernetes=await cluster_version(client),
        hub_answer=await hub_contact(known.settings.hub_url if known.settings else None, authority)
        if reads.as_operator
        else None,
        hub_slices=await reads.list(ENDPOINT_SLICE, namespace, _HUB_SERVICE),
        hub_workloads=await _hub_workloads(reads, namespace),
        hub_authority=authority,
        admission=await interceptors(reads),
        endpoints=now[1],
        endpoints_before=before[1],
        pods={name: await reads.list(POD, name) for name in _namespaces(now[1])},
    )


async def _moving(
    reads: ClusterReader, namespace: str, known: Setup
) -> tuple[KubeObject | Unread | None, Objects | Unread]:
    """Read what changes within seconds: the Lease, and the endpoints of all namespaces that are served."""
    lease = await reads.find(LEASE, namespace, "modelward")
    served = known.settings.watch_namespaces if known.settings is not None else ()
    return lease, await reads.list_in(LLM_ENDPOINT, served)


async def _hub_workloads(reads: ClusterReader, namespace: str) -> Objects | Unread:
    """Read the hub's workload, which is a Deployment where its store is no volume."""
    found: list[KubeObject] = []
    for kind in (STATEFUL_SET, DEPLOYMENT):
        items = await reads.list(kind, namespace, _HUB)
        if isinstance(items, Unread):
            return items
        found += items
    return tuple(found)


def _namespaces(endpoints: Objects | Unread) -> list[str]:
    return [] if isinstance(endpoints, Unread) else sorted({one["metadata"]["namespace"] for one in endpoints})


def _open(lease: KubeObject | Unread | None, endpoints: Objects | Unread) -> bool:
    if isinstance(lease, dict) and not fresh(lease, datetime.now(UTC)):
        return True
    return not isinstance(endpoints, Unread) and any(
        int((one.get("status") or {}).get("observedGeneration", 0)) < int(one["metadata"].get("generation", 0))
        for one in endpoints
    )
