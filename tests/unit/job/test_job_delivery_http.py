"""A request of a message goes only where it may, follows nowhere, ends in time, and tells nothing of what it met."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from receiver_cases import FIRING, SECRET, SECRETS, receiver
from secure_hosts import ELSEWHERE, Authority, Town, town
from waiting import HANGS_S
from yarl import URL

from modelward.alerts.receiver import Addressee, HttpCall, ReceiverReply, SecretText, Undelivered
from modelward.job.delivery.http import MAX_BODY_BYTES, MAX_WAIT_S, HttpSender, retry_after_s
from modelward.job.delivery.reach import FORBIDDEN, Reach, listed
from modelward.job.delivery.secret_files import SecretFiles
from modelward.job.delivery.way_out import WayOut

HOST = "alerts.example.com"
METADATA = ("169.254.169.254", "fe80::1", "127.0.0.1", "::1", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0")
POST = HttpCall("POST", (f"https://{HOST}/in",), (("Content-Type", ("application/json",)),), b"{}", timeout_s=5.0)


@asynccontextmanager
async def host(folder: Path, handler: object = None) -> AsyncIterator[tuple[Town, list[str]]]:
    """Serve one host, and give the paths that it was asked for."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if callable(handler):
            found: web.StreamResponse = await handler(request)
            return found
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with town(folder, {HOST: app, "hook.retail.svc": app}) as found:
        yield found, asked


