"""What a quiet operator costs: writes to the API, CPU, memory, and the evaluation pods of one exchange each.

    python bench/idle/measure.py [--endpoints 300] [--namespaces 10] [--seconds 330] > idle.json

Real processes of operator and hub, an API server of its own, made-up nodes (kwok; `python3 devcluster tools` builds it)
whose pods' metrics pages are served on loopback. The default form takes about ten minutes: it watches for longer than
`statusInterval`, so that a write that comes every five minutes is counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "faults"))


def main() -> None:
    """Measure once and print JSON."""
    import idle

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoints", type=int, default=300)
    parser.add_argument("--namespaces", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=330.0)
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="modelward-idle-") as folder:
        cost = idle.measured(idle.Load(asked.endpoints, asked.namespaces, asked.seconds), Path(folder))
    print(json.dumps(cost.numbers(), indent=2))


if __name__ == "__main__":
    main()
