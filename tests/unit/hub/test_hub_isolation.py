"""Whatever one namespace writes, at every interface of the hub, the answers for another are the same to the byte."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import zstandard
from hub_fixtures import NOW_MS, QUICK, exchange, ndjson, running_hub
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from long_form import FULL
from waiting import until

from modelward.api.budget import BudgetLimits, BudgetTerms, Spend, SpendRequest, SpentSoFar, day_of
from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult, result_to_json
from modelward.api.exchange import exchange_to_json
from modelward.api.history import (
    BatchKey,
    CallerCount,
    HistoryPart,
    HistoryRow,
    LevelSpread,
    ObjectiveCount,
    row_to_json,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
LOUD = exchange_to_json(exchange(1, endpoint="loud/chat"))
RESULT = result_to_json(
    WindowResult("loud", "chat", "p", "e", NOW_MS - 9, NOW_MS, "r", EvaluatorFacts("PII", "1"), {"r1": Counts(3, 1)})
)

RESERVATION = {"key": "key-000009", "run": "r", "evaluator": "judge", "tokens": 900, "cost": 1, "currency": "USD"}
TODAY = day_of(NOW_MS)
SET = "0" * 32
SCORE = {
    "endpoint": "loud/chat",
    "id": "e1",
    "source": "ragas",
    "name": "faithfulness",
    "value": 0.5,
    "time_ms": NOW_MS,
}
MINUTE = HistoryRow(
    "loud",
    "chat",
    NOW_MS // 60_000 * 60_000 - 120_000,
    60_000,
    (HistoryPart("r1", "m", {"ok": 3}, {"ttft": (3, *(0,) * 20)}, 1, 2, 3, "USD"),),
    {"queue": LevelSpread(1, 2, 2, 2)},
    (ObjectiveCount("p", "errors", 3, 1),),
    (CallerCount("team", 3, 1, 2, 0, {"USD": 3}),),
)
SILENCE = {"namespace": "loud", "endpoint": "chat", "untilMs": NOW_MS + 9_000_000, "alerts": ["Check/e"]}
PREVIEW = {"namespace": "loud", "name": "p", "fromMs": NOW_MS - 900_000, "toMs": NOW_MS, "spec": {"objectives": []}}
LABEL = {"namespace": "loud", "endpoint": "chat", "responseId": "e1", "name": "p/e", "fault": True}
SHOWN = {"kind": "LLMEndpoint", "namespace": "loud", "name": "chat", "spec": {}, "status": {}}
OF_PEOPLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/view/silences", SILENCE),
    ("/v1/view/preview", PREVIEW),
    ("/v1/feedback", LABEL),
    ("/v1/objects", {"telling": "t", "put": [SHOWN]}),
)
LOOKUP = {"ids": ["e1"], "from_ms": NOW_MS - 9, "to_ms": NOW_MS, "holder": "h"}


def spoilt(good: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Return JSON objects that are nearly good, and bytes that are no JSON."""
    changed = st.dictionaries(st.sampled_from([*good, "extra"]), VALUES, max_size=3)
    return changed.map(lambda some: orjson.dumps({**good, **some})) | st.binary(max_size=60)


LINES = st.lists(spoilt(LOUD), max_size=5).map(b"\n".join)
NAMES = st.sampled_from(["chat", "..%2f..%2fquiet%2fchat", "chat%0aERROR", "%00", "CHAT", "a" * 300])
RULES = st.dictionaries(st.sampled_from(["loud/chat", "loud/x", "../quiet", "quiet", ""]) | st.text(max_size=9), VALUES)


