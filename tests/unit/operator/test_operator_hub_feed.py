"""The operator's copy of the hub, against a real hub on a real socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelward.api.budget import SpendRequest
from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult, result_to_json
from modelward.api.exchange import Content, Exchange, exchange_to_json
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp
from modelward.api.scope import ScopeFacts
from modelward.desired.capture import EffectiveCapture, effective_capture
from modelward.hub.server import Hub
from modelward.hub.settings import HubSettings, Limits
from modelward.hub.shares import Size
from modelward.hub_client.client import HubClient, Stored
from modelward.kube.kinds import LLM_ENDPOINT, MONITORING_POLICY
from modelward.kube.store import Store
from modelward.operator.hub.budgets import BudgetFeed, terms_now
from modelward.operator.hub.feed import KEPT_MS, HubFeed
from modelward.operator.hub.past_results import PastResults
from modelward.operator.hub.rules import HubRules, rule
from modelward.status.budget import budget_status

NOW_MS = 1_795_480_000_000
QUARTER_MS = 900_000
KEY = ("retail", "chat", "baseline", "topic")
RESULT = WindowResult(
    *KEY,
    from_ms=NOW_MS - QUARTER_MS,
    to_ms=NOW_MS,
    run="modelward-20261124-120000",
    evaluator=EvaluatorFacts("OffTopicAnswered", "1"),
    revisions={"r1": Counts(10, 1)},
)


REDACTED = {"endpointSelector": {}, "capture": {"content": "Redacted"}}


def declared(kind: str, name: str, spec: Any, namespace: str = "retail", version: int = 1) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-of-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "modelward.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


NOTHING = {"endpointSelector": {}, "capture": {"content": "None"}}


def kept(content: Content) -> EffectiveCapture:
    return EffectiveCapture(content, keep_for_ms=3_600_000, max_body_bytes=1_024)


def ruled(feed: HubFeed, endpoint: str, capture: EffectiveCapture, uid: str = "", created: str = "") -> None:
    """Let the store say what may be kept of an endpoint, beside what it says of others."""
    rules = {**feed.rules(), endpoint: rule(capture, uid, created)}
    feed.rules = lambda: rules


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@asynccontextmanager
async def hub(store: Path, port: int = 0) -> AsyncIterator[tuple[Hub, HubClient]]:
    settings = HubSettings(
        store_url=f"file://{store}",
        listen=f"127.0.0.1:{port}",
        health_listen="127.0.0.1:0",
        auth=False,
        limits=Limits(flush_interval_s=0.02),
    )
    async with (
        Hub(settings, clock_ms=lambda: NOW_MS).running() as running,
        HubClient(f"http://127.0.0.1:{running.ports[0]}", timeout_s=2.0) as client,
    ):
        yield running, client


async def test_feed_without_a_hub_knows_nothing_and_asks_nobody() -> None:
    feed = HubFeed(Clock())
    assert await feed.refresh() == frozenset()
    assert (feed.available, feed.of(KEY), feed.last_window_ms()) == (None, (), {})


async def test_feed_tells_each_new_result_once(tmp_path: Path) -> None:
    async with hub(tmp_path) as (_, client):
        clock = Clock()
        feed = HubFeed(clock, client)
        assert await feed.refresh() == frozenset()
        assert feed.available
        await client.put_result(RESULT)
        assert await feed.refresh() == {"retail/chat"}
        assert await feed.refresh() == frozenset()
        assert feed.of(KEY) == (RESULT,)
        again = replace(RESULT, run="modelward-20261124-121500")
        await client.put_result(again)
        assert await feed.refresh() == {"retail/chat"}
        assert feed.of(KEY) == (again,)
        later = replace(RESULT, from_ms=NOW_MS, to_ms=NOW_MS + QUARTER_MS)
        await client.put_result(later)
        await feed.refresh()
        assert feed.last_window_ms() == {KEY: NOW_MS}, "a window that is not over keeps no other from being judged"
        clock.now_ms += QUARTER_MS
        assert feed.last_window_ms() == {KEY: NOW_MS + QUARTER_MS}


async def test_feed_starts_no_window_from_what_a_person_looked_back_at(tmp_path: Path) -> None:
    async with hub(tmp_path) as (_, client):
        feed = HubFeed(Clock(), client)
        await client.put_result(RESULT)
        await client.put_result(replace(RESULT, run="look-back", from_ms=NOW_MS - 1, to_ms=NOW_MS))
        await client.put_result(replace(RESULT, evaluation="pii", run="look-back"))
        await feed.refresh()
        assert feed.last_window_ms() == {KEY: RESULT.to_ms}


@pytest.mark.parametrize("hours", [3, 30])
async def test_feed_finds_what_a_run_looked_for_hours_ago_and_starts_nothing_from_it(
    tmp_path: Path, hours: int
) -> None:
    async with hub(tmp_path) as (_, client):
        clock = Clock()
        feed = HubFeed(clock, client)
        await feed.refresh()
        to_ms = NOW_MS - hours * 3_600_000
        found = replace(RESULT, run="look-back", from_ms=to_ms - QUARTER_MS, to_ms=to_ms)
        await client.put_result(replace(found, run="another", evaluation="pii"))
        feed.want("retail", "look-back", "chat", to_ms)
        await feed.refresh()
        assert feed.past.of("retail", "look-back", "chat") == (), "its Job has ended, but its result is on the way"
        await client.put_result(found)
        await feed.refresh()
        assert feed.past.of("retail", "look-back", "chat") == (found,)
        assert (feed.of(KEY), feed.last_window_ms()) == ((), {})
        feed.past.forget("retail", "look-back")
        assert feed.past.of("retail", "look-back", "chat") == ()


async def test_feed_asks_for_nothing_twice_that_comes_by_itself(tmp_path: Path) -> None:
    async with hub(tmp_path) as (_, client):
        feed = HubFeed(Clock(), client)
        await client.put_result(RESULT)
        feed.want(*KEY[:1], RESULT.run, KEY[1], RESULT.to_ms)
        await feed.refresh()
        assert feed.past.of(KEY[0], RESULT.run, KEY[1]) == ()
        assert feed.of(KEY) == (RESULT,)


async def test_feed_is_rebuilt_from_the_hub_after_a_restart(tmp_path: Path) -> None:
    async with hub(tmp_path) as (_, client):
        await client.put_result(RESULT)
    async with hub(tmp_path) as (_, client):
        feed = HubFeed(Clock(), client)
        assert await feed.refresh() == {"retail/chat"}
        assert feed.of(KEY) == (RESULT,)


async def test_feed_keeps_what_it_knows_while_the_hub_is_away_and_sends_its_rules_again(tmp_path: Path) -> None:
    async with hub(tmp_path) as (first, client):
        port = first.ports[0]
        feed = HubFeed(Clock(), client)
        ruled(feed, "retail/chat", kept("MetadataOnly"))
        await client.put_result(RESULT)
        await feed.refresh()
        assert first.store.rules.of("retail/chat").content == "MetadataOnly"
    feed.hub = HubClient(f"http://127.0.0.1:{port}", timeout_s=2.0)
    try:
        assert await feed.refresh() == frozenset()
        assert (feed.available, feed.of(KEY)) == (False, (RESULT,))
        assert "ClientConnectorError" in feed.problem
        async with hub(tmp_path / "empty", port) as (second, _):
            await feed.refresh()
            assert (feed.available, feed.problem) == (True, "")
            assert second.store.rules.of("retail/chat").content == "MetadataOnly"
            assert feed.of(KEY) == (RESULT,)
    finally:
        await feed.hub.close()


@pytest.mark.parametrize(("away_ms", "wait_ms"), [(10_000, 30_000), (3_600_000, 70_000)])
async def test_feed_waits_for_what_collectors_spooled_while_the_hub_was_away(
    tmp_path: Path, away_ms: int, wait_ms: int
) -> None:
    clock = Clock()
    async with hub(tmp_path) as (first, client):
        port = first.ports[0]
        feed = HubFeed(clock, client)
        await feed.refresh()
        assert feed.complete_from_ms == 0
    async with HubClient(f"http://127.0.0.1:{port}", timeout_s=2.0) as feed.hub:
        await feed.refresh()
        clock.now_ms += away_ms
        async with hub(tmp_path, port):
            await feed.refresh()
            await feed.refresh()
        assert feed.complete_from_ms == clock.now_ms + wait_ms


async def test_a_tightened_rule_waits_for_no_endpoint_that_cannot_be_reconciled(tmp_path: Path) -> None:
    async with hub(tmp_path) as (running, client):
        store, feed = Store(), HubFeed(Clock(), client)
        feed.rules = HubRules(store).now
        store.put(LLM_ENDPOINT, declared("LLMEndpoint", "mail", {"backend": "unreadable"}, namespace="other"))
        store.put(MONITORING_POLICY, declared("MonitoringPolicy", "all", REDACTED, namespace="other"))
        store.put(LLM_ENDPOINT, declared("LLMEndpoint", "chat", {}))
        store.put(MONITORING_POLICY, declared("MonitoringPolicy", "none", NOTHING))
        await feed.refresh()
        rules = running.store.rules
        assert [rules.of(name).content for name in ("retail/chat", "other/mail")] == ["None", "Redacted"]
        store.put(MONITORING_POLICY, declared("MonitoringPolicy", "all", {**REDACTED, "capture": {}}, "other", 2))
        await feed.refresh()
        assert running.store.rules.of("other/mail").content == "MetadataOnly"
        store.put(MONITORING_POLICY, declared("MonitoringPolicy", "all", NOTHING, "other", 3))
        await feed.refresh()
        assert running.store.rules.of("other/mail").content == "None", "a change of the policy is enough"


def test_a_rule_follows_the_consent_of_its_namespace_and_takes_raw_text_for_kept_until_it_is_known() -> None:
    store, consent = Store(), dict[str, bool]()
    rules = HubRules(store, consent.get)
    store.put(LLM_ENDPOINT, declared("LLMEndpoint", "chat", {}))
    store.put(MONITORING_POLICY, declared("MonitoringPolicy", "all", {**REDACTED, "capture": {"content": "Full"}}))
    assert rules.now()["retail/chat"]["content"] == "Full"
    consent["retail"] = False
    assert rules.now()["retail/chat"]["content"] == "Redacted"
    consent["retail"] = True
    assert rules.now()["retail/chat"]["content"] == "Full"


def test_an_endpoint_that_goes_has_no_rule() -> None:
    store = Store()
    rules = HubRules(store)
    here = declared("LLMEndpoint", "chat", {})
    store.put(LLM_ENDPOINT, here)
    assert rules.now().keys() == {"retail/chat"}
    going = {**here["metadata"], "resourceVersion": "2", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    store.put(LLM_ENDPOINT, {**here, "metadata": going})
    assert rules.now() == {}


class Stubborn:
    """A hub that refuses all rules and answers everything else."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.puts: list[object] = []
        self.rows: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.asked: list[int] = []
        self.paths: list[str] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_put("/v1/rules", self.refuse)
        app.router.add_get("/v1/endpoints", self.endpoints)
        app.router.add_get("/v1/results", self.answer)
        app.router.add_get("/v1/results/{namespace}/{endpoint}", self.answer)
        return app

    async def refuse(self, request: web.Request) -> web.Response:
        self.puts.append(await request.json())
        return web.json_response({"error": {"code": "BadRequest", "message": "no"}}, status=self.status)

    async def endpoints(self, _: web.Request) -> web.Response:
        rows = [{"endpoint": name, "exchanges": 1, "oldestMs": 1, "newestMs": 1} for name in self.names]
        return web.json_response({"endpoints": rows})

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(int(request.query["since"]))
        self.paths.append(request.path)
        rows = [result_to_json(RESULT), *(result_to_json(RESULT) | row for row in self.rows)]
        return web.json_response({"results": rows})


