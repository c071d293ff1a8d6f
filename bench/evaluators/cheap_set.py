"""Measure how many exchanges a second one core judges by all evaluators without a model, each of them and together.

    python bench/evaluators/cheap_set.py [--write]

Exchanges are XSTest's questions and completions, each with a paragraph of BEGIN as its context, of which no text was
searched before. Times are processor time of one process. Prints JSON; --write puts it into results.json.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from shipped_rates import DATA, exchange, judged

from modelward.api.exchange import Exchange, Message
from modelward.job.installed import builtins

ROWS, ROUNDS = 400, 3
CONFIGS: Mapping[str, dict[str, Any]] = {
    "Secrets": {"confidentialTerms": ["Project Heron"], "canaries": ["kx7-orchid-913"]},
    "Keywords": {"forbidden": ["guaranteed return"], "competitors": ["Acme Bank"]},
    "Format": {"minChars": 2, "maxWords": 600, "regex": "."},
}


def exchanges() -> list[Exchange]:
    """Return questions with answers and a context."""
    lines = (DATA / "xstest" / "xstest_completions_labelled.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines[:: len(lines) // ROWS]][:ROWS]
    with (DATA / "begin" / "begin_dev_wow.tsv").open(newline="") as file:
        told = [row["knowledge"].strip() for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return [
        exchange(
            row["prompt"], row["completion"], messages=(Message("system", context), Message("user", row["prompt"]))
        )
        for row, context in zip(rows, itertools.cycle(told), strict=False)
    ]


def names() -> list[str]:
    """Return the evaluators of exchanges that need no model."""
    known = builtins().items()
    return sorted(
        name for name, one in known if one.manifest.cost in ("Free", "Cheap") and one.manifest.unit == "Exchange"
    )


def seconds(name: str, rows: list[Exchange]) -> tuple[float, float]:
    """Return the best processor time of some rounds, and the share of exchanges that were judged."""
    config, best = CONFIGS.get(name, {}), float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        scores = judged(name, rows, config)
        best = min(best, time.process_time() - start)
    return best, sum(one.state == "Scored" for one in scores) / len(scores)


def main() -> None:
    """Measure, and write when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = exchanges()
    judged(names()[0], rows[:8], CONFIGS.get(names()[0], {}))  # loads what is loaded once
    found = {name: seconds(name, rows) for name in names()}
    report: dict[str, Any] = {
        "exchangesPerSecondPerCore": round(len(rows) / sum(time_s for time_s, _ in found.values())),
        "medianAnswerCharacters": round(statistics.median(len(one.response) for one in rows)),
        "each": {
            name: {"exchangesPerSecond": round(len(rows) / time_s), "judged": round(share, 3)}
            for name, (time_s, share) in found.items()
        },
    }
    print(json.dumps(report, indent=2))
    if options.write:
        path = Path(__file__).with_name("results.json")
        known = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps(known | {"cheapSet": report}, indent=2) + "\n")


if __name__ == "__main__":
    main()
