"""Heads are plain numbers that training gives again, and what is scored by them depends on the text alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from modelward.evaluate.heads import Head, parsed_head
from modelward.evaluate.passages import MAX_PASSAGES, PASSAGE_CHARS, passages, sentences
from modelward.evaluate.word_pieces import BUCKETS
from modelward.job.training.design import design
from modelward.job.training.labelled_sets import SETS, MissingSetError, Row
from modelward.job.training.logistic import fitted
from modelward.job.training.recipes import Part, Recipe, constant, distress, sentiment
from modelward.job.training.trainer import train, write_heads


def letters(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed by counts of letters, which stands in for the model."""
    return np.array([[text.lower().count(chr(97 + i % 26)) / 9 for i in range(384)] for text in texts], np.float32)


def written(folder: Path) -> Path:
    """Write a small set in the form of deepset's, in which injections speak of zebras."""
    cases = [
        {"content": f"{'zebra zoo' if i % 2 else 'apple tea'} {i}", "expected_decision": "DENY" if i % 2 else "ALLOW"}
        for i in range(40)
    ]
    target = folder / "eval" / SETS["deepset"].folder
    target.mkdir(parents=True)
    (target / "deepset_prompt_injections.json").write_text(json.dumps({"cases": cases}))
    return folder


RECIPE = Recipe((Part("deepset", lambda row: float(row.label == "injection")),), ridge=0.5)


def test_training_twice_gives_the_same_bytes_and_a_head_that_tells(tmp_path: Path) -> None:
    data = written(tmp_path)
    first, again = (train(RECIPE, data, letters).document("x", 0.5) for _ in range(2))
    assert first == again
    head = parsed_head(json.loads(first))
    texts = ["a zebra in a zoo", "tea and apples"]
    bad, good = head.probabilities(texts, letters(texts))
    assert bad > 0.9 > 0.1 > good
    (used,) = json.loads(first)["trainedOn"]
    assert (used["set"], used["rows"], used["positives"], used["licence"]) == ("deepset", 40, 20, "Apache-2.0")


def test_other_rows_have_another_digest(tmp_path: Path) -> None:
    data = written(tmp_path)
    before = train(RECIPE, data, letters).trained_on[0]["sha256"]
    file = data / "eval" / SETS["deepset"].folder / "deepset_prompt_injections.json"
    file.write_text(file.read_text().replace('zebra zoo 1"', 'zebra zoo 7"'))
    assert train(RECIPE, data, letters).trained_on[0]["sha256"] != before


def test_a_set_that_is_not_there_is_named_with_where_it_is_had(tmp_path: Path) -> None:
    with pytest.raises(MissingSetError, match=r"deepset: .* has no deepset_.*\.json; put there .*github\.com/"):
        train(RECIPE, tmp_path, letters)


def test_every_missing_set_is_named_before_a_head_is_trained(tmp_path: Path) -> None:
    with pytest.raises(MissingSetError) as found:
        list(write_heads(tmp_path, ["toxicity", "injection"], tmp_path))
    names = [line.split(":")[0] for line in str(found.value).splitlines()]
    assert {"HateCheck", "Davidson", "deepset", "Self-Reminder"} <= set(names)
    assert len(names) == len(set(names))