@pytest.mark.parametrize("status", [400, 413, 507])
async def test_results_arrive_although_the_hub_refuses_the_rules(status: int) -> None:
    stubborn = Stubborn(status)
    async with TestServer(stubborn.application()) as server, HubClient(str(server.make_url("/"))) as client:
        feed = HubFeed(Clock(), client)
        ruled(feed, "retail/chat", kept("None"))
        assert await feed.refresh() == {"retail/chat"}
        assert (feed.available, feed.problem, feed.of(KEY)) == (True, "", (RESULT,))
        await feed.refresh()
        assert len(stubborn.puts) == 2, "rules that were refused are sent again"


@pytest.mark.parametrize("keep_for", ["0s", "1ms", "500ms", "999ms"])
async def test_a_retention_that_rounds_to_nothing_keeps_no_other_namespace_from_its_results(
    tmp_path: Path, keep_for: str
) -> None:
    async with hub(tmp_path) as (running, client):
        await client.put_result(RESULT)
        feed = HubFeed(Clock(), client)
        hurried = declared("MonitoringPolicy", "all", {"endpointSelector": {}, "capture": {"keepFor": keep_for}})
        for endpoint, policies in (("other/mail", [MonitoringPolicy.model_validate(hurried)]), ("retail/chat", [])):
            capture = effective_capture(policies, allow_raw=False)
            ruled(feed, endpoint, capture)
        assert await feed.refresh() == {"retail/chat"}
        assert feed.available
        assert running.store.rules.of("other/mail").keep_for_s == 1


