"""Measure PHI on labelled answers of our own, split by template, and count alarms on public chat.

    python bench/evaluators/phi.py [--each N] [--misses] [--write]

Prints JSON. No public set that may be used here has health information of named persons: these samples are made of
templates (`phi_samples.py`), and tell how the rules do on such sentences, not on the answers of a hospital's bot.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from phi_samples import samples
from shipped_rates import DATA, exchange, flagged_share, judged, keep, rates


def main() -> None:
    """Measure, print, and keep the rates when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    report, told = {}, {}
    for name, held_out in (("dev", False), ("held out", True)):
        rows = samples(options.each, 3, held_out=held_out)
        scores = judged("PHI", [exchange("What do you know?", row.text) for row in rows])
        told[name] = {
            flag: [s for s, row in zip(scores, rows, strict=True) if row.positive == flag] for flag in (True, False)
        }
        report[name] = {"found": flagged_share(told[name][True]), "mistaken": flagged_share(told[name][False])}
        if options.misses:
            wrong = [(row.positive, row.text) for s, row in zip(scores, rows, strict=True) if s.flagged != row.positive]
            print(name, *wrong[:80], sep="\n")
    completions = (DATA / "xstest" / "xstest_completions_labelled.jsonl").read_text().splitlines()[::4]
    chat = judged("PHI", [exchange("?", json.loads(line)["completion"]) for line in completions])
    report["XSTest completions"] = {"flagged": flagged_share(chat)}
    row = rates(
        {"templates": told["held out"][True]}, {"templates": told["held out"][False], "chat": chat},
        "templates of our own, held out; XSTest completions",
    )  # fmt: skip
    print(json.dumps(report | {"row": row}, indent=2))
    if options.write:
        keep({"PHI": row})


if __name__ == "__main__":
    main()
