"""Measure what a scope's wording does to topic evaluators, on domains of CLINC150 and on BANKING77.

    python bench/evaluators/scope.py [--write]

Each scope is written in one line, in six, and with 20 and 40 examples drawn from questions that are not measured on.
`lost` is the share of questions in scope that a faultless bot would be blamed for, `corrected` what remains of it with
the error rates that the scope's own check found, `caught` the share of questions out of scope below the threshold.
Prints JSON; --write puts it into results.json, and the shipped rates into measured.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scopes import SCOPES, BenchScope

from modelward.evaluate.evaluators import measured
from modelward.evaluate.evaluators.topic_scope import known_probes
from modelward.evaluate.scope_check import Scope, ScopeCheck, ScopeVectors, check, template_questions
from modelward.job.minilm import MiniLM

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MODELWARD_DATA", ROOT.parent / "shared" / "data")) / "eval"
DRAWS = 10
SHIPPED = "six lines, 20 examples"
FORMS: dict[str, tuple[str, int]] = {
    "one line": ("one", 0),
    "six lines": ("six", 0),
    "one line, 20 examples": ("one", 20),
    SHIPPED: ("six", 20),
    "six lines, 40 examples": ("six", 40),
}
OLD_COSINE = 0.16
"""The threshold of all scopes until each got its own."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Questions:
    """Vectors of questions with their domains: those measured on, and those that examples are drawn from."""

    vectors: Array
    domains: Array
    pool: Array
    pool_domains: Array


def questions(model: MiniLM) -> Questions:
    """Read and embed the sets: CLINC150 test and val, BANKING77 test and a part of train."""
    rows = json.loads((DATA / "clinc-oos" / "data_full.json").read_text())
    domains = json.loads((DATA / "clinc-oos" / "domains.json").read_text())
    of_intent = {intent: domain for domain, intents in domains.items() for intent in intents}

    def read(parts: Sequence[str], file: str, step: int) -> tuple[Array, Array]:
        found = [(text, of_intent.get(intent, "oos")) for part in parts for text, intent in rows[part]]
        with (DATA / "banking77" / file).open(newline="") as lines:
            found += [(row["text"], "banking77") for row in list(csv.DictReader(lines))[::step]]
        return model.encode([text for text, _ in found]), np.array([domain for _, domain in found])

    return Questions(*read(("test", "oos_test"), "test.csv", 1), *read(("val",), "train.csv", 32))


def sides(scope: BenchScope, domains: Array) -> tuple[Array, Array]:
    """Return which questions are in scope, and which are not; what banks are asked is neither for another bank."""
    inside = np.isin(domains, scope.inside)
    banks = ("banking77", "banking", "credit_cards") if scope.name.startswith("banking") else ("banking77",)
    return inside, ~inside & ~np.isin(domains, banks)


def area(inside: Array, outside: Array) -> float:
    """Return the area under the ROC curve of a score that is high inside."""
    ranks = np.searchsorted(np.sort(outside), inside, "left") + np.searchsorted(np.sort(outside), inside, "right")
    return float(ranks.mean() / 2 / len(outside))


def made(model: MiniLM, lines: Sequence[str], examples: Array) -> tuple[Scope, ScopeCheck]:
    """Check a scope as the evaluators do."""
    subjects, probes = known_probes()
    encoded = (model.encode(texts) for texts in (list(lines), template_questions(lines), list(probes)))
    sentences, templates, others = encoded
    return check(ScopeVectors(sentences, examples, templates, others, subjects))