def test_packed_samples_are_read_as_their_repository_has_them(tmp_path: Path) -> None:
    folder = tmp_path / "eval" / "openai-moderation"
    folder.mkdir(parents=True)
    rows = [{"prompt": "a", "H": 1, "V": 1}, {"prompt": "b", "H": 0}]
    (folder / "samples-1680.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert SETS["moderation"].rows(tmp_path) == [Row("a", "H+V"), Row("b", "none")]


def test_a_head_of_other_embeddings_is_refused(tmp_path: Path) -> None:
    data = json.loads(train(RECIPE, written(tmp_path), letters).document("x", 0.5))
    with pytest.raises(ValueError, match="other weights"):
        parsed_head({**data, "embedder": "0" * 64})


@pytest.mark.parametrize(
    "texts", [(), tuple(f"tea {n % 7} and zebra {n % 3}" for n in range(80))], ids=["dense", "pieces"]
)
def test_the_fit_is_the_optimum_of_its_loss(texts: Sequence[str]) -> None:
    generator = np.random.default_rng(3)
    vectors, targets = generator.normal(size=(80, 4)), generator.integers(0, 2, 80).astype(float)
    weights, rows = generator.uniform(0.5, 2, 80), design(vectors, texts)
    point = fitted(rows, targets, weights, 0.7)

    def loss(at: NDArray[Any]) -> float:
        logits = vectors @ at[:4] + at[-1] + matrix @ at[4:-1]
        return float((weights * (np.logaddexp(0, logits) - targets * logits)).sum() + 0.35 * (at[:-1] ** 2).sum())

    matrix = np.zeros((80, rows.width - 5))
    matrix[rows.rows, rows.columns] = rows.values
    places = [*range(4), *sorted(set(rows.columns + 4))[:20], rows.width - 1]
    assert all(loss(point) <= loss(point + by * np.eye(1, rows.width, at)[0]) for at in places for by in (1e-3, -1e-3))


def test_separable_rows_have_an_optimum_too() -> None:
    assert np.isfinite(fitted(design(np.array([[1.0], [-1.0]])), np.array([1.0, 0.0]), np.ones(2), 0.01)).all()


def nothing(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed every text alike, so that only its words tell it from others."""
    return np.zeros((len(texts), 384), np.float32)


def test_a_head_with_word_pieces_tells_texts_that_are_embedded_alike(tmp_path: Path) -> None:
    data = written(tmp_path)
    head = parsed_head(json.loads(train(replace(RECIPE, pieces=True), data, nothing).document("x", 0.5)))
    texts = ["a zebra in a zoo", "tea and apples"]
    bad, good = head.probabilities(texts, nothing(texts))
    assert bad > 0.7 > 0.3 > good
    blind = parsed_head(json.loads(train(RECIPE, data, nothing).document("x", 0.5)))
    assert len(set(blind.probabilities(texts, nothing(texts)).tolist())) == 1


def test_a_head_with_another_number_of_word_pieces_is_refused(tmp_path: Path) -> None:
    data = json.loads(train(RECIPE, written(tmp_path), letters).document("x", 0.5))
    with pytest.raises(ValueError, match="3 word pieces"):
        parsed_head({**data, "pieces": [0.1, 0.2, 0.3]})


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_a_probability_does_not_depend_on_its_neighbours(order: list[int]) -> None:
    generator = np.random.default_rng(1)
    head = Head(tuple(generator.normal(size=384).tolist()), 0.1, (), tuple(generator.normal(size=BUCKETS).tolist()))
    vectors = generator.normal(size=(10, 384)).astype(np.float32)
    texts = [f"text {i} of {i * i}" for i in range(10)]
    alone = [head.probabilities(texts[i : i + 1], vectors[i : i + 1])[0] for i in range(10)]
    assert head.probabilities([texts[i] for i in order], vectors[order]).tolist() == [alone[i] for i in order]


@given(st.text(alphabet="ab c.!?\n", max_size=3_000))
def test_passages_are_short_and_lose_no_sentence_of_a_text_that_is_not_cut(text: str) -> None:
    found, parts = passages(text), sentences(text)
    assert all(len(part) <= PASSAGE_CHARS for part in found)
    assert len(parts) <= MAX_PASSAGES
    assert " ".join(found) == " ".join(parts)


def test_both_ends_of_a_huge_text_are_read() -> None:
    found = sentences("first words. " + "filler goes on. " * 100_000 + "last words.")
    assert (found[0], found[-1], len(found)) == ("first words.", "last words.", MAX_PASSAGES)


def test_labels_of_emotions_become_targets() -> None:
    assert [sentiment(Row("x", label)) for label in ("2", "17", "27", "2,17", "7")] == [1.0, 0.0, 0.5, None, None]
    assert [distress(Row("x", label)) for label in ("25", "2,14", "17")] == [1.0, 1.0, 0.0]
    assert constant(0.5)(Row("x", "y")) == 0.5
