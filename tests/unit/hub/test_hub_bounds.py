"""What one sender can make the hub hold or do is bounded before it is done."""

from __future__ import annotations

import io
import resource
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
import zstandard
from hub_fixtures import NOW_MS, Running, exchange, ndjson, running_hub
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult
from modelward.api.exchange import exchange_to_json
from modelward.api.kept_score import imported_set
from modelward.hub.ingest import read_batch
from modelward.hub.result_shares import ResultLimits
from modelward.hub.rules import Rules
from modelward.hub.settings import Limits
from modelward.hub_client.client import HubUnavailableError


async def posted(hub: Running, body: bytes) -> int:
    url = f"http://127.0.0.1:{hub.hub.ports[0]}/v1/exchanges"
    headers = {"Content-Encoding": "zstd"}
    async with aiohttp.ClientSession() as session, session.post(url, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", ndjson(exchange(1, messages=(), response=""))], ids=["empty", "{}", "good"]
)
async def test_a_small_post_of_very_many_lines_is_refused_before_it_costs_anything(file_url: str, line: bytes) -> None:
    body = zstandard.compress(line * (15_000_000 // len(line)))
    assert len(body) < 7_000
    async with running_hub(file_url) as r:
        before = resource.getrusage(resource.RUSAGE_SELF)
        assert await posted(r, body) == 413
        after = resource.getrusage(resource.RUSAGE_SELF)
        assert after.ru_maxrss - before.ru_maxrss < 20 << 10
        assert after.ru_utime - before.ru_utime < 1
        assert r.hub.store.index.size() == 0


LINE = exchange_to_json(exchange(1))
ODD: dict[str, Any] = {
    "surplus integer": {"status": 10**30},
    "text for a number": {"timings": {"duration_ms": "abc"}},
    "a deep value for a number": {"usage": {"input_tokens": {"a": 1}}},
    "a number for a word": {"redactions": [{"kind": 1, "count": 1, "subject": 5}]},
    "a time beyond any": {"time_ms": 1e300},
}


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_value_costs_its_line_and_not_the_batch(file_url: str, name: str) -> None:
    odd = b"".join(orjson.dumps({**LINE, **{k: v for k, v in ODD[name].items() if v != 10**30}}) for _ in range(1))
    if name == "surplus integer":
        odd = odd.replace(b'"status":200', b'"status":1' + b"0" * 30)
    async with running_hub(file_url) as r:
        assert await r.client.post_exchanges(odd + b"\n" + ndjson(exchange(2))) == (1, 1)
        assert [e.id for e in await r.window()] == ["e2"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([*LINE, "extra"]), VALUES), max_size=4), st.binary(max_size=30))
def test_no_line_of_any_content_costs_another_line(changes: list[tuple[str, Any]], noise: bytes) -> None:
    odd = orjson.dumps({**LINE, **dict(changes)})
    body = b"\n".join([odd, noise.replace(b"\n", b""), ndjson(exchange(2)).strip()])
    batch = read_batch(body, "", Limits(), Rules(), NOW_MS, lambda _: True)
    assert batch.records[-1].line == orjson.dumps(
        exchange_to_json(exchange(2, content="MetadataOnly", messages=(), response=""))
    )


def result(number: int = 0, namespace: str = "retail", **changes: Any) -> WindowResult:
    base = WindowResult(
        namespace, "chat", "p", "topic", NOW_MS - 10_000 + number, NOW_MS - 5_000 + number, "run",
        EvaluatorFacts("Topic", "1"), {"r1": Counts(10, 2)},
    )  # fmt: skip
    return replace(base, **changes)


@pytest.mark.parametrize(
    "changes",
    [{"to_ms": NOW_MS + 26 * 3_600_000}, {"to_ms": 3_400_000_000_000}, {"reason": "free text of somebody"},
     {"run": "x" * 300}, {"reason": "x" * 70_000}, {"revisions": {f"r{i}": Counts() for i in range(101)}}],
)  # fmt: skip
async def test_a_result_from_the_future_or_of_free_text_is_refused(file_url: str, changes: dict[str, Any]) -> None:
    async with running_hub(file_url) as r:
        with pytest.raises(HubUnavailableError) as refused:
            await r.client.put_result(result(**changes))
        assert refused.value.status in (400, 413)
        assert await r.client.results(0) == []


async def test_the_label_of_an_example_is_a_word(file_url: str) -> None:
    shown = {"r1": (Example("e1", "IBAN"), Example("e2", "call 555 1234"), Example("e3 \n", "IBAN"))}
    async with running_hub(file_url) as r:
        await r.client.put_result(result(examples=shown))
        assert (await r.client.results(0))[0].examples == {"r1": (Example("e1", "IBAN"), Example("e2", "other"))}


