# ruff: noqa: ARG002 - the signature is the client's
"""That a namespace is gone is said only where the API server said so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from fake_api import FakeApi

from modelward.hub_client.client import HubClient
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Forbidden
from modelward.kube.kinds import Kind
from modelward.operator.hub.namespaces import EVERY_MS, NamespaceCheck


class Cluster(FakeApi):
    """Some namespaces; asking for one fails while there is a `trouble`."""

    def __init__(self, *there: str) -> None:
        super().__init__()
        self.there, self.trouble, self.asked = there, dict[str, ApiError](), list[str]()

    async def about(self, kind: Kind, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        self.asked.append(name)
        if name in self.trouble:
            raise self.trouble[name]
        return {"name": name} if name in self.there else None


class Told:
    """A hub that notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[list[str], list[str]]] = []

    async def tell_namespaces(self, gone: list[str], there: list[str]) -> None:
        self.heard.append((gone, there))


@pytest.mark.parametrize("trouble", [Forbidden(403, "Forbidden", "no right"), ApiError(503, "Away", "try later")])
async def test_what_is_refused_or_not_answered_is_neither_gone_nor_there(trouble: ApiError) -> None:
    api, hub, now = Cluster("a"), Told(), [EVERY_MS]
    api.trouble["c"] = trouble
    check = NamespaceCheck(cast(Client, api), lambda: now[0])
    await check.refresh(cast(HubClient, hub), ["a", "b", "c"])
    assert hub.heard == [(["b"], ["a"])]
    api.trouble |= {"a": trouble, "b": trouble}
    now[0] += EVERY_MS
    await check.refresh(cast(HubClient, hub), ["a", "b", "c"])
    assert len(hub.heard) == 1, "there was nothing to say"


async def test_the_api_server_is_asked_seldom_and_never_without_need() -> None:
    api, hub, now = Cluster(), Told(), [EVERY_MS]
    check = NamespaceCheck(cast(Client, api), lambda: now[0])
    await check.refresh(cast(HubClient, hub), [])
    assert not api.asked
    for _ in range(5):
        await check.refresh(cast(HubClient, hub), ["a"])
        now[0] += EVERY_MS // 4
    assert api.asked == ["a", "a"]
