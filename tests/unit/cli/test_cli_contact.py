"""That the hub is well is said only after it answered the operator's own token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from modelward.cli.cluster.reading import Unread
from modelward.cli.doctor import contact as module
from modelward.cli.doctor.contact import hub_contact

CERTIFICATE: dict[str, Any] = {"data": {"ca.crt": "no certificate"}}


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "token"
    file.write_text("operator\n")
    monkeypatch.setattr(module, "TOKEN_FILE", file)
    return file


@pytest.fixture
async def hub() -> AsyncIterator[str]:
    async def endpoints(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer operator":
            return web.json_response({"error": {"code": "Forbidden", "message": "not you"}}, status=403)
        return web.json_response({"endpoints": []})

    app = web.Application()
    app.router.add_get("/v1/endpoints", endpoints)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_hub_that_answers_is_well(hub: str, token: Path) -> None:
    assert await hub_contact(hub, None) == ""


@pytest.fixture
def others_token(token: Path) -> None:
    token.write_text("somebody")


async def test_a_hub_that_refuses_the_token_is_quoted(hub: str, others_token: None) -> None:
    assert await hub_contact(hub, None) == "not you"


async def test_a_hub_that_is_away_is_no_crash(token: Path) -> None:
    assert "hub http://127.0.0.1:9: " in (await hub_contact("http://127.0.0.1:9", None) or "")


async def test_without_a_good_certificate_it_is_not_asked_in_the_clear(token: Path) -> None:
    assert await hub_contact("https://127.0.0.1:9", {"data": {}}) == "its certificate authority is not known"
    assert await hub_contact("https://127.0.0.1:9", CERTIFICATE)


async def test_whoever_has_no_token_or_may_not_read_the_certificate_asks_nothing(hub: str, tmp_path: Path) -> None:
    assert await hub_contact(hub, None) is None
    assert await hub_contact(None, None) is None
    assert await hub_contact(hub, Unread("forbidden")) is None
