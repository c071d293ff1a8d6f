"""What a scope's check says of its threshold, and how questions are measured by it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelward.evaluate.scope_check import (
    MIN_EXAMPLES,
    ScopeVectors,
    check,
    margin_of,
    rates_at,
    scope_of,
    scores,
    template_questions,
)

WIDTH = 24
SUBJECTS = tuple(f"subject {i // 3}" for i in range(60))


def around(seed: int, centre: int, count: int, noise: float = 0.15) -> NDArray[np.float32]:
    """Return unit vectors near the axis `centre`."""
    rows = np.random.default_rng(seed).normal(scale=noise, size=(count, WIDTH))
    rows[:, centre] += 1.0
    found: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def anywhere(seed: int, count: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, WIDTH))
    found: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def vectors(examples: int, seed: int = 0, noise: float = 0.15) -> ScopeVectors:
    return ScopeVectors(
        around(seed, 0, 2),
        around(seed + 1, 0, examples, noise),
        around(seed + 2, 0, 6),
        anywhere(seed + 3, 60),
        SUBJECTS,
    )


def test_questions_in_scope_score_above_the_middle_and_others_below() -> None:
    scope, found = check(vectors(30))
    inside, outside = scope.margins(around(9, 0, 200)), scope.margins(anywhere(10, 200))
    assert (scores(found.threshold, inside) > 0.5).mean() > 0.9
    assert (scores(found.threshold, outside) < 0.5).mean() > 0.8
    assert scores(found.threshold, inside).min() >= 0.0
    assert scores(found.threshold, outside).max() <= 1.0


def test_too_few_examples_say_no_error_rates_but_set_a_threshold() -> None:
    scope, found = check(vectors(MIN_EXAMPLES - 1))
    assert (found.caught, found.lost) == (None, None)
    assert rates_at(scope, found.threshold) is None
    assert found.threshold == pytest.approx(float(np.median(scope.rival_margins())))


def test_without_any_example_the_sentences_alone_are_the_scope() -> None:
    _, found = check(vectors(0))
    assert (found.examples, found.examples_out, found.templates) == (0, (), 6)


def test_the_share_told_as_lost_is_that_of_unseen_questions_on_average() -> None:
    told, seen = [], []
    for seed in range(0, 240, 4):
        scope, found = check(vectors(40, seed, noise=0.3))
        assert found.lost is not None
        told.append(found.lost)
        seen.append((scope.margins(around(seed + 7, 0, 200, 0.3)) < found.threshold).mean())
    assert np.mean(seen) == pytest.approx(np.mean(told), abs=0.02)


def test_an_example_that_is_nothing_like_the_others_falls_out_and_counts() -> None:
    good = vectors(60)
    odd = np.vstack([good.examples, around(5, 7, 12)])
    _, found = check(ScopeVectors(good.sentences, odd, good.templates, good.probes, SUBJECTS))
    assert found.lost is not None
    assert found.examples == 72
    assert all(0 <= i < 72 for i in found.examples_out)
    assert found.lost == pytest.approx((len(found.examples_out) + 1) / 73)


def test_subjects_nearest_to_the_scope_are_no_rivals() -> None:
    probes = anywhere(3, 60)
    probes[:3] = around(4, 0, 3)
    scope = scope_of(ScopeVectors(around(0, 0, 2), anywhere(1, 0), anywhere(2, 0), probes, SUBJECTS))
    assert "subject 0" not in scope.rival_subjects
    assert len(set(scope.rival_subjects)) == 15


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(30)), st.integers(0, 40))
def test_neither_the_order_of_examples_nor_neighbours_change_a_score(order: list[int], more: int) -> None:
    given_vectors = vectors(30)
    shuffled = ScopeVectors(
        given_vectors.sentences, given_vectors.examples[order], given_vectors.templates, given_vectors.probes, SUBJECTS
    )
    (scope, found), (other, found_other) = check(given_vectors), check(shuffled)
    question = around(11, 0, 1)
    alone = scores(found.threshold, scope.margins(question))
    among = scores(found_other.threshold, other.margins(np.vstack([question, anywhere(12, more)])))
    assert alone[0] == pytest.approx(among[0], abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 0.999))
def test_a_score_and_its_margin_are_inverse(score: float) -> None:
    _, found = check(vectors(25))
    assert float(
        scores(found.threshold, np.array([margin_of(found.threshold, score)], np.float32))[0]
    ) == pytest.approx(score, abs=1e-3)
    assert margin_of(found.threshold, 0.0) == -math.inf
    assert margin_of(found.threshold, 1.0) == math.inf


def test_templates_ask_about_each_part_of_a_sentence_once() -> None:
    asked = template_questions(["cards, PINs and fees", "fees or cards."])
    assert len(asked) == 9
    assert "I have a question about PINs." in asked
    assert template_questions(["and"]) == []
