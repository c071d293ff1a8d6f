"""A judge is calibrated against a hub, and what its live scores carry is what calibration measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aiohttp import web
from hub_fixtures import NOW_MS, exchange, ndjson, running_hub
from judge_server import Asked, judge_server, likely, said

from modelward.api.calibration import CalibrationOutcome
from modelward.api.calibration_plan import CalibrationPlan
from modelward.api.run_plan import CalibratedAs, Plan, PlanItem
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.calibration.floor import Floor, below_floor
from modelward.job.calibration.label_records import read_label_records
from modelward.job.calibration.memory import HubLabelStore
from modelward.job.calibration.runner import CalibrationRun
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.evaluation import run_plan
from modelward.job.installed import catalogue, resolved
from modelward.operator.hub.calibrations import KnownCalibrations

HOSTS = ("127.0.0.1",)


def answer(asked: Asked) -> web.StreamResponse:
    """Know rude answers by their probabilities, and call everything polite in words; refuse raw completions."""
    if asked.path == "/v1/completions":
        return web.json_response({"error": "no such route"}, status=404)
    rude = "grim" in asked.record["answer"]
    if asked.body.get("logprobs"):
        return likely(rude=0.3, polite=0.7) if rude else likely(rude=0.1, polite=0.9)
    return said('{"label": "polite"}' if "response_format" in asked.body else "polite")


def judge(url: str) -> dict[str, Any]:
    labels = {"fault": ["rude"], "ok": ["polite"]}
    return {"model": {"endpointRef": {"name": "judge"}}, "address": url, "rubric": "Politeness.", "labels": labels}


def labels() -> str:
    rows = [(f"f{n}", "fault", f"A grim no {n}.") for n in range(30)]
    rows += [(f"g{n}", "ok", f"A kind yes {n}.") for n in range(50)]
    return "\n".join(
        json.dumps({"id": name, "question": "May I?", "answer": text, "label": word}) for name, word, text in rows
    )


def no_embedding(_: object) -> Any:
    raise AssertionError


async def test_a_judge_is_read_as_calibration_chose_and_its_results_carry_the_rates_it_found(
    file_url: str, tmp_path: Path
) -> None:
    (tmp_path / "labels.jsonl").write_text(labels())
    records = read_label_records([tmp_path / "labels.jsonl"])
    async with judge_server(answer) as server, running_hub(file_url) as hub:
        known, config = catalogue().within(HOSTS), judge(server.url)
        version = resolved(EvaluatorBlock("judge", "tone", config), known).facts.version
        plan = CalibrationPlan("retail", "tone", "judge", "tone", config, version, "uid/1", "-", allowed_hosts=HOSTS)
        store = HubLabelStore(hub.client, "retail", "tone")
        about = (
            plan,
            records,
            store,
            known,
            SharedEmbeddings(no_embedding),
            lambda: NOW_MS,
            hub.client.put_calibration,
        )
        found = await CalibrationRun(*about, allowed_hosts=HOSTS).run()
        assert await feed(hub.client) == found
        assert (found.readout, found.found, found.positives, found.false_alarms) == ("ChatLabel", 30, 30, 0)
        assert 0.1 < float(found.threshold) < 0.3
        assert found.unread.startswith("CompletionLabel: HTTP 404")
        assert below_floor(found, Floor(), version, NOW_MS) is None

        counts = (found.found, found.positives, found.false_alarms, found.negatives)
        chosen = CalibratedAs(found.readout, found.threshold, found.answered, *counts)
        texts = ["A grim no."] * 2 + ["A kind yes."] * 6
        await hub.client.post_exchanges(ndjson(*(exchange(n, response=text) for n, text in enumerate(texts))))
        item = PlanItem(
            "chat", "p", "tone", "tone", config, NOW_MS - 100_000, NOW_MS + 1, kind="judge", calibrated=chosen
        )
        tally = await run_plan(Plan("retail-1", "retail", "-", (item,), HOSTS), hub.client, known=known)
        assert tally.errors == []
        [result] = await hub.client.results(0)
        assert result.revisions["r1"].flagged == 2
        assert result.evaluator == chosen.rates(result.evaluator)
        assert result.evaluator.version == found.answered


async def feed(client: Any) -> CalibrationOutcome | None:
    """Return what the operator knows after it has asked once."""
    known = KnownCalibrations()
    assert known.of("retail", "tone") == (False, None)
    await known.fetch(client)
    assert known.news() == {("retail", "tone")}
    return known.of("retail", "tone")[1]
