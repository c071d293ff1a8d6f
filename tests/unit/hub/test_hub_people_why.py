"""Why finds the cause that was planted and no other, within a bounded effort; revisions are told apart by counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from history_rows import batch, buckets, part, row
from hub_fixtures import Running, exchange, ndjson, running_hub
from people_fixtures import endpoint, evaluation, policy, retail_and_bank, shown
from secured_hub import OPERATOR, Cluster, refused, secured_hub

from modelward.api.compare_view import WhyView
from modelward.api.evaluation import Counts, EvaluatorFacts, WindowResult
from modelward.api.exchange import Exchange
from modelward.api.history import MINUTE_MS, HistoryPart
from modelward.api.kept_score import shown_set
from modelward.api.quantity import timestamp
from modelward.hub.people import exchange_tally
from modelward.hub_client.shown import Telling
from modelward.hub_client.views import ViewClient

NOW_MS = 1_795_480_020_000
HOUR_MS = 60 * MINUTE_MS
FLIP_MS = NOW_MS - HOUR_MS
DEGRADED: dict[str, Any] = {"health": "Degraded", "healthSince": timestamp(FLIP_MS)}
CHECK = evaluation("topic")


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_hub("memory://", now=lambda: NOW_MS) as r:
        yield r


async def show(r: Running, **status: Any) -> None:
    objects = shown(("LLMEndpoint", endpoint(**status)), ("MonitoringPolicy", policy()))
    await r.client.put_objects(objects, telling=Telling("all", last=True))


async def asked(r: Running, check: str = "") -> WhyView:
    async with ViewClient(f"http://127.0.0.1:{r.hub.ports[0]}") as person:
        return await person.why("retail", "chat", check)


async def history(r: Running, before: Iterable[HistoryPart], after: Iterable[HistoryPart]) -> None:
    """Put the same minute for an hour before the flip, and another for an hour after."""
    older, newer = tuple(before), tuple(after)
    for number in range(-60, 60):
        at_ms = FLIP_MS + number * MINUTE_MS
        await r.hub.history.put(batch(row(minute_ms=at_ms, parts=newer if number >= 0 else older)))


def many(count: int, at_ms: int, bad: int = 0, **changes: Any) -> list[Exchange]:
    """Return exchanges, one a second from a time on, of which the first few failed."""
    failed: dict[str, Any] = {"status": 500, "outcome": "error"}
    return [
        exchange(id=f"{at_ms}-{i}-{changes}", time_ms=at_ms + i * 1_000, **{**(failed if i < bad else {}), **changes})
        for i in range(count)
    ]


async def test_a_revision_that_fails_is_found_with_the_numbers_that_a_hand_works_out(running: Running) -> None:
    """20 % of 600 against 0 of 600: Wilson 16.99-23.39 % and 0-0.636 %, so Newcombe's bounds are 16.93 and 23.39 %."""
    changed = [
        {"time": timestamp(FLIP_MS - 5 * MINUTE_MS), "kind": "Revision", "message": "r1 → r2"},
        {"time": timestamp(FLIP_MS - 2 * HOUR_MS), "kind": "Policy", "message": "long before"},
    ]
    await show(running, **DEGRADED, changes=changed)
    await history(running, [part(10, 0)], [part(5, 0), part(5, 2, revision="r2")])
    found = await asked(running)
    assert (found.verdict, found.source, found.flip_ms) == ("Explained", "History", FLIP_MS)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.requests, found.before.bad, found.before.from_ms) == (600, 0, FLIP_MS - HOUR_MS)
    assert (found.after.requests, found.after.bad, found.after.share_ppm) == (600, 120, 200_000)
    [cause] = found.causes
    assert (cause.by, cause.value, cause.of_rise_ppm) == ("Revision", "r2", 1_000_000)
    assert cause.rise_ppm == 200_000
    assert abs(cause.low_ppm - 169_282) <= 5
    assert abs(cause.high_ppm - 233_869) <= 5
    assert (cause.before.requests, cause.after.requests, cause.after.share_ppm) == (0, 300, 400_000)
    assert found.sentence == "revision r2 carries 100% of the rise from 0% to 20%"
    assert [one.message for one in found.changes] == ["r1 → r2"]


async def test_a_new_revision_that_took_all_requests_is_found_too(running: Running) -> None:
    await show(running, **DEGRADED)
    await history(running, [part(10, 0)], [part(10, 3, revision="r2")])
    found = await asked(running)
    assert [(one.by, one.value) for one in found.causes] == [("Revision", "r2")]


async def test_a_rise_in_all_revisions_alike_is_blamed_on_none(running: Running) -> None:
    await show(running, **DEGRADED)
    older, newer = [part(9, 0), part(1, 0, revision="r2")], [part(90, 18), part(10, 2, revision="r2")]
    await history(running, older, newer)
    found = await asked(running)
    assert (found.verdict, found.causes, found.sentence) == ("CannotTell", (), "can't tell (n = 600)")


