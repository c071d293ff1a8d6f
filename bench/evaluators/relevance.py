"""Measure Relevance against answers of other questions: shuffled ones, and those of the nearest other question.

    python bench/evaluators/relevance.py [--write]

Questions with answers that were labelled as answering: XSTest's completions, beside which the threshold was set (far
below 1 % of the real answers), and the dialogues of BEGIN with its three sources, which are held out and harder: a
response of a dialogue may go on without an answer. Word overlap is the baseline. Prints JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from shipped_rates import DATA, exchange, flagged_share, judged, keep, rates

from modelward.evaluate.evaluators.relevance import AUTO_THRESHOLD, OPENING_CHARS
from modelward.job.minilm import MiniLM

Pairs = list[tuple[str, str]]


def xstest() -> Pairs:
    """Return questions with one full answer each."""
    rows = map(json.loads, (DATA / "xstest" / "xstest_completions_labelled.jsonl").read_text().splitlines())
    found = {row["prompt"]: row["completion"] for row in rows if row["label"] == "1_full_compliance"}
    return list(found.items())


def begin(source: str) -> Pairs:
    """Return messages with one attributable or generic response each, which answer them in a dialogue."""
    found: dict[str, str] = {}
    for path in sorted((DATA / "begin").glob(f"*_{source}.tsv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["begin_label"] == "Fully attributable" and len(row["message"].split()) > 5:
                    found[row["message"]] = row["response"]
    return list(found.items())[:300]


def auc(good: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    """Return the probability that a good value is above a bad one."""
    both = np.concatenate([good, bad])
    ranks = both.argsort(kind="stable").argsort(kind="stable") + 1.0
    for value in np.unique(both):
        ranks[both == value] = ranks[both == value].mean()
    below = len(good) * (len(good) + 1) / 2
    return round(float((ranks[: len(good)].sum() - below) / (len(good) * len(bad))), 4)


def overlap(question: str, answer: str) -> float:
    """Return the share of the question's words that the answer uses."""
    asked, said = (set(re.findall(r"\w{4,}", text.lower())) for text in (question, answer))
    return len(asked & said) / len(asked) if asked else 0.0


def measured_on(pairs: Pairs, model: MiniLM, rng: Random) -> tuple[dict[str, Any], dict[str, Pairs]]:
    """Return areas under the curve of a source, and its pairs: real, shuffled, nearest."""
    questions = model.encode([question for question, _ in pairs])
    answers = model.encode([answer[:OPENING_CHARS] for _, answer in pairs])
    near = questions @ questions.T
    np.fill_diagonal(near, -1)
    other = {"shuffled": _shuffled(len(pairs), rng), "nearest": near.argmax(axis=1)}
    real = (questions * answers).sum(axis=1)
    words = np.array([overlap(*pair) for pair in pairs])
    report: dict[str, Any] = {
        "pairs": len(pairs),
        "realQuantiles": np.quantile(real, (0.01, 0.05, 0.1, 0.5)).round(3).tolist(),
    }
    made = {"real": pairs}
    for name, index in other.items():
        made[name] = [(pairs[i][0], pairs[j][1]) for i, j in enumerate(index)]
        report[name] = {
            "auc": auc(real, (questions * answers[index]).sum(axis=1)),
            "aucOfWordOverlap": auc(words, np.array([overlap(*pair) for pair in made[name]])),
        }
    return report, made


def _shuffled(size: int, rng: Random) -> NDArray[np.int64]:
    shift = rng.randrange(1, size)
    return np.roll(np.arange(size), shift)


def main() -> None:
    """Measure, print, and keep the rates when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    model, rng = MiniLM(), Random(5)
    report: dict[str, Any] = {"threshold": AUTO_THRESHOLD}
    positives, negatives = {}, {}
    for name, pairs in {"xstest": xstest(), **{f"begin-{s}": begin(s) for s in ("wow", "cmu", "tc")}}.items():
        report[name], made = measured_on(pairs, model, rng)
        told = {kind: judged("Relevance", [exchange(*pair) for pair in rows]) for kind, rows in made.items()}
        report[name]["flagged"] = {kind: flagged_share(scores) for kind, scores in told.items()}
        if name != "xstest":
            positives[name], negatives[name] = told["shuffled"], told["real"]
    row = rates(positives, negatives, "BEGIN (3 sources), answers shuffled; threshold set beside XSTest")
    print(json.dumps(report | {"row": row}, indent=2))
    if options.write:
        keep({"Relevance": row})


if __name__ == "__main__":
    main()
