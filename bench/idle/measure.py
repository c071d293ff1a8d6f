"""What a quiet operator costs: writes to the API, CPU, memory, and the evaluation pods of one exchange each.

    python bench/idle/measure.py [--endpoints 300] [--namespaces 10] [--start 310] [--seconds 330] > idle.json

Real processes of operator and hub, an API server of its own, made-up nodes (kwok; `python3 devcluster tools` builds it)
whose pods' metrics pages are served on loopback. The default form takes about twelve minutes: it lets a
`statusInterval` pass in which the start's last numbers are written, and watches for longer than one, so that what
comes every five minutes is counted.
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
    parser.add_argument("--start", type=float, default=310.0)
    parser.add_argument("--seconds", type=float, default=330.0)
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="modelward-idle-") as folder:
        load = idle.Load(asked.endpoints, asked.namespaces, asked.seconds, asked.start)
        cost = idle.measured(load, Path(folder))
    print(json.dumps(cost.numbers(), indent=2))


if __name__ == "__main__":
    main()
