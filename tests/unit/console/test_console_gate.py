"""The console answers its own pages, under its own name, to people with a session, and tells browsers to keep it so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, CookieJar
from console_samples import NOW_MS
from console_stand_in import Console, StandInHub, console

from modelward.console.assets import sheet

PAGES = (
    "/", "/e/retail/chat", "/e/retail/chat/why", "/e/retail/chat/revisions", "/e/retail/chat/transcripts", "/alerts",
    "/policies", "/policies/retail/banking", "/audit",
)  # fmt: skip
POSTS = ("/alerts/silence", "/e/retail/chat/transcripts/label", "/policies/retail/banking/preview", "/logout")


@pytest.fixture
async def hub() -> StandInHub:
    return StandInHub()


@pytest.fixture
async def shown(hub: StandInHub) -> AsyncIterator[Console]:
    async with console(hub) as running:
        yield running


async def test_every_page_carries_the_headers_that_keep_browsers_to_it(shown: Console) -> None:
    await shown.open()
    for page in (*PAGES, "/nowhere", "/login"):
        answer = await shown.get(page)
        policy = answer.headers["Content-Security-Policy"]
        nonce = re.search(r"script-src 'nonce-([\w-]{20,})'", policy)
        assert nonce, page
        body = await answer.text()
        assert set(re.findall(r"nonce=\"([^\"]*)\"", body)) <= {nonce[1]}
        for part in (
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ):
            assert part in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "aiohttp" not in answer.headers["Server"]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_nonce_is_used_for_one_answer(shown: Console) -> None:
    await shown.open()
    policies = {(await shown.get("/")).headers["Content-Security-Policy"] for _ in range(5)}
    assert len(policies) == 5


async def test_pages_have_no_style_of_an_element_no_inline_script_and_no_handler(shown: Console) -> None:
    await shown.open()
    for page in PAGES:
        body = await (await shown.get(page)).text()
        assert not re.search(r"<[^>]+\s(style|on\w+)=", body), page
        assert body.count("<style") == body.count(f"<style>{sheet()}</style>") == 1, page
        assert not re.search(r"<script(?![^>]*\s(src=|type=\"application/json\"))", body), page


async def test_without_a_session_every_page_leads_to_the_sign_in(shown: Console) -> None:
    for page in PAGES:
        answer = await shown.get(page, follow=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""])
async def test_another_name_is_refused_whatever_leads_to_our_address(shown: Console, host: str) -> None:
    await shown.open()
    answer = await shown.get("/", headers={"Host": host.format(port=shown.port)})
    assert answer.status == 421
    assert (await shown.get("/", headers={"Host": f"localhost:{shown.port}"}, follow=False)).status == 200


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
async def test_a_page_of_others_changes_nothing(
    hub: StandInHub, shown: Console, path: str, headers: dict[str, str]
) -> None:
    await shown.open()
    answer = await shown.post(path, {"ns": "retail", "endpoint": "chat", "until": "1h", "id": "x"}, headers)
    assert answer.status == 403
    assert hub.posted == []
    assert (await shown.get("/")).status == 200, "the session is still there"


async def test_the_printed_address_opens_one_session_and_no_second(shown: Console) -> None:
    await shown.open()
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as stranger:
        answer = await stranger.get(shown.url + shown.ticket.path)
        assert answer.status == 403
        guessed = await stranger.get(f"{shown.url}/open?token=guess")
        assert guessed.status == 403
        assert not answer.cookies


async def test_the_cookie_cannot_be_read_by_script_nor_sent_from_elsewhere(shown: Console) -> None:
    cookie = (await shown.get(shown.ticket.path, follow=False)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie


async def test_a_session_ends_with_its_token(hub: StandInHub, shown: Console) -> None:
    hub.person_ends_ms = NOW_MS + 1_000
    await shown.open()
    assert (await shown.get("/", follow=False)).status == 200
    shown.now_ms += 1_001
    assert (await shown.get("/", follow=False)).headers["Location"] == "/login"


async def test_a_session_ends_when_the_hub_takes_its_token_no_more(hub: StandInHub, shown: Console) -> None:
    await shown.open()
    hub.failing["view/fleet"] = 401
    assert (await shown.get("/", follow=False)).headers["Location"] == "/login"
    hub.failing.clear()
    assert (await shown.get("/", follow=False)).status == 303, "the hub's word ended it for good"


async def test_signing_out_forgets_the_session(shown: Console) -> None:
    await shown.open()
    await shown.post("/logout", {}, {"Sec-Fetch-Site": "same-origin"})
    assert len(shown.sessions) == 0
    assert (await shown.get("/", follow=False)).status == 303


@pytest.mark.parametrize(("status", "answered"), [(403, 403), (404, 404), (503, 503), (500, 502), (400, 400)])
async def test_what_the_hub_refuses_is_said_on_a_page(
    hub: StandInHub, shown: Console, status: int, answered: int
) -> None:
    await shown.open()
    hub.failing["view/endpoints/retail/chat/exchanges"] = status
    answer = await shown.get("/e/retail/chat/transcripts")
    assert answer.status == answered
    assert "<h1>" in await answer.text()


async def test_a_page_without_history_still_shows_the_state(hub: StandInHub, shown: Console) -> None:
    hub.failing["view/endpoints/retail/chat/history"] = 404
    await shown.open()
    body = await (await shown.get("/e/retail/chat")).text()
    assert "Degraded" in body
    assert "No history yet" in body


@pytest.mark.parametrize(
    ("site", "packed"),
    [("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False), ("", False)],
)
async def test_a_page_is_packed_unless_others_made_a_browser_ask(shown: Console, site: str, packed: bool) -> None:
    """How long a packed page is tells whether words of its address stand in its text."""
    await shown.open()
    answer = await shown.get("/e/retail/chat/transcripts?text=cake", headers={"Sec-Fetch-Site": site} if site else {})
    assert (answer.headers.get("Content-Encoding") == "gzip") == packed
    assert "Sec-Fetch-Site" in answer.headers["Vary"]
    assert answer.content_type == "text/html"
    assert "plum cake" in await answer.text()


async def test_files_are_kept_for_good_and_packed(shown: Console) -> None:
    page = await (await shown.get("/login")).text()
    for address in re.findall(r"(/static/[^\"]+)", page):
        answer = await shown.get(address)
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
    await shown.open()
    assert (await shown.get("/static/0/..%2f..%2fsettings.py")).status == 404
    assert (await shown.get("/static/0/base.css")).status == 404


async def test_a_label_goes_back_to_the_page_it_came_from_and_nowhere_else(hub: StandInHub, shown: Console) -> None:
    await shown.open()
    own = {"Sec-Fetch-Site": "same-origin"}
    form = {"id": "ex-1", "name": "banking/stays-on-topic", "fault": "no", "back": "https://evil.example/?a=1"}
    answer = await shown.post("/e/retail/chat/transcripts/label", form, own)
    assert answer.headers["Location"] == "/e/retail/chat/transcripts?done=labelled"
    back = {**form, "back": "/e/retail/chat/transcripts?flagged=any&id=ex-1"}
    answer = await shown.post("/e/retail/chat/transcripts/label", back, own)
    assert answer.headers["Location"] == "/e/retail/chat/transcripts?flagged=any&id=ex-1&done=labelled"
    path, body = hub.posted[0]
    assert (path, body["responseId"], body["fault"], body["source"]) == ("feedback", "ex-1", False, "Reviewer")


async def test_an_acknowledgement_lasts_until_the_alert_is_resolved(hub: StandInHub, shown: Console) -> None:
    await shown.open()
    form = {
        "ns": "retail",
        "endpoint": "chat",
        "alert": "Check/stays-on-topic",
        "kind": "acknowledge",
        "comment": "on it",
    }
    answer = await shown.post("/alerts/silence", form, {"Sec-Fetch-Site": "same-origin"})
    assert answer.headers["Location"] == "/alerts?ns=retail&done=silenced"
    path, body = hub.posted[0]
    assert (path, body["untilResolved"], body["alerts"]) == ("view/silences", True, ["Check/stays-on-topic"])
    bad = await shown.post("/alerts/silence", {**form, "kind": "", "until": "99y"}, {"Sec-Fetch-Site": "same-origin"})
    assert bad.status == 400
