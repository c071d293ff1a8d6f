"""The accounts for people's tokens: where there are endpoints and a hub, without a right, and in nobody's way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_api import SETTINGS, FakeApi

from modelward.kube.kinds import LLM_ENDPOINT
from modelward.operator.readers import ReaderAccounts

ENDPOINT = {"metadata": {"name": "chat", "namespace": "retail", "uid": "u", "resourceVersion": "1"}}


def accounts(api: FakeApi, hub_url: str | None = "https://hub:8443", *, wanted: bool = True) -> ReaderAccounts:
    return ReaderAccounts(replace(api.context, settings=replace(SETTINGS, hub_url=hub_url, reader_accounts=wanted)))


async def test_both_accounts_are_made_without_a_token_of_their_own_where_an_endpoint_is() -> None:
    api = FakeApi()
    api.store.put(LLM_ENDPOINT, ENDPOINT)
    found = accounts(api)
    await found.ensure("retail")
    await found.ensure("empty")
    assert [name for _, _, name in api.verbs("apply")] == ["modelward-reader", "modelward-viewer"]
    assert [body["automountServiceAccountToken"] for body in api.bodies] == [False, False]
    assert {body["metadata"]["namespace"] for body in api.bodies} == {"retail"}


@pytest.mark.parametrize(("hub_url", "wanted"), [(None, True), ("https://hub:8443", False)])
async def test_none_is_made_without_a_hub_or_where_they_are_closed(hub_url: str | None, wanted: bool) -> None:
    api = FakeApi()
    api.store.put(LLM_ENDPOINT, ENDPOINT)
    await accounts(api, hub_url, wanted=wanted).ensure("retail")
    assert not api.verbs("apply")
