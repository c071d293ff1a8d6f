"""What `modelward doctor` reads of a cluster; it changes nothing, and what it may not read it says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypeVar

import jwt

from modelward.api import crd
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
    Kind,
    Object,
)
from modelward.reports.checkup import checkup, fresh
from modelward.reports.installation import Setup, setup
from modelward.reports.observed import Objects, Observed, Rights, Unread
from modelward.reports.remark import Remark
from modelward.reports.rights import reviews

_GROUP = "admissionregistration.k8s.io"
ADMISSION = tuple(
    Kind(
        _GROUP, "v1", f"{kind.lower().removesuffix('y')}{'ies' if kind.endswith('y') else 's'}", kind, namespaced=False
    )
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy")
)
SECOND_LOOK_S = 5.0
"""The Lease is renewed every 2 s, and a spec just written has its status by then."""
_AT_ONCE = 8
T = TypeVar("T")


async def examined(kubeconfig: str | None, namespace: str) -> tuple[Remark, ...]:
    """Return what there is to say about the installation in a namespace."""
    async with Client.connect(kubeconfig) as client:
        try:
            await client.served(LLM_ENDPOINT)
        except ApiError as error:
            if error.status in (0, 401):
                return (Remark("Error", "API server", error.message, "kubectl cluster-info; kubectl auth whoami"),)
        return checkup(await observed(client, namespace))


async def observed(client: Client, namespace: str, second_look_s: float = SECOND_LOOK_S) -> Observed:
    """Read all that the checks need; a second look is taken only where the first leaves something open."""
    lease = await _read(client.find(LEASE, namespace, "modelward"))
    endpoints = await _listed(client, LLM_ENDPOINT)
    known = await setup(client, namespace)
    definitions = {
        name: await _read(client.find(CUSTOM_RESOURCE_DEFINITION, None, name))
        for name in (document["metadata"]["name"] for document in crd.documents())
    }
    pods = {name: await _listed(client, POD, name) for name in _namespaces(endpoints)}
    before = lease, endpoints
    if _open(lease, endpoints):
        await asyncio.sleep(second_look_s)
        lease, endpoints = await _read(client.find(LEASE, namespace, "modelward")), await _listed(client, LLM_ENDPOINT)
    hub = "kubernetes.io/service-name=modelward-hub"
    return Observed(
        namespace=namespace,
        version=version("modelward"),
        now=datetime.now(UTC),
        setup=known,
        definitions=definitions,
        served=frozenset({kind.plural for kind in OWN_KINDS if await _read(client.served(kind)) is True}),
        operator=await _read(client.find(DEPLOYMENT, namespace, "modelward")),
        lease_before=before[0],
        lease=lease,
        rights=await _rights(client, namespace, known),
        hub_slices=await _listed(client, ENDPOINT_SLICE, namespace, hub),
        hub_authority=await _read(client.find(CONFIG_MAP, namespace, CONFIG_MAP_NAME)),
        admission={kind.plural: await _listed(client, kind) for kind in ADMISSION},
        endpoints=endpoints,
        endpoints_before=before[1],
        pods=pods,
    )


async def _read(request: Awaitable[T]) -> T | Unread:
    try:
        return await request
    except ApiError as error:
        return Unread(error.message)


async def _listed(
    client: Client, kind: Kind, namespace: str | None = None, selector: str | None = None
) -> Objects | Unread:
    found = await _read(client.list(kind, namespace, label_selector=selector))
    return found if isinstance(found, Unread) else found.items


def _namespaces(endpoints: Objects | Unread) -> list[str]:
    return [] if isinstance(endpoints, Unread) else sorted({one["metadata"]["namespace"] for one in endpoints})


def _open(lease: Object | Unread | None, endpoints: Objects | Unread) -> bool:
    if isinstance(lease, dict) and not fresh(lease, datetime.now(UTC)):
        return True
    return not isinstance(endpoints, Unread) and any(
        int((one.get("status") or {}).get("observedGeneration", 0)) < int(one["metadata"].get("generation", 0))
        for one in endpoints
    )


async def _rights(client: Client, namespace: str, known: Setup) -> Rights:
    """Ask for rights as the operator, if that is who we are: a review is a create, though it needs no right."""
    identity = _subject(await client.access.authorization())
    if identity != f"system:serviceaccount:{namespace}:modelward":
        return Rights(identity)
    places = (known.settings.watch_namespaces if known.settings is not None else ()) or ("",)
    asked = [(words, place, review) for place in places for words, review in reviews(place)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def allowed(review: Object) -> bool:
        async with gate:
            return bool((await client.create(review))["status"].get("allowed"))

    try:
        answers = await asyncio.gather(*(allowed(review) for _, _, review in asked))
    except ApiError as error:
        return Rights(identity, problem=error.message)
    denied = [
        f"{words} in {place}" if place else words
        for (words, place, _), yes in zip(asked, answers, strict=True)
        if not yes
    ]
    return Rights(identity, tuple(denied))


def _subject(authorization: str | None) -> str:
    """Return whom a ServiceAccount's token names; empty for other credentials. The API server checks it, not we."""
    token = (authorization or "").removeprefix("Bearer ")
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("sub", ""))
    except jwt.PyJWTError:
        return ""