async def test_what_did_not_rise_is_not_called_undecided(running: Running) -> None:
    await show(running, **DEGRADED)
    await history(running, [part(90, 18), part(10, 2)], [part(900, 9)])
    found = await asked(running)
    assert (found.verdict, found.causes) == ("NotRisen", ())
    assert found.sentence == "it did not rise: 20% before, 1% after"


async def test_a_model_that_refuses_for_lack_of_room_is_found_and_how(running: Running) -> None:
    full = part(5, 0, model="large", outcomes={"ok": 2, "error": 0, "client_error": 0, "overload": 3, "cancelled": 0})
    await show(running, **DEGRADED)
    await history(running, [part(5, 0), part(5, 0, model="large")], [part(5, 0), full])
    found = await asked(running)
    assert [(one.by, one.value) for one in found.causes] == [("Model", "large"), ("Code", "overload")]


async def test_a_code_is_found_where_only_exchanges_tell(running: Running) -> None:
    await show(running, **DEGRADED)
    older = many(200, FLIP_MS - HOUR_MS, 4)
    newer = [*many(200, FLIP_MS, 4), *many(60, FLIP_MS + 600_000, 60, status=502)]
    await running.client.post_exchanges(ndjson(*older, *newer))
    found = await asked(running)
    assert (found.verdict, found.source) == ("Explained", "Exchanges")
    assert [(one.by, one.value) for one in found.causes] == [("Code", "502")]
    assert found.before is not None
    assert (found.before.requests, found.before.bad) == (200, 4)


async def test_a_caller_is_found_beside_what_history_counts(running: Running) -> None:
    await show(running, **DEGRADED)
    await history(running, [part(10, 0)], [part(10, 2)])
    older = [*many(200, FLIP_MS - HOUR_MS, caller="shop"), *many(50, FLIP_MS - HOUR_MS, caller="batch")]
    newer = [*many(200, FLIP_MS, caller="shop"), *many(50, FLIP_MS, 40, caller="batch")]
    await running.client.post_exchanges(ndjson(*older, *newer))
    found = await asked(running)
    assert (found.verdict, found.source) == ("Explained", "History")
    assert [(one.by, one.value) for one in found.causes] == [("Caller", "batch"), ("Code", "500")]


async def test_too_few_requests_tell_nothing_and_say_how_few(running: Running) -> None:
    await show(running, **DEGRADED)
    await running.client.post_exchanges(ndjson(*many(40, FLIP_MS - HOUR_MS), *many(40, FLIP_MS, 3, revision="r2")))
    found = await asked(running)
    assert (found.verdict, found.causes, found.sentence) == ("CannotTell", (), "can't tell (n = 40)")


async def test_of_an_evaluation_what_it_flagged_is_bad_and_its_alert_says_since_when(running: Running) -> None:
    alert = {"policy": "baseline", "name": "Check/topic", "state": "Firing", "episode": timestamp(FLIP_MS)}
    await show(running, health="Degraded", healthSince=timestamp(NOW_MS), evaluations=[CHECK], alerts=[alert])
    rows = [*many(100, FLIP_MS - HOUR_MS), *many(100, FLIP_MS), *many(100, FLIP_MS + 600_000, revision="r2")]
    await running.client.post_exchanges(ndjson(*rows))
    lines = [
        {"endpoint": "retail/chat", "set": shown_set("baseline", "topic"), "id": one.id, "time_ms": one.time_ms,
         "flagged": one.revision == "r2" and number % 2 == 0, "value": 0.5}
        for number, one in enumerate(rows)
    ]  # fmt: skip
    assert await running.client.post_scores(lines) == (300, 0)
    found = await asked(running, "baseline/topic")
    assert (found.flip_ms, found.source, found.verdict) == (FLIP_MS, "Exchanges", "Explained")
    assert [(one.by, one.value, one.after.bad) for one in found.causes] == [("Revision", "r2", 50)]
    assert "card" not in found.model_dump_json()


async def test_what_is_not_bad_has_no_flip_and_a_check_that_is_none_is_not_found(running: Running) -> None:
    await show(running, evaluations=[evaluation("topic", verdict="Passed")])
    for check in ("", "baseline/topic"):
        found = await asked(running, check)
        assert (found.verdict, found.flip_ms, found.causes) == ("NoFlip", None, ())
    assert await refused(asked(running, "baseline/none")) == 404
    assert await refused(asked(running, "baseline")) == 400


