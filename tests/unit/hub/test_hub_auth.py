"""Only those may who should: real tokens, real keys, real TLS."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import aiohttp
import jwt
import orjson
import pytest
from cryptography import x509
from hub_fixtures import exchange, ndjson
from secured_hub import OPERATOR, Cluster, refused, secured_hub

from modelward.api.scope import ScopeFacts
from modelward.hub import certificates
from modelward.hub.authorisation import TABLE, Action, Authority, Caller
from modelward.hub_client.client import HubClient

ENGINES = "chatcmpl-b8f7c9a0d1e24f3a9b5c6d7e8f901a2b"


async def test_each_caller_may_what_its_role_says_and_no_more(cluster: Cluster, tmp_path: Path) -> None:
    async with secured_hub(cluster, tmp_path) as s, contextlib.AsyncExitStack() as stack:
        operator, pod, stranger, judge, other_judge = [
            await stack.enter_async_context(s.client(*who))
            for who in (
                OPERATOR, ("retail", "default"), ("other", "default"),
                ("retail", "modelward-evaluate"), ("other", "modelward-evaluate"),
            )
        ]  # fmt: skip
        await operator.put_rules({"retail/chat": {"content": "Redacted"}})
        mine = exchange(1, id=ENGINES)
        assert await pod.post_exchanges(ndjson(mine, exchange(2, endpoint="other/chat"))) == (1, 1)
        assert await stranger.post_exchanges(ndjson(exchange(1))) == (0, 1)
        window = ("retail", "chat", 0, exchange().time_ms + 1, 10)
        assert [e.id for e in await judge.window(*window)] == [ENGINES]
        assert [e.id for e in await operator.window(*window)] == [ENGINES]
        for client in (pod, stranger, other_judge):
            assert await refused(client.window(*window)) == 403
        for client in (pod, stranger, judge, other_judge):
            assert await refused(client.endpoints()) == 403
            assert await refused(client.exchange("retail", "chat", ENGINES)) == 403
            assert await refused(client.audit(0)) == 403
            assert await refused(client.erase({"namespace": "retail"})) == 403
            assert await refused(client.put_rules({})) == 403
            assert await refused(client.results(0)) == 403
        scope, facts = "0" * 32, ScopeFacts(0.1, 0, (), 3, 0, (), 158, None, None)
        await judge.put_scope_facts("retail", scope, facts)
        for client in (operator, judge):
            assert await client.scope_facts("retail", scope) == facts
        for client in (pod, stranger, other_judge):
            assert await refused(client.scope_facts("retail", scope)) == 403
            assert await refused(client.put_scope_facts("retail", scope, facts)) == 403
        for client in (stranger, other_judge, operator):
            assert await refused(client.ask("GET", "/v1/keys/retail")) == 403
        for client in (pod, stranger, other_judge, operator):
            assert await refused(client.mark("retail", "probe", 60)) == 403
        assert (await judge.mark("retail", "probe", 60)).startswith("v1.probe.")
        for client in (pod, judge):
            assert len(bytes.fromhex(orjson.loads(await client.ask("GET", "/v1/keys/retail"))["key"])) == 32


async def test_an_endpoint_without_a_rule_keeps_metadata_only(cluster: Cluster, tmp_path: Path) -> None:
    async with secured_hub(cluster, tmp_path) as s, s.client(*OPERATOR) as operator, s.client("retail", "pod") as pod:
        assert await pod.post_exchanges(ndjson(exchange(1))) == (1, 0)
        found = await operator.exchange("retail", "chat", "e1")
        assert found
        assert (found.content, found.response, found.messages) == ("MetadataOnly", "", ())


async def test_tokens_that_are_not_for_this_hub_now_are_refused(cluster: Cluster, tmp_path: Path) -> None:
    forged = Cluster()
    forged.rotate("first")
    async with secured_hub(cluster, tmp_path) as s:
        tokens = [
            cluster.token(*OPERATOR, aud=["https://kubernetes.default.svc"]),
            cluster.token(*OPERATOR, iss="https://elsewhere"),
            cluster.token(*OPERATOR, exp=int(time.time()) - 60),
            cluster.token(*OPERATOR, sub="system:node:n1"),
            cluster.token(*OPERATOR, sub="system:serviceaccount:modelward-system:modelward:x"),
            forged.token(*OPERATOR),
            jwt.encode({"sub": "system:serviceaccount:modelward-system:modelward"}, "", "none", {"kid": "first"}),
            "nonsense",
            "",
            "caf\u00e9.b.c",
            "eyJhbGciOiJSUzI1NiIsImtpZCI6bnVsbH0.e30.x",
        ]
        for token in tokens:
            async with s.bearer(token) as client:
                assert await refused(client.endpoints()) == 401


async def test_a_rotated_key_is_fetched_and_unknown_keys_do_not_hammer_the_api_server(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with secured_hub(cluster, tmp_path) as s:
        verifier = s.hub.verifier
        assert verifier
        now = [time.monotonic() + 60]
        verifier.keys.clock = lambda: now[0]
        cluster.rotate("second")
        before = cluster.fetches
        async with s.client(*OPERATOR) as client:
            assert await client.endpoints() == []
        assert cluster.fetches == before + 1
        unknown = Cluster()
        unknown.rotate("third")
        for _ in range(5):
            async with s.bearer(unknown.token(*OPERATOR)) as client:
                assert await refused(client.endpoints()) == 401
        assert cluster.fetches == before + 1
        cluster.down = True
        now[0] += 700
        async with s.client(*OPERATOR) as client:
            assert await client.endpoints() == []


async def test_without_the_clusters_keys_nobody_gets_in_and_it_is_not_ready(cluster: Cluster, tmp_path: Path) -> None:
    cluster.down = True
    async with secured_hub(cluster, tmp_path) as s, s.client(*OPERATOR) as client:
        assert await refused(client.endpoints()) == 503
        async with aiohttp.ClientSession() as session:
            readiness = await session.get(f"http://127.0.0.1:{s.hub.ports[1]}/readyz")
        assert readiness.status == 503


async def test_a_client_with_another_authority_does_not_connect(cluster: Cluster, tmp_path: Path) -> None:
    other = certificates.ensure(tmp_path / "other", "modelward-system", datetime.now(UTC))
    async with secured_hub(cluster, tmp_path) as s:
        url = f"https://localhost:{s.hub.ports[0]}"
        async with HubClient(url, other.ca_pem, lambda: cluster.token(*OPERATOR)) as client:
            assert await refused(client.endpoints()) == 0


def test_the_table_gives_nobody_a_right_in_another_namespace() -> None:
    authority = Authority("system", "modelward", "modelward-evaluate")
    callers = [Caller("a", name) for name in ("default", "modelward", "modelward-evaluate")]
    for caller, action in itertools.product(callers, get_args(Action)):
        assert not authority.allows(caller, action, "b")
        assert not authority.allows(caller, action, "")
    assert set(TABLE) == set(get_args(Action))
    assert not authority.allows(Caller("a", "modelward"), "read window", "a")
    assert not authority.allows(Caller("system", "modelward"), "post exchanges", "a")
    assert authority.allows(Caller("system", "modelward"), "read window", "a")


def test_certificates_last_until_near_their_end_and_are_renewed_before_it(tmp_path: Path) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)

    def made(days: float = 0, namespace: str = "modelward-system") -> tuple[bytes, bytes, bool]:
        found = certificates.ensure(tmp_path, namespace, now + timedelta(days=days))
        return found.ca_pem, found.certificate_file.read_bytes(), found.renewed

    ca, server, renewed = made()
    assert renewed
    assert made(59) == (ca, server, False)
    ca_later, server_later, renewed = made(61)
    assert (ca_later, renewed) == (ca, True)
    assert server_later != server
    assert made(61, "elsewhere")[2]
    assert made(3_600)[0] != ca
    (tmp_path / "tls.key").write_bytes(b"garbage")
    assert made(3_600)[2]


@pytest.mark.parametrize(
    "ahead", [timedelta(minutes=11), timedelta(days=2), timedelta(days=400), timedelta(days=4_000)]
)
def test_certificates_that_a_fast_clock_made_are_made_anew_by_a_right_one(tmp_path: Path, ahead: timedelta) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    made = [certificates.ensure(tmp_path, "mw", at) for at in (now, now + ahead, now)]
    for pem in (made[-1].ca_pem, made[-1].certificate_file.read_bytes()):
        found = x509.load_pem_x509_certificate(pem)
        assert found.not_valid_before_utc <= now < found.not_valid_after_utc
    alone = tmp_path / "alone"
    certificates.ensure(alone, "mw", now + ahead)
    assert certificates.ensure(alone, "mw", now).renewed
    assert not certificates.ensure(alone, "mw", now).renewed


async def test_a_new_authority_is_published_at_once_and_serves_without_a_restart(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with secured_hub(cluster, tmp_path) as s:
        first = len(s.published)
        shutil.rmtree(tmp_path / "state")
        certificates.ensure(tmp_path / "state", "modelward-system", datetime.now(UTC) + timedelta(days=2))
        await s.hub.certify()
        assert len(s.published) == first + 1
        async with HubClient(
            f"https://localhost:{s.hub.ports[0]}", s.published[-1], lambda: cluster.token(*OPERATOR)
        ) as client:
            assert await client.endpoints() == []


def test_the_server_certificate_has_every_name_and_private_files_are_private(tmp_path: Path) -> None:
    found = certificates.ensure(tmp_path, "mw", datetime.now(UTC))
    certificate = x509.load_pem_x509_certificate(found.certificate_file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [
        "modelward-hub", "modelward-hub.mw", "modelward-hub.mw.svc", "modelward-hub.mw.svc.cluster.local", "localhost",
    ]  # fmt: skip
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("*.key")} == {0}
    ssl.create_default_context(cadata=found.ca_pem.decode())