def trials(model: MiniLM, data: Questions, scope: BenchScope, form: str) -> Iterator[dict[str, float]]:
    """Measure a scope in one form; once without examples, else with each draw of them."""
    wording, count = FORMS[form]
    lines = (scope.one,) if wording == "one" else scope.six
    inside, outside = sides(scope, data.domains)
    pool = data.pool[np.isin(data.pool_domains, scope.inside)]
    chance = np.random.default_rng(20)
    sentences = model.encode(list(lines))
    cosines = (data.vectors @ sentences.T).max(axis=1)
    for _ in range(DRAWS if count else 1):
        examples = pool[chance.choice(len(pool), count, replace=False)] if count else pool[:0]
        made_scope, found = made(model, lines, examples)
        margins = made_scope.margins(data.vectors)
        lost, caught = (float((margins[rows] < found.threshold).mean()) for rows in (inside, outside))
        row = {"area": area(margins[inside], margins[outside]), "lost": lost, "caught": caught}
        row |= {"lostAtOldThreshold": float((cosines[inside] < OLD_COSINE).mean())}
        row |= {"templatesOut": len(found.templates_out) / found.templates}
        if found.lost is not None and found.caught is not None:
            row |= {"lostToldByCheck": found.lost, "caughtToldByCheck": found.caught}
            row |= {"corrected": corrected_share(lost, found.caught, found.lost)}
        yield row


def corrected_share(seen: float, caught: float, lost: float) -> float:
    """Return the share at fault that a verdict would read."""
    return min(1.0, max(0.0, (seen - lost) / (caught - lost)))


def report(model: MiniLM, data: Questions) -> dict[str, Any]:
    """Return all forms with each scope's means over draws, and over scopes the mean and the worst."""
    found: dict[str, Any] = {}
    for form in FORMS:
        rows = {scope.name: _means(list(trials(model, data, scope, form))) for scope in SCOPES}
        names = next(iter(rows.values()))
        mean = {name: round(float(np.mean([row[name] for row in rows.values()])), 4) for name in names}
        found[form] = {"mean": mean, "scopes": rows}
    return found


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    found = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}
    if "corrected" in rows[0]:
        found["correctedWorstDraw"] = round(max(row["corrected"] for row in rows), 4)
    return found


def shipped(results: dict[str, Any], refusal: dict[str, Any]) -> dict[str, Any]:
    """Return rows of measured.json: what a scope with six lines and 20 examples reaches, domain by domain."""
    told, mistaken = (refusal[name] / 1e6 for name in ("true_positive_ppm", "false_positive_ppm"))

    def rates(row: dict[str, float]) -> dict[str, tuple[float, float]]:
        lost, caught = row["lost"], row["caught"]
        return {
            "TopicAdherence": (caught, lost),
            "OffTopicAnswered": (caught * (1 - mistaken), 0.9 * lost * (1 - mistaken) + 0.1 * caught * (1 - told)),
            "OnTopicRefused": ((1 - lost) * told, 0.9 * (1 - lost) * mistaken + 0.1 * (1 - caught) * told),
        }

    by_domain = {name: rates(row) for name, row in results[SHIPPED]["scopes"].items()}
    mean = rates(results[SHIPPED]["mean"])

    def ppm(pair: tuple[float, float]) -> dict[str, int]:
        return {"true_positive_ppm": int(round(pair[0] * 1e6, -3)), "false_positive_ppm": int(round(pair[1] * 1e6, -3))}

    topic = {
        "dataset": "CLINC150 (5 domains) and BANKING77, six lines and 20 examples",
        "positives": 450,
        "negatives": 450,
    }
    with_refusal = topic | {"dataset": f"{topic['dataset']}; {refusal['dataset']}"}
    rows = {"positives": min(450, refusal["positives"]), "negatives": min(450, refusal["negatives"])}
    return {
        name: ppm(mean[name])
        | (topic if name == "TopicAdherence" else with_refusal | rows)
        | {"domains": [{"name": domain, **ppm(all_of[name])} for domain, all_of in by_domain.items()]}
        for name in mean
    }


def main() -> None:
    """Measure, and write what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    model = MiniLM()
    results = report(model, questions(model))
    print(json.dumps(results, indent=2))
    if options.write:
        write(results)


def write(results: dict[str, Any]) -> None:
    """Put the results beside this file, and the rates into the package."""
    kept = Path(__file__).with_name("results.json")
    whole = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps(whole | {"scope": results}, indent=2) + "\n")
    rates = Path(measured.__file__).with_name(measured.FILE)
    rows = json.loads(rates.read_text())
    rates.write_text(json.dumps(rows | shipped(results, rows["Refusal"]), indent=2) + "\n")


if __name__ == "__main__":
    main()
