"""Measure the refusal head where it has not seen any of it, and write the rates that the package ships.

    python bench/evaluators/refusal.py [--write] [--vectors FILE.npz]

XSTest: each model's answers are judged by a head that was trained without that model. Small models' own answers
(`bench/evaluators/answers`): those of the assistants that came last (`check`) by the shipped head, which saw no
answer of theirs; those of the others by heads that were trained without the assistant. Intervals of F1 draw whole
assistants.
Prints JSON; --write puts the rates of both, pooled, into measured.json and the report into results.json beside it.
The head itself is written by `modelward evaluators train`. Needs the labelled sets (MODELWARD_DATA) and the model.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vectors import KeptVectors

from modelward.evaluate.evaluators import measured
from modelward.evaluate.evaluators.refusal import HEAD, REFUSED_FROM, SCOPE_FROM, WORDS_FROM, refusals
from modelward.evaluate.evaluators.refusal_words import openings
from modelward.evaluate.heads import Head, shipped_head
from modelward.evaluate.interval import wilson
from modelward.job.training.labelled_sets import SETS, SMALL_MODELS, XSTEST_MODELS, LabelledSet, Row
from modelward.job.training.recipes import RECIPES, Recipe
from modelward.job.training.trainer import train

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data"))
"""The labelled sets; without the variable, the folder shared/data beside the checkout."""
BENCH = ROOT / "bench" / "evaluators"
ANSWERS = BENCH / "answers" / "answers.jsonl"

Flags = NDArray[np.bool_]
Answer = dict[str, Any]
FOLDS, RESAMPLES = 5, 2_000
LABELS = {"refused": "refusal", "answered": "answer", "counter-question": "answer", "neither": "answer"}
"""What a head learns of an answer; partial refusals are left out."""


class Judge:
    """Says of answers whether they refuse, by one embedder."""

    def __init__(self, embed: KeptVectors) -> None:
        self.embed = embed

    def says(self, answers: Sequence[str], questions: Sequence[str], head: Head) -> Flags:
        """Return which of the answers to these questions a head takes for refusals."""
        opened = openings(answers)
        return np.array(refusals(opened, questions, self.embed(opened), head), bool)

    def without(self, name: str) -> Head:
        """Return a head that is trained without a set."""
        recipe = RECIPES[HEAD]
        return self._trained(replace(recipe, parts=tuple(part for part in recipe.parts if part.set != name)))

    def taught_by(self, answers: Sequence[Answer]) -> Head:
        """Return a head that learns from these answers in place of those in the package."""
        rows = [Row(one["answer"], LABELS[one["label"]], one["question"]) for one in answers if one["label"] in LABELS]
        kept, SETS[SMALL_MODELS] = SETS[SMALL_MODELS], LabelledSet(SMALL_MODELS, "", "", "", lambda _: rows)
        try:
            return self._trained(RECIPES[HEAD])
        finally:
            SETS[SMALL_MODELS] = kept

    def _trained(self, recipe: Recipe) -> Head:
        found = train(recipe, DATA, self.embed)
        return Head(found.weights, found.bias, (), found.pieces)


def own_answers(*, check: bool) -> list[Answer]:
    """Read small models' answers, of the last assistants or of the others; what is not in English is left out."""
    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if (row["split"] == "check") == check and row["label"] != "not-applicable"]


def says_of(judge: Judge, rows: Sequence[Answer], head: Head) -> Flags:
    """Return which of these rows a head takes for refusals."""
    return judge.says([row["answer"] for row in rows], [row["question"] for row in rows], head)


def fold(assistant: str) -> int:
    """Return the part that an assistant is in, the same in every run."""
    return int.from_bytes(hashlib.sha256(assistant.encode()).digest()[:4], "big") % FOLDS


def rates(found: Flags, refused: Flags) -> dict[str, float | int]:
    """Return F1, true and false positive rates with the sizes of the classes."""
    true = int((found & refused).sum())
    return {
        "f1": round(2 * true / max(1, int(found.sum() + refused.sum())), 4),
        "truePositiveRate": round(float(found[refused].mean()), 4),
        "falsePositiveRate": round(float(found[~refused].mean()), 4),
        "refusals": int(refused.sum()),
        "answers": int((~refused).sum()),
    }


def f1_interval(found: Flags, refused: Flags, assistants: NDArray[np.str_]) -> list[float]:
    """Return the 95 % interval of F1 where whole assistants are drawn (bootstrap percentiles)."""
    names, chance = np.unique(assistants), np.random.default_rng(7)
    both, either = (
        np.array([count[assistants == name].sum() for name in names])
        for count in (2 * (found & refused).astype(int), found.astype(int) + refused.astype(int))
    )
    drawn = chance.integers(0, len(names), (RESAMPLES, len(names)))
    values = both[drawn].sum(axis=1) / np.maximum(1, either[drawn].sum(axis=1))
    return [round(float(value), 3) for value in np.percentile(values, (2.5, 97.5))]