async def asked(session: aiohttp.ClientSession, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    async with session.request(method, path, data=body or None) as response:
        return response.status, await response.read()


async def answers(session: aiohttp.ClientSession) -> list[tuple[int, bytes]]:
    """Return all that the hub says of the quiet namespace."""
    paths = (
        f"/v1/windows/quiet/chat?from=1&to={NOW_MS + 1}",
        "/v1/exchanges/quiet/chat/e2",
        "/v1/results/quiet/chat?since=0",
        "/v1/results/quiet/chat?since=0&after=",
    )
    found = [await asked(session, "GET", path) for path in paths]
    _, held = await asked(session, "GET", "/v1/endpoints")
    _, results = await asked(session, "GET", "/v1/results?since=0")
    _, budgets = await asked(session, "GET", "/v1/budgets")
    own_budgets = [row for row in orjson.loads(budgets)["budgets"] if row["namespace"] == "quiet"]
    for metric in ("requests", "ttft", "objectives", "checks", "callers"):
        asked_of = f"metric={metric}&from={NOW_MS - 600_000}&to={NOW_MS}"
        found.append(await asked(session, "GET", f"/v1/history/quiet/chat?{asked_of}"))
    found.append(await asked(session, "GET", f"/v1/history/quiet/chat/objectives?from={NOW_MS - 600_000}&to={NOW_MS}"))
    for path in ("fleet?ns=quiet", "alerts?ns=quiet", "policies?ns=quiet", "endpoints/quiet/chat"):
        status, body = await asked(session, "GET", f"/v1/view/{path}")
        found.append((status, orjson.dumps({**orjson.loads(body), "told_ms": 0, "toldMs": 0})))
    lookup = orjson.dumps(LOOKUP | {"ids": ["e2"], "holder": ""})
    found.append(await asked(session, "POST", f"/v1/scores/quiet/chat/{SET}/lookup", lookup))
    own = [row for row in orjson.loads(held)["endpoints"] if row["endpoint"].startswith("quiet/")]
    all_results = [row for row in orjson.loads(results)["results"] if row["namespace"] == "quiet"]
    return [*found, (200, orjson.dumps([own, all_results, own_budgets]))]


async def assert_nothing_changes(
    posts: list[bytes],
    results: list[bytes],
    reservations: list[bytes],
    scores: list[bytes],
    minutes: list[bytes],
    people: list[tuple[str, bytes]],
    rules: dict[str, Any],
    name: str,
    noise: bytes,
) -> None:
    async with running_hub("memory://", replace(QUICK, batch_lines=50)) as r:
        ruled = {"quiet/chat": {"content": "Redacted"}}
        await r.client.put_rules(ruled)
        await r.client.post_exchanges(ndjson(*(exchange(i, endpoint="quiet/chat") for i in range(5))))
        quiet = WindowResult("quiet", "chat", "p", "e", NOW_MS - 9, NOW_MS, "r", EvaluatorFacts("PII", "1"))
        await r.client.put_result(quiet)
        await r.client.post_scores([{"endpoint": "quiet/chat", "set": SET, "id": "e2", "time_ms": NOW_MS - 9}])
        limits = BudgetLimits(tokens=1_000)
        await r.client.put_budgets([BudgetTerms(n, "p", limits, SpentSoFar(TODAY, Spend())) for n in ("loud", "quiet")])
        await r.client.reserve("quiet", "p", SpendRequest("key-000001", "r", "judge", 10))
        await until(lambda: r.hub.history.state == "Ready")
        own = orjson.dumps(row_to_json(replace(MINUTE, namespace="quiet")))
        assert await r.client.put_history(BatchKey("quiet", MINUTE.minute_ms), zstandard.compress(own)) == 0
        base = f"http://127.0.0.1:{r.hub.ports[0]}"
        async with aiohttp.ClientSession(base, auto_decompress=False) as session:
            shown = {"telling": "all", "put": [SHOWN | {"namespace": "quiet"}, SHOWN], "last": True}
            assert (await asked(session, "PUT", "/v1/objects", orjson.dumps(shown)))[0] == 200
            before = await answers(session)
            for body in (*posts, b"\n" * 100_000, noise):
                status, _ = await asked(session, "POST", "/v1/exchanges", body)
                assert status < 500
            for body in reservations:
                for part in ("reservations", "settlements"):
                    status, _ = await asked(session, "POST", f"/v1/budgets/loud/p/{part}", body)
                    assert status < 500
            for body in scores:
                for path in ("/v1/scores", "/v1/logs"):
                    status, _ = await asked(session, "POST", path, body)
                    assert status < 500
                status, _ = await asked(session, "POST", f"/v1/scores/loud/chat/{SET}/lookup", body)
                assert status < 500
            for path, body in people:
                status, _ = await asked(session, "PUT" if path == "/v1/objects" else "POST", path, body)
                assert status < 500
            for number, body in enumerate(minutes):
                where = f"epoch=e&minute={MINUTE.minute_ms}&part={number}"
                status, _ = await asked(session, "PUT", f"/v1/history?{where}", body)
                assert status < 500
            for body in results:
                status, _ = await asked(session, "PUT", f"/v1/results/loud/chat/p/e/{NOW_MS - 9}-{NOW_MS}", body)
                assert status < 500
            status, _ = await asked(session, "PUT", "/v1/rules", orjson.dumps({"rules": {**rules, **ruled}}))
            assert status < 500
            for path in (
                f"/v1/windows/loud/{name}?from=1&to=9",
                f"/v1/exchanges/loud/{name}/x",
                f"/v1/results/loud/{name}",
                f"/v1/history/loud/{name}?metric=ttft&from=1&to={NOW_MS}",
                f"/v1/history/loud/chat?metric={name}&by={name}&from=1&to={NOW_MS}",
            ):
                status, _ = await asked(session, "GET", path)
                assert status < 500
            assert await answers(session) == before


@settings(max_examples=40 if FULL else 10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(LINES, max_size=3),
    st.lists(spoilt(RESULT), max_size=3),
    st.lists(spoilt(RESERVATION), max_size=3),
    st.lists(spoilt(SCORE) | spoilt(LOOKUP), max_size=3),
    st.lists(spoilt(row_to_json(MINUTE)), max_size=3),
    st.lists(
        st.sampled_from(OF_PEOPLE).flatmap(
            lambda one: st.tuples(st.just(one[0]), spoilt(one[1]) | st.just(orjson.dumps(one[1])))
        ),
        max_size=4,
    ),
    RULES,
    NAMES,
    st.binary(max_size=99),
)
def test_garbage_of_one_namespace_changes_no_answer_for_another(
    posts: list[bytes],
    results: list[bytes],
    reservations: list[bytes],
    scores: list[bytes],
    minutes: list[bytes],
    people: list[tuple[str, bytes]],
    rules: dict[str, Any],
    name: str,
    noise: bytes,
) -> None:
    asyncio.run(assert_nothing_changes(posts, results, reservations, scores, minutes, people, rules, name, noise))
