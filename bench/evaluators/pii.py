"""Measure PII on answers with structured personal data: presidio-research's texts, as the collector would record them.

    python bench/evaluators/pii.py [--write]

A text counts as positive when it holds a value of a kind that the redaction looks for (`bench/privacy/structured.py`
measures values and their kinds; F1 there is over values). Texts with names, places or dates only are negatives.
Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "privacy"))

from shipped_rates import DATA, exchange, flagged_share, judged, keep, rates
from structured import KINDS

from modelward.privacy.redaction import redact, redactions_of


def main() -> None:
    """Measure, print, and keep the rates when asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = json.loads((DATA / "presidio-research" / "synth_dataset_v2.json").read_text())
    found = [redactions_of((), redact(row["full_text"]).findings) for row in rows]
    told = judged("PII", [exchange("?", "x", searched=True, redactions=one) for one in found])
    holds = [any(span["entity_type"] in KINDS for span in row["spans"]) for row in rows]
    positive = [score for score, flag in zip(told, holds, strict=True) if flag]
    negative = [score for score, flag in zip(told, holds, strict=True) if not flag]
    row = rates({"presidio": positive}, {"presidio": negative}, "presidio-research, structured kinds")
    print(json.dumps({"found": flagged_share(positive), "mistaken": flagged_share(negative), "row": row}, indent=2))
    if options.write:
        keep({"PII": row})


if __name__ == "__main__":
    main()
