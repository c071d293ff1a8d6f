"""A calibration's Job: what it finds, what it spends, how it goes on after an interruption, and what stops it."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelward.api.calibration import CalibrationOutcome
from modelward.api.calibration_plan import CalibrationPlan, calibration_plan_from_json, calibration_plan_to_json
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.pod_additions import Egress, PodAdditions
from modelward.evaluate.calibration.floor import Floor, below_floor
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.port import PortError, ScoringPort, ScoringRequest
from modelward.evaluate.score import Score
from modelward.job.calibration.label_records import read_label_records
from modelward.job.calibration.memory import ALLOWANCE
from modelward.job.calibration.runner import CalibrationRun, price_of
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import catalogue

TOKENS = 50
"""Of each request, by the usage that the model reports."""


@dataclass(frozen=True, slots=True)
class ReaderKind:
    """A judge in small: one request for each exchange, and two readouts, of which one reads nothing but noise."""

    port: int
    name: str = "reader"
    names: tuple[str, ...] = ()

    def about(self, _: str) -> AboutEvaluator:
        return AboutEvaluator("1")

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        return ResolvedEvaluator(
            self.name, block.name, block.config, EvaluatorFacts(block.name, "1", 0), has_value=True,
            value_fails="Above", costly=True, readouts=("Noise", "Word"), threshold_of="Value",
        )  # fmt: skip

    def pod(self, _: ResolvedEvaluator) -> PodAdditions:
        return PodAdditions(egress=(Egress("127.0.0.1", self.port),))

    async def facts(self, evaluator: ResolvedEvaluator, _: ScoringPort) -> EvaluatorFacts:
        return replace(evaluator.facts, version=f"1+{evaluator.readout}@{evaluator.threshold}")

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        return [await self._one(evaluator, one, port) for one in exchanges]

    async def _one(self, evaluator: ResolvedEvaluator, one: Exchange, port: ScoringPort) -> Score:
        asked = {"messages": [one.question, one.response], "max_tokens": 8, "readout": evaluator.readout}
        try:
            reply = await port.post(ScoringRequest(f"http://127.0.0.1:{self.port}/v1", json.dumps(asked).encode()))
        except PortError as error:
            return Score(one.id, "Failed", label=type(error).__name__)
        if reply.status != 200:
            return Score(one.id, "Failed", label=f"HTTP {reply.status}")
        value = float(json.loads(reply.body)["value"])
        return Score(one.id, "Scored", value >= 0.5, value, "fault" if value >= 0.5 else "ok")


@dataclass(slots=True)
class Model:
    """An API that says how faulty an answer is; `turned` by payloads, or refusing after so many requests."""

    turned: bool = False
    status: int = 200
    requests: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        asked = await request.json()
        text = asked["messages"][1]
        value = 0.9 if "rude" in text else 0.1
        if asked["readout"] == "Noise":
            value = zlib.crc32(text.encode()) % 100 / 100
        if self.turned and "\n" in text:
            value = 0.1
        usage = {"prompt_tokens": TOKENS - 1, "completion_tokens": 1}
        return web.json_response({"value": value, "usage": usage}, status=self.status)


@dataclass(slots=True)
class Store:
    """What outlives a Job; it fails after so many writes, as a hub that is gone."""

    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    writes: int = 1_000

    async def read(self, key: str) -> Mapping[str, Any]:
        return self.kept.get(key, {})

    async def write(self, key: str, rows: Mapping[str, Any]) -> None:
        self.writes -= 1
        if self.writes < 0:
            raise ConnectionError
        self.kept[key] = json.loads(json.dumps(rows))


@dataclass(slots=True)
class Bench:
    """One model, one store, and the Jobs that use them."""

    model: Model
    port: int
    folder: Path
    store: Store = field(default_factory=Store)
    told: list[CalibrationOutcome] = field(default_factory=list)

    async def run(self, lines: Sequence[str], **plan: Any) -> CalibrationOutcome:
        (self.folder / "labels.jsonl").write_text("\n".join(lines))
        records = read_label_records([self.folder / "labels.jsonl"])
        whole = CalibrationPlan("retail", "tone", "reader", "tone", {}, "1", "uid/7", "http://hub", **plan)
        assert calibration_plan_from_json(json.loads(json.dumps(calibration_plan_to_json(whole)))) == whole
        known = EvaluatorCatalogue({"reader": ReaderKind(self.port)})
        run = CalibrationRun(whole, records, self.store, known, SharedEmbeddings(_no_model), lambda: 5, self._tell)
        return await run.run()

    async def _tell(self, found: CalibrationOutcome) -> None:
        self.told.append(found)


def _no_model(_: Sequence[str]) -> Any:
    raise AssertionError


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    model = Model()
    app = web.Application()
    app.router.add_post("/v1", model.answer)
    async with TestServer(app) as server:
        assert server.port is not None
        yield Bench(model, server.port, tmp_path)


def labels(faults: int, good: int) -> list[str]:
    """Return lines of rude and of kind answers; one fault in ten is only felt, and one good answer is found rude."""
    rows = [(f"f{n}", "fault", f"No, {'rude' if n % 10 else 'sharp'} {n}.") for n in range(faults)]
    rows += [(f"g{n}", "ok", f"Yes, {'rude' if n == 3 else 'kindly'} {n}.") for n in range(good)]
    return [json.dumps({"id": n, "question": "May I?", "answer": text, "label": word}) for n, word, text in rows]


LINES = labels(30, 50)


async def test_the_readout_that_reads_is_chosen_and_rates_kappa_and_flips_are_told(bench: Bench) -> None:
    found = await bench.run(LINES)
    assert (found.reason, found.readout, found.labels) == ("", "Word", 80)
    assert (found.found, found.positives, found.false_alarms, found.negatives) == (27, 30, 1, 50)
    assert 0.1 < float(found.threshold) < 0.9
    assert found.answered == f"1+Word@{found.threshold}"
    assert (found.attacked, found.flipped) == (300, 0)
    assert below_floor(found, Floor(), "1", now_ms=5) is None
    assert bench.told[-1] == found


async def test_its_price_is_told_before_it_starts_and_is_not_far_off(bench: Bench) -> None:
    await bench.run(LINES)
    first = bench.told[0]
    assert first.reason == "Calibrating"
    assert f"{first.price:,} tokens" in first.message
    assert first.tokens == 0
    assert first.price / 3 < bench.told[-1].tokens < first.price * 3
    assert bench.told[-1].tokens == bench.model.requests * TOKENS


async def test_a_calibration_that_is_made_again_spends_nothing(bench: Bench) -> None:
    first = await bench.run(LINES)
    asked = bench.model.requests
    assert replace(await bench.run(LINES), tokens=0) == replace(first, tokens=0)
    assert bench.model.requests == asked
    await bench.run([*LINES, *labels(0, 51)[50:]])
    assert bench.model.requests == asked + 2


async def test_an_interrupted_calibration_goes_on_where_it_was_and_spends_no_more_than_its_bound(bench: Bench) -> None:
    whole = await bench.run(LINES)
    asked, bench.model.requests, bench.store = bench.model.requests, 0, Store()
    jobs = 0
    while True:
        jobs += 1
        bench.store.writes = 3
        try:
            found = await bench.run(LINES)
        except ConnectionError:
            continue
        break
    assert jobs > 3
    assert replace(found, tokens=0) == replace(whole, tokens=0)
    assert bench.model.requests <= asked + jobs * 64
    assert bench.model.requests * TOKENS <= found.tokens <= bench.model.requests * TOKENS + jobs * 2 * ALLOWANCE


async def test_the_bound_holds_and_what_was_scored_is_kept_for_a_larger_one(bench: Bench) -> None:
    found = await bench.run(LINES, max_tokens=2_000)
    assert found.reason == "CalibrationLimited"
    assert "of maxTokens 2,000" in found.message
    assert bench.model.requests * TOKENS == found.tokens <= 2_000
    asked = bench.model.requests
    again = await bench.run(LINES, max_tokens=500_000)
    assert again.reason == ""
    assert bench.model.requests < asked + 2 * 80 + 300


async def test_a_judge_that_payloads_turn_is_manipulable(bench: Bench) -> None:
    bench.model.turned = True
    found = await bench.run(LINES)
    assert found.flipped == found.attacked == 300
    short = below_floor(found, Floor(), "1", now_ms=5)
    assert short is not None
    assert (short.reason, short.message) == ("JudgeManipulable", "300 of 300 flips under injection")


async def test_a_judge_that_does_not_answer_is_unavailable(bench: Bench) -> None:
    bench.model.status = 401
    found = await bench.run(LINES)
    assert (found.reason, found.message) == ("JudgeUnavailable", "HTTP 401")
    assert found.tokens == 0


@pytest.mark.parametrize(
    ("lines", "reason", "told"),
    [
        ([], "LabelsUnreadable", "no line says fault or ok"),
        (["<html>", "[1]", '{"id": "a"}'], "LabelsUnreadable", "3 lines are no labels, the first: labels.jsonl:1"),
        (['{"id": "a", "label": "fault"}'], "LabelsUnreadable", "1 lines are no labels"),
        (labels(20, 14), "NotCalibrated", "34 of 50 labels"),
        (labels(0, 60), "NotCalibrated", "0 of 15 labels fault"),
        ([*labels(14, 60), "nonsense"], "NotCalibrated", "14 of 15 labels fault; 1 lines are no labels"),
    ],
)
async def test_labels_that_tell_nothing_cost_nothing_and_the_cause_is_told(
    bench: Bench, lines: list[str], reason: str, told: str
) -> None:
    found = await bench.run(lines)
    assert found.reason == reason
    assert told in found.message
    assert bench.model.requests == found.tokens == 0


async def test_labels_that_contradict_each_other_count_for_nothing(bench: Bench) -> None:
    (bench.folder / "labels.jsonl").write_text("\n".join([*LINES, LINES[0].replace('"fault"', '"ok"'), LINES[1]]))
    records = read_label_records([bench.folder / "labels.jsonl"])
    assert (len(records.records), records.contradicted) == (79, 1)


async def test_no_word_of_a_label_leaves_the_job(bench: Bench) -> None:
    await bench.run([*LINES, '{"id": "x", "label": "fault", "question": 7, "answer": "my PIN is 4711"}'])
    said = json.dumps([str(one) for one in bench.told]) + json.dumps(list(bench.store.kept.values()))
    assert not any(word in said for word in ("rude", "kindly", "May I", "4711"))


async def test_a_builtin_is_calibrated_by_its_setting_and_asks_no_model(bench: Bench) -> None:
    rows = [
        {
            "id": f"{n}",
            "question": "Who?",
            "answer": f"We sell Acme cards {n}." if n < 20 else f"A card {n}.",
            "label": word,
        }
        for n, word in enumerate(["fault"] * 20 + ["ok"] * 40)
    ]
    (bench.folder / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    plan = CalibrationPlan(
        "retail", "words", "builtin", "Keywords", {"competitors": ["Acme"]}, "v", "uid/1", "http://hub"
    )
    records = read_label_records([bench.folder / "labels.jsonl"])

    async def tell(found: CalibrationOutcome) -> None:
        bench.told.append(found)

    run = CalibrationRun(plan, records, bench.store, catalogue(), SharedEmbeddings(_no_model), lambda: 5, tell)
    found = await run.run()
    assert (found.found, found.positives, found.false_alarms, found.negatives) == (20, 20, 0, 40)
    assert (found.tokens, found.price, found.flipped) == (0, 0, 0)
    assert below_floor(found, Floor(), "v", now_ms=5) is None


def test_what_asks_no_model_has_no_price() -> None:
    free = ResolvedEvaluator("builtin", "PII", {}, EvaluatorFacts("PII", "1"))
    assert price_of(free, [Exchange("a", 0, "-", "", "", "chat", 200, "ok", "Full")]) == 0
