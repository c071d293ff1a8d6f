"""What the operator shows the hub of the cluster: each change once, all of it after a restart, and no pod template."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.shown_object import SHOWN_KINDS, shown_object
from modelward.hub.server import Hub
from modelward.hub.settings import HubSettings
from modelward.hub_client.client import HubClient
from modelward.hub_client.views import ViewClient
from modelward.kube.kinds import EVALUATOR, LLM_ENDPOINT, MONITORING_POLICY
from modelward.kube.store import Store
from modelward.operator.hub.feed import HubFeed
from modelward.operator.hub.shown import ShownFeed

NOW_MS = 1_795_480_000_000
CANARY = "s3cr3t"
SPEC = "backend collector usage scaling engine podTemplate env gateway service".split()  # noqa: SIM905
WITHIN = "template podTemplate env external url headers callers".split()  # noqa: SIM905


def endpoint(name: str, version: int, health: str = "Healthy", namespace: str = "retail") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(version)}
    pod = {"podTemplate": {"spec": {"containers": [{"env": [{"name": "KEY", "value": CANARY}]}]}}}
    spec = {"backend": {"template": pod}, "engine": "vllm", "usage": {"callers": {"header": CANARY}}}
    return {"metadata": metadata, "spec": spec, "status": {"health": health}}


class CountingHub(HubClient):
    """A client that counts what it sends."""

    sent: list[tuple[int, int]]

    async def put_objects(self, put: Any, gone: Any = (), **how: Any) -> tuple[str, list[str]]:
        """Count and send."""
        self.sent.append((len(put), len(gone)))
        return await super().put_objects(put, gone, **how)


@asynccontextmanager
async def hub(path: Path, port: int = 0) -> AsyncIterator[tuple[CountingHub, ViewClient, int]]:
    settings = HubSettings(f"file://{path}", f"127.0.0.1:{port}", "127.0.0.1:0", auth=False)
    async with Hub(settings, clock_ms=lambda: NOW_MS).running() as running:
        url = f"http://127.0.0.1:{running.ports[0]}"
        async with CountingHub(url, timeout_s=5.0) as client, ViewClient(url) as views:
            client.sent = []
            yield client, views, running.ports[0]


def feed_of(store: Store, client: HubClient, unseen: Callable[[], tuple[str, ...]] = tuple) -> HubFeed:
    return HubFeed(lambda: NOW_MS, client, shown=ShownFeed(store, unseen))


async def named(views: ViewClient) -> dict[str, str]:
    return {row.name: row.health for row in (await views.fleet()).rows}


async def test_each_change_is_shown_once_and_an_idle_operator_sends_nothing(tmp_path: Path) -> None:
    store = Store()
    store.put(LLM_ENDPOINT, endpoint("chat", 1))
    async with hub(tmp_path) as (client, views, _):
        feed = feed_of(store, client)
        store.put(EVALUATOR, {"metadata": {"name": "judge", "namespace": "retail", "resourceVersion": "1"}})
        await feed.refresh()
        assert (await named(views), client.sent) == ({"chat": "Healthy"}, [(2, 0)])
        for _ in range(3):
            await feed.refresh()
        store.put(LLM_ENDPOINT, endpoint("chat", 2))  # another version that says the same
        await feed.refresh()
        assert client.sent == [(2, 0)]
        store.put(LLM_ENDPOINT, endpoint("chat", 3, "Degraded"))
        store.put(LLM_ENDPOINT, endpoint("new", 4))
        await feed.refresh()
        store.remove(LLM_ENDPOINT, endpoint("new", 5))
        await feed.refresh()
        assert (await named(views), client.sent) == ({"chat": "Degraded"}, [(2, 0), (2, 0), (0, 1)])


async def test_a_hub_that_restarted_is_shown_everything_again(tmp_path: Path) -> None:
    store = Store()
    for number in range(3):
        store.put(LLM_ENDPOINT, endpoint(f"e{number}", number + 1))
    async with hub(tmp_path) as (client, _, port):
        feed = feed_of(store, client)
        await feed.refresh()
    store.put(LLM_ENDPOINT, endpoint("e0", 9, "Unhealthy"))
    async with hub(tmp_path, port) as (client, views, _):
        feed.hub = client
        assert await named(views) == {}
        await feed.refresh()
        assert await named(views) == {"e0": "Unhealthy", "e1": "Healthy", "e2": "Healthy"}
        assert client.sent == [(3, 0)]


async def test_a_new_leader_takes_away_what_is_gone_and_not_what_it_cannot_see(tmp_path: Path) -> None:
    async with hub(tmp_path) as (client, views, _):
        first = Store()
        for name, namespace in (("gone", "retail"), ("stays", "retail"), ("unseen", "other")):
            first.put(LLM_ENDPOINT, endpoint(name, 1, namespace=namespace))
        await feed_of(first, client).refresh()
        second = Store()
        second.put(LLM_ENDPOINT, endpoint("stays", 1))
        await feed_of(second, client, lambda: ("other",)).refresh()
        assert await named(views) == {"stays": "Healthy", "unseen": "Healthy"}


@given(
    st.sampled_from(SHOWN_KINDS),
    st.dictionaries(
        st.sampled_from(SPEC),
        st.recursive(
            st.just(CANARY) | st.none(),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WITHIN), inner),
        ),
    ),
)
def test_of_an_endpoints_spec_only_named_fields_are_shown(kind: Any, spec: dict[str, Any]) -> None:
    row = shown_object(kind, {"metadata": {"name": "a", "namespace": "b"}, "spec": spec})
    if kind == "Evaluator":
        assert "spec" not in row
    elif kind == "LLMEndpoint":
        asked = {name: spec.get(name) for name in ("engine", "scaling", "replicas", "paused")}
        assert {name: row["spec"].get(name) for name in asked} == asked
        rest = {name: value for name, value in row["spec"].items() if name not in asked}
        assert CANARY.encode() not in orjson.dumps(rest)


def test_a_policy_is_shown_with_its_spec() -> None:
    row = shown_object("MonitoringPolicy", {"metadata": {"name": "a", "namespace": "b"}, "spec": {"paused": True}})
    assert row["spec"] == {"paused": True}
    assert MONITORING_POLICY.kind == row["kind"]
