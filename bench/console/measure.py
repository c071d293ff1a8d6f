"""How long the console's heaviest pages take, before a hub that runs, as JSON; fails where one is slower than promised.

    python bench/console/measure.py [--turns 60] [--out bench/console/results.json]

The fleet has 5,000 endpoints beside the samples. Pages are asked for over one kept connection, one after the other, as
a person turns them; the time is that of the whole page, from the request to its last byte. For each page the hub's own
part is given too, which the same question takes without a console.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "tests" / "console")]

import console_objects as objects  # noqa: E402
from console_processes import Served, serving  # noqa: E402
from session_cookie import cookie  # noqa: E402

MANY = 5_000
MOST_MS = {"fleet": 150, "fleet_turned": 150, "fleet_found": 150, "transcripts": 300}
"""What the 95th percentile of each is promised to be."""


class Asker:
    """One kept connection."""

    def __init__(self, address: str, session: str = "") -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.headers = {"Cookie": session} if session else {}

    def took_ms(self, path: str) -> float:
        """Return how long a page takes."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        return (time.perf_counter() - began) * 1_000


def spread(took: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    cuts = statistics.quantiles(took, n=20)
    return {"p50_ms": round(statistics.median(took), 1), "p95_ms": round(cuts[18], 1)}


@contextmanager
def crowded() -> Iterator[Served]:
    """Run a hub and a console with so many endpoints."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        served.tell([*objects.fleet(served.now_ms), *objects.many(MANY, served.now_ms)], whole="many")
        yield served


def main() -> None:
    """Measure, write, and fail where a page is too slow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with crowded() as served:
        session = cookie(served.opening)
        paths: dict[str, Callable[[int], tuple[str, str]]] = {
            "fleet": lambda _: ("/", "/v1/view/fleet?sort=need&page=1"),
            "fleet_turned": lambda n: (f"/?page={n % 90 + 2}", f"/v1/view/fleet?sort=need&page={n % 90 + 2}"),
            "fleet_found": lambda n: (f"/?q=model-{n:03d}", f"/v1/view/fleet?sort=need&page=1&q=model-{n:03d}"),
            "endpoint": lambda _: ("/e/retail/chat", "/v1/view/endpoints/retail/chat"),
            "transcripts": lambda _: ("/e/retail/hostile/transcripts", "/v1/view/endpoints/retail/hostile/exchanges"),
        }
        for name, of in paths.items():
            pages = Asker(served.console, session)  # a new one: kept connections end when they are idle
            pages.took_ms(of(0)[0])
            found[name] = spread([pages.took_ms(of(turn)[0]) for turn in range(asked.turns)])
            hub = Asker(served.hub)
            own = spread([hub.took_ms(of(turn)[1]) for turn in range(asked.turns)])
            found[name] |= {f"hub_{key}": one for key, one in own.items()}
            print(name, found[name], file=sys.stderr, flush=True)
    text = json.dumps(found, indent=1) + "\n"
    asked.out.write_text(text, encoding="utf-8") if asked.out else print(text, end="")
    slow = [f"{name} takes {one} ms" for name, most in MOST_MS.items() if (one := found[name]["p95_ms"]) > most]
    sys.exit("\n".join(slow) or 0)


if __name__ == "__main__":
    main()
