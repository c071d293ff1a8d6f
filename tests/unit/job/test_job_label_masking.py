"""Texts of labels leave the namespace masked, whatever a person wrote into them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelward.api.exchange import Exchange
from modelward.evaluate.judge.record import record_of
from modelward.evaluate.score_contract.requests import record
from modelward.job.calibration.label_records import read_label_records

SECRET = "jane.doe@example.com"


@pytest.fixture
def labelled(tmp_path: Path) -> Exchange:
    line = {"id": "a", "question": f"Is {SECRET} me?", "answer": f"Yes, {SECRET} is you.", "label": "fault"}
    (tmp_path / "labels.jsonl").write_text(json.dumps(line))
    (one,) = read_label_records([tmp_path / "labels.jsonl"]).records
    return one.exchange


def test_a_judge_outside_a_container_and_a_webhook_get_them_masked(labelled: Exchange) -> None:
    assert SECRET not in str(record_of(labelled, masked=True))
    assert SECRET not in str(record(labelled, "Redacted"))
    assert "Is " not in str(record(labelled, "MetadataOnly"))


def test_a_model_of_the_namespace_gets_them_as_they_are_written(labelled: Exchange) -> None:
    found = record_of(labelled)
    assert SECRET in found.question
    assert SECRET in found.answer