async def test_of_others_namespaces_nothing_is_told_and_only_who_reads_text_sees_callers(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with secured_hub(cluster, tmp_path, now=lambda: NOW_MS) as s:
        async with s.client(*OPERATOR) as operator, s.client("retail", "pod") as pod:
            objects = [*retail_and_bank()[2:], *shown(("LLMEndpoint", endpoint(**DEGRADED)))]
            await operator.put_objects(objects, telling=Telling("all", last=True))
            await operator.put_rules({"retail/chat": {"content": "Redacted"}})
            older, newer = many(100, FLIP_MS - HOUR_MS), many(100, FLIP_MS)
            await pod.post_exchanges(ndjson(*older, *newer, *many(90, FLIP_MS + 600_000, 60, caller="batch")))
        callers = []
        for account in ("modelward-reader", "modelward-viewer"):
            async with s.person(s.cluster.token("retail", account)) as person:
                callers.append([one.value for one in (await person.why("retail", "chat")).causes if one.by == "Caller"])
                for asking in (person.why("bank", "secret-project"), person.compare("bank", "secret-project")):
                    assert await refused(asking) == 404
        assert callers == [["batch"], []]


async def test_a_flip_a_year_ago_and_much_text_cost_no_more(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await show(running, health="Unhealthy", healthSince=timestamp(NOW_MS - 365 * 24 * HOUR_MS))
    found = await asked(running)
    assert found.after is not None
    assert found.after.to_ms - found.after.from_ms <= 6 * HOUR_MS
    assert (found.verdict, found.source, found.sentence) == ("CannotTell", "None", "can't tell (n = 0)")
    monkeypatch.setattr(exchange_tally, "TALLY_BYTES", 1)
    await show(running, **DEGRADED)
    for start in range(6):
        await running.client.post_exchanges(ndjson(*many(10, FLIP_MS + start * 300_000)))
    found = await asked(running)
    assert found.after is not None
    assert 0 < found.after.requests <= 20
    assert found.after.from_ms > FLIP_MS


def result(revisions: dict[str, tuple[int, int]], from_ms: int, name: str = "topic") -> WindowResult:
    counts = {
        revision: Counts(samples=n, flagged=k, weight=n, weight_squared=n, flagged_weight=k)
        for revision, (k, n) in revisions.items()
    }
    run = "baseline-topic-20261124t080000z"
    facts = EvaluatorFacts("regex", "1")
    return WindowResult("retail", "chat", "baseline", name, from_ms, from_ms + MINUTE_MS, run, facts, counts)


async def test_two_revisions_are_compared_by_requests_first_token_and_evaluations(running: Running) -> None:
    await show(running, **DEGRADED, evaluations=[CHECK])
    slow = buckets(*[0] * 12, 10)
    older, newer = part(10, 0, ttft=buckets(*[0] * 8, 10)), part(10, 2, ttft=slow, revision="r2")
    await history(running, [older], [newer])
    await running.client.put_result(result({"r1": (10, 1_000), "r2": (100, 1_000)}, FLIP_MS))
    await running.client.put_result(result({"r1": (1, 10), "r2": (1, 10)}, FLIP_MS, "tone"))
    async with ViewClient(f"http://127.0.0.1:{running.hub.ports[0]}") as person:
        found = await person.compare("retail", "chat")
        assert (found.a, found.b, found.revisions) == ("r1", "r2", ("r2", "r1"))
        errors, ttft, tone, topic = found.rows
        assert (errors.name, errors.a, errors.b, errors.difference, errors.result) == (
            "errors", "0%", "20%", "+20%", "Worse",
        )  # fmt: skip
        assert (errors.a_samples, errors.b_samples, errors.low, errors.high) == (600, 600, "+17%", "+23%")
        assert (ttft.a, ttft.b, ttft.difference, ttft.low, ttft.high, ttft.result) == (
            "242ms", "2.4s", "+2.2s", "+757ms", "+2.3s", "Worse",
        )  # fmt: skip
        assert (tone.name, tone.result) == ("tone", "CannotTell")
        assert (topic.name, topic.a, topic.b, topic.difference, topic.result) == ("topic", "1%", "10%", "+9%", "Worse")
        turned = await person.compare("retail", "chat", "r2", "r1")
        assert [one.result for one in turned.rows] == ["Better", "Better", "CannotTell", "Better"]
        unknown = await person.compare("retail", "chat", "r1", "none")
        assert {one.result for one in unknown.rows} == {"CannotTell"}
        assert await refused(person.compare("retail", "none")) == 404


async def test_revisions_of_which_only_one_was_seen_are_not_compared(running: Running) -> None:
    await show(running)
    await history(running, [part(10, 0)], [part(10, 0)])
    async with ViewClient(f"http://127.0.0.1:{running.hub.ports[0]}") as person:
        found = await person.compare("retail", "chat")
    assert (found.a, found.b, found.revisions, found.rows) == ("", "r1", ("r1",), ())