async def test_a_namespace_with_too_many_results_loses_its_own_oldest(file_url: str) -> None:
    async with running_hub(file_url) as r:
        r.hub.results._shares.limits = ResultLimits(endpoint_rows=20, namespace_rows=20)
        await r.client.put_result(result(0, "quiet"))
        for number in range(30):
            await r.client.put_result(result(number))
        kept = await r.client.results(0)
        assert [one for one in kept if one.namespace == "quiet"] == [result(0, "quiet")]
        loud = [one.from_ms for one in kept if one.namespace == "retail"]
        assert 15 < len(loud) <= 20
        assert max(loud) == result(29).from_ms
        cut_ms = {one.namespace: one.results_cut_ms for one in (await r.client.overview()).stored}
        assert cut_ms == {"retail": max(one.to_ms for one in map(result, range(30)) if one.from_ms not in loud)}


async def test_results_of_one_namespace_never_make_the_answer_too_large_for_the_others(file_url: str) -> None:
    async with running_hub(file_url) as r:
        for number in range(30):
            await r.client.put_result(result(number))
        await r.client.put_result(result(0, "quiet"))
        size = len(orjson.dumps({"x": 1})) + 600
        r.hub.results._shares.limits = ResultLimits(answer_bytes=size * 5, page_bytes=size * 3)
        r.hub.results.limits = r.hub.results._shares.limits
        rows = await r.hub.results.since(0)
        assert sum(map(len, rows)) <= size * 5
        assert sum(b'"quiet"' in row for row in rows) == 1
        paged: list[bytes] = []
        after, pages = "", 0
        while pages == 0 or after:
            page, after = await r.hub.results.page(0, after)
            assert sum(map(len, page)) <= size * 3
            paged, pages = paged + page, pages + 1
        assert (len(paged), len(set(paged))) == (31, 31)
        assert pages > 3


async def test_rules_are_taken_or_refused_one_by_one(file_url: str) -> None:
    bad: dict[str, Any] = {
        "retail/zero": {"keepForSeconds": 0}, "retail/odd": {"content": "Everything"}, "retail/list": [],
        "retail/huge": {"maxBodyBytes": 1e300}, "../etc": {"content": "Full"},
    }  # fmt: skip
    async with running_hub(file_url) as r:
        await r.client.put_rules({**bad, "retail/chat": {"content": "None"}})
        assert set(r.hub.store.rules.by_endpoint) == {"retail/chat"}
        assert await r.client.post_exchanges(ndjson(exchange(1))) == (0, 1)
        assert b'modelward_hub_errors_total{code="BadRule"} 5.0' in r.hub.metrics.render()


@pytest.mark.parametrize("endpoint", ["..%2f..%2fretail%2fchat", "chat%0aERROR%20forged", "CHAT"])
async def test_what_is_no_name_is_refused_and_forges_no_log_line(
    file_url: str, caplog: pytest.LogCaptureFixture, endpoint: str
) -> None:
    async with running_hub(file_url) as r:
        url = f"http://127.0.0.1:{r.hub.ports[0]}/v1/windows/evil/{endpoint}?from=1&to=2"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 400
    assert not any("\n" in record.getMessage() for record in caplog.records)


DIGEST = "0" * 32


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"/v1/scopes/retail/{DIGEST}"),
        ("PUT", "/v1/calibrations/retail/brand"),
        ("PUT", f"/v1/calibrations/retail/brand/scores/{DIGEST}"),
        ("POST", f"/v1/scores/retail/chat/{imported_set('ragas', 'faithfulness')}/lookup"),
        ("PUT", "/v1/results/retail/chat/baseline/leaks/1-2"),
        ("PUT", "/v1/objects"),
        ("PUT", "/v1/rules"),
        ("PUT", "/v1/budgets"),
        ("PUT", "/v1/namespaces"),
        ("POST", "/v1/erasures"),
        ("POST", "/v1/feedback"),
        ("POST", "/v1/view/preview"),
        ("POST", "/v1/view/silences"),
    ],
)
async def test_a_body_that_is_no_json_is_refused_everywhere_in_the_same_words(method: str, path: str) -> None:
    async with (
        running_hub("memory://") as r,
        aiohttp.ClientSession(f"http://127.0.0.1:{r.hub.ports[0]}") as session,
        session.request(method, path, data=b"{nonsense") as answer,
    ):
        assert (answer.status, (await answer.json())["error"]["message"]) == (400, "the body is not JSON")


async def test_a_body_of_another_form_is_refused_by_what_is_expected() -> None:
    path = f"/v1/scores/retail/chat/{imported_set('ragas', 'faithfulness')}/lookup"
    async with (
        running_hub("memory://") as r,
        aiohttp.ClientSession(f"http://127.0.0.1:{r.hub.ports[0]}") as session,
        session.post(path, data=b'{"ids": 1}') as answer,
    ):
        assert (answer.status, (await answer.json())["error"]["message"]) == (
            400, "a lookup has ids, from_ms and to_ms",
        )  # fmt: skip
