"""What is paid for once is not paid for again: by a later run, by a twin, or after a crash."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
import zstandard
from hub_fixtures import HOUR_MS, NOW_MS, Running, exchange, ndjson, running_hub

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.kept_score import evaluator_set, imported_set
from modelward.api.run_plan import Plan, PlanItem
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.hub import claims, scores
from modelward.hub_client.client import ScoreSet
from modelward.job.evaluation import Tally, run_plan
from modelward.job.score_memory import HubScores

ITEM = PlanItem("chat", "p", "brand", "brand", {}, NOW_MS - HOUR_MS, NOW_MS + 1, kind="paid")
HOW = {"readout": "", "threshold": "", "settings": {}}
WHERE = ScoreSet("retail", "chat", evaluator_set("paid", "brand", "1", HOW))


@dataclass
class PaidKind:
    """A kind whose scores cost something; it counts how often each exchange is paid for."""

    paid: Counter[str] = field(default_factory=Counter)
    version: str = "1"
    name: str = "paid"
    names: tuple[str, ...] = ()

    def resolve(self, block: EvaluatorBlock) -> ResolvedEvaluator:
        facts = EvaluatorFacts(block.name, self.version)
        return ResolvedEvaluator("paid", block.name, block.config, facts, costly=True)

    def pod(self, _: ResolvedEvaluator) -> PodAdditions:
        return NOTHING

    async def facts(self, evaluator: ResolvedEvaluator, _port: ScoringPort) -> EvaluatorFacts:
        return evaluator.facts

    async def score(self, _: ResolvedEvaluator, exchanges: Sequence[Exchange], _port: ScoringPort) -> list[Score]:
        self.paid.update(one.id for one in exchanges)
        await asyncio.sleep(0)  # let the twin come first, if it can
        return [Score(one.id, "Scored", flagged=one.response == "bad", value=0.25, label="brand") for one in exchanges]


async def run(hub: Running, kind: PaidKind, item: PlanItem = ITEM) -> Tally:
    plan = Plan("run-1", "retail", "", (item,))
    return await run_plan(plan, hub.client, known=EvaluatorCatalogue({"paid": cast("Any", kind)}))


async def filled(hub: Running, number: int = 200, **changes: Any) -> None:
    traffic = [exchange(i, response="bad" if i % 4 == 0 else "good", **changes) for i in range(number)]
    await hub.client.post_exchanges(ndjson(*traffic))


async def test_a_window_that_is_judged_again_costs_nothing_and_says_the_same(file_url: str) -> None:
    kind = PaidKind()
    async with running_hub(file_url) as hub:
        await filled(hub)
        await run(hub, kind)
        first = await hub.client.results(0)
    async with running_hub(file_url) as hub:
        await run(hub, kind)
        assert await hub.client.results(0) == first
    assert first[0].revisions["r1"].flagged == 50
    assert kind.paid.total() == 200


async def test_judging_a_window_asks_for_no_further_judging() -> None:
    """What a Job shows of its scores is no traffic that came late: else an idle endpoint is judged for ever."""
    now = [NOW_MS]
    async with running_hub("memory://", now=lambda: now[0]) as hub:
        await filled(hub, 5)
        now[0] += 60_000
        kind = PaidKind()
        await run(hub, kind)
        assert kind.paid.total() == 5
        assert [one.late for one in (await hub.client.overview()).holdings] == [()]


async def test_only_what_is_new_is_paid_for() -> None:
    kind = PaidKind()
    async with running_hub("memory://") as hub:
        await filled(hub)
        await run(hub, kind)
        await hub.client.post_exchanges(ndjson(*(exchange(i, id=f"new{i}") for i in range(5))))
        await run(hub, kind)
        assert kind.paid.total() == 205
        assert max(kind.paid.values()) == 1


async def test_another_version_and_a_record_that_shows_less_are_judged_anew() -> None:
    kind = PaidKind()
    async with running_hub("memory://") as hub:
        await filled(hub, 10)
        await run(hub, kind)
        await run(hub, replace(kind, version="2"))
        assert kind.paid.total() == 20
        await hub.client.put_rules({"retail/chat": {"content": "Redacted", "maxBodyBytes": 2}})
        await run(hub, kind)
        assert kind.paid.total() == 30


async def test_twins_pay_once() -> None:
    kind = PaidKind()
    async with running_hub("memory://") as hub:
        await filled(hub)
        await asyncio.gather(*(run(hub, kind) for _ in range(3)))
        [result] = await hub.client.results(0)
        assert result.revisions["r1"].samples == 200
        assert kind.paid.total() == 200


async def test_what_a_job_had_claimed_when_it_crashed_is_taken_over() -> None:
    now, naps = [NOW_MS], list[float]()

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        now[0] += round(seconds * 1_000)

    async with running_hub("memory://", now=lambda: now[0]) as hub:
        await filled(hub, 5)
        window = await hub.window()
        assert await HubScores(hub.client, WHERE, "crashed").known(window) == [None] * 5
        assert await HubScores(hub.client, WHERE, "next", nap).known(window) == [None] * 5
        assert claims.CLAIM_MS / 1_000 <= sum(naps) < 2 * claims.CLAIM_MS / 1_000


async def test_scores_end_with_their_exchanges() -> None:
    now = [NOW_MS]
    async with running_hub("memory://", now=lambda: now[0]) as hub:
        await hub.client.put_rules({"retail/chat": {"content": "Redacted", "keepForSeconds": 7_200}})
        await filled(hub, 5)
        await run(hub, PaidKind())
        window = await hub.window()
        assert len((await hub.client.find_scores(WHERE, window)).scores) == 5
        now[0] += 3 * HOUR_MS
        assert (await hub.client.find_scores(WHERE, window)).scores == {}
        await hub.hub.purge()
        now[0] -= 3 * HOUR_MS
        assert (await hub.client.find_scores(WHERE, window)).scores == {}


async def test_a_namespace_has_so_many_scores_and_its_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "NAMESPACE_OBJECTS", 3)
    async with running_hub("memory://") as hub:
        for hour in range(6):
            row = {"endpoint": "retail/chat", "set": WHERE.score_set, "id": f"h{hour}"}
            await hub.client.post_scores([{**row, "time_ms": NOW_MS - (6 - hour) * HOUR_MS}])
            await hub.client.post_scores([{**row, "endpoint": "quiet/chat", "time_ms": NOW_MS - hour}])
        old = [exchange(hour, id=f"h{hour}", time_ms=NOW_MS - (6 - hour) * HOUR_MS) for hour in range(6)]
        assert {*(await hub.client.find_scores(WHERE, old)).scores} == {"h3", "h4", "h5"}


async def test_an_endpoint_has_so_many_sets() -> None:
    async with running_hub("memory://") as hub:
        rows = [
            {"endpoint": "retail/chat", "id": "a", "source": "s", "name": f"n{n}", "value": 0.5} for n in range(120)
        ]
        assert await hub.client.post_scores(rows) == (scores.ENDPOINT_SETS, 20)
        assert await hub.client.post_scores(rows[:5]) == (5, 0)


async def test_what_comes_from_outside_is_read_line_by_line_and_holds_no_text() -> None:
    good = {"endpoint": "retail/chat", "id": "e1", "source": "ragas", "name": "faithfulness", "value": 0.9}
    bad: list[Any] = [
        {"value": 1.5}, {"value": "high"}, {"flagged": "yes"}, {"id": ""}, {"endpoint": "../x"}, {"name": "a b"},
        {"source": None}, {"time_ms": -1}, {"state": "Failed"}, {"time_ms": NOW_MS + HOUR_MS}, {"pad": "x" * 5_000},
    ]  # fmt: skip
    async with running_hub("memory://") as hub:
        assert await hub.client.post_scores([good, *({**good, **change} for change in bad)]) == (1, len(bad))
        assert await hub.client.post_scores([{**good, "label": "jane.doe@example.com", "explanation": "Jane"}]) == (
            1,
            0,
        )
        where = ScoreSet("retail", "chat", imported_set("ragas", "faithfulness"))
        found = (await hub.client.find_scores(where, [exchange(1)])).scores["e1"]
        assert (found.label, found.value) == ("other", 0.9)


async def test_a_damaged_hour_of_scores_is_scored_again(tmp_path: Any) -> None:
    kind = PaidKind()
    async with running_hub(f"file://{tmp_path}") as hub:
        await filled(hub, 5)
        await run(hub, kind)
        for path in (tmp_path / "scores").rglob("*.zst"):
            path.write_bytes(path.read_bytes()[:-9])
        await run(hub, kind)
        await run(hub, kind)
    assert kind.paid.total() == 10


REASON = "It names another bank, and tells jane.doe@example.com to write there."


def reasoned(number: int, **changes: Any) -> dict[str, Any]:
    row = {"endpoint": "retail/chat", "set": WHERE.score_set, "id": f"e{number}", "value": 0.9, "explanation": REASON}
    return {**row, "time_ms": exchange(number).time_ms, **changes}


async def test_the_reason_of_a_judge_is_kept_with_its_score_and_redacted_again() -> None:
    async with running_hub("memory://") as hub:
        await hub.client.put_rules({"retail/chat": {"content": "Redacted"}})
        await hub.client.post_scores([reasoned(1), reasoned(2, explanation="x" * 900)])
        found = (await hub.client.find_scores(WHERE, [exchange(1), exchange(2)])).scores
        assert found["e1"].explanation.startswith("It names another bank, and tells ")
        assert "jane.doe" not in found["e1"].explanation
        assert len(found["e2"].explanation) == 300


@pytest.mark.parametrize("content", ["MetadataOnly", "Redacted"])
async def test_reasons_are_shown_and_kept_only_where_text_is(content: str, tmp_path: Any) -> None:
    async with running_hub(f"file://{tmp_path}") as hub:
        await hub.client.put_rules({"retail/chat": {"content": "Redacted"}})
        await hub.client.post_scores([reasoned(1, explanation="It names another bank.")])
        assert b"another bank" in b"".join(kept(tmp_path))
        await hub.client.put_rules({"retail/chat": {"content": content}})
        found = (await hub.client.find_scores(WHERE, [exchange(1)])).scores["e1"]
        assert found.value == 0.9
        assert bool(found.explanation) == (content == "Redacted")
        await hub.hub.purge()
        assert (b"another bank" in b"".join(kept(tmp_path))) == (content == "Redacted")
        await hub.client.post_scores([reasoned(2, explanation="It names another bank.")])
        await hub.hub.purge()
        assert (b"another bank" in b"".join(kept(tmp_path))) == (content == "Redacted")
        assert len((await hub.client.find_scores(WHERE, [exchange(1), exchange(2)])).scores) == 2


def kept(folder: Any) -> list[bytes]:
    """Return all scores on disk as they are read."""
    unpack = zstandard.ZstdDecompressor().decompress
    return [unpack(path.read_bytes(), max_output_size=1 << 20) for path in (folder / "scores").rglob("*.zst")]


async def test_an_hour_has_so_many_reasons_and_scores_beyond_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "EXPLANATION_CHARACTERS", 100)
    async with running_hub("memory://") as hub:
        await hub.client.put_rules({"retail/chat": {"content": "Redacted"}})
        await hub.client.post_scores([reasoned(n, explanation="It is rude.") for n in range(20)])
        found = (await hub.client.find_scores(WHERE, [exchange(n) for n in range(20)])).scores
        assert len(found) == 20
        assert sum(bool(one.explanation) for one in found.values()) == 9
