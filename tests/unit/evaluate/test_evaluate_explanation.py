"""A reason is text of others: whatever it holds, what is kept of it is short, printable and masked."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hostile_text import hostile_texts
from hypothesis import given
from hypothesis import strategies as st

from modelward.evaluate.explanation import explanation
from modelward.evaluate.judge.labels import LabelSet
from modelward.evaluate.judge.reading import LabelReading, read
from modelward.evaluate.judge.reply import Reply, Spent, decoded
from modelward.evaluate.port import ScoringReply
from modelward.evaluate.score_contract.replies import scores

LABELS = LabelSet(("off-brand",), ("on-brand",), ())
MAIL = "jane.doe@example.com"


def by_judge(text: Any) -> str:
    reply = Reply(json.dumps({"label": "off-brand", "reason": text}), cut=False, tokens=(), model="m", spent=Spent())
    found = read("JSONSchema", reply, LABELS)
    assert isinstance(found, LabelReading)
    return found.reason


def by_service(text: Any) -> str:
    row = {"id": "a", "state": "Scored", "flagged": True, "explanation": text}
    found = scores(ScoringReply(200, json.dumps({"scores": [row]}).encode()), ["a"], ())["a"]
    assert found.state == "Scored"
    return found.explanation


every_kind = pytest.mark.parametrize("kept", [by_judge, by_service], ids=["judge", "score-v1"])


@every_kind
def test_it_is_kept_masked(kept: Any) -> None:
    assert kept(f"It tells\n{MAIL} to write.") == "It tells [EMAIL] to write."


@every_kind
def test_a_value_that_the_limit_would_cut_leaves_no_part(kept: Any) -> None:
    for before in range(275, 300, 2):
        found = kept("x" * before + f" {MAIL} and more" + " words" * 9)
        assert "jane" not in found
        assert len(found) <= 300


@every_kind
def test_nor_does_one_at_the_end_of_what_is_read(kept: Any) -> None:
    long = f"secret {'k' * 900}@example.com "
    for before in range(1_180, 1_200, 2):
        assert "jane" not in kept(long + "x" * (before - len(long)) + f" {MAIL} more")


@every_kind
@pytest.mark.parametrize(
    "hidden", ["jane\u200b.doe@example.com", "jane.\x00doe@example.com", "jane.doe@\u202eexample.com"]
)
def test_what_cannot_be_printed_hides_nothing(kept: Any, hidden: str) -> None:
    assert kept(f"It names {hidden} there") == "It names [EMAIL] there"


@every_kind
@pytest.mark.parametrize("odd", [None, 7, True, ["text"], {"a": "text"}, "", "\n\t "])
def test_what_is_no_text_is_none(kept: Any, odd: Any) -> None:
    assert kept(odd) == ""


@every_kind
def test_a_huge_one_costs_no_more_than_a_long_one(kept: Any) -> None:
    assert len(kept("word " * 200_000)) <= 300
    assert kept("x" * 900_000) == ""


@every_kind
@pytest.mark.parametrize("text", hostile_texts(40))
def test_hostile_texts_are_one_short_line_that_can_be_sent(kept: Any, text: str) -> None:
    found = kept(text)
    assert len(found) <= 300
    assert found.isprintable()
    assert orjson.loads(orjson.dumps(found)) == found


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | st.text(st.characters(categories=["Cs", "Cc"])))
def test_any_text_can_be_kept(text: str) -> None:
    found = explanation(text)
    assert len(found) <= 300
    assert found.isprintable()
    assert orjson.loads(orjson.dumps(found)) == found


def test_a_judge_s_name_for_its_model_can_be_sent_too() -> None:
    found = decoded(json.dumps({"model": "m\ud800\x00-1", "choices": [{"text": "ok"}]}).encode())
    assert found is not None
    assert found.model == "m-1"
