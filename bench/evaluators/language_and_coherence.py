"""Measure Language and Coherence on answers of our own in 14 languages, public English ones, and spoilt ones.

    python bench/evaluators/language_and_coherence.py [--write]

Language: each answer with a question in its own language, and with one in each other language; and XSTest's English
completions. Coherence: XSTest's completions and BEGIN's references as they are, and the same ones cut in the middle
of a sentence, in a loop, or with a second half in another language. The spoilt ones are easy: models spoil answers in
ways of their own. Prints JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from sentences import ANSWERS, QUESTIONS, answers
from shipped_rates import DATA, exchange, flagged_share, judged, keep, rates

from modelward.api.exchange import Exchange
from modelward.evaluate.score import Score

ROWS = 400


def english() -> list[tuple[str, str]]:
    """Return prompts with completions, one of each prompt of XSTest."""
    lines = (DATA / "xstest" / "xstest_completions_labelled.jsonl").read_text().splitlines()
    return [(row["prompt"], row["completion"]) for row in map(json.loads, lines[:: len(lines) // ROWS])]


def knowledge() -> list[str]:
    """Return paragraphs of BEGIN that end as a sentence does."""
    with (DATA / "begin" / "begin_dev_wow.tsv").open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [text for row in rows if (text := row["knowledge"].strip()).endswith(".")][:ROWS]


def language() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the report and the row of Language."""
    right = [exchange(QUESTIONS[code], text) for code in ANSWERS for text in answers(code)]
    wrong = [exchange(QUESTIONS[asked], text) for asked, code in permutations(ANSWERS, 2) for text in answers(code)[:2]]
    told = {"own, right": judged("Language", right), "own, wrong": judged("Language", wrong)}
    told["XSTest"] = judged("Language", [exchange(*pair) for pair in english()], {"expected": ["en"]})
    row = rates({"own": told["own, wrong"]}, {"own": told["own, right"], "XSTest": told["XSTest"]},
                "answers of our own in 14 languages; XSTest completions")  # fmt: skip
    return {name: _share(scores) for name, scores in told.items()}, row


def coherence() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the report and the row of Coherence."""
    rng, pairs = Random(2), [pair for pair in english() if len(pair[1].split()) > 60]
    plain = {
        "XSTest": [exchange(*pair, finish_reason="stop") for pair in english()],
        "XSTest, no reason given": [exchange(*pair) for pair in english()],
        "BEGIN": [exchange("?", text) for text in knowledge()],
        "own": [exchange(QUESTIONS[code], " ".join(answers(code))) for code in ANSWERS],
    }
    spoilt = {
        "empty": [exchange(q, rng.choice(("", " ", "\n", "..."))) for q, _ in pairs],
        "cut, reason given": [exchange(q, a[: len(a) // 2], finish_reason="length") for q, a in pairs],
        "cut, no reason given": [exchange(q, a[: len(a) // 2]) for q, a in pairs],
        "loop": [_loop(q, a, rng) for q, a in pairs],
        "language": [_switched(q, a, rng) for q, a in pairs],
    }
    told = {name: judged("Coherence", rows) for name, rows in {**plain, **spoilt}.items()}
    found = {name: told[name] for name in spoilt if name != "cut, no reason given"}
    row = rates(found, {name: told[name] for name in ("XSTest", "BEGIN", "own")},
                "XSTest, BEGIN and answers of our own; the same spoilt")  # fmt: skip
    return {name: _share(scores) for name, scores in told.items()}, row


def _loop(question: str, answer: str, rng: Random) -> Exchange:
    words = answer.split()
    start, size = rng.randrange(5, 30), rng.randrange(3, 14)
    return exchange(question, " ".join(words[:start] + words[start : start + size] * 12), finish_reason="stop")


def _switched(question: str, answer: str, rng: Random) -> Exchange:
    other = answers(rng.choice([code for code in ANSWERS if code != "en"]))
    return exchange(question, f"{answer[:600]}\n\n{other[0]} {other[1]}", finish_reason="stop")


def _share(scores: list[Score]) -> dict[str, Any]:
    share, judged_rows = flagged_share(scores)
    labels = {one.label for one in scores if one.flagged}
    return {"flagged": round(share, 4), "rows": judged_rows, "notApplicable": len(scores) - judged_rows,
            "labels": sorted(labels)[:8]}  # fmt: skip


def main() -> None:
    """Measure, print, and keep the rates when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = {"Language": language(), "Coherence": coherence()}
    print(json.dumps({name: {**report, "row": row} for name, (report, row) in found.items()}, indent=2))
    if options.write:
        keep({name: row for name, (_, row) in found.items()})


if __name__ == "__main__":
    main()
