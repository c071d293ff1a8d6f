"""Measure the refusal head where it has not seen any of it, and write the rates that the package ships.

    python bench/evaluators/refusal.py [--write] [--test] [--vectors FILE.npz]

XSTest: each model's answers are judged by a head that was trained without that model. Small models' own answers
(`bench/evaluators/answers`): the head sees the training questions' only. The threshold was chosen on the tuning
questions' and XSTest; the test questions' are measured with --test alone. Prints JSON; --write, which takes --test too,
puts the rates into measured.json and the report into bench/evaluators/results.json. The head itself is written by
`modelward evaluators train`. Needs the labelled sets (MODELWARD_DATA) and the embedding model.
"""

from __future__ import annotations

import argparse
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
from modelward.evaluate.evaluators.refusal import HEAD, REFUSED_FROM, refusals
from modelward.evaluate.evaluators.refusal_words import openings
from modelward.evaluate.heads import Head, shipped_head
from modelward.job.training.labelled_sets import SETS, XSTEST_MODELS
from modelward.job.training.recipes import RECIPES
from modelward.job.training.trainer import train

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data"))
"""The labelled sets; without the variable, the folder shared/data beside the checkout."""
BENCH = ROOT / "bench" / "evaluators"
ANSWERS = BENCH / "answers" / "answers.jsonl"

Flags = NDArray[np.bool_]
Row = dict[str, Any]


class Judge:
    """Says of answers whether they refuse, by one embedder."""

    def __init__(self, embed: KeptVectors) -> None:
        self.embed = embed

    def says(self, answers: Sequence[str], head: Head) -> Flags:
        """Return which of these answers a head takes for refusals."""
        opened = openings(answers)
        return np.array(refusals(opened, self.embed(opened), head), bool)

    def without(self, name: str) -> Head:
        """Return a head that is trained without a set."""
        recipe = RECIPES[HEAD]
        kept = replace(recipe, parts=tuple(part for part in recipe.parts if part.set != name))
        found = train(kept, DATA, self.embed)
        return Head(found.weights, found.bias, ())


def own_answers(split: str) -> list[Row]:
    """Read small models' answers of one side of the split; what is not in English is left out."""
    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["split"] == split and row["label"] != "not-applicable"]


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


def of_xstest(judge: Judge) -> dict[str, Any]:
    """Judge each model's answers by a head that was trained without them."""
    found: list[Flags] = []
    refused: list[Flags] = []
    for model in XSTEST_MODELS:
        name = f"XSTest {model}"
        rows = SETS[name].rows(DATA)
        found.append(judge.says([row.text for row in rows], judge.without(name)))
        refused.append(np.array([row.label == "refusal" for row in rows]))
    each = zip(XSTEST_MODELS, found, refused, strict=True)
    return {
        "all": rates(np.concatenate(found), np.concatenate(refused)),
        "byModel": {model: rates(one, truth) for model, one, truth in each},
    }


def of_own(judge: Judge, split: str) -> dict[str, Any]:
    """Judge small models' answers to the questions of one side by the shipped head; partial refusals count apart."""
    rows = own_answers(split)
    found = judge.says([row["answer"] for row in rows], shipped_head(HEAD))
    refused = np.array([row["label"] == "refused" for row in rows])

    whole = np.array([row["label"] != "partial" for row in rows])
    late, models = np.array(["late" in row for row in rows]), np.array([row["model"] for row in rows])

    def chosen(held: Flags) -> dict[str, float | int]:
        return rates(found[whole & held], refused[whole & held])

    kinds = np.array([f"{row['label']}, {row['topic']} topic" for row in rows])
    return {
        "withoutPartial": chosen(whole),
        "byModel": {str(model): chosen(models == model) for model in np.unique(models)},
        **({"firstReadAfterTheRules": chosen(late)} if late.any() else {}),
        "shareFlagged": {
            str(kind): {"flagged": round(float(found[kinds == kind].mean()), 4), "rows": int((kinds == kind).sum())}
            for kind in np.unique(kinds)
        },
    }


def write(report: dict[str, Any]) -> None:
    """Put the rates on own answers into the package, and the report beside other benches'."""
    own = report["ownAnswers"]["withoutPartial"]
    row = {
        "true_positive_ppm": round(own["truePositiveRate"] * 1e6),
        "false_positive_ppm": round(own["falsePositiveRate"] * 1e6),
        "dataset": "answers of small models to test questions",
        "positives": own["refusals"],
        "negatives": own["answers"],
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
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    embed = KeptVectors(options.vectors)
    judge = Judge(embed)
    report: dict[str, Any] = {"threshold": REFUSED_FROM, "xstest": of_xstest(judge), "tuning": of_own(judge, "tune")}
    if options.test or options.write:
        report["ownAnswers"] = of_own(judge, "test")
    embed.save()
    print(json.dumps(report, indent=2))
    if options.write:
        write(report)


if __name__ == "__main__":
    main()
