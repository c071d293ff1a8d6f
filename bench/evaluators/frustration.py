"""Fit and measure Frustration: turns that lose patience, turns that do not, and questions that are asked again.

    python bench/evaluators/frustration.py [--write]

Two questions of one intent stand for a question that is asked again, two of different intents of one domain for a
conversation that goes on. That threshold is chosen on BANKING77's training questions (1 % of those that go on are
above .55, and it is set somewhat higher) and measured on CLINC150's test questions. The head for complaints is fitted
on turns of our own and on comments of GoEmotions (anger, annoyance, disappointment against the rest), with CLINC150's
training questions as patient ones; its threshold lets 0.5 % of CLINC150's validation questions pass. Both are
measured on turns that were written after the wordings, on real questions of BANKING77, and on comments of GoEmotions'
test set. Prints JSON; `--write` writes the head and the rates.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from frustrated_turns import FRUSTRATED, FRUSTRATED_HELD_OUT, PATIENT, lines
from shipped_rates import DATA, FILE, exchange, flagged_share, judged, keep, rates

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.evaluators.frustration import AUTO_THRESHOLD, HEAD_FILE, FrustrationHead, frustration_head
from modelward.job.minilm import MiniLM

PAIRS, ROWS = 270, 800
OWN_WEIGHT, RIDGE, PASSING = 8.0, 4.0, 0.005
ANGRY, UNCLEAR = {"anger", "annoyance", "disappointment"}, {"disapproval", "disgust", "sadness", "remorse", "confusion"}
Questions = list[tuple[str, str]]


def banking() -> Questions:
    """Return training questions of BANKING77 with their intents."""
    with (DATA / "banking77" / "train.csv").open(newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def clinc() -> dict[str, Questions]:
    """Return test questions of CLINC150 with their intents, by domain."""
    domains = json.loads((DATA / "clinc-oos" / "domains.json").read_text())
    of_intent = {intent: domain for domain, intents in domains.items() for intent in intents}
    found = defaultdict(list)
    for text, intent in json.loads((DATA / "clinc-oos" / "data_full.json").read_text())["test"]:
        if of_intent.get(intent, "small_talk") != "small_talk":
            found[of_intent[intent]].append((text, intent))
    return found


def pairs(questions: Questions, size: int, rng: Random) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return pairs of questions of one intent, and of different ones."""
    again, on = [], []
    while len(again) < size or len(on) < size:
        (first, one), (second, other) = rng.choice(questions), rng.choice(questions)
        same = [text for text, intent in questions if intent == one and text != first]
        again.append((first, rng.choice(same)))
        if one != other:
            on.append((first, second))
    return again[:size], on[:size]


def cosines(model: MiniLM, found: list[tuple[str, str]]) -> Any:
    """Return the cosine of each pair."""
    return (model.encode([a for a, _ in found]) * model.encode([b for _, b in found])).sum(axis=1)


def conversation(pair: tuple[str, str]) -> Exchange:
    """Return an exchange whose last turn follows an answered one."""
    turns = (Message("user", pair[0]), Message("assistant", "Here is what I know of that."), Message("user", pair[1]))
    return exchange("", "I see.", messages=turns)


def comments(part: str) -> tuple[list[str], list[str]]:
    """Return angry comments of GoEmotions and others, each short like a turn."""
    names = (DATA / "goemotions" / "labels.txt").read_text().split()
    angry, calm = [], []
    for line in (DATA / "goemotions" / f"{part}.tsv").read_text().splitlines():
        text, labels, _ = line.split("\t")
        found = {names[int(label)] for label in labels.split(",")}
        if found <= ANGRY:
            angry.append(text)
        elif not found & (ANGRY | UNCLEAR):
            calm.append(text)
    return angry, calm


