"""Writes what bench/operator/measure.py has measured into docs/performance.md, between its two markers.

    python bench/operator/table.py RESULTS.json [RESULTS.json ...] [--before EARLIER.json]

With `--before`, each figure is preceded by the same one of an earlier tree, where that was measured.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("CPU of the operator until all is known, per endpoint", "start", "cpu_ms_per_endpoint", "ms"),
    ("requests until all is known: reads", "start", "reads", ""),
    ("requests until all is known: writes", "start", "writes", ""),
    ("start to a status of every endpoint", "start", "all_observed_s", "s"),
    ("start to fresh numbers of every endpoint", "start", "all_served_s", "s"),
    ("leading to the first status", "start", "first_status_after_leading_s", "s"),
    ("memory at most, at the start", "start", "peak_mb", "MB"),
    ("restart on what is there: CPU per endpoint", "restart", "cpu_ms_per_endpoint", "ms"),
    ("restart on what is there: each endpoint reconciled", "restart", "all_reconciled_s", "s"),
    ("restart on what is there: writes", "restart", "writes", ""),
    ("idle: CPU, share of a core", "idle", "cpu_percent", "%"),
    ("idle: memory", "idle", "rss_mb", "MB"),
    ("idle: reads per second", "idle", "reads_per_s", ""),
    ("idle: writes per second beside the Lease", "idle", "writes_without_lease_per_s", ""),
    ("idle: CPU of the API server, share of a core", "idle", "apiserver_cpu_percent", "%"),
    ("idle: reconcile, median", "idle", "reconcile_p50_s", "s"),
    ("idle: reconcile, 99th percentile", "idle", "reconcile_p99_s", "s"),
    *(
        (f"{rate} changes a second: {name}", f"changes_{rate}", key, unit)
        for rate in (5, 10)
        for name, key, unit in (
            ("CPU, share of a core", "cpu_percent", "%"),
            ("memory at most", "rss_mb", "MB"),
            ("reads per second", "reads_per_s", ""),
            ("writes per second", "writes_per_s", ""),
            ("reconcile, median", "reconcile_p50_s", "s"),
            ("reconcile, 99th percentile", "reconcile_p99_s", "s"),
            ("change to status, median", "change_to_status_p50_s", "s"),
            ("change to status, 99th percentile", "change_to_status_p99_s", "s"),
        )
    ),
    ("killed to leading again", "kill", "kill_to_leading_s", "s"),
    ("leading to the status of a spec changed meanwhile", "kill", "leading_to_status_of_changed_spec_s", "s"),
)
Result = Mapping[str, Any]


def table(results: Sequence[Result], before: Mapping[int, Result]) -> str:
    """Return the table in Markdown: a row for each figure, a column for each number of endpoints."""
    head = ["", *(f"{result['endpoints']:,}" for result in results)]
    rows = [head, ["---", *("---:" for _ in results)]]
    for name, phase, key, unit in ROWS:
        cells = [_cell(result, before.get(result["endpoints"], {}), phase, key, unit) for result in results]
        if any(cells):
            rows.append([name, *(cell or "-" for cell in cells)])
    loads = [result["load_average"] for result in results]
    rows.append(["load average of the machine", *(f"{min(load):.1f} to {max(load):.1f}" for load in loads)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(result: Result, before: Result, phase: str, key: str, unit: str) -> str:
    now, then = (_number(one.get(phase, {}).get(key), unit) for one in (result, before))
    return f"{then} → {now}" if now and then else now


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def main() -> None:
    """Rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--before", type=Path, nargs="*", default=[])
    asked = parser.parse_args()
    results, earlier = (
        [one for path in paths for one in json.loads(path.read_text())["sizes"]]
        for paths in (asked.results, asked.before)
    )
    written = table(results, {one["endpoints"]: one for one in earlier})
    marked = re.compile(r"(<!-- bench/operator: begin -->\n).*?(<!-- bench/operator: end -->)", re.DOTALL)
    PAGE.write_text(marked.sub(lambda found: f"{found[1]}{written}\n{found[2]}", PAGE.read_text()))


if __name__ == "__main__":
    main()
