"""Measure by simulation how often verdicts and their intervals are wrong.

    python bench/verdicts/measure.py [--only NAME ...] [--out bench/verdicts/results.json]

Each simulation is a module beside this file with a function `measure` that returns rows for JSON. They take the
product's own functions, and a fixed seed: the same code gives the same numbers.
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NAMES = sorted(file.stem for file in FOLDER.glob("sim_*.py"))


def main() -> None:
    """Run the simulations that were asked for, and put their rows beside those of the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=NAMES, default=NAMES)
    parser.add_argument("--out", type=Path, default=FOLDER / "results.json")
    asked = parser.parse_args()
    results = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    for name in asked.only:
        results[name.removeprefix("sim_")] = importlib.import_module(name).measure()
        asked.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
