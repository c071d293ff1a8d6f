"""Every built-in evaluator keeps the rules of evaluators, and judges handwritten exchanges as a person would."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from modelward.api.base import BUILTINS_HELP
from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange, Message, Redaction
from modelward.api.quantity import percent_ppm
from modelward.api.run_plan import PlanItem
from modelward.desired.evaluators import EvaluatorBlock
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.evaluators import pii
from modelward.evaluate.evaluators.pii import PII_IN_ANSWER, PIIConfig
from modelward.evaluate.evaluators.refusal_words import core, refuses_in_words
from modelward.evaluate.evaluators.topic_scope import is_small_talk, subject
from modelward.evaluate.kinds.builtin import BuiltinKind, settings_of
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import Scorer, score, window_result
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import UnknownEvaluatorError, catalogue, evaluators, resolved
from modelward.job.minilm import MODEL_FILE, MiniLM, MiniLMUnavailableError, default_directory, embed
from modelward.job.port import JobPort

SCOPE = {"inScope": ["questions about bank cards", "bank account balance and payments", "money transfers and fees"]}
ABOUT_TOPIC = ("OffTopicAnswered", "OnTopicRefused", "TopicAdherence")
CONFIGS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(ABOUT_TOPIC, SCOPE),
    "Keywords": {"forbidden": ["idiot"]},
    "Format": {"maxChars": 9},
    "NumericDrift": {"number": "Duration"},
}
needs_model = pytest.mark.skipif(
    not (default_directory() / MODEL_FILE).is_file(),
    reason="the embedding model is not built: modelward evaluators prepare",
)


BUILTINS = evaluators(())
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def no_model(texts: Sequence[str]) -> NDArray[np.float32]:
    raise MiniLMUnavailableError("not built")


def evaluator(
    name: str, config: Mapping[str, Any], embed: Embed = no_model, known: EvaluatorCatalogue | None = None
) -> Scorer:
    known = known or catalogue()
    return known.scorer(resolved(EvaluatorBlock("builtin", name, config), known), JobPort(SharedEmbeddings(embed)))


def exchange(question: str, answer: str, **changes: Any) -> Exchange:
    base = Exchange(
        id="e", time_ms=1, endpoint="ns/chat", model="m", revision="r1", operation="chat", status=200, outcome="ok",
        content="Redacted", messages=(Message("user", question),), response=answer,
    )  # fmt: skip
    return replace(base, **changes)


HANDWRITTEN = [
    ("When will my new credit card arrive?", "It arrives within five working days.", "on-topic-answered"),
    ("What is the balance of my account?", "Your balance is 120 EUR.", "on-topic-answered"),
    ("Why was I charged a fee for my transfer?", "International transfers cost 2 EUR.", "on-topic-answered"),
    ("My card was stolen!", "I'm sorry to hear that. Freeze it in the app, then order a new one.", "on-topic-answered"),
    ("How do I change the PIN of my card?", "You can change it at any of our cash machines.", "on-topic-answered"),
    ("Can I pay abroad with my card?", "Yes, everywhere where Visa is accepted.", "on-topic-answered"),
    ("How do I bake a chocolate cake?", "Heat the oven to 180 C and mix flour, sugar and cocoa.", "off-topic-answered"),
    ("Who won the football world cup in 2014?", "Germany beat Argentina 1-0.", "off-topic-answered"),
    ("Write a poem about the sea", "The waves roll in, the waves roll out.", "off-topic-answered"),
    ("What is the capital of France?", "Paris is the capital of France.", "off-topic-answered"),
    ("How tall is Mount Everest?", "It is 8,849 metres high.", "off-topic-answered"),
    ("How do I bake a chocolate cake?", "I can only help with questions about your account.", "off-topic-refused"),
    ("Tell me a joke about dogs", "Sorry, that's outside of what I can do here.", "off-topic-refused"),
    ("What is the capital of France?", "As a banking assistant, I'm not able to answer that.", "off-topic-refused"),
    ("Who won the football world cup?", "That is not something I can help with.", "off-topic-refused"),
    ("What is the balance of my account?", "I cannot help with that request.", "on-topic-refused"),
    ("How do I order a new bank card?", "I'm sorry, but I am not able to assist with this.", "on-topic-refused"),
    ("Why was my card payment declined?", "I must decline to answer this question.", "on-topic-refused"),
]


@needs_model
@pytest.mark.parametrize(
    ("name", "fault"), [("OffTopicAnswered", "off-topic-answered"), ("OnTopicRefused", "on-topic-refused")]
)
async def test_topic_evaluators_judge_handwritten_exchanges_as_a_person_would(name: str, fault: str) -> None:
    exchanges = [exchange(question, answer, id=str(i)) for i, (question, answer, _) in enumerate(HANDWRITTEN)]
    scores = await score(evaluator(name, SCOPE, embed), exchanges)
    assert [s.label for s in scores] == [label for _, _, label in HANDWRITTEN]
    assert [s.flagged for s in scores] == [label == fault for _, _, label in HANDWRITTEN]


NOT_JUDGED = [
    (exchange("", "hello"), "NotApplicable", "no-question"),
    (exchange("where is my card?", " "), "NotApplicable", "no-answer"),
    (exchange("where is my card?", "", status=500, outcome="error"), "NotApplicable", "error"),
    (exchange("where is my card?", "It", outcome="cancelled"), "NotApplicable", "error"),
    (exchange("where is my card?", "x", operation="embeddings"), "NotApplicable", "operation"),
    (exchange("", "", content="MetadataOnly"), "NotCaptured", "no-text"),
    (exchange("Thanks a lot!", "You are welcome."), "NotApplicable", "small-talk"),
]


@pytest.mark.parametrize("name", ["OffTopicAnswered", "OnTopicRefused"])
async def test_what_cannot_be_judged_is_never_scored(name: str) -> None:
    scores = await score(evaluator(name, SCOPE, no_model), [e for e, _, _ in NOT_JUDGED])
    assert [(s.state, s.label) for s in scores] == [(state, label) for _, state, label in NOT_JUDGED]
    assert not any(s.flagged for s in scores)


@pytest.mark.parametrize("name", sorted(BUILTINS))
async def test_every_builtin_keeps_the_rules(name: str) -> None:
    manifest = BUILTINS[name].manifest
    made = evaluator(name, CONFIGS.get(name, {}))
    assert made.evaluator.facts.name == name
    assert made.evaluator.facts.version.startswith(f"{manifest.version}+")
    assert await score(made, []) == []
    if manifest.measured:
        assert manifest.measured.true_positive_ppm - manifest.measured.false_positive_ppm > 200_000
        assert manifest.measured.dataset
    json.dumps(manifest.document())


async def test_a_model_that_is_missing_fails_every_sample_and_looks_like_no_pass() -> None:
    item = PlanItem("chat", "p", "topic", "OffTopicAnswered", SCOPE, 0, 10)
    exchanges = [exchange("where is my card?", "on its way", id=f"e{i}") for i in range(5)]
    result, scores = await window_result(
        item, namespace="ns", run="r", evaluator=evaluator("OffTopicAnswered", SCOPE, no_model), exchanges=exchanges
    )
    assert result.reason == "EvaluatorFailing"
    assert (result.revisions["r1"].failed, result.revisions["r1"].samples) == (5, 0)
    assert {s.label for s in scores} == {"MiniLMUnavailableError"}


async def fussy(config: PIIConfig, exchanges: Sequence[Exchange], port: ScoringPort) -> list[Score]:
    """Fail on one exchange, and answer too few for another batch."""
    if any(e.id == "bad" for e in exchanges):
        raise RuntimeError
    return (await pii.score(config, exchanges, port))[: 1 if any(e.id == "short" for e in exchanges) else None]


async def test_one_odd_exchange_costs_itself_only() -> None:
    ids = ["a", "bad", "b", "short", "c"]
    known = EvaluatorCatalogue({"builtin": BuiltinKind({"PII": BuiltinEvaluator(PII_IN_ANSWER, fussy)})})
    scores = await score(evaluator("PII", {}, known=known), [exchange("q", "a", id=i) for i in ids])
    assert [s.id for s in scores] == ids
    assert [s.state for s in scores] == ["Scored", "Failed", "Scored", "Scored", "Scored"]


async def test_personal_data_is_judged_by_redactions_and_echoes_give_nothing_away() -> None:
    echoed = Redaction("EMAIL", 1, "response", echoed=True)
    leaked = (Redaction("IBAN", 2, "response"), Redaction("PHONE", 1, "response"))
    exchanges = [
        exchange("q", "a", id="0"),
        exchange("q", "a", redactions=(echoed,), id="1"),
        exchange("q", "a", redactions=(Redaction("EMAIL", 1, "prompt"),), id="2"),
        exchange("q", "a", redactions=leaked, id="3"),
        exchange("", "", content="MetadataOnly", redactions=leaked, id="4"),
        exchange("q", "a", content="Full", redactions=leaked, id="5"),
    ]
    scores = await score(evaluator("PII", {}), exchanges)
    assert [s.flagged for s in scores] == [False, False, False, True, False, True]
    assert scores[3].label == "leaked-IBAN"
    assert scores[1].label == "echoed-EMAIL"
    assert [s.state for s in scores[4:]] == ["NotCaptured", "Scored"]
    strict = evaluator("PII", {"ignoreEchoed": False, "kinds": ["EMAIL"]})
    assert [s.flagged for s in await score(strict, exchanges[:4])] == [False, True, False, False]


async def test_windows_are_summed_per_revision_with_their_weights() -> None:
    leak = (Redaction("IBAN", 1, "response"),)
    exchanges = [
        exchange("q", "a", id="1", time_ms=1, inclusion=0.1),
        exchange("q", "a", id="2", time_ms=2, inclusion=1.0, redactions=leak),
        exchange("q", "a", id="3", time_ms=3, revision="r2"),
    ]
    item = PlanItem("chat", "p", "pii", "PII", {}, 0, 10)
    result, _ = await window_result(
        item, namespace="ns", run="r", evaluator=evaluator("PII", {}, no_model), exchanges=exchanges
    )
    counts = result.revisions["r1"]
    assert (counts.samples, counts.flagged, counts.weight, counts.flagged_weight) == (2, 1, 11.0, 1.0)
    assert counts.weight_squared == pytest.approx(101.0)
    assert [e.id for e in result.examples["r1"]] == ["2"]
    assert (result.revisions["r2"].flagged, result.reason) == (0, "")


async def test_windows_without_anything_to_judge_say_why() -> None:
    item = PlanItem("chat", "p", "topic", "OffTopicAnswered", SCOPE, 0, 10)

    async def reason(*exchanges: Exchange) -> str:
        made = evaluator("OffTopicAnswered", SCOPE, no_model)
        return (await window_result(item, namespace="ns", run="r", evaluator=made, exchanges=exchanges))[0].reason

    assert await reason() == "NoTraffic"
    assert await reason(exchange("", "", content="MetadataOnly")) == "NoCapture"
    assert await reason(exchange("hi", "hello")) == ""


@pytest.mark.parametrize(
    ("name", "config", "says"),
    [
        ("Nope", {}, "there are .*OffTopicAnswered"),
        ("OffTopicAnswered", {}, "inScope: Field required"),
        ("OffTopicAnswered", {"inScope": []}, "inScope"),
        (
            "OffTopicAnswered",
            {"scope": ["cards"]},
            "OffTopicAnswered: there is no setting scope; inScope: Field required",
        ),
        ("PII", {"kind": ["EMAIL"]}, "no setting kind; settings: kinds, ignoreKinds, ignoreEchoed"),
        ("PII", {"kinds": ["E MAIL"]}, 'kinds.0: "E MAIL" is not a kind of finding; write letters, digits'),
        ("OffTopicAnswered", SCOPE | {"treshold": "0.3"}, "treshold"),
        ("OffTopicAnswered", SCOPE | {"threshold": "1.5"}, "threshold"),
        (
            "OffTopicAnswered",
            SCOPE | {"threshold": "1.5"},
            '"1.5" is not a threshold; write auto, or in quotes a number',
        ),
        ("OffTopicAnswered", SCOPE | {"threshold": 0.5}, "threshold: 0.5 is not text; write it in quotes"),
        (
            "OffTopicAnswered",
            SCOPE | {"calibration": {"truePositive": "0.9", "falsePositive": "9%"}},
            'calibration.truePositive: "0.9" is not a measured share; write a number from 0 to 100',
        ),
        ("OffTopicAnswered", SCOPE | {"calibration": {"truePositive": "5%", "falsePositive": "9%"}}, "above"),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_field(name: str, config: dict[str, Any], says: str) -> None:
    with pytest.raises(UnknownEvaluatorError, match=says):
        evaluator(name, config, no_model)


def test_a_changed_configuration_or_calibration_is_another_version() -> None:
    def facts(**changes: Any) -> EvaluatorFacts:
        return evaluator("OffTopicAnswered", SCOPE | changes, no_model).evaluator.facts

    assert facts() == facts()
    assert facts().version != facts(threshold="0.3").version
    assert (facts(threshold="0.3").true_positive_ppm, facts(threshold="0.3").false_positive_ppm) == (1_000_000, 0)
    own = facts(threshold="0.3", calibration={"truePositive": "93%", "falsePositive": "2.5%"})
    assert (own.true_positive_ppm, own.false_positive_ppm) == (930_000, 25_000)


def test_short_follow_ups_are_judged_with_the_turn_before() -> None:
    turns = (Message("user", "Can I pay with my card?"), Message("assistant", "Yes"), Message("user", "and abroad?"))
    assert subject(exchange("", "", messages=turns)) == "Can I pay with my card? and abroad?"
    assert subject(exchange("Where is it?", "")) == "Where is it?"
    assert is_small_talk("Hi there!")
    assert not is_small_talk("hi, how do I bake a cake?")
    assert not is_small_talk("hi " * 10_000)


@pytest.mark.parametrize(
    "answer",
    ["You cannot change the PIN in the app; visit a cash machine.", "No, we do not support that yet.",
     "I can help you with that! First, open the app.", "I will help you with your card now.",
     "You're asking a question that's a classic case of a late payment.", "We can only offer you 2 % on savings.",
     "We only give a second card to couples.", "The page says that the user is not allowed to see it."],
)  # fmt: skip
def test_answers_with_a_no_in_them_are_no_refusals_by_wording(answer: str) -> None:
    assert not refuses_in_words(answer)


@pytest.mark.parametrize(
    "answer",
    ["I'm sorry for the misunderstanding, but I'm not able to assist you with that.",
     "I apologize for the trouble, but I can't give you this.", "Sorry for the wait. I'm unable to help."],
)  # fmt: skip
def test_a_refusal_after_words_of_sympathy_is_a_refusal(answer: str) -> None:
    assert refuses_in_words(core(answer))


def test_percentages_become_ppm_exactly() -> None:
    assert [percent_ppm(text) for text in ("93%", "2.5%", "0.01%", "100%")] == [930_000, 25_000, 100, 1_000_000]


@needs_model
def test_embeddings_are_unit_vectors_in_the_order_given_and_long_texts_are_cut() -> None:
    model = MiniLM()
    texts = ["where is my card", "x" * 100_000, "", "how do I bake a cake " * 2_000, "my card has not arrived"]
    vectors = model.encode(texts)
    assert vectors.shape == (5, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors[0] @ vectors[4] > 0.5 > vectors[0] @ vectors[3]


def test_a_model_that_is_not_built_names_the_command(tmp_path: Any) -> None:
    with pytest.raises(MiniLMUnavailableError, match=r"modelward evaluators prepare --output"):
        MiniLM(tmp_path)


async def test_personal_data_in_texts_that_were_not_searched_cannot_be_judged() -> None:
    by_hand = exchange("hi", "mail bob@example.org", searched=False)
    (found,) = await score(evaluator("PII", {}), [by_hand])
    assert (found.state, found.label) == ("NotCaptured", "not-searched"), "and not a false clean"


def test_the_help_of_the_api_names_every_evaluator_with_its_settings() -> None:
    for name, builtin in BUILTINS.items():
        assert f"{name}: " in BUILTINS_HELP
        if name != "OnTopicRefused":  # it has those of OffTopicAnswered
            assert all(f"{setting}: " in BUILTINS_HELP for setting in settings_of(builtin.manifest.config))
