"""Signing in: only the browser that began it, only with a token that answers it, and only if the hub takes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, CookieJar
from console_samples import NOW_MS
from console_stand_in import Console, StandInHub, console
from oidc_provider import OidcProvider, provided

from modelward.console.login.pending import LASTS_MS, PendingLogins
from modelward.console.sessions import Sessions
from modelward.console.settings import ConsoleSettings, ConsoleSettingsError, OidcClientSettings

SAME = {"Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def signing_in(tmp_path: Path, provider: OidcProvider, hub: StandInHub) -> AsyncIterator[Console]:
    secret = tmp_path / "client-secret"
    secret.write_text("s3cret\n", encoding="utf-8")
    provider.now_s = NOW_MS // 1000
    async with provided(provider):
        oidc = OidcClientSettings(provider.issuer, "modelward", secret)
        async with console(hub, oidc=oidc) as running:
            yield running


async def test_a_person_signs_in_at_the_provider_and_the_hub_is_asked_with_that_token(tmp_path: Path) -> None:
    provider, hub = OidcProvider(), StandInHub()
    async with signing_in(tmp_path, provider, hub) as shown:
        answer = await shown.get("/login/oidc")
        assert answer.status == 200
        assert answer.url.path == "/"
        assert "oidc:ana@example.com" in await answer.text()
        assert hub.tokens_seen[-1] == provider.tokens[0]
        assert len(shown.sessions) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": []},
        {"exp": NOW_MS // 1000 - 3600},
        {"exp": None},
    ],
)
async def test_a_token_that_does_not_answer_this_sign_in_is_refused(tmp_path: Path, claims: dict[str, Any]) -> None:
    hub = StandInHub()
    async with signing_in(tmp_path, OidcProvider(claims=claims), hub) as shown:
        answer = await shown.get("/login/oidc")
        assert answer.status == 502
        assert "Sign-in failed" in await answer.text()
        assert (len(shown.sessions), hub.asked) == (0, [])


async def test_a_code_that_another_browser_brings_is_refused(tmp_path: Path) -> None:
    """Else an attacker could have a person work in the attacker's session."""
    hub = StandInHub()
    async with signing_in(tmp_path, OidcProvider(), hub) as shown:
        begun = await shown.get("/login/oidc", follow=False)
        provider_answer = await shown.client.get(begun.headers["Location"], allow_redirects=False)
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as stranger:
            answer = await stranger.get(provider_answer.headers["Location"])
            assert answer.status == 400
        assert len(shown.sessions) == 0
        again = await shown.client.get(provider_answer.headers["Location"])
        assert again.status == 400, "a state answers once"


async def test_an_answer_of_another_provider_is_refused(tmp_path: Path) -> None:
    async with signing_in(tmp_path, OidcProvider(), StandInHub()) as shown:
        begun = await shown.get("/login/oidc", follow=False)
        provider_answer = await shown.client.get(begun.headers["Location"], allow_redirects=False)
        mixed = provider_answer.headers["Location"].rpartition("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example"
        assert (await shown.client.get(mixed)).status == 502
        assert len(shown.sessions) == 0


async def test_what_is_asked_of_the_provider_has_state_nonce_and_a_proof(tmp_path: Path) -> None:
    async with signing_in(tmp_path, OidcProvider(), StandInHub()) as shown:
        places = [(await shown.get("/login/oidc", follow=False)).headers["Location"] for _ in range(2)]
        first, second = (parse_qs(urlsplit(place).query) for place in places)
        assert first["scope"] == ["openid email groups"]
        assert first["redirect_uri"] == [f"{shown.url}/login/callback"]
        for key in ("state", "nonce", "code_challenge"):
            assert first[key] != second[key]
            assert len(first[key][0]) >= 43
        assert len({first["state"][0], first["nonce"][0], first["code_challenge"][0]}) == 3


async def test_a_provider_that_fails_is_named_without_what_it_said(tmp_path: Path) -> None:
    provider = OidcProvider(token_status=500)
    async with signing_in(tmp_path, provider, StandInHub()) as shown:
        answer = await shown.get("/login/oidc")
        text = await answer.text()
        assert answer.status == 502
        assert "500 (server_error)" in text
        assert "secret" not in text
    provider = OidcProvider(description={"issuer": "https://another.example"})
    async with signing_in(tmp_path, provider, StandInHub()) as shown:
        assert "another name" in await (await shown.get("/login/oidc")).text()


async def test_a_person_whom_the_hub_does_not_take_gets_no_session(tmp_path: Path) -> None:
    hub = StandInHub(failing={"view/me": 403})
    async with signing_in(tmp_path, OidcProvider(), hub) as shown:
        answer = await shown.get("/login/oidc")
        assert answer.status == 403
        assert len(shown.sessions) == 0


async def test_ways_that_are_off_do_not_exist() -> None:
    async with console(StandInHub()) as shown:
        await shown.open()
        assert (await shown.get("/login/oidc")).status == 404
        assert (await shown.get("/login/callback?code=1&state=2")).status == 404
        assert (await shown.post("/login/token", {"token": "x"}, SAME)).status == 404


async def test_a_pasted_token_begins_a_session_that_asks_with_it() -> None:
    hub = StandInHub(tokens=frozenset({"mine"}))
    async with console(hub, pasted=True) as shown:
        assert (await shown.post("/login/token", {"token": " mine\n"}, SAME)).status == 303
        assert hub.tokens_seen == ["mine"]
        assert (await shown.get("/", follow=False)).status == 200
        for wrong in ("theirs", "", "two words", "x" * 20_000, "ümlaut"):
            assert (await shown.post("/login/token", {"token": wrong}, SAME)).status in (400, 403)
        page = await (await shown.get("/login")).text()
        assert "mine" not in page


async def test_the_oldest_session_makes_way_and_no_token_outlives_twelve_hours() -> None:
    now = NOW_MS
    async with console(StandInHub()) as shown:
        person, hub = await shown.ticket.hub.me(), shown.ticket.hub
        sessions = Sessions(lambda: now, most=3)
        names = [await sessions.begin(person, hub) for _ in range(4)]
        assert [sessions.find(name) is not None for name in names] == [False, True, True, True]
        now += 12 * 3_600_000
        assert len(set(names)) == 4
        assert all(sessions.find(name) is None for name in names)
        await sessions.end_old()
        assert len(sessions) == 0


def test_begun_sign_ins_are_bounded_and_end() -> None:
    now = NOW_MS
    pending = PendingLogins(lambda: now, most=100)
    begun = [pending.begin() for _ in range(150)]
    assert pending.take(begun[0].state, begun[0].browser) is None
    assert pending.take(begun[149].state, begun[148].browser) is None, "of another browser"
    assert pending.take(begun[148].state, begun[148].browser) == begun[148]
    now += LASTS_MS
    assert pending.take(begun[147].state, begun[147].browser) is None


@pytest.mark.parametrize("url", ["http://console.example.com", "console.example.com", "https://a/path", "ftp://a"])
def test_an_address_that_would_show_tokens_is_refused(url: str) -> None:
    with pytest.raises(ConsoleSettingsError):
        ConsoleSettings("0.0.0.0:8090", url, "https://hub")


def test_an_issuer_without_tls_is_refused() -> None:
    for issuer, client, scopes in (
        ("http://id.example.com", "c", ("openid",)),
        ("https://id.example.com", "", ("openid",)),
        ("https://id.example.com", "c", ("email",)),
    ):
        with pytest.raises(ConsoleSettingsError):
            OidcClientSettings(issuer, client, None, scopes)
