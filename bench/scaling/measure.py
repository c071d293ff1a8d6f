"""How close scaling comes to what a load needs, and what it does when replicas hang or gauges are noisy.

    python bench/scaling/measure.py [--write] > scaling.json

A fluid model in virtual time (tests/unit/scaling/scaling_fleet.py): replicas that write 1,000 tokens/s in 32 slots,
with a cold start of 120 s where nothing else is said, looked at every 15 s. `--write` puts the table into
docs/scaling.md. Takes a minute; the same tree gives the same numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "scaling.md"
BEGIN, END = "<!-- bench/scaling: begin -->\n", "<!-- bench/scaling: end -->\n"
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests" / "unit" / "scaling")]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| | rule | replica time ÷ load | late over 2 s | most replicas | at the end | moves |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in rows:
        late = "" if one["latePercent"] is None else f"{one['latePercent']:.2f} %"
        cells = (one["scenario"], one["rule"], f"{one['replicaTimeOfIdeal']:.2f}", late, one["peak"], one["last"])
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} | {one['moves']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure once and print JSON."""
    from scenarios import SCENARIOS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/scaling.md")
    asked = parser.parse_args()
    rows = [row for scenario in SCENARIOS for row in scenario()]
    if asked.write:
        before, _, rest = DOCUMENT.read_text().partition(BEGIN)
        DOCUMENT.write_text(before + BEGIN + table(rows) + END + rest.partition(END)[2])
    print(json.dumps({"rows": rows}, indent=2))


if __name__ == "__main__":
    main()
