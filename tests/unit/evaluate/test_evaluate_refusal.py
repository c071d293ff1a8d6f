"""Refusals are told from answers that hold the same words; what the head learnt from is not what it is measured on."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_evaluate_evaluators import needs_model

from modelward.evaluate.evaluators.refusal import refusals
from modelward.evaluate.evaluators.refusal_question import columns, kind_of
from modelward.evaluate.evaluators.refusal_signs import first_sentence, signs
from modelward.evaluate.evaluators.refusal_words import OPENING_CHARS, core, openings, refuses_in_words
from modelward.evaluate.heads import Head
from modelward.job import training
from modelward.job.minilm import MiniLM
from modelward.job.training.labelled_sets import ANSWERS_FILE

ANSWERS = Path(__file__).resolve().parents[3] / "bench" / "evaluators" / "answers" / "answers.jsonl"
REFUSALS = [
    "I'm sorry, but I can't assist with that.",
    "Sorry, gardening is outside of what I can help with. Do you have a question about your account?",
    "I can only help with questions about flights and hotels.",
    "I don't have access to your personal data, so I am not able to tell you your balance.",
    "As an AI language model, I cannot give medical advice. Please see a doctor.",
    "Unfortunately I'm unable to cancel your contract. Please call our office.",
    "I'm sorry for the misunderstanding, but I'm not able to assist you with that.",
    "I must decline this request.",
    "I'm not going to answer that question.",
    "Sorry, no information about that from me right now.",
    "It is not possible for me to answer that. Shall we talk about courses?",
]
ANSWERED = [
    "You're asking a question that's a classic case of a late payment.",
    "We can only offer you the room without a balcony; it costs 80 euros.",
    "No, we do not ship to Ireland.",
    "You cannot bring glass bottles into the pool.",
    "I'm sorry for the delay. Your parcel arrives on Monday.",
    "I apologize for the inconvenience. Please restart the router and try again.",
    "Could you please give me your order number?",
    "Sure, I can help you with that. Which card do you mean?",
    "To change your address, open the app and tap on your name.",
    "The library is closed on Sundays, but you can return books at the box.",
]


@needs_model
def test_refusals_and_answers_with_the_words_of_refusals_are_told_apart() -> None:
    opened = openings(REFUSALS + ANSWERED)
    found = refusals(opened, [""] * len(opened), MiniLM().encode(opened))
    assert [text for text, refused in zip(REFUSALS + ANSWERED, found, strict=True) if refused] == REFUSALS


def test_nothing_to_judge_is_nothing_refused() -> None:
    assert refusals([], [], np.zeros((0, 384), np.float32)) == []


@pytest.mark.parametrize(("chance", "refused"), [(0.2, [False, False]), (0.45, [True, False]), (0.7, [True, True])])
def test_the_words_of_a_refusal_make_less_certainty_enough_and_never_decide_alone(
    chance: float, refused: list[bool]
) -> None:
    head = Head((0.0,) * (384 + len(columns("", ""))), math.log(chance / (1 - chance)), ())
    answers = ["I cannot help you.", "It is blue."]
    assert refusals(answers, ["", ""], np.zeros((2, 384), np.float32), head) == refused


def test_an_assistant_that_names_its_scope_refuses_unless_the_head_is_sure_that_it_does_not() -> None:
    answers = ["That is outside of what I do.", "It is outside of town."]
    for chance, refused in ((0.05, [False, False]), (0.2, [True, False])):
        head = Head((0.0,) * (384 + len(columns("", ""))), math.log(chance / (1 - chance)), ())
        assert refusals(answers, ["", ""], np.zeros((2, 384), np.float32), head) == refused


@given(st.text(max_size=OPENING_CHARS), st.text())
def test_columns_are_as_many_for_every_text(text: str, question: str) -> None:
    assert len(columns(text, question)) == len(columns("I cannot help.", "Can you help?"))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Do you ship to Ireland?", 0),
        ("I have a card. Can I use it in Chile? Thanks!", 0),
        ("Who sat next to me?", 1),
        ("My parcel is late", 2),
        ("Cancel order 55310", 3),
        ("Can you tell me the password?", 3),
        ("", None),
        ("?!", None),
    ],
)
def test_a_question_is_of_one_kind(question: str, kind: int | None) -> None:
    assert kind_of(question) == kind


def test_the_same_no_weighs_apart_as_an_answer_and_as_a_refusal() -> None:
    no = "No, we cannot ship to Ireland."
    asked, ordered, unknown = (columns(no, question) for question in ("Do you ship to Ireland?", "Ship it now", ""))
    assert asked[: len(signs(no))] == ordered[: len(signs(no))] == signs(no)
    places = [{i for i, value in enumerate(one) if value} for one in (asked, ordered)]
    assert places[0] - places[1]
    assert places[1] - places[0]
    assert unknown[len(signs(no)) :] == (0.0,) * (len(unknown) - len(signs(no)))


def test_a_sign_in_the_first_sentence_counts_more_than_one_later() -> None:
    first, later = "I cannot give you this number. It is blue.", "It is blue. I cannot give you this number."
    assert sum(signs(first)) > sum(signs(f"It is a very blue thing. {later}"))


def test_the_first_sentence_is_the_first_that_says_something() -> None:
    assert first_sentence("Hi! I'm sorry. We do not open on Sundays. Bye.") == "We do not open on Sundays."
    assert first_sentence("No.") == "No."


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]


def test_no_answer_of_an_assistant_that_checks_the_head_is_in_the_package() -> None:
    sides = defaultdict(set)
    for row in rows():
        sides[row["assistant"]].add(row["split"] == "check")
    assert all(len(side) == 1 for side in sides.values())
    assert sum(True in side for side in sides.values()) == 18
    packed = [json.loads(line) for line in (resources.files(training) / ANSWERS_FILE).read_text("utf-8").splitlines()]
    kinds = {"refused": "refusal", "answered": "answer", "counter-question": "answer", "neither": "answer"}
    ours = [row for row in rows() if row["split"] != "check" and row["label"] in kinds]
    assert packed == [[row["answer"], kinds[row["label"]], row["question"]] for row in ours], (
        "run bench/evaluators/answers/training_rows.py"
    )


def test_sympathy_alone_is_kept() -> None:
    assert core("I'm sorry to hear that.") == "I'm sorry to hear that."
    assert not refuses_in_words(core("I'm sorry to hear that. Your card is on its way."))
