"""The tools of this folder: the driver converges, the proxy records and spoils, a snapshot masks and tells."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from calls import Recorded, of, writing
from driver import driving
from proxy import Proxy
from snapshot import differences, snapshot
from user import User, template

from faults import drop, lose_reply, refuse, stale, truncate
from modelward.kube.client import Client
from modelward.kube.errors import NotFound, TooManyRequests, Unavailable
from modelward.kube.kinds import CONFIG_MAP, DEPLOYMENT, Object


def config_map(namespace: str, value: str) -> Object:
    metadata = {"name": "it", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}


@pytest.fixture
async def spoiled(proxy: Proxy) -> AsyncIterator[Client]:
    async with Client.connect(str(proxy.kubeconfig)) as client:
        yield client


async def test_driver_converges_and_a_second_life_writes_nothing(proxy: Proxy, user: User) -> None:
    await user.endpoint("chat", template(replicas=2))
    await user.policy(capture={"content": "Redacted", "sample": "10%"})
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        assert not driver.failed
        assert len(driver.writes) > 4
    assert (await user.get(DEPLOYMENT, "chat"))["spec"]["replicas"] == 2
    assert (await user.condition("chat", "Accepted"))["status"] == "True"
    before = await snapshot(user.client, user.namespace)
    mark = len(proxy.recorded)
    async with driving(proxy, [user.namespace]) as driver:
        await driver.converge()
        assert driver.writes == []
    assert [str(one.call) for one in proxy.since(mark) if one.call.writes] == []
    assert differences(before, await snapshot(user.client, user.namespace)) == []


async def test_snapshot_tells_one_changed_field(user: User) -> None:
    await user.apply(config_map(user.namespace, "one"))
    before = await snapshot(user.client, user.namespace)
    await user.apply(config_map(user.namespace, "two"))
    assert differences(before, await snapshot(user.client, user.namespace)) == ["ConfigMap/it.data.value: one -> two"]


async def test_proxy_spoils_what_it_is_told_to_and_records_what_became_of_it(
    spoiled: Client, proxy: Proxy, user: User
) -> None:
    await spoiled.create(config_map(user.namespace, "one"))
    proxy.spoil(of("configmaps", verb="apply"), drop, times=1)
    with pytest.raises(Unavailable):
        await spoiled.apply(config_map(user.namespace, "two"), "test")
    assert (await user.get(CONFIG_MAP, "it"))["data"] == {"value": "one"}
    proxy.spoil(of("configmaps", verb="apply"), lose_reply, times=1)
    with pytest.raises(Unavailable):
        await spoiled.apply(config_map(user.namespace, "three"), "test")
    assert (await user.get(CONFIG_MAP, "it"))["data"] == {"value": "three"}
    proxy.spoil(of("configmaps", verb="get"), truncate, times=1)
    with pytest.raises(Unavailable):
        await spoiled.get(CONFIG_MAP, user.namespace, "it")
    proxy.spoil(of("configmaps", verb="get"), refuse(429, "TooManyRequests", retry_after_s=30), times=1)
    with pytest.raises(TooManyRequests):
        await spoiled.get(CONFIG_MAP, user.namespace, "it")
    became = [_outcome(one) for one in proxy.recorded if one.call.plural == "configmaps"]
    assert became == [
        ("create", 201, 201, ""),
        ("apply", 0, 0, "drop"),
        ("apply", 200, 0, "lose_reply"),
        ("get", 200, 0, "truncate"),
        ("get", 0, 429, "refused"),
    ]
    assert sum(writing(one.call) for one in proxy.recorded) == 3


def _outcome(one: Recorded) -> tuple[str, int, int, str]:
    return one.call.verb, one.committed, one.answered, one.fault


async def test_stale_reads_are_the_servers_own_past(spoiled: Client, proxy: Proxy, user: User) -> None:
    empty = (await user.client.list(CONFIG_MAP, user.namespace)).resource_version
    then = await user.apply(config_map(user.namespace, "then"))
    await user.apply(config_map(user.namespace, "now"))
    rule = of("configmaps")
    proxy.spoil(rule, stale(then["metadata"]["resourceVersion"]))
    assert (await spoiled.get(CONFIG_MAP, user.namespace, "it"))["data"] == {"value": "then"}
    listed = await spoiled.list(CONFIG_MAP, user.namespace)
    assert [item["data"]["value"] for item in listed.items if item["metadata"]["name"] == "it"] == ["then"]
    proxy.clear()
    proxy.spoil(rule, stale(empty))
    with pytest.raises(NotFound):
        await spoiled.get(CONFIG_MAP, user.namespace, "it")
