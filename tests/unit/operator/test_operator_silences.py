"""The operator makes the silences that people asked the hub for: once, in their names, and says what was refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from fake_api import FakeApi

from modelward.api.preview import SilenceRequest
from modelward.hub.server import Hub
from modelward.hub.settings import HubSettings
from modelward.hub_client.client import HubClient, HubUnavailableError
from modelward.hub_client.views import ViewClient
from modelward.kube.client import Client
from modelward.kube.errors import ApiError, Forbidden, Unavailable
from modelward.kube.kinds import ALERT_SILENCE, LLM_ENDPOINT
from modelward.operator.hub.feed import HubFeed
from modelward.operator.hub.shown import ShownFeed
from modelward.operator.hub.silences import AskedSilences

NOW_MS = 1_795_480_000_000
ASKED = SilenceRequest(namespace="retail", endpoint="chat", until_ms=NOW_MS + 3_600_000, comment="rolling back")


class ForgetfulHub(HubClient):
    """A client whose hub is gone in the moment in which it should hear what was made."""

    forgets: bool = False

    async def silence_made(self, *args: object, **more: object) -> None:
        """Lose what is said, where it is to."""
        if self.forgets:
            raise HubUnavailableError("gone")
        await super().silence_made(*args, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def world(path: Path) -> AsyncIterator[tuple[FakeApi, HubFeed, ForgetfulHub, ViewClient]]:
    settings, api = HubSettings(f"file://{path}", "127.0.0.1:0", "127.0.0.1:0", auth=False), FakeApi()
    metadata = {"name": "chat", "namespace": "retail", "uid": "u", "resourceVersion": "1"}
    api.store.put(LLM_ENDPOINT, {"metadata": metadata, "spec": {}, "status": {"health": "Healthy"}})
    async with Hub(settings, clock_ms=lambda: NOW_MS).running() as hub:
        url = f"http://127.0.0.1:{hub.ports[0]}"
        async with ForgetfulHub(url, timeout_s=5.0) as client, ViewClient(url) as views:
            making = AskedSilences(cast(Client, api), api.store)
            feed = HubFeed(lambda: NOW_MS, client, shown=ShownFeed(api.store), silences=making)
            await feed.refresh()
            yield api, feed, client, views


async def test_a_silence_is_made_once_and_shown_in_force_in_the_persons_name(tmp_path: Path) -> None:
    async with world(tmp_path) as (api, feed, hub, views):
        asked = await views.silence(ASKED)
        hub.forgets = True
        await feed.refresh()
        hub.forgets = False
        await feed.refresh()
        await feed.refresh()
        assert api.verbs("create") == (("create", "AlertSilence", asked.name),)
        made = api.store.get(ALERT_SILENCE, "retail", asked.name)
        assert made
        spec = made["spec"]
        assert (spec["author"], spec["comment"], spec["endpoint"]) == ("by hand", "rolling back", "chat")
        [view] = (await views.alerts()).silences
        assert (view.state, view.name, view.by) == ("InForce", asked.name, "by hand")


@pytest.mark.parametrize(
    ("error", "state"),
    [(Forbidden(403, "Forbidden", "quota: no more"), "Refused"), (Unavailable(0, "", "away"), "Requested")],
)
async def test_a_refusal_is_told_and_what_cannot_be_answered_is_tried_again(
    tmp_path: Path, error: ApiError, state: str
) -> None:
    async with world(tmp_path) as (api, feed, _, views):
        await views.silence(ASKED)
        api.refusals["create"] = error
        await feed.refresh()
        [view] = (await views.alerts()).silences
        assert (view.state, view.problem) == (state, "quota: no more" if state == "Refused" else "")
        api.refusals.clear()
        await feed.refresh()
        assert len(api.verbs("create")) == (0 if state == "Refused" else 1)
