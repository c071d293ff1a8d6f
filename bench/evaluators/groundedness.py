"""Fit and measure Groundedness on BEGIN: is a response attributable to the knowledge that it was given?

    python bench/evaluators/groundedness.py [--write]

The head is fitted on the dev rows of CMU-DoG and TopicalChat, and measured on Wizard of Wikipedia, which it never
saw; heads for the other two leave each out in turn. `--write` writes groundedness_head.json and the rates. Prints
JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from relevance import auc
from shipped_rates import DATA, FILE, exchange, judged, keep, rates

from modelward.api.exchange import Message
from modelward.evaluate.evaluators import groundedness
from modelward.evaluate.evaluators.support import support

RIDGE = 1.0
ROUNDS = 50


def rows(name: str) -> list[tuple[str, str, str, bool]]:
    """Return knowledge, message, response and whether the knowledge carries it; generic responses are left out."""
    with (DATA / "begin" / f"begin_{name}.tsv").open(newline="") as file:
        found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            (row["knowledge"], row["message"], row["response"], row["begin_label"] == "Fully attributable")
            for row in found
            if row["begin_label"] != "Generic"
        ]


def features(found: list[tuple[str, str, str, bool]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the features [n, 4] and labels [n] of the rows that make a claim."""
    pairs = [(support(answer, [knowledge]), label) for knowledge, _, answer, label in found]
    usable = [(one.features, label) for one, label in pairs if one is not None]
    return np.array([x for x, _ in usable]), np.array([y for _, y in usable], float)


def fitted(x: NDArray[np.float64], y: NDArray[np.float64]) -> groundedness.GroundednessHead:
    """Return a ridge logistic regression by Newton's method, both classes weighing alike; the same on every run."""
    design = np.hstack([x, np.ones((len(x), 1))])
    weight = np.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    penalty = np.diag([RIDGE] * x.shape[1] + [0.0])
    beta = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weight * (y - p)) - penalty @ beta
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + penalty
        beta = beta + np.linalg.solve(hessian, gradient)
    return groundedness.GroundednessHead(tuple(np.round(beta[:-1], 6).tolist()), round(float(beta[-1]), 6))


def values(head: groundedness.GroundednessHead, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the head's values [n]."""
    return 1 / (1 + np.exp(-(x @ np.array(head.weights) + head.bias)))


def main() -> None:
    """Fit, measure, print, and write when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    sets = {name: rows(name) for name in ("dev_cmu", "dev_tc", "dev_wow", "test_wow")}
    arrays = {name: features(found) for name, found in sets.items()}

    def joined(*names: str) -> groundedness.GroundednessHead:
        return fitted(*(np.concatenate([arrays[name][i] for name in names]) for i in (0, 1)))

    head = joined("dev_cmu", "dev_tc")
    heads = {"test_wow": head, "dev_cmu": joined("dev_tc", "dev_wow"), "dev_tc": joined("dev_cmu", "dev_wow")}
    report: dict[str, Any] = {"head": {"weights": head.weights, "bias": head.bias}}
    for name, one in heads.items():
        x, y = arrays[name]
        found = values(one, x)
        report[name] = {"rows": len(y), "auc": auc(found[y > 0], found[y == 0]),
                        "aucOfWordsAlone": auc(x[y > 0, 0], x[y == 0, 0])}  # fmt: skip
    if options.write:
        FILE.with_name(groundedness.HEAD_FILE).write_text(json.dumps(report["head"]) + "\n")
        groundedness.groundedness_head.cache_clear()
    told = {
        carried: judged("Groundedness", [
            exchange(message, answer, messages=(Message("system", knowledge), Message("user", message)))
            for knowledge, message, answer, label in sets["test_wow"] if label == carried
        ], {"minContextWords": 1})
        for carried in (True, False)
    }  # fmt: skip
    row = rates(
        {"wow": told[False]}, {"wow": told[True]}, "BEGIN Wizard of Wikipedia; head fitted on CMU-DoG, TopicalChat"
    )
    print(json.dumps(report | {"row": row}, indent=2))
    if options.write:
        keep({"Groundedness": row})


if __name__ == "__main__":
    main()
