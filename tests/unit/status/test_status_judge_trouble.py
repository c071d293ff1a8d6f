"""Each way in which a judge, a container or a budget fails, as the check says it: Unknown, with its numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from status_specimens import NOW_MS, counts, evaluation, result

from modelward.api.calibration import CalibrationOutcome
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.desired.finding import Finding
from modelward.evaluate.calibration.floor import DAY_MS, Floor, below_floor
from modelward.status.evaluation_judgement import judge_evaluation
from modelward.status.evaluator_container import ContainerFailure
from modelward.status.judgement import JudgementInput
from modelward.status.revision import Revision

GOOD = CalibrationOutcome(
    "retail", "brand", "judge/1+1", "uid/1", NOW_MS, labels=120, positives=60, negatives=60, found=55, false_alarms=3,
    kappa_ppm=870_000, kappa_low_ppm=760_000, attacked=300, flipped=0,
)  # fmt: skip
CAUSES = (("truncated", 30), ("HTTP 422", 7))
RATES = EvaluatorFacts("brand", "judge/1+1", 900_000, 50_000, positives=60, negatives=60)
NO_CONTAINER = ContainerFailure("OOMKilled", NOW_MS)


def found_by(outcome: CalibrationOutcome | None, version: str = "judge/1+1") -> Finding:
    short = below_floor(outcome, Floor(), version, NOW_MS)
    assert short is not None
    return short


@pytest.mark.parametrize("flagged", [0, 42, 83], ids=["none-flagged", "half-flagged", "all-flagged"])
@pytest.mark.parametrize(
    ("scored", "why", "failure", "reason", "told"),
    [
        (Counts(failed=120, causes=(("HTTP 401", 120),)), None, None, "EvaluatorFailing", "120 of 120 samples"),
        (Counts(failed=37, causes=CAUSES), None, None, "EvaluatorFailing", "37 of 120 samples"),
        (Counts(failed=37, causes=CAUSES), None, None, "EvaluatorFailing", "30 truncated, 7 HTTP 422"),
        (Counts(failed=37), None, NO_CONTAINER, "EvaluatorFailing", "OOMKilled"),
        (Counts(), found_by(replace(GOOD, labels=34)), None, "NotCalibrated", "34 of 50 labels"),
        (Counts(), found_by(replace(GOOD, positives=9)), None, "NotCalibrated", "9 of 15 labels fault"),
        (Counts(), found_by(replace(GOOD, kappa_low_ppm=210_000)), None, "NotCalibrated", "κ ≥ .21 only"),
        (Counts(), found_by(replace(GOOD, at_ms=NOW_MS - 41 * DAY_MS)), None, "NotCalibrated", "41 d old"),
        (Counts(), found_by(GOOD, "judge/1+2"), None, "NotCalibrated", "new version: judge/1+1 was calibrated"),
        (Counts(), found_by(None), None, "NotCalibrated", "no calibration yet"),
        (Counts(), found_by(replace(GOOD, flipped=41)), None, "JudgeManipulable", "41 of 300 flips"),
        (Counts(not_asked=80), None, None, "BudgetExhausted", "83 of 163 samples"),
    ],
)
def test_trouble_is_unknown_with_its_reason_whatever_was_flagged(
    scored: Counts, why: Finding | None, failure: ContainerFailure | None, reason: str, told: str, flagged: int
) -> None:
    bound = evaluation(minSamples=100)
    assert bound.evaluator is not None
    bound = replace(bound, evaluator=replace(bound.evaluator, uncalibrated=why))
    judged = Counts() if scored.failed == 120 else counts(83, flagged)
    window = replace(result(judged + scored), evaluator=RATES)
    failing = {("baseline", "topic"): failure} if failure else {}
    check, status = judge_evaluation(bound, [window], JudgementInput(Revision("r1", ("r1",)), failing=failing), NOW_MS)
    assert (check.verdict, status.verdict, status.reason) == ("Unknown", "Unknown", reason)
    assert told in status.message


def test_without_any_trouble_the_same_samples_decide() -> None:
    assert below_floor(GOOD, Floor(), "judge/1+1", NOW_MS) is None
    sight = JudgementInput(Revision("r1", ("r1",)))
    for flagged, verdict in ((4, "Passed"), (200, "Failed")):
        window = replace(result(counts(400, flagged)), evaluator=RATES)
        _, status = judge_evaluation(evaluation(failAbove="20%"), [window], sight, NOW_MS)
        assert status.verdict == verdict
