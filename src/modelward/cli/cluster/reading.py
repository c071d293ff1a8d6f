"""Reads for a report: what may not be read becomes a word on why, and never an exception."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import jwt

from modelward.cli.cluster.rights import review
from modelward.kube.client import Client
from modelward.kube.errors import ApiError
from modelward.kube.kinds import Kind, Object

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read, so neither good nor bad; with the API server's reason."""

    why: str


@dataclass(frozen=True, slots=True)
class ClusterReader:
    """Reads a cluster with the user's rights.

    The operator asks whether it may before it reads: a report wants more than the operator needs, and a refusal in an
    audit log would look like a right that the chart forgot.
    """

    client: Client
    who: str = ""
    as_operator: bool = False

    async def find(self, kind: Kind, namespace: str | None, name: str) -> Object | Unread | None:
        """Return one object, None where it is absent."""
        barred = await self._barred("get", kind, namespace, name)
        return barred or await attempted(self.client.find(kind, namespace, name))

    async def list(
        self, kind: Kind, namespace: str | None = None, selector: str | None = None
    ) -> tuple[Object, ...] | Unread:
        """Return all objects of a kind, in all namespaces where none is given."""
        if barred := await self._barred("list", kind, namespace):
            return barred
        found = await attempted(self.client.list(kind, namespace, label_selector=selector))
        return found if isinstance(found, Unread) else found.items

    async def list_in(self, kind: Kind, namespaces: tuple[str, ...]) -> tuple[Object, ...] | Unread:
        """Return all objects of a kind; where the cluster may not be read as a whole, those of the namespaces."""
        everywhere = await self.list(kind)
        if not isinstance(everywhere, Unread) or not namespaces:
            return everywhere
        found: list[Object] = []
        for namespace in namespaces:
            items = await self.list(kind, namespace)
            if isinstance(items, Unread):
                return items
            found += items
        return tuple(found)

    async def served(self, kind: Kind) -> bool:
        """Return whether discovery, which every account may read, shows the kind."""
        return await attempted(self.client.served(kind)) is True

    async def _barred(self, verb: str, kind: Kind, namespace: str | None, name: str = "") -> Unread | None:
        if not self.as_operator:
            return None
        asked = {"group": kind.group, "resource": kind.plural, "verb": verb, "namespace": namespace or "", "name": name}
        answer = await attempted(self.client.create(review(asked)))
        if isinstance(answer, Unread) or answer["status"].get("allowed"):
            return answer if isinstance(answer, Unread) else None
        where = f" in namespace {namespace}" if namespace else ""
        return Unread(f"the operator's account may not {verb} {kind.plural}{where}")


async def reading(client: Client, namespace: str) -> ClusterReader:
    """Return how whoever the client speaks for reads the installation in a namespace."""
    who = subject(await client.access.authorization())
    return ClusterReader(client, who, who == operator_account(namespace))


def subject(authorization: str | None) -> str:
    """Return whom a ServiceAccount's token names, empty for other credentials; the API server checks it, not we."""
    token = (authorization or "").rpartition(" ")[2]
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("sub", ""))
    except jwt.PyJWTError:
        return ""


def operator_account(namespace: str) -> str:
    """Return the name that the operator of an installation goes by."""
    return f"system:serviceaccount:{namespace}:modelward"


async def attempted(request: Awaitable[T]) -> T | Unread:
    """Return the answer, or the API server's word on why there is none."""
    try:
        return await request
    except ApiError as error:
        return Unread(error.message)
