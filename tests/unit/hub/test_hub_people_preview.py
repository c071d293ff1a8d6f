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

from modelward.alerts.episode import AlertInput
from modelward.api.history import BatchKey, HistoryPart, HistoryRow, row_to_json
from modelward.api.policy_objective import PolicyObjective
from modelward.api.preview import PreviewRequest
from modelward.hub.history.points import Points
from modelward.hub.people import preview_api
from modelward.hub.people.past_verdicts import past_verdicts
from modelward.hub_client.shown import Telling

MINUTE_MS = 60_000
START_MS = NOW_MS // MINUTE_MS * MINUTE_MS - 120 * MINUTE_MS
ERRORS = {"name": "errors", "metric": "ErrorRate", "maxRate": "1%", "over": "5m"}
SPEC: dict[str, Any] = {"endpointSelector": {}, "objectives": [ERRORS]}


@pytest.fixture
async def secured(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Secured]:
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

    def late(policy: str, one: PolicyObjective, points: Points) -> Iterator[tuple[int, AlertInput]]:
        calls.append(one.name)
        if len(calls) > 1:
            raise TimeoutError
        return past_verdicts(policy, one, points)

    monkeypatch.setattr(preview_api, "past_verdicts", late)
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
