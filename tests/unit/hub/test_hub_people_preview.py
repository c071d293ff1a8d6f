"""A policy's preview: the verdicts and the state machine of the live engine, over what the hub has counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from hub_fixtures import NOW_MS
from people_fixtures import retail_and_bank
from secured_hub import OPERATOR, Cluster, Secured, refused, secured_hub
from waiting import until

from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.history import BatchKey, HistoryPart, HistoryRow, LevelName, LevelSpread, row_to_json
from modelward.api.policy_objective import PolicyObjective
from modelward.api.preview import PreviewRequest
from modelward.hub.people import preview_api
from modelward.hub.people.past import endpoint
from modelward.hub.people.past.heard import Heard
from modelward.hub.people.past.objectives import past_objective
from modelward.hub.people.past.problems import of_endpoints
from modelward.hub_client.client import HubClient
from modelward.hub_client.shown import Telling

MINUTE_MS = 60_000
START_MS = NOW_MS // MINUTE_MS * MINUTE_MS - 120 * MINUTE_MS
ERRORS = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "over": "5m"}
SPEC: dict[str, Any] = {"endpointSelector": {}, "objectives": [ERRORS]}


@pytest.fixture
async def secured(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Secured]:
    monkeypatch.setattr(preview_api, "TIME_S", 600.0)
    async with secured_hub(cluster, tmp_path) as s, s.client(*OPERATOR) as operator:
        await operator.put_objects(retail_and_bank(), telling=Telling("all", last=True))
        await until(lambda: s.hub.history.state == "Ready")
        for minute in range(110):
            bad = 60 if 30 <= minute < 40 else 0
            part = HistoryPart("r1", "m", {"ok": 200 - bad, "error": bad, "client_error": 0, "overload": 0})
            at_ms = START_MS + minute * MINUTE_MS
            row = row_to_json(HistoryRow("retail", "chat", at_ms, MINUTE_MS, (part,)))
            await operator.put_history(BatchKey("e", at_ms), zstandard.compress(orjson.dumps(row)))
        yield s


def asked(spec: dict[str, Any], **changes: Any) -> PreviewRequest:
    found = PreviewRequest(namespace="retail", name="baseline", spec=spec, from_ms=START_MS, to_ms=NOW_MS)
    return found.model_copy(update=changes)


def limit(text: str) -> dict[str, Any]:
    return {**SPEC, "objectives": [{**ERRORS, "maxRate": text}]}


VIEWER = ("retail", "modelward-viewer")


async def test_a_tighter_limit_fires_and_a_wider_one_does_not(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*VIEWER)) as person:
        found = await person.preview(asked(limit("1%")))
        assert found.problems == ()
        assert found.then
        [one] = found.then.episodes
        assert (one.endpoint, one.alert) == ("chat", "Objective/errors")
        assert START_MS + 30 * MINUTE_MS <= one.since_ms <= START_MS + 33 * MINUTE_MS
        assert one.until_ms
        assert START_MS + 50 * MINUTE_MS <= one.until_ms <= START_MS + 60 * MINUTE_MS
        assert "errors" in one.message
        assert found.sentence.startswith("would have fired 1 time in the last 2h")
        assert found.sentence.endswith("(now 1)")
        wide = await person.preview(asked(limit("90%")))
        assert wide.then
        assert wide.then.fired == 0


async def test_a_preview_that_takes_too_long_says_that_it_was_cut(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_api, "TIME_S", -1.0)
    async with secured.person(secured.cluster.token(*VIEWER)) as person:
        found = await person.preview(asked(SPEC))
        assert any("cut after 0 of 1" in one for one in found.problems)
        assert found.cut
        assert found.sentence.startswith("would have fired at least 0 times")
        assert found.sentence.endswith("(now 0)")


async def test_both_sides_of_an_endpoint_are_counted_or_none(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an endpoint's time cut off is not in one side alone, which would look like a change of the policy."""
    calls: list[str] = []

    def late(policy: str, one: PolicyObjective, *known: Any) -> Iterator[Heard]:
        calls.append(one.name)
        if len(calls) > 1:
            raise TimeoutError
        return past_objective(policy, one, *known)

    monkeypatch.setattr(endpoint, "past_objective", late)
    async with secured.person(secured.cluster.token(*VIEWER)) as person:
        found = await person.preview(asked(limit("1.5%")))
        assert len(calls) == 2
        assert found.now
        assert found.then
        assert (found.cut, found.now.fired, found.then.fired) == (True, 0, 0)
        calls.clear()
        same = await person.preview(asked(dict((await person.policy("retail", "baseline")).spec)))
        assert calls == ["errors"], "what both sides ask alike is replayed once"
        assert same.now
        assert same.now == same.then
        assert (same.cut, same.now.fired) == (False, 1)


async def test_what_cannot_be_read_or_answered_is_said(secured: Secured) -> None:
    async with secured.person(secured.cluster.token(*VIEWER)) as person:
        wrong = await person.preview(asked(limit("<script>")))
        assert wrong.then is None
        assert any("maxRate" in one for one in wrong.problems)
        assert await refused(person.preview(asked(SPEC, from_ms=NOW_MS - 40 * 24 * 3_600_000))) == 400
        assert await refused(person.preview(asked(SPEC, namespace="bank"))) == 404


