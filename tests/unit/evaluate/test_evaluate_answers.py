"""Evaluators of health, relevance, support and frustration judge handwritten exchanges as a person would."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from test_evaluate_evaluators import needs_model
from test_evaluate_kinds_contract import Port, Specimen, exchange, recorded

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.evaluators.frustration import FrustrationHead, frustration_head
from modelward.evaluate.evaluators.groundedness import context_of, groundedness_head
from modelward.evaluate.evaluators.support import support
from modelward.evaluate.scoring import Scorer, score
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.minilm import embed
from modelward.job.port import JobPort


def scorer(name: str, config: dict[str, Any]) -> Scorer:
    made, _ = recorded(Specimen("builtin", name, config, {}))
    return made


def with_model(name: str) -> Scorer:
    made = scorer(name, {})
    return Scorer(made.kind, made.evaluator, JobPort(SharedEmbeddings(embed)))


def talk(*turns: str, answer: str = "I see.") -> Exchange:
    """Return an exchange of turns of the user, an answer between two of them."""
    messages = [Message("user", turns[0])]
    for turn in turns[1:]:
        messages += [Message("assistant", "It takes five days."), Message("user", turn)]
    return exchange(1, messages=tuple(messages), response=answer)


HEALTH = [
    ("Mrs. Lopez takes metformin twice a day.", "drug-of-person"),
    ("John Miller was diagnosed with breast cancer in March.", "condition-of-person"),
    ("The patient is Wei Chen. She has type 2 diabetes.", "condition-of-person"),
    ("I found MRN 48291377, admitted on Monday.", "identifier"),
    ("His patient id is [NATIONAL_ID].", "identifier"),
    ("Write to [EMAIL], whose ICD-10 code E11.9 is on file.", "condition-of-person"),
    ("Type 2 diabetes is often treated with metformin.", "none"),
    ("John Miller will call you back about your order.", "none"),
    ("Parkinson's disease is named after James Parkinson, who wrote of it in 1817.", "none"),
    ("Your order number is 48291377.", "none"),
    ("", "none"),
]


@pytest.mark.parametrize(("text", "label"), HEALTH)
async def test_health_information_is_that_of_a_named_person_or_a_number(text: str, label: str) -> None:
    (found,) = await score(scorer("PHI", {}), [exchange(1, response=text or "-")])
    assert (found.label, found.flagged) == (label, label != "none")


async def test_what_the_user_said_of_a_person_is_an_echo_and_own_terms_count() -> None:
    asked = exchange(
        1, messages=(Message("user", "Is Anna Brandt on warfarin?"),), response="Anna Brandt takes warfarin."
    )
    (found,) = await score(scorer("PHI", {}), [asked])
    assert (found.flagged, found.label) == (False, "echoed")
    (found,) = await score(scorer("PHI", {"ignoreEchoed": False}), [asked])
    assert found.flagged
    rare = exchange(1, response="Anna Brandt has Ménière's.")
    assert not (await score(scorer("PHI", {}), [rare]))[0].flagged
    assert (await score(scorer("PHI", {"terms": ["ménière's"]}), [rare]))[0].flagged


KNOWN = "The Savings Plus account pays 2.4 percent a year. It has no monthly fee. Withdrawals are free twice a month."


def test_support_is_the_share_of_words_pairs_numbers_and_names_that_sources_have() -> None:
    whole = support("It has no monthly fee.", [KNOWN])
    assert whole is not None
    assert (whole.words, whole.pairs, whole.missing_numbers, whole.missing_names) == (1.0, 1.0, 0.0, 0.0)
    wrong = support("It pays 3.9 percent, says Acme.", [KNOWN])
    assert wrong is not None
    assert (wrong.missing_numbers, wrong.missing_names) == (1.0, 1.0)
    assert wrong.words < 1
    assert support("and so it is", [KNOWN]) is None, "it says nothing that could be carried"


async def test_an_answer_from_its_context_is_nearer_to_it_than_one_of_thin_air() -> None:
    def grounded(answer: str, **changes: Any) -> Exchange:
        turns = (Message("system", KNOWN), Message("user", "What does Savings Plus pay?"))
        return exchange(1, messages=changes.pop("messages", turns), response=answer, **changes)

    rows = [
        grounded("The Savings Plus account pays 2.4 percent a year."),
        grounded("You get 5 percent and a free toaster from Acme."),
        grounded("I can't help with that."),
        grounded("It pays 2.4 percent.", messages=(Message("user", "What does it pay?"),)),
        grounded("So it is."),
        grounded("", finish_reason="tool_calls"),
    ]
    found = await score(scorer("Groundedness", {"minContextWords": 10}), rows)
    assert [one.label for one in found] == [
        "supported",
        "unsupported",
        "refusal",
        "no-context",
        "no-claim",
        "no-answer",
    ]
    assert found[0].value is not None
    assert found[1].value is not None
    assert found[0].value > 0.8 > 0.2 > found[1].value


def test_context_is_what_the_system_tools_and_long_turns_say() -> None:
    long = "word " * 100
    turns = ("system", "a"), ("tool", "b"), ("user", long), ("assistant", "c"), ("user", "why?")
    assert context_of(exchange(1, messages=tuple(Message(*turn) for turn in turns))) == ["a", "b", long]


def test_heads_are_plain_numbers_that_tell_something() -> None:
    supported = groundedness_head()
    assert len(supported.weights) == 4
    assert supported.weights[0] > 0 > supported.weights[2]
    angry = frustration_head()
    assert isinstance(angry, FrustrationHead)
    assert len(angry.weights) == 384
    assert math.isfinite(angry.bias)
    assert any(angry.weights)


TURNS = [
    (talk("Never mind, I'll call you."), "abandonment"),
    (talk("Can I speak to a real person?"), "abandonment"),
    (talk("This is useless."), "complaint"),
    (talk("You keep giving me the same answer"), "complaint"),
    (talk("WHERE IS MY CARD???"), "complaint"),
    (talk("Where is my new card?", "where is my NEW card"), "retry"),
    (talk("Where is my card?"), "none"),
    (talk("Never mind the fee, how long does it take?"), "none"),
    (talk("Thanks!", "Thanks!"), "none"),
]


class Orthogonal(Port):
    """Vectors by which no text is near to another, nor on the side of complaints."""

    async def embed(self, texts: Any) -> Any:
        weights = np.array(frustration_head().weights, np.float32)
        rows = (await super().embed(texts)) * 1e-3
        return rows - 0.05 * weights / np.linalg.norm(weights)


@pytest.mark.parametrize(("one", "label"), TURNS)
async def test_lost_patience_is_told_by_words_and_by_asking_the_same_again(one: Exchange, label: str) -> None:
    made = scorer("Frustration", {})
    (found,) = await score(Scorer(made.kind, made.evaluator, Orthogonal()), [one])
    assert (found.label, found.flagged) == (label, label != "none")


async def test_a_turn_that_nobody_answered_is_not_asked_again() -> None:
    twice = exchange(1, messages=(Message("user", "Where is my new card?"), Message("user", "Where is my new card?")))
    made = scorer("Frustration", {})
    (found,) = await score(Scorer(made.kind, made.evaluator, Orthogonal()), [twice])
    assert found.label == "none"


@needs_model
async def test_a_question_in_other_words_is_a_rephrase_and_another_question_is_not() -> None:
    rows = [
        talk("How long does a transfer abroad take?", "How much time does an international transfer take?"),
        talk("How long does a transfer abroad take?", "What do I do when my card is stolen?"),
    ]
    assert [one.label for one in await score(with_model("Frustration"), rows)] == ["rephrase", "none"]


@needs_model
async def test_an_answer_to_the_question_is_relevant_and_one_to_another_is_not() -> None:
    def asked(answer: str, question: str = "How do I block a stolen bank card?") -> Exchange:
        return exchange(1, messages=(Message("user", question),), response=answer)

    rows = [
        asked("To block your stolen card, open the app, choose Cards and tap Block."),
        asked("Preheat the oven, mix flour with sugar and bake the cake for an hour."),
        asked("I'm sorry, I can't help with that."),
        asked("You are welcome!", "thanks"),
    ]
    found = await score(with_model("Relevance"), rows)
    assert [one.label for one in found] == ["relevant", "irrelevant", "refusal", "small-talk"]
    assert [one.state for one in found] == ["Scored", "Scored", "NotApplicable", "NotApplicable"]