def fit(model: MiniLM, rng: Random) -> FrustrationHead:
    """Return the head."""
    parts = json.loads((DATA / "clinc-oos" / "data_full.json").read_text())
    angry, calm = comments("train")
    own = lines(FRUSTRATED)
    bad = own + rng.sample(angry, ROWS)
    good = lines(PATIENT) + rng.sample(calm, ROWS) + [text for text, _ in rng.sample(parts["train"], ROWS)]
    x = model.encode(bad + good).astype(np.float64)
    weight = np.array(
        [OWN_WEIGHT] * len(own)
        + [1.0] * (len(bad) - len(own))
        + [OWN_WEIGHT / 4] * len(lines(PATIENT))
        + [1.0] * 2 * ROWS
    )
    beta = logistic(x, np.array([1.0] * len(bad) + [0.0] * len(good)), weight)
    patient = model.encode([text for text, _ in rng.sample(parts["val"], ROWS)]) @ beta[:-1]
    return FrustrationHead(tuple(np.round(beta[:-1], 5).tolist()), round(-float(np.quantile(patient, 1 - PASSING)), 5))


def logistic(x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights and bias [385] of a ridge logistic regression, by Newton's method."""
    design = np.hstack([x, np.ones((len(x), 1))])
    penalty, beta = np.diag([RIDGE] * x.shape[1] + [0.0]), np.zeros(x.shape[1] + 1)
    for _ in range(12):
        p = 1 / (1 + np.exp(-design @ beta))
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + penalty
        beta = beta + np.linalg.solve(hessian, design.T @ (weight * (y - p)) - penalty @ beta)
    return beta


def alone(texts: list[str]) -> list[Exchange]:
    """Return exchanges of one turn."""
    return [exchange(text, "I see.") for text in texts]


def main() -> None:
    """Measure, print, and keep the rates when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    model, rng = MiniLM(), Random(11)
    again, on = pairs(banking(), PAIRS, rng)
    same, different = cosines(model, again), cosines(model, on)
    head = fit(model, rng)
    if options.write:
        FILE.with_name(HEAD_FILE).write_text(json.dumps({"weights": head.weights, "bias": head.bias}) + "\n")
        frustration_head.cache_clear()
    report: dict[str, Any] = {"threshold": AUTO_THRESHOLD, "banking77": {
        "cosineAbove1PercentOfOthers": round(float(np.quantile(different, 0.99)), 3),
        "sameAbove": round(float((same >= AUTO_THRESHOLD).mean()), 3),
        "differentAbove": round(float((different >= AUTO_THRESHOLD).mean()), 4),
    }}  # fmt: skip
    held = [pairs(questions, PAIRS // 9, rng) for questions in clinc().values()]
    told = {
        "asked again (CLINC150)": judged("Frustration", [conversation(p) for found, _ in held for p in found]),
        "goes on (CLINC150)": judged("Frustration", [conversation(p) for _, found in held for p in found]),
        "angry comments (GoEmotions test)": judged("Frustration", alone(comments("test")[0][:150])),
        "other comments (GoEmotions test)": judged("Frustration", alone(comments("test")[1][:150])),
        "frustrated": judged("Frustration", alone(lines(FRUSTRATED))),
        "frustrated, held out": judged("Frustration", alone(lines(FRUSTRATED_HELD_OUT))),
        "patient": judged("Frustration", alone(lines(PATIENT))),
        "BANKING77 questions": judged("Frustration", alone([text for text, _ in banking()[::25]])),
    }
    report["flagged"] = {name: flagged_share(scores) for name, scores in told.items()}
    missed = zip(lines(FRUSTRATED), told["frustrated"], strict=True)
    report["missed"] = [text for text, one in missed if not one.flagged]
    report["mistaken"] = [text for text, one in zip(lines(PATIENT), told["patient"], strict=True) if one.flagged]
    row = rates(
        {"words": told["frustrated, held out"], "again": told["asked again (CLINC150)"]},
        {"words": [*told["patient"], *told["BANKING77 questions"]], "again": told["goes on (CLINC150)"]},
        "CLINC150 pairs of one intent; turns of our own, held out; BANKING77 questions",
    )
    print(json.dumps(report | {"row": row}, indent=2))
    if options.write:
        keep({"Frustration": row})


if __name__ == "__main__":
    main()