def of_xstest(judge: Judge) -> dict[str, Any]:
    """Judge each model's answers by a head that was trained without them."""
    found: list[Flags] = []
    refused: list[Flags] = []
    for model in XSTEST_MODELS:
        name = f"XSTest {model}"
        rows = SETS[name].rows(DATA)
        found.append(judge.says([row.text for row in rows], [row.question for row in rows], judge.without(name)))
        refused.append(np.array([row.label == "refusal" for row in rows]))
    each = zip(XSTEST_MODELS, found, refused, strict=True)
    return {
        "all": rates(np.concatenate(found), np.concatenate(refused)),
        "byModel": {model: rates(one, truth) for model, one, truth in each},
    }


def of_own(rows: Sequence[Answer], found: Flags) -> dict[str, Any]:
    """Return how good flags of small models' answers are; partial refusals count apart."""
    refused = np.array([row["label"] == "refused" for row in rows])
    whole = np.array([row["label"] != "partial" for row in rows])
    models, assistants = (np.array([row[key] for row in rows]) for key in ("model", "assistant"))
    kinds = np.array([f"{row['label']}, {row['topic']} topic" for row in rows])
    plain = kinds == "answered, on topic"
    return {
        "withoutPartial": rates(found[whole], refused[whole])
        | {"f1Interval": f1_interval(found[whole], refused[whole], assistants[whole])},
        "byModel": {str(one): rates(found[whole & (models == one)], refused[whole & (models == one)])
                    for one in np.unique(models)},
        "plainOnTopicMistaken": {name: share(found[plain & held]) for name, held in
                                 (("all", whole), *((str(one), models == one) for one in np.unique(models)))},
        "shareFlagged": {str(kind): share(found[kinds == kind]) for kind in np.unique(kinds)},
    }  # fmt: skip


def share(found: Flags) -> dict[str, float | int]:
    """Return a share with its Wilson interval and the rows that it is of."""
    interval = wilson(int(found.sum()), len(found))
    return {"flagged": round(interval.value, 4), "low": round(interval.low, 4), "high": round(interval.high, 4),
            "rows": len(found)}  # fmt: skip


def cross_fitted(judge: Judge) -> dict[str, Any]:
    """Judge the answers of each assistant by a head that learnt from none of them."""
    rows = own_answers(check=False)
    folds = np.array([fold(row["assistant"]) for row in rows])
    found = np.zeros(len(rows), bool)
    for number in range(FOLDS):
        head = judge.taught_by([row for row, one in zip(rows, folds, strict=True) if one != number])
        held = np.flatnonzero(folds == number)
        found[held] = says_of(judge, [rows[i] for i in held], head)
    return of_own(rows, found)


def checked(judge: Judge) -> dict[str, Any]:
    """Judge the answers of the last assistants by the shipped head."""
    rows = own_answers(check=True)
    return of_own(rows, says_of(judge, rows, shipped_head(HEAD)))


def write(report: dict[str, Any]) -> None:
    """Put the rates on own answers into the package, and the report beside other benches'."""
    parts = [report[name]["withoutPartial"] for name in ("check", "crossFitted")]
    assistants = {row["assistant"] for check in (True, False) for row in own_answers(check=check)}

    def pooled(rate: str, rows: str) -> tuple[int, int]:
        count = sum(part[rows] for part in parts)
        return round(1e6 * sum(round(part[rate] * part[rows]) for part in parts) / count), count

    (told, refused), (mistaken, answered) = (
        pooled("truePositiveRate", "refusals"),
        pooled("falsePositiveRate", "answers"),
    )
    row = {
        "true_positive_ppm": told,
        "false_positive_ppm": mistaken,
        "dataset": f"answers of small models of {len(assistants)} assistants, each judged by a head that never saw it",
        "positives": refused,
        "negatives": answered,
    }
    _merge(Path(measured.__file__).with_name(measured.FILE), "Refusal", row)
    _merge(BENCH / "results.json", "refusal", report)


def _merge(path: Path, name: str, row: dict[str, Any]) -> None:
    whole = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(whole | {name: row}, indent=2) + "\n")


def main() -> None:
    """Measure, and write the rates when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    embed = KeptVectors(options.vectors)
    judge = Judge(embed)
    report: dict[str, Any] = {
        "thresholds": {"head": REFUSED_FROM, "with words": WORDS_FROM, "with its scope": SCOPE_FROM},
        "xstest": of_xstest(judge),
        "crossFitted": cross_fitted(judge),
        "check": checked(judge),
    }
    embed.save()
    print(json.dumps(report, indent=2))
    if options.write:
        write(report)


if __name__ == "__main__":
    main()
