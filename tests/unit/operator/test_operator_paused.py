"""A paused endpoint stays as it is, and its collectors still learn of a new certificate authority of the hub."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fake_api import SETTINGS, FakeApi

from modelward.desired import names
from modelward.kube.certificate import CONFIG_MAP_NAME, KEY
from modelward.kube.kinds import CONFIG_MAP, Object
from modelward.operator.runtime import assembly

GATEWAY = {"backend": {"external": {"url": "http://llm.example"}}}


def endpoint(**spec: Any) -> Object:
    metadata = {"name": "chat", "namespace": "retail", "generation": 1}
    return {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint", "metadata": metadata, "spec": spec}


def authority(pem: str) -> Object:
    metadata = {"name": CONFIG_MAP_NAME, "namespace": SETTINGS.namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: pem}}


async def test_the_collectors_of_a_paused_endpoint_get_a_new_authority_of_the_hub_and_nothing_else() -> None:
    api = FakeApi()
    context = replace(api.context, settings=replace(SETTINGS, hub_url="https://hub"))
    endpoints = assembly.build(context, lambda: 1_795_480_000_000).endpoints
    api.put(authority("old"))
    await endpoints.installed.refresh()
    api.put(endpoint(**GATEWAY))
    await endpoints.reconcile("retail", "chat")
    made = api.store.get(CONFIG_MAP, "retail", names.collector_config("chat")) or {}
    assert made["data"]["hub-ca.pem"] == "old"
    api.put(endpoint(**GATEWAY, paused=True, gateway={"replicas": 7}, engine="vllm"))
    api.writes.clear()
    await endpoints.reconcile("retail", "chat")
    assert api.verbs("apply") == ()
    api.put(authority("new"))
    await endpoints.installed.refresh()
    await endpoints.reconcile("retail", "chat")
    assert api.verbs("apply", "create", "patch", "delete", "scale") == (
        ("apply", "ConfigMap", names.collector_config("chat")),
    )
    renewed = api.store.get(CONFIG_MAP, "retail", names.collector_config("chat")) or {}
    assert renewed["data"] == {**made["data"], "hub-ca.pem": "new"}
    await endpoints.reconcile("retail", "chat")
    assert len(api.verbs("apply")) == 1
