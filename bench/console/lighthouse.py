"""What Lighthouse says of each page, on a desk and on a phone, before a hub that runs; fails where one falls short.

    python bench/console/lighthouse.py [--pages why,alerts] [--forms mobile] [--out bench/console/lighthouse.json]

Lighthouse 12.2.3 runs on Node 20 in Debian's Chromium, with its own presets: a phone is slow, and on a slow network.
Figures are those of the median of three runs where the first falls short, because other work on a machine slows a page
and never hurries it; else those of the first.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node_tools import LIGHTHOUSE, installed
from session_cookie import cookie

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "tests" / "console")]

from console_pages import PAGES  # noqa: E402
from console_processes import serving  # noqa: E402

LEAST = {"performance": 95, "accessibility": 100, "best-practices": 95}
MOST_LCP_MS = {"desktop": 1_000, "mobile": 2_000}
"""When the largest part of a page is seen. The phone's network has 150 ms to each answer and 1.6 Mbit a second."""
TRIES = 3
Figures = Mapping[str, int]


def run(programs: tuple[Path, Path], url: str, form: str, session: str) -> dict[str, Any] | None:
    """Return Lighthouse's report on one page; None where it got none, as happens where the machine is very busy."""
    node, lighthouse = programs
    chromium = os.environ.get("MODELWARD_CHROMIUM") or shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(node), str(lighthouse), url, "--quiet", "--output=json", f"--output-path={report}"]
        command += [f"--only-categories={','.join(LEAST)}", f"--extra-headers={json.dumps({'Cookie': session})}"]
        command += ["--chrome-flags=--headless=new --no-sandbox", "--no-enable-error-reporting"]
        command += ["--preset=desktop"] if form == "desktop" else []
        ended = subprocess.run(command, check=False, env={**os.environ, "CHROME_PATH": chromium}, timeout=300)
        if ended.returncode:
            return None
        return dict(json.loads(report.read_text(encoding="utf-8")))


def figures(report: Mapping[str, Any]) -> dict[str, int]:
    """Return the scores of 100, and milliseconds."""
    found = {name: round(100 * (report["categories"][name]["score"] or 0)) for name in LEAST}
    audits = report["audits"]
    times = {"lcp_ms": "largest-contentful-paint", "blocked_ms": "total-blocking-time"}
    return {**found, **{name: round(audits[audit]["numericValue"]) for name, audit in times.items()}}


def short(found: Figures, form: str) -> str:
    """Return what of them falls short."""
    few = [f"{name} {found[name]}" for name, least in LEAST.items() if found[name] < least]
    return ", ".join(few + ([f"LCP {found['lcp_ms']} ms"] if found["lcp_ms"] > MOST_LCP_MS[form] else []))


def complaints(report: Mapping[str, Any]) -> list[str]:
    """Return the audits that cost a page its score."""
    audits = report["audits"]
    named = [ref["id"] for name in LEAST for ref in report["categories"][name]["auditRefs"] if ref["weight"]]
    scored = {one: audits[one]["score"] for one in named}
    return [f"{one}: {audits[one]['title']}" for one, score in scored.items() if score is not None and score < 0.9]


def measured(programs: tuple[Path, Path], url: str, form: str, session: str) -> dict[str, int]:
    """Return the figures of a page, by more runs where the first falls short."""
    rows: list[dict[str, int]] = []
    for _ in range(2 * TRIES):
        report = run(programs, url, form, session)
        if report is None:
            continue
        rows.append(figures(report))
        if len(rows) == 1 and not short(rows[0], form):
            return rows[0]
        print(f"  {form} {rows[-1]} {complaints(report)}", file=sys.stderr, flush=True)
        if len(rows) == TRIES:
            break
    assert rows, f"Lighthouse got no report on {url}"
    return sorted(rows, key=lambda one: (one["performance"], -one["lcp_ms"]))[len(rows) // 2]


def main() -> None:
    """Measure, write, and fail where a page falls short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", default=",".join(PAGES))
    parser.add_argument("--forms", default=",".join(MOST_LCP_MS))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    programs, rows = installed(), dict[str, dict[str, dict[str, int]]]()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        session = cookie(served.opening)
        for name in asked.pages.split(","):
            rows[name] = {}
            for form in asked.forms.split(","):
                rows[name][form] = measured(programs, served.console + PAGES[name], form, session)
                print(f"{name:12} {form:8} {rows[name][form]}", file=sys.stderr, flush=True)
    text = json.dumps({"lighthouse": LIGHTHOUSE.partition("@")[2], "pages": rows}, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    missed = [
        f"{name} {form}: {few}" for name, row in rows.items() for form, one in row.items() if (few := short(one, form))
    ]
    sys.exit("\n".join(missed) or 0)


if __name__ == "__main__":
    main()
