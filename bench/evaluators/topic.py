"""Measure the topic evaluators on five domains, and write the rates that the package ships.

    python bench/evaluators/topic.py [--write]

There is no labelled set of questions *with* answers of narrow assistants, so the two are measured apart and combined:
questions of CLINC150 and BANKING77 tell how often the topic is told right, XSTest's completions (judged by heads that
never saw their model) how often a refusal is. A healthy endpoint's mix is taken as nine answered questions in scope to
one refused question out of scope. Prints JSON.
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "refusal"))
import train
from shipped_rates import keep

from modelward.evaluate.evaluators.topic import AUTO_THRESHOLD
from modelward.job.minilm import MiniLM

HEALTHY_IN_SCOPE = 0.9
SCOPES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "banking": (
        ("banking", "credit_cards"),
        [
            "questions about bank cards",
            "bank account balance and transactions",
            "money transfers and payments",
            "credit card limits, interest rates and rewards",
            "lost, stolen or blocked card and PIN",
            "cash withdrawals, top-ups and exchange rates",
            "opening an account and verifying identity",
            "charges, fees and refunds on a bank statement",
        ],
    ),
    "travel": (
        ("travel",),
        [
            "questions about planning trips and travel",
            "flights, luggage and airports",
            "hotel bookings and car rental",
            "visas, vaccines and travel alerts",
            "exchange rates and languages of other countries",
        ],
    ),
    "kitchen": (
        ("kitchen_and_dining",),
        [
            "questions about cooking and recipes",
            "restaurant reservations and reviews",
            "ingredients, calories and nutrition",
            "meal suggestions and cooking time",
        ],
    ),
    "work": (
        ("work",),
        [
            "questions about work, pay and taxes",
            "vacation requests and holidays at the company",
            "meetings and schedules at work",
            "insurance, retirement plans and direct deposit",
        ],
    ),
    "cars": (
        ("auto_and_commute",),
        [
            "questions about cars and driving",
            "fuel, tire pressure and car maintenance",
            "traffic, directions and public transport",
        ],
    ),
}


def questions() -> tuple[list[str], NDArray[np.str_]]:
    """Return the test questions and their domains; `oos` belongs to none, BANKING77's are `banking`."""
    folder = train.DATA / "eval"
    rows = json.loads((folder / "clinc-oos" / "data_full.json").read_text())
    domains = json.loads((folder / "clinc-oos" / "domains.json").read_text())
    of_intent = {intent: domain for domain, intents in domains.items() for intent in intents}
    found = [(text, of_intent.get(intent, "oos")) for part in ("test", "oos_test") for text, intent in rows[part]]
    with (folder / "banking77" / "test.csv").open(newline="") as file:
        found += [(row["text"], "banking77") for row in csv.DictReader(file)]
    return [text for text, _ in found], np.array([domain for _, domain in found])


def topic_rates(model: MiniLM) -> dict[str, dict[str, float | int]]:
    """Return per scope how many questions in scope are kept and how many out of scope are caught."""
    texts, domains = questions()
    vectors = model.encode(texts)
    report = {}
    for name, (inside, sentences) in SCOPES.items():
        near = (vectors @ model.encode(sentences).T).max(axis=1) >= AUTO_THRESHOLD
        in_scope = np.isin(domains, [*inside, *(["banking77"] if name == "banking" else [])])
        # BANKING77 is huge beside CLINC's domains, and not out of scope for certain (exchange rates, say).
        out = ~in_scope & (domains != "banking77")
        report[name] = {
            "kept": round(float(near[in_scope].mean()), 4),
            "caught": round(float((~near)[out].mean()), 4),
            "inScope": int(in_scope.sum()),
            "outOfScope": int(out.sum()),
        }
    return report


def composed(topic: dict[str, dict[str, float | int]], refusal: dict[str, float | int]) -> dict[str, Any]:
    """Combine the two; scopes count alike, however many questions each has."""
    kept = float(np.mean([row["kept"] for row in topic.values()]))
    caught = float(np.mean([row["caught"] for row in topic.values()]))
    told, mistaken = float(refusal["truePositiveRate"]), float(refusal["falsePositiveRate"])
    share = HEALTHY_IN_SCOPE
    dataset = "CLINC150 (5 domains) and BANKING77 questions, XSTest answers; combined"
    inside = sum(int(row["inScope"]) for row in topic.values())
    outside = sum(int(row["outOfScope"]) for row in topic.values())

    def rates(kept: float, caught: float) -> tuple[dict[str, int], dict[str, int]]:
        """Return the rates of the two evaluators for an evaluator of topics that keeps and catches so much."""
        answered = _ppm(
            caught * (1 - mistaken), share * (1 - kept) * (1 - mistaken) + (1 - share) * caught * (1 - told)
        )
        return answered, _ppm(kept * told, share * kept * mistaken + (1 - share) * (1 - caught) * told)

    by_domain = {name: rates(float(row["kept"]), float(row["caught"])) for name, row in topic.items()}
    # A fault is one of topic and answer together: no more rows are behind it than behind the lesser of the two.
    positives, negatives = min(outside, int(refusal["refusals"])), min(inside, int(refusal["answers"]))
    return {
        name: {
            **rates(kept, caught)[index],
            "dataset": dataset,
            "positives": positives,
            "negatives": negatives,
            "domains": [{"name": domain, **both[index]} for domain, both in by_domain.items()],
        }
        for index, name in enumerate(("OffTopicAnswered", "OnTopicRefused"))
    }


def _ppm(true_positive: float, false_positive: float) -> dict[str, int]:
    shares = {"true_positive_ppm": true_positive, "false_positive_ppm": false_positive}
    return {name: int(round(value * 1e6, -3)) for name, value in shares.items()}


def main() -> None:
    """Measure, and write measured.json when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    labelled = train.load()
    refusal = train.rates(train.unseen(labelled, train.embedded(labelled)), labelled.refused)
    topic = topic_rates(MiniLM())
    rates = composed(topic, refusal)
    print(json.dumps({"threshold": AUTO_THRESHOLD, "topic": topic, "refusal": refusal, "composed": rates}, indent=2))
    if options.write:
        keep(rates)


if __name__ == "__main__":
    main()
