"""The demo's judge ships with a calibration that is of its very rubric, labels and model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from modelward.api.calibration import CalibrationOutcome
from modelward.api.evaluator import EvaluatorSpec
from modelward.api.finished_calibration import KEY, finished_from_json
from modelward.api.quantity import duration_ms
from modelward.evaluate.calibration.floor import below_floor
from modelward.evaluate.judge.settings import JudgeSettings
from modelward.evaluate.quality.confusion import Confusion
from modelward.job.calibration.label_records import read_label_records
from modelward.job.evaluator_files import load_evaluators
from modelward.status.calibration import floor_of

BANKING = Path(__file__).parents[3] / "examples" / "banking"
JUDGED = BANKING / "judged"


@pytest.fixture(scope="module")
def shipped() -> CalibrationOutcome:
    manifest = yaml.safe_load((JUDGED / "calibration.yaml").read_text())
    return finished_from_json(json.loads(manifest["data"][KEY]), "bank", "asked-about-banking")


@pytest.fixture(scope="module")
def spec() -> EvaluatorSpec:
    return EvaluatorSpec.model_validate(yaml.safe_load((JUDGED / "evaluator.yaml").read_text())["spec"])


def test_it_is_of_this_rubric_and_good_enough_to_alert_by(shipped: CalibrationOutcome, spec: EvaluatorSpec) -> None:
    (named,) = load_evaluators([JUDGED / "evaluator.yaml"])
    assert spec.calibration is not None
    soon = shipped.at_ms + duration_ms("720h")
    assert below_floor(shipped, floor_of(spec.calibration), named.evaluator.facts.version, soon) is None
    manifest = yaml.safe_load((JUDGED / "calibration.yaml").read_text())
    assert spec.calibration.finished is not None
    assert spec.calibration.finished.config_map_ref.name == manifest["metadata"]["name"]


def test_it_is_of_the_model_that_the_demo_serves(shipped: CalibrationOutcome, spec: EvaluatorSpec) -> None:
    endpoint = next(yaml.safe_load_all((JUDGED / "judge.yaml").read_text()))
    arguments = endpoint["spec"]["backend"]["template"]["args"]
    model = arguments[arguments.index("--alias") + 1]
    sha256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
    assert sha256 in (BANKING / "engine" / "Dockerfile").read_text()
    assert model.endswith(sha256[:8])
    assert spec.judge is not None
    settings = JudgeSettings.model_validate({**spec.judge.wire(), "chosen": shipped.readout})
    assert shipped.answered == settings.version([f"{shipped.readout} {model}"])


def test_it_is_of_these_labels_of_which_none_is_asked_in_the_demo(shipped: CalibrationOutcome) -> None:
    records = read_label_records([JUDGED / "labels.jsonl"])
    assert not records.bad
    assert (shipped.labels_digest, shipped.labels) == (records.digest, len(records.records))
    assert (shipped.positives, shipped.negatives) == (records.faults, len(records.records) - records.faults)
    asked = {json.loads(line)["question"] for line in (BANKING / "questions.txt").read_text().splitlines()}
    assert not asked & {one.exchange.question for one in records.records}


def test_its_kappa_is_that_of_its_counts(shipped: CalibrationOutcome) -> None:
    missed, passed = shipped.positives - shipped.found, shipped.negatives - shipped.false_alarms
    kappa = Confusion(shipped.found, missed, shipped.false_alarms, passed).kappa
    assert round(kappa.value * 1_000_000) == shipped.kappa_ppm
    assert round(kappa.low * 1_000_000) == shipped.kappa_low_ppm
