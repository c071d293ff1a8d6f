"""Train the refusal head on XSTest and on small models' answers, and measure it where it has not seen any of it.

    python bench/refusal/train.py [--write]

XSTest: each model's completions are judged by a head that never saw that model. Own answers
(`bench/evaluators/answers`): the head sees the training questions' only, and is measured on the test questions'.
Prints JSON; --write puts the head and its rates into the package, and the report into bench/evaluators/results.json.
Needs the labelled set (MODELWARD_DATA) and the embedding model.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelward.evaluate.evaluators import measured, refusal
from modelward.evaluate.evaluators.refusal import RefusalHead, openings, refusals
from modelward.job.minilm import MiniLM

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data"))
"""The labelled sets; without the variable, the folder shared/data beside the checkout."""
SET = DATA / "eval" / "xstest" / "xstest_completions_labelled.jsonl"
BENCH = ROOT / "bench" / "evaluators"
OWN_ANSWERS = BENCH / "answers" / "answers.jsonl"
RIDGE = 0.3
OWN_WEIGHT = 3.0
"""Of an own answer beside one of XSTest, of which there are twelve times as many in training."""
THRESHOLD, SURE = 0.6, 0.9
ITERATIONS = 12

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Openings of answers, whether they refuse, and the group that each belongs to: a model, or the kind of answer."""

    texts: list[str]
    refused: Array
    group: Array


def load() -> Labelled:
    """Read XSTest's completions; partial refusals refuse."""
    rows = [json.loads(line) for line in SET.read_text().splitlines()]
    return Labelled(
        openings([row["completion"] for row in rows]),
        np.array([not row["label"].startswith("1") for row in rows]),
        np.array([row["model"] for row in rows]),
    )


def load_own(split: str) -> Labelled:
    """Read own answers of one side of the split; what is not in English is left out."""
    rows = [json.loads(line) for line in OWN_ANSWERS.read_text().splitlines()]
    rows = [row for row in rows if row["split"] == split and row["label"] != "not-applicable"]
    return Labelled(
        openings([row["answer"] for row in rows]),
        np.array([row["label"] == "refused" for row in rows]),
        np.array([f"{row['label']}, {row['topic']} topic" for row in rows]),
    )


def fit(vectors: Array, refused: Array, weight: Array) -> Array:
    """Return weights with the bias last: ridge logistic regression of weighted rows by Newton's method."""
    rows = np.hstack([vectors, np.ones((len(vectors), 1))])
    ridge = np.full(rows.shape[1], RIDGE)
    ridge[-1] = 1e-6
    weights = np.zeros(rows.shape[1])
    for _ in range(ITERATIONS):
        p = 1 / (1 + np.exp(-rows @ weights))
        hessian = (rows * (weight * p * (1 - p))[:, None]).T @ rows + np.diag(ridge)
        weights -= np.linalg.solve(hessian, rows.T @ (weight * (p - refused)) + ridge * weights)
    return weights


def head_of(vectors: Array, refused: Array, own_vectors: Array, own_refused: Array) -> RefusalHead:
    """Train on rows of XSTest and own ones."""
    weight = np.concatenate([np.ones(len(vectors)), np.full(len(own_vectors), OWN_WEIGHT)])
    found = fit(np.vstack([vectors, own_vectors]), np.concatenate([refused, own_refused]), weight)
    return RefusalHead(tuple(round(float(w), 3) for w in found[:-1]), round(float(found[-1]), 4), THRESHOLD, SURE)


def verdicts(texts: list[str], vectors: Array, head: RefusalHead) -> Array:
    """Return what the whole detector says of openings."""
    return np.array(refusals(texts, vectors, head))


def rates(found: Array, refused: Array) -> dict[str, float | int]:
    """Return F1, true and false positive rates with the sizes of the classes."""
    true = int((found & refused).sum())
    return {
        "f1": round(2 * true / max(1, int(found.sum() + refused.sum())), 4),
        "truePositiveRate": round(float(found[refused].mean()), 4),
        "falsePositiveRate": round(float(found[~refused].mean()), 4),
        "refusals": int(refused.sum()),
        "answers": int((~refused).sum()),
    }


def main() -> None:
    """Measure, and write the head trained on all models when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    encode = MiniLM().encode
    public, train, test = load(), load_own("train"), load_own("test")
    vectors, own, unseen = (encode(one.texts) for one in (public, train, test))
    whole = np.array(["partial" not in group for group in train.group])
    own_rows = own[whole], train.refused[whole]
    found = np.zeros(len(vectors), bool)
    for model in np.unique(public.group):
        held = public.group == model
        head = head_of(vectors[~held], public.refused[~held], *own_rows)
        found[held] = verdicts([t for t, h in zip(public.texts, held, strict=True) if h], vectors[held], head)
    head = head_of(vectors, public.refused, *own_rows)
    report = _report(public, found, test, verdicts(test.texts, unseen, head))
    print(json.dumps(report, indent=2))
    if options.write:
        write(head, report)


def _report(public: Labelled, found: Array, test: Labelled, of_test: Array) -> dict[str, Any]:
    whole = np.array(["partial" not in group for group in test.group])
    return {
        "xstest": {
            "all": rates(found, public.refused),
            "byModel": {
                str(one): rates(found[public.group == one], public.refused[public.group == one])
                for one in np.unique(public.group)
            },
        },
        "ownAnswers": {
            "withoutPartial": rates(of_test[whole], test.refused[whole]),
            "shareFlagged": {
                str(one): {
                    "flagged": round(float(of_test[test.group == one].mean()), 4),
                    "rows": int((test.group == one).sum()),
                }
                for one in np.unique(test.group)
            },
        },
    }


def write(head: RefusalHead, report: dict[str, Any]) -> None:
    """Put the head and its rates on own answers into the package, and the report beside other benches'."""
    package = Path(refusal.__file__)
    trained = {"trainedOn": "XSTest v2 completions (CC BY 4.0) and own answers to training questions"}
    fields = {"threshold": head.threshold, "sure": head.sure, "bias": head.bias, "weights": list(head.weights)}
    package.with_name(refusal.HEAD_FILE).write_text(json.dumps(trained | fields) + "\n")
    own = report["ownAnswers"]["withoutPartial"]
    _merge(
        package.with_name(measured.FILE),
        "Refusal",
        {
            "true_positive_ppm": round(own["truePositiveRate"] * 1e6),
            "false_positive_ppm": round(own["falsePositiveRate"] * 1e6),
            "dataset": "answers of small models to test questions",
            "positives": own["refusals"],
            "negatives": own["answers"],
        },
    )
    _merge(BENCH / "results.json", "refusal", report)


def _merge(path: Path, name: str, row: dict[str, Any]) -> None:
    whole = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(whole | {name: row}, indent=2) + "\n")


if __name__ == "__main__":
    main()