async def test_a_hub_that_lost_its_rules_while_nobody_asked_gets_them_again(tmp_path: Path) -> None:
    async with hub(tmp_path) as (running, client):
        port = running.ports[0]
        feed = HubFeed(Clock(), client)
        ruled(feed, "retail/chat", kept("Redacted"))
        await feed.refresh()
    (tmp_path / "rules.json").write_bytes(b"")
    async with hub(tmp_path, port) as (running, client):
        feed.hub = client
        for _ in range(2):
            await feed.refresh()
        assert running.store.rules.of("retail/chat").content == "Redacted"


async def test_feed_knows_which_namespaces_have_used_up_their_share(tmp_path: Path) -> None:
    async with hub(tmp_path) as (running, client):
        feed = HubFeed(Clock(), client)
        exchange = Exchange("e", NOW_MS, "retail/chat", "m", "r", "chat", 200, "ok", "MetadataOnly")
        await client.post_exchanges(orjson.dumps(exchange_to_json(exchange)))
        await feed.refresh()
        assert feed.stored_of("retail") == Stored("retail", 4_096, running.store.shares.size.share, full=False)
        assert feed.stored_of("quiet") is None
        running.store.shares.size = Size(4_096, 4_096)
        await feed.refresh()
        stored = feed.stored_of("retail")
        assert stored
        assert stored.full


