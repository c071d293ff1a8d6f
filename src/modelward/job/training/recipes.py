"""What each head is trained on: which rows of which sets, and what their labels count as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from modelward.evaluate.evaluators.refusal_question import columns
from modelward.evaluate.evaluators.refusal_words import openings
from modelward.evaluate.passages import passages
from modelward.job.training.labelled_sets import (
    COMPOSED_ATTACKS,
    COMPOSED_HARM,
    OWN,
    OWN_ATTACKS,
    SMALL_MODELS,
    XSTEST_MODELS,
    Row,
)

POSITIVE_EMOTIONS = frozenset({"0", "1", "4", "5", "8", "13", "15", "17", "18", "20", "21", "23"})
"""Admiration, amusement, approval, caring, desire, excitement, gratitude, joy, love, optimism, pride, relief."""
NEGATIVE_EMOTIONS = frozenset({"2", "3", "9", "10", "11", "12", "14", "16", "19", "24", "25"})
"""Anger, annoyance, disappointment, disapproval, disgust, embarrassment, fear, grief, nervousness, remorse, sadness."""
DISTRESS_EMOTIONS = frozenset({"14", "16", "19", "24", "25"})
NEUTRAL_EMOTION = "27"

RowTarget = Callable[[Row], float | None]
"""1: at fault; 0: not; between: neither; None: the row is left out."""


@dataclass(frozen=True, slots=True)
class Part:
    """Every `every`-th row of a set, where it has a target, cut by `cut`, counted `weight` times."""

    set: str
    target: RowTarget
    every: int = 1
    weight: float = 1.0
    cut: Callable[[str], list[str]] = lambda text: [text]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A head's sets; `ridge` is that of the logistic regression.

    `pieces` says whether it weighs word pieces too, `columns` what it weighs of a text, and of the
    question that the text answers, beside the embedding.
    """

    parts: tuple[Part, ...]
    ridge: float = 1.0
    pieces: bool = False
    columns: Callable[[str, str], Sequence[float]] = lambda _text, _question: ()


def constant(value: float) -> RowTarget:
    """Return a target that all rows have."""
    return lambda _: value


def by_label(targets: Mapping[str, float]) -> RowTarget:
    """Return a target by label; rows of other labels are left out."""
    return lambda row: targets.get(row.label)


def sentiment(row: Row) -> float | None:
    """Return 1 for a negative, 0 for a positive and .5 for a neutral comment; mixed ones are left out."""
    found = set(row.label.split(","))
    negative, positive = bool(found & NEGATIVE_EMOTIONS), bool(found & POSITIVE_EMOTIONS)
    if negative != positive:
        return float(negative)
    return 0.5 if found == {NEUTRAL_EMOTION} else None


def distress(row: Row) -> float:
    """Return 1 for fear, grief, nervousness, remorse or sadness."""
    return float(bool(set(row.label.split(",")) & DISTRESS_EMOTIONS))


REFUSAL = by_label({"refusal": 1.0, "answer": 0.0})


def _opening(text: str) -> list[str]:
    return openings([text])


RECIPES: dict[str, Recipe] = {
    "sentiment": Recipe(
        (
            Part("GoEmotions train", sentiment, every=2),
            Part("CLINC150 train", constant(0.5), every=3),
            Part(COMPOSED_ATTACKS, by_label({"harmless": 0.5})),
        ),
        ridge=2.0,
        pieces=True,
    ),
    "distress": Recipe(
        (Part("GoEmotions train", distress, every=2), Part("CLINC150 train", constant(0.0), every=6)),
        ridge=2.0,
        pieces=True,
    ),
    "toxicity": Recipe(
        (
            Part("Davidson", by_label({"hate": 1.0}), weight=0.2),
            # Rows that are offensive without hate are left out: much of what they say is sexual or harasses.
            Part("Davidson", by_label({"neither": 0.0}), every=4, weight=0.2),
            Part("HateCheck", by_label({"hateful": 1.0, "non-hateful": 0.0}), weight=0.3),
            Part(OWN, lambda row: float(row.label != "harmless"), weight=20.0),
            Part(COMPOSED_HARM, lambda row: float(row.label != "harmless"), weight=8.0),
            Part("GoEmotions train", constant(0.0), every=4, weight=0.5),
            Part("CLINC150 train", constant(0.0), every=6),
        ),
        ridge=2.0,
        pieces=True,
    ),
    "injection": Recipe(
        (
            Part("deepset", by_label({"injection": 1.0, "benign": 0.0})),
            Part(OWN_ATTACKS, lambda row: float(row.label == "attack"), weight=2.0),
            Part(COMPOSED_ATTACKS, lambda row: float(row.label == "attack")),
            Part("GoEmotions train", constant(0.0), every=12),
            Part("Self-Reminder", constant(1.0), cut=lambda text: passages(text)[:4]),
            Part("CLINC150 train", constant(0.0), every=6),
            Part("BANKING77 train", constant(0.0), every=6),
        ),
        pieces=True,
    ),
    "refusal": Recipe(
        (
            *(Part(f"XSTest {model}", REFUSAL, cut=_opening) for model in XSTEST_MODELS),
            Part(SMALL_MODELS, REFUSAL, weight=4.0, cut=_opening),
        ),
        ridge=0.5,
        pieces=True,
        columns=columns,
    ),
}
