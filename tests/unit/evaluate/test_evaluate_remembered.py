"""Scores that were paid for in an earlier run still say which model judged them, and how."""

from __future__ import annotations

from modelward.api.evaluation import AskedModel
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import remembered


def by(who: str) -> Score:
    return Score("e", "Scored", flagged=False, by=who)


def test_what_is_remembered_names_its_model_and_readout() -> None:
    assert remembered([by("ChatLabel small"), by("ChatLabel small")]) == AskedModel("small", "ChatLabel")
    assert remembered([by("Word b"), by("Word a")]) == AskedModel("a, b", "Word")
    assert remembered([by("Word")]) == AskedModel("", "Word")
    assert remembered([by(""), Score("f", "Failed")]) is None
    assert remembered([]) is None