@asynccontextmanager
async def raw(answer: bytes | None) -> AsyncIterator[int]:
    """Serve TCP that answers with these bytes to whatever comes, or never."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if answer is not None:
            writer.write(answer)
            writer.close()
        else:
            await reader.read()
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def sender(place: Town, *hosts: str) -> HttpSender:
    return place.courier(*hosts).http


async def test_what_is_sent_is_what_was_written(tmp_path: Path) -> None:
    async with host(tmp_path) as (place, asked):
        assert await sender(place).send(POST) == ReceiverReply(200, b"ok")
        assert asked == ["/in"]


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async def away(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"https://{HOST}/elsewhere"})

    async with host(tmp_path, away) as (place, asked):
        assert (await sender(place).send(POST)).status == 302
        assert asked == ["/in"]


@pytest.mark.parametrize("address", METADATA)
async def test_a_name_that_leads_to_a_forbidden_address_is_not_connected_to(tmp_path: Path, address: str) -> None:
    async with host(tmp_path) as (place, asked):
        place.hosts.places[HOST] = (address, 0)
        strict = HttpSender(Reach((HOST,)), SecretFiles(place.secrets), place.hosts, place.authority.trusted)
        reply = await strict.send(POST)
        assert reply == ReceiverReply(0, error="Forbidden (it leads to a link-local, loopback or metadata address)")
        assert (place.hosts.asked, asked) == ([HOST], [])


@pytest.mark.parametrize("text", ["169.254.169.254", "[fe80::1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"])
async def test_a_forbidden_address_in_the_url_is_refused_even_where_it_is_listed(tmp_path: Path, text: str) -> None:
    async with host(tmp_path) as (place, _):
        strict = HttpSender(Reach((text.strip("[]"), "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe")))
        reply = await strict.send(replace(POST, url=(f"https://{text}/latest/meta-data",)))
        assert reply.error.startswith("Forbidden (it leads to")
        assert place.hosts.asked == []


@pytest.mark.parametrize(
    "url",
    [
        f"https://{HOST}.evil.example/in",
        "https://evil.example/in",
        f"https://evil.example/?{HOST}",
        f"https://evil.example#@{HOST}/",
        f"https://{HOST}@evil.example/",
        f"https://user:word@{HOST}/in",
        f"http://{HOST}/in",
        f"ftp://{HOST}/in",
        f"//{HOST}/in",
        f"https://{HOST}\\@evil.example/",
        "https:///in",
        "not a url",
        "https://2130706433/in",
        "http://hook.retail.svc.evil.example/in",
        "file:///etc/passwd",
    ],
)
async def test_an_address_that_is_not_listed_is_not_asked(tmp_path: Path, url: str) -> None:
    async with host(tmp_path) as (place, asked):
        reply = await sender(place, HOST).send(replace(POST, url=(url,)))
        assert reply.status == 0
        assert reply.error.partition(" ")[0] in ("Forbidden", "NoAddress")
        assert (place.hosts.asked, asked) == ([], [])


async def test_plain_http_is_for_services_that_are_listed(tmp_path: Path) -> None:
    call = replace(POST, url=("http://hook.retail.svc:8080/in",))
    async with host(tmp_path) as (place, _):
        assert (await sender(place, "hook.retail.svc").send(call)).status == 200
        assert (await sender(place, "*.retail.svc").send(call)).status == 200
        assert (await sender(place, HOST).send(call)).error == "Forbidden (its host is not in alerts.allowedHosts)"


async def test_an_untrusted_certificate_and_a_wrong_name_are_bad_tls(tmp_path: Path) -> None:
    async with host(tmp_path) as (place, asked):
        (tmp_path / "other").mkdir()
        stranger = replace(sender(place), tls=Authority(tmp_path / "other").trusted)
        assert (await stranger.send(POST)).error.startswith("TLS (")
        place.hosts.places["other.example.com"] = place.hosts.places[HOST]
        reply = await sender(place).send(replace(POST, url=("https://other.example.com/in",)))
        assert reply.error == "TLS (the certificate is not accepted)"
        assert asked == []


async def test_the_authorities_of_the_pod_settings_are_trusted(tmp_path: Path) -> None:
    async with host(tmp_path) as (place, _):
        way = WayOut({"SSL_CERT_FILE": str(place.authority.file)})
        assert (await replace(sender(place), tls=None, way=way).send(POST)).status == 200
        assert (await replace(sender(place), tls=None, way=WayOut({})).send(POST)).error.startswith("TLS")
        gone = WayOut({"SSL_CERT_FILE": str(tmp_path / "gone.pem")})
        assert (await replace(sender(place), tls=None, way=gone).send(POST)).error == "NoAnswer (FileNotFoundError)"


async def test_a_receiver_that_never_answers_costs_its_time_and_no_more(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await gone.wait()
        return web.Response()

    async with host(tmp_path, wait) as (place, _):
        assert await sender(place).send(replace(POST, timeout_s=HANGS_S)) == ReceiverReply(0, error="Timeout")
        gone.set()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/9.9 999\r\n\r\n", b"\x00" * 100], ids=repr)
async def test_garbage_is_no_answer(tmp_path: Path, answer: bytes) -> None:
    async with host(tmp_path) as (place, _), raw(answer) as port:
        place.hosts.places["hook.retail.svc"] = ("127.0.0.1", port)
        reply = await sender(place).send(replace(POST, url=("http://hook.retail.svc/in",)))
        assert reply.status == 0
        assert reply.error.startswith("NoAnswer (")


async def test_a_tls_port_that_speaks_something_else_is_no_answer(tmp_path: Path) -> None:
    async with host(tmp_path) as (place, _), raw(b"220 smtp ready\r\n") as port:
        place.hosts.places[HOST] = ("127.0.0.1", port)
        assert (await sender(place).send(POST)).error.partition(" ")[0] in ("TLS", "NoAnswer", "Unreachable")


async def test_nobody_at_the_address_and_no_address_are_told_apart(tmp_path: Path) -> None:
    async with host(tmp_path) as (place, _):
        place.hosts.places[HOST] = ("127.0.0.1", 1)
        assert (await sender(place).send(POST)).error == "Unreachable"
        del place.hosts.places[HOST]
        assert (await sender(place, HOST).send(POST)).error == "UnknownHost"


async def test_a_reply_without_end_is_cut(tmp_path: Path) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(100):
            await answer.write(b"x" * 100_000)
        return answer

    async with host(tmp_path, flood) as (place, _):
        assert len((await sender(place).send(POST)).body) == MAX_BODY_BYTES


async def test_a_proxy_of_the_pod_settings_is_used_and_asked_for_the_name(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    async with host(tmp_path) as (place, seen):
        proxied = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"}
        strict = HttpSender(
            Reach((HOST,), FORBIDDEN), SecretFiles(place.secrets), None, place.authority.trusted, WayOut(proxied)
        )
        assert (await strict.send(POST)).error == "Proxy (HTTP 407)"
        assert asked == [f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode()]
        excepted = WayOut({**proxied, "NO_PROXY": "10.0.0.0/8, .example.com"})
        assert (await replace(sender(place), way=excepted).send(POST)).status == 200
        assert (len(asked), seen) == (1, ["/in"])
    proxy.close()


async def test_a_secret_fills_a_field_of_the_body_and_a_header(tmp_path: Path) -> None:
    got: list[tuple[str, str]] = []

    async def keep(request: web.Request) -> web.Response:
        got.append((await request.text(), request.headers["Authorization"]))
        return web.Response()

    async with host(tmp_path, keep) as (place, _):
        place.keep(SECRET, "key", 'k"ey\n')
        at = SecretText(SECRET, "key")
        await sender(place).send(
            replace(POST, body=b'{"a":1}', headers=(("Authorization", ("Bearer ", at)),), fields=(("routing_key", at),))
        )
        assert got == [('{"a":1,"routing_key":"k\\"ey"}', 'Bearer k"ey')]


@pytest.mark.parametrize("key", ["../x", "..", "a/b"])
async def test_a_key_leads_out_of_no_secret(tmp_path: Path, key: str) -> None:
    async with host(tmp_path) as (place, asked):
        (place.secrets).mkdir(exist_ok=True)
        (place.secrets / "x").write_text("https://alerts.example.com/in")
        reply = await sender(place).send(replace(POST, url=(SecretText(SECRET, key),)))
        assert (reply.error, asked) == (f"SecretNotFound (key {key} of Secret {SECRET})", [])


async def test_no_secret_is_ever_in_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with host(tmp_path) as (place, _):
        for key, value in SECRETS.items():
            place.keep(SECRET, key, value)
        for name in ("slack", "teams", "pagerduty", "webhook", "cloudevents", "github", "email"):
            for courier in (place.courier(), place.courier("nowhere.example.com")):
                found = await courier.deliver(FIRING, Addressee(receiver(name)))
                assert not any(value.strip() in repr(found) for value in SECRETS.values())
                if name != "webhook" and name != "cloudevents":
                    assert isinstance(found, Undelivered)
    assert not any(value.strip() in caplog.text for value in SECRETS.values())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "99999999999999"}, MAX_WAIT_S),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:00 GMT"}, 50),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "130"}, 120),
        ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "130"}, None),
        ({}, None),
    ],
)
def test_a_pause_is_read_in_each_of_its_forms(headers: dict[str, str], expected: int | None) -> None:
    assert retry_after_s(headers, 10_000) == expected


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("", False), ("*", True), (HOST, True), ("example.com", True), (".example.com", True), ("*.example.com", True),
        ("xample.com", False), (f"{HOST}:443", True), (f"{HOST}:8443", False), ("10.0.0.0/8,other.com", False),
    ],
)  # fmt: skip
def test_what_needs_no_proxy_is_asked_directly(no_proxy: str, direct: bool) -> None:
    way = WayOut({"https_proxy": "http://proxy:3128", "NO_PROXY": no_proxy})
    assert way.proxy(URL(f"https://{HOST}/in")) == (None if direct else "http://proxy:3128")
    assert way.proxy(URL("http://hook.retail.svc/in")) is None
    assert WayOut({"HTTPS_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}).proxy(URL("https://10.1.2.3/")) is None


@given(st.ip_addresses())
def test_an_address_is_refused_exactly_when_it_is_within_a_forbidden_network(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    refused = bool(Reach().address_refusal(str(address)))
    within = any(address in network for network in FORBIDDEN)
    assert refused or not within
    if isinstance(address, ipaddress.IPv4Address):
        assert refused == within
        assert bool(Reach().address_refusal(f"::ffff:{address}")) == within
        assert bool(Reach(forbidden=ELSEWHERE).address_refusal(str(address))) <= within


@given(st.from_regex(r"[a-z0-9.-]{1,40}", fullmatch=True))
def test_a_star_stands_for_hosts_below_a_domain_and_for_nothing_else(name: str) -> None:
    assert listed(name, ("*.example.com",)) == name.endswith(".example.com")
    assert not listed(f"{name}example.com", ("*.example.com",)) or name.endswith(".")