TOPIC = {"name": "topic", "check": {"builtin": "OffTopicAnswered"}, "failAbove": "10%", "over": "30m"}
FACTS = EvaluatorFacts("OffTopicAnswered", "1.0.0", 990_000, 5_000, 500, 500)


async def scored(operator: HubClient, *flagged: int) -> None:
    """Put the results of windows of a quarter of an hour, the newest of which ends a quarter before now."""
    for place, count in enumerate(reversed(flagged)):
        to_ms = NOW_MS // MINUTE_MS * MINUTE_MS - 15 * (place + 1) * MINUTE_MS
        n, bad = 200.0, float(count)
        counts = Counts(200, count, 0, 0, n, n, bad, n, bad, bad)
        span = to_ms - 15 * MINUTE_MS, to_ms
        await operator.put_result(
            WindowResult("retail", "chat", "baseline", "topic", *span, "run-1", FACTS, {"": counts})
        )


async def test_evaluations_are_replayed_from_the_windows_that_were_scored(secured: Secured) -> None:
    async with secured.client(*OPERATOR) as operator:
        await scored(operator, 2, 2, 120, 120)
    async with secured.person(secured.cluster.token(*VIEWER)) as person:
        found = await person.preview(asked({"endpointSelector": {}, "evaluations": [TOPIC]}))
        assert found.then
        [one] = found.then.episodes
        assert (one.alert, one.reason, one.until_ms) == ("Check/topic", "AboveLimit", None)
        assert one.message.startswith("topic ")
        wide = await person.preview(asked({"endpointSelector": {}, "evaluations": [{**TOPIC, "failAbove": "90%"}]}))
        assert wide.then
        assert wide.then.fired == 0
        assert wide.problems == ()


async def test_what_is_not_replayed_is_named_with_the_cause(secured: Secured) -> None:
    other = {**TOPIC, "check": {"builtin": "ProfanityInAnswers"}}
    longer = {**ERRORS, "budget": {"period": "672h"}}
    spec = {
        "endpointSelector": {},
        "objectives": [longer],
        "evaluations": [other, {**TOPIC, "name": "new"}],
        "alerts": {
            "receivers": [{"name": "sre", "shared": "oncall"}],
            "routes": [{"alerts": ["CheckUndecided"], "receivers": ["sre"]}],
        },
    }
    async with secured.person(secured.cluster.token(*VIEWER)) as person:
        told = (await person.preview(asked(spec))).problems
        assert any("Check/topic is not replayed: it asks another evaluator" in one for one in told)
        assert any("Check/new is not replayed: the policy has no evaluation of that name" in one for one in told)
        assert any(one.startswith("CheckUndecided is not replayed of errors") for one in told)
        assert any("Unwatched, TrafficUnseen and ScalingStuck" in one for one in told)
        assert not any("OverBudget" in one for one in told), "there is no budget"
        money = {**spec, "budget": {"costPerDay": {"amount": "5.00", "currency": "USD"}}}
        told = (await person.preview(asked(money))).problems
        assert "OverBudget is not replayed: the history has no prices and budgets as they were" in told
        same = (await person.preview(asked({"endpointSelector": {}, "evaluations": [TOPIC]}))).problems
        assert same == ("chat: Check/topic has no result in this time",)
        weeks = asked({**SPEC, "objectives": [longer]}, from_ms=NOW_MS - 20 * 24 * 3_600_000)
        told = (await person.preview(weeks)).problems
        assert "the history of this time has steps of 1h: starts and ends are no more exact than that" in told
        assert any("Objective/errors is judged over 1h, not over 5m" in one for one in told)
        assert any("BudgetBurn/errors is not replayed: it needs steps of 5m" in one for one in told)


async def test_a_budget_that_burns_and_replicas_that_were_not_ready_are_replayed(secured: Secured) -> None:
    async with secured.client(*OPERATOR) as operator:
        for minute in range(110, 118):
            at_ms = START_MS + minute * MINUTE_MS
            levels: dict[LevelName, LevelSpread] = {"ready": LevelSpread(1, 0, 0, 0)}
            row = row_to_json(HistoryRow("retail", "chat", at_ms, 0, (), levels))
            await operator.put_history(BatchKey("e", at_ms), zstandard.compress(orjson.dumps(row)))
    budget = {**ERRORS, "budget": {"period": "24h"}}
    spec = {**SPEC, "objectives": [budget], "alerts": {"receivers": [{"name": "sre", "shared": "oncall"}]}}
    async with secured.person(secured.cluster.token(*VIEWER)) as person:
        found = await person.preview(asked(spec))
        assert found.then
        told = {(one.alert, one.severity, one.reason) for one in found.then.episodes}
        assert ("BudgetBurn/errors", "Critical", "BurnsFast") in told
        assert ("NotReady", "Critical", "NotReady") in told
        assert all(one.told == ("shared/oncall",) for one in found.then.episodes)


def test_what_many_endpoints_lack_is_said_once() -> None:
    found = [(f"e{number}", "Check/topic has no result") for number in range(5)] + [("e1", "Check/tone has none")]
    assert list(of_endpoints(found)) == [
        "e0, e1, e2 and 2 more: Check/topic has no result",
        "e1: Check/tone has none",
    ]