async def test_feed_forgets_results_that_no_verdict_can_reach(tmp_path: Path) -> None:
    clock = Clock()
    async with hub(tmp_path) as (_, client):
        await client.put_result(RESULT)
        feed = HubFeed(clock, client)
        await feed.refresh()
        clock.now_ms = NOW_MS + KEPT_MS
        await feed.refresh()
        assert (feed.of(KEY), feed.last_window_ms()) == ((), {})


@pytest.mark.parametrize("answer", ["not json", '{"results": [{}]}'])
async def test_feed_takes_a_hub_that_talks_nonsense_for_one_that_is_away(answer: str) -> None:
    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(text=answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", nonsense)
    async with TestServer(app) as server, HubClient(str(server.make_url("/"))) as client:
        feed = HubFeed(Clock(), client)
        assert await feed.refresh() == frozenset()
        assert feed.available is False


async def test_a_look_into_the_past_that_fails_makes_no_hub_seem_away(tmp_path: Path) -> None:
    async with hub(tmp_path) as (_, client):
        feed = HubFeed(Clock(), client)
        await client.put_result(RESULT)
        feed.want("retail", "look-back", "no such name", 0)
        await feed.refresh()
        assert (feed.available, feed.of(KEY)) == (True, (RESULT,))


async def test_a_forged_window_of_a_time_to_come_is_left_out_and_counted() -> None:
    stubborn, skipped = Stubborn(400), Counter[str]()
    async with TestServer(stubborn.application()) as server, HubClient(str(server.make_url("/"))) as client:
        feed = HubFeed(Clock(), client, skipped=lambda reason, number: skipped.update({reason: number}))
        stubborn.rows = [{"from_ms": 0, "to_ms": to_ms} for to_ms in (2 * NOW_MS, NOW_MS + KEPT_MS + 1, 10**14)]
        assert await feed.refresh() == {"retail/chat"}
        assert (feed.available, feed.of(KEY)) == (True, (RESULT,))
        assert skipped == {"future": 3}


async def test_a_leader_that_begins_asks_for_no_more_than_it_keeps() -> None:
    stubborn, clock = Stubborn(400), Clock()
    async with TestServer(stubborn.application()) as server, HubClient(str(server.make_url("/"))) as client:
        feed = HubFeed(clock, client)
        await feed.refresh()
        clock.now_ms += 5_000
        await feed.refresh()
        clock.now_ms -= 3_600_000
        await feed.refresh()
        first, second, set_back = stubborn.asked
        assert first == NOW_MS - KEPT_MS
        assert NOW_MS - 3_600_000 < second < NOW_MS
        assert set_back == clock.now_ms - KEPT_MS, "by the clock of before, some were too old"


async def test_invented_names_of_endpoints_are_not_held() -> None:
    stubborn = Stubborn(400)
    stubborn.names = ["retail/chat", *(f"retail/made-up-{i}" for i in range(500))]
    async with TestServer(stubborn.application()) as server, HubClient(str(server.make_url("/"))) as client:
        feed = HubFeed(Clock(), client, exists=lambda endpoint: endpoint == "retail/chat")
        await feed.refresh()
        assert feed.newest_ms == {"retail/chat": 1}


async def test_a_namespace_whose_runs_ask_without_end_leaves_the_others_their_turn() -> None:
    stubborn, past = Stubborn(400), PastResults()
    for number in range(200):
        past.want("greedy", f"run-{number}", "chat", 0)
    past.want("retail", RESULT.run, "chat", 0)
    async with TestServer(stubborn.application()) as server, HubClient(str(server.make_url("/"))) as client:
        await past.fetch(client)
        assert past.of("retail", RESULT.run, "chat") == (RESULT,)
        assert len(stubborn.asked) <= 20, "one fetch holds up nothing else"
        for _ in range(15):
            await past.fetch(client)
        assert {path.split("/")[3] for path in stubborn.paths} == {"greedy", "retail"}
        assert len(stubborn.asked) <= 16 * 20


async def test_an_endpoint_made_anew_is_told_to_the_hub_by_its_uid_and_inherits_no_result(tmp_path: Path) -> None:
    async with hub(tmp_path) as (running, client):
        feed = HubFeed(Clock(), client)
        ruled(feed, "retail/chat", kept("Redacted"), "first", "2020-01-01T00:00:00Z")
        await client.put_result(replace(RESULT, to_ms=NOW_MS - 60_000))
        assert await feed.refresh() == {"retail/chat"}
        feed.forget("retail/chat")
        ruled(feed, "retail/chat", kept("Redacted"), "second", timestamp(NOW_MS - 1_000))
        assert await feed.refresh() == frozenset()
        assert feed.of(KEY) == ()
        assert running.store.rules.of("retail/chat").uid == "second"


async def test_what_was_erased_goes_from_the_results_that_the_operator_holds(tmp_path: Path) -> None:
    named = replace(RESULT, from_ms=0, to_ms=NOW_MS - 7_200_000, examples={"r1": (Example("e1", "leak"),)})
    async with hub(tmp_path) as (_, client):
        feed = HubFeed(Clock(), client)
        await client.put_result(named)
        await feed.refresh()
        assert feed.of(KEY) == (named,)
        await feed.refresh()
        await client.erase({"namespace": "retail", "endpoint": "chat", "exchange": "e1"})
        assert await feed.refresh() == {"retail/chat"}
        assert feed.of(KEY) == (replace(named, examples={}),)


async def test_a_namespace_that_cannot_be_seen_loses_no_text_over_it(tmp_path: Path) -> None:
    async with hub(tmp_path) as (running, client):
        before = HubFeed(Clock(), client)
        for endpoint in ("retail/chat", "closed/mail"):
            ruled(before, endpoint, kept("Redacted"), "uid", "2026-01-01T00:00:00Z")
        await before.refresh()
        hidden = {"closed"}
        feed = HubFeed(Clock(), client, unseen=lambda: hidden)
        await feed.refresh()
        gone = {name: running.store.rules.of(name).gone_ms is not None for name in ("retail/chat", "closed/mail")}
        assert gone == {"retail/chat": True, "closed/mail": False}
        hidden.clear()
        await feed.refresh()
        assert running.store.rules.of("closed/mail").gone_ms is not None, "it is seen, and not there"


async def test_what_a_job_found_of_a_scope_reaches_the_operator_once_it_is_there(tmp_path: Path) -> None:
    facts, key = ScopeFacts(0.1, 0, (), 3, 0, (), 158, None, None), "0" * 32
    async with hub(tmp_path) as (_, client):
        feed = HubFeed(Clock(), client)
        assert feed.scopes.of("retail", key) is None
        await feed.refresh()
        assert feed.scopes.of("retail", key) is None
        assert feed.scopes.news() == frozenset()
        await client.put_scope_facts("retail", key, facts)
        await feed.refresh()
        assert feed.scopes.of("retail", key) == facts
        assert feed.scopes.of("other", key) is None
        assert [*feed.scopes.news(), *feed.scopes.news()] == ["retail"]


async def test_budgets_go_to_the_hub_and_what_is_spent_comes_back_after_a_restart_too(tmp_path: Path) -> None:
    store = Store()
    budget = {"judgeTokensPerDay": 1_000, "perRun": "50%"}
    policy = declared("MonitoringPolicy", "brand", {"endpointSelector": {}, "budget": budget})
    store.put(MONITORING_POLICY, policy)
    feed = HubFeed(lambda: NOW_MS, budgets=BudgetFeed(lambda: terms_now(store)))
    asked = SpendRequest("key-000001", "run", "judge", 400)
    async with hub(tmp_path) as (_, client):
        feed.hub = client
        await feed.refresh()
        assert feed.budgets.of("retail", "brand") is None  # the status does not show the budget yet
        shown = budget_status(MonitoringPolicy.model_validate(policy), None, NOW_MS)
        assert shown is not None
        store.put(
            MONITORING_POLICY,
            {**policy, "metadata": {**policy["metadata"], "resourceVersion": "2"}, "status": {"budget": shown.wire()}},
        )
        await feed.refresh()
        assert (await client.reserve("retail", "brand", asked)).refusal is None
        await feed.refresh()
        state = feed.budgets.of("retail", "brand")
        assert state is not None
        assert state.spend.tokens == 400
    async with hub(tmp_path) as (_, client):
        feed.hub = client
        await feed.refresh()
        await feed.refresh()
        assert (await client.reserve("retail", "brand", replace(asked, key="key-000002"))).refusal == "BudgetExhausted"
        assert (await client.reserve("retail", "brand", replace(asked, key="key-000003", run="b"))).refusal is None
