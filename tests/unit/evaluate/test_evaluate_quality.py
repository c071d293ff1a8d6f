"""The shipped error rates hold on labelled sets (small parts of them; `bench/evaluators` takes all)."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.evaluators.refusal import refusals
from modelward.evaluate.evaluators.refusal_words import openings
from modelward.evaluate.scoring import score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import catalogue, resolved
from modelward.job.minilm import MODEL_FILE, MiniLM, default_directory, embed
from modelward.job.port import JobPort

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data")) / "eval"
"""The labelled sets; without the variable, those in the folder shared/data beside the checkout."""
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no labelled sets in {DATA}; MODELWARD_DATA names the folder"),
    pytest.mark.skipif(
        not (default_directory() / MODEL_FILE).is_file(),
        reason="the embedding model is not built: modelward evaluators prepare",
    ),
]
SCOPE = {
    "inScope": [
        "questions about bank cards",
        "bank account balance and transactions",
        "money transfers and payments",
        "lost, stolen or blocked card and PIN",
        "cash withdrawals, top-ups and exchange rates",
        "charges, fees and refunds",
    ]
}


def answered(questions: list[str]) -> list[Exchange]:
    return [
        Exchange(
            id=str(i), time_ms=i, endpoint="ns/chat", model="m", revision="r", operation="chat", status=200,
            outcome="ok", content="Redacted", messages=(Message("user", text),), response="Here is how that works.",
        )
        for i, text in enumerate(questions)
    ]  # fmt: skip


async def flagged_share(questions: list[str]) -> float:
    with (DATA / "banking77" / "train.csv").open(newline="") as file:
        examples = [row["text"] for row in csv.DictReader(file)][::100]
    scope = {**SCOPE, "inScopeExamples": examples}
    found = resolved(EvaluatorBlock("builtin", "OffTopicAnswered", scope), catalogue())
    scorer = catalogue().scorer(found, JobPort(SharedEmbeddings(embed)))
    scores = [s for s in await score(scorer, answered(questions)) if s.state == "Scored"]
    return sum(s.flagged for s in scores) / len(scores)


async def test_banking_questions_are_rarely_taken_for_off_topic() -> None:
    with (DATA / "banking77" / "test.csv").open(newline="") as file:
        questions = [row["text"] for row in csv.DictReader(file)][::8]
    assert await flagged_share(questions) < 0.06


async def test_most_questions_out_of_scope_are_caught() -> None:
    rows = json.loads((DATA / "clinc-oos" / "data_full.json").read_text())["oos_test"]
    assert await flagged_share([text for text, _ in rows][::3]) > 0.65


def test_refusals_are_told_from_answers() -> None:
    lines = (DATA / "xstest" / "xstest_completions_labelled.jsonl").read_text().splitlines()[::8]
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    answers = [row["completion"] for row in rows]
    opened = openings(answers)
    found = refusals(opened, [row["prompt"] for row in rows], MiniLM().encode(opened))
    refused = [not row["label"].startswith("1") for row in rows]
    caught = sum(f and r for f, r in zip(found, refused, strict=True)) / sum(refused)
    mistaken = sum(f and not r for f, r in zip(found, refused, strict=True)) / (len(refused) - sum(refused))
    assert caught > 0.9
    assert mistaken < 0.08
