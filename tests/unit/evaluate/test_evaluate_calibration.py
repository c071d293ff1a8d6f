"""A calibration tells what held-out labels say, and too little, too weak or too old a one never alerts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.calibration import CalibrationOutcome, OwnLabels, calibration_from_json, calibration_to_json
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange, Message
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.evaluate.calibration.candidates import candidates, confidence, readings
from modelward.evaluate.calibration.floor import DAY_MS, Floor, below_floor
from modelward.evaluate.calibration.injection import FEWEST_ATTACKS, MAX_ATTACKS, PAYLOADS, attacks, manipulable
from modelward.evaluate.calibration.outcome import LabelRow, attacked, calibrated, chosen
from modelward.evaluate.quality.calibrating import measured_rates
from modelward.evaluate.score import Score
from modelward.evaluate.statistics.distributions import clopper_pearson
from modelward.evaluate.statistics.fixed_sequence import confident_from, surely_agrees
from modelward.reasons.checks import CheckReason

EMPTY = CalibrationOutcome("retail", "brand", "judge/1+3f9a01cc", "uid/7", at_ms=0)
JUDGE = ResolvedEvaluator(
    "judge", "brand", {}, EvaluatorFacts("brand", "1"), has_value=True, value_fails="Above", threshold_of="Value"
)
GOOD = replace(
    EMPTY, labels=120, found=38, positives=40, false_alarms=4, negatives=80, kappa_ppm=850_000, kappa_low_ppm=660_000,
    kappa_high_ppm=930_000, attacked=300, flipped=1,
)  # fmt: skip


def labelled(faults: int, good: int) -> list[LabelRow]:
    return [LabelRow(n < faults, f"c{n}") for n in range(faults + good)]


def scored(values: list[float], *, readout: str = "") -> list[Score]:
    return [Score(f"{readout}{n}", "Scored", flagged=value > 0.5, value=value) for n, value in enumerate(values)]


def exchange(name: str) -> Exchange:
    asked = (Message("user", "May I?"),)
    return Exchange(name, 0, "retail/chat", "m", "", "chat", 200, "ok", "Full", asked, "No.")


def test_the_readout_that_knows_something_is_chosen_and_its_rates_are_held_out() -> None:
    drawn, rows = np.random.default_rng(1), labelled(40, 80)
    noise = drawn.random(120).round(3).tolist()
    knows = [float(np.clip((0.7 if row.fault else 0.3) + drawn.normal() / 10, 0, 1)) for row in rows]
    found = readings({"ChatLabel": scored(noise), "CompletionLabel": scored(knows)})
    rates = chosen(candidates(JUDGE, found), rows)
    assert rates.readout == "CompletionLabel"
    assert 0.4 < float(rates.threshold) < 0.6
    whole = calibrated(EMPTY, rates, rows, found.scores["CompletionLabel"])
    assert (whole.labels, whole.positives, whole.negatives) == (120, 40, 80)
    assert whole.found >= 30
    assert whole.kappa_low_ppm > 700_000
    assert float(whole.abstain_below) < 0.5


def test_rates_of_a_readout_without_meaning_are_those_of_chance() -> None:
    """Chosen among 192 candidates and measured on the rows that chose, noise would seem to know something."""
    drawn, rows = np.random.default_rng(2), labelled(30, 60)
    kappas = []
    for _ in range(40):
        noise = {name: scored(drawn.random(90).round(3).tolist()) for name in ("A", "B", "C")}
        rates = chosen(candidates(JUDGE, readings(noise)), rows)
        kappas.append(calibrated(EMPTY, rates, rows, noise["A"]).kappa_ppm)
    assert abs(float(np.mean(kappas))) < 60_000


def test_a_readout_that_fails_too_often_is_no_candidate_and_others_are_compared_on_what_all_have() -> None:
    fails = [Score(f"{n}", "Failed" if n < 11 else "Scored", label="HTTP400" if n < 11 else "") for n in range(100)]
    abstains = [replace(one, state="NotApplicable") if n == 99 else one for n, one in enumerate(scored([0.2] * 100))]
    found = readings({"JSONSchema": fails, "Word": abstains})
    assert set(found.scores) == {"Word"}
    assert found.refused == {"JSONSchema": (11, "HTTP400")}
    assert found.rows == tuple(range(99))
    assert readings({"JSONSchema": fails}).rows == ()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=120))
def test_confident_answers_surely_agree(rows: list[tuple[float, bool]]) -> None:
    limit = confident_from([confidence for confidence, _ in rows], [agrees for _, agrees in rows])
    if limit is None:
        return
    above = [agrees for confidence, agrees in rows if round(confidence, 3) >= limit]
    assert surely_agrees(sum(above), len(above))
    assert clopper_pearson(sum(above), len(above)).high > 0.9


def test_the_confidence_is_wrong_at_most_as_often_as_it_may_be() -> None:
    """Agreement is exactly 90 % at each confidence, so that each limit that is given is wrong."""
    drawn, given_limits = np.random.default_rng(3), 0
    for _ in range(400):
        limit = confident_from(drawn.random(120).tolist(), (drawn.random(120) < 0.9).tolist())
        given_limits += limit is not None
    assert given_limits <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5


@given(st.floats(0, 1), st.floats(0, 1))
def test_confidence_grows_with_the_distance_from_the_threshold(value: float, threshold: float) -> None:
    assert 0 <= confidence(value, threshold) <= 1
    assert confidence(threshold, threshold) in (0.0, 1.0)
    if 0 < threshold < 1:
        assert confidence(0.0, threshold) == confidence(1.0, threshold) == 1.0


def test_attacks_use_each_payload_alike_and_are_the_same_again() -> None:
    assert len(PAYLOADS) >= 15
    rows = [exchange(f"x{n}") for n in range(60)]
    found = attacks(rows, range(40, 60))
    assert found == attacks(rows, range(40, 60))
    assert len(found) == MAX_ATTACKS
    assert {one.row for one in found} == set(range(40, 60))
    used = [sum(payload in one.exchange.response for one in found) for payload in PAYLOADS]
    assert max(used) - min(used) <= 1
    assert len({one.exchange.id for one in found}) == MAX_ATTACKS
    assert all(one.exchange.response.startswith("No.\n") for one in found)
    assert not attacks(rows, ())


@pytest.mark.parametrize(("flipped", "of", "expected"), [(0, FEWEST_ATTACKS, False), (0, 71, True), (1, 300, False),
                                                         (41, 300, True), (9, 300, True), (0, 0, True)])  # fmt: skip
def test_a_judge_is_manipulable_where_more_than_a_twentieth_may_flip(flipped: int, of: int, *, expected: bool) -> None:
    assert manipulable(flipped, of) is expected


def test_flips_count_only_what_was_flagged_before_and_was_judged_after() -> None:
    before = [Score("a", "Scored", flagged=True), Score("b", "Scored", flagged=True), Score("c", "Scored"),
              Score("d", "Scored", flagged=True), Score("e", "Scored", flagged=True)]  # fmt: skip
    after = [Score("a1", "Scored", flagged=True), Score("b1", "Scored"), Score("c1", "Scored"),
             Score("d1", "Failed"), Score("e1", "NotApplicable")]  # fmt: skip
    found = attacked(GOOD, before, after)
    assert (found.attacked, found.flipped) == (3, 2)


@pytest.mark.parametrize(
    ("changed", "reason", "told"),
    [
        ({"labels": 34}, CheckReason.NOT_CALIBRATED, "34 of 50 labels"),
        ({"positives": 9, "found": 9}, CheckReason.NOT_CALIBRATED, "9 of 15 labels fault"),
        ({"kappa_low_ppm": 210_000}, CheckReason.NOT_CALIBRATED, "κ ≥ .21 only"),
        ({"at_ms": -41 * DAY_MS}, CheckReason.NOT_CALIBRATED, "41 d"),
        ({"version": "judge/1+00000000"}, CheckReason.NOT_CALIBRATED, "new version"),
        ({"flipped": 41}, CheckReason.JUDGE_MANIPULABLE, "41 of 300"),
        ({"attacked": 40, "flipped": 0}, CheckReason.NOT_CALIBRATED, "40 of 72 attacks"),
    ],
)
def test_each_shortcoming_is_told_in_numbers(changed: dict[str, int], reason: str, told: str) -> None:
    assert below_floor(GOOD, Floor(), GOOD.version, now_ms=0) is None
    finding = below_floor(replace(GOOD, **changed), Floor(), GOOD.version, now_ms=0)  # type: ignore[arg-type]
    assert finding is not None
    assert finding.reason == reason
    assert told in finding.message


@pytest.mark.parametrize(("kappa", "least", "most"), [(0.4, 0.0, 0.06), (0.8, 0.95, 1.0)])
def test_fifty_labels_rarely_let_a_poor_evaluator_pass_and_mostly_a_good_one(
    kappa: float, least: float, most: float
) -> None:
    """4 and 98 of a hundred, with half of the labels at fault."""
    drawn, right = np.random.default_rng(6), (1 + kappa) / 2
    passed = 0
    for _ in range(2_000):
        found, alarms = int(drawn.binomial(25, right)), int(drawn.binomial(25, 1 - right))
        rows = [LabelRow(n < 25, f"c{n}") for n in range(50)]
        flags = (*(n < found for n in range(25)), *(n < alarms for n in range(25)))
        whole = calibrated(GOOD, replace(measured_rates([row.fault for row in rows], flags)), rows, ())
        passed += below_floor(replace(whole, attacked=300), Floor(), GOOD.version, now_ms=0) is None
    assert least <= passed / 2_000 <= most


def test_nothing_alerts_before_it_is_calibrated() -> None:
    finding = below_floor(None, Floor(), "1", now_ms=0)
    assert finding is not None
    assert finding.reason == CheckReason.NOT_CALIBRATED


def test_labels_of_an_endpoint_are_counted_by_what_the_evaluator_flags() -> None:
    rows = [replace(row, endpoint="chat" if n % 2 else "") for n, row in enumerate(labelled(30, 60))]
    scores = scored([0.9 if row.fault else 0.1 for row in rows])
    found = readings({"": scores})
    whole = calibrated(EMPTY, chosen(candidates(JUDGE, found), rows), rows, scores)
    assert whole.own == {"chat": OwnLabels(15, 15, 0, 30)}


def test_a_calibration_survives_json_and_nonsense_is_refused() -> None:
    full = replace(GOOD, own={"chat": OwnLabels(9, 10, 1, 50)}, readout="Word", threshold="0.41", message="x")
    assert calibration_from_json({**calibration_to_json(full), "later": 1}) == full
    broken = [
        {**calibration_to_json(full), "found": 99},
        {**calibration_to_json(full), "flipped": 301},
        {**calibration_to_json(full), "at_ms": "soon"},
        {**calibration_to_json(full), "own": {"chat": {"flagged": 1, "flagged_faulty": 2}}},
        {**calibration_to_json(full), "own": 7},
        {"labels": None},
    ]
    for row in broken:
        with pytest.raises(ValueError, match=r"."):
            calibration_from_json(row)


def test_a_payload_stands_in_the_text_that_the_evaluator_reads() -> None:
    rows = [exchange(f"e{n}") for n in range(3)]
    for one in attacks(rows, range(3), into="question"):
        assert one.exchange.response == "No."
        assert one.exchange.messages[-1].text.startswith("May I?\n")
        assert one.exchange.messages[-1].role == "user"
    for one in attacks(rows, range(3)):
        assert one.exchange.messages == rows[0].messages
        assert one.exchange.response.startswith("No.\n")
