"""The catalogue of metrics says what the code exports, no more and no less."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelward.collector.families import FAMILIES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_catalogue_is_what_the_code_defines() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "generate-metrics", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [name for name in FAMILIES if "_" in name and not name.endswith("_bytes")])
def test_every_family_of_a_collector_is_in_the_catalogue(name: str) -> None:
    assert f"| `{name}` |" in (DOCS / "metrics.md").read_text(encoding="utf-8")
