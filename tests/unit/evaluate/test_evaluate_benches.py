"""What measures the evaluators can be imported: a bench that lost a module is found here, not when a figure is due."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[3] / "bench"
_IMPORT = "import importlib, sys; sys.path.insert(0, sys.argv[1]); [importlib.import_module(n) for n in sys.argv[2:]]"


@pytest.mark.parametrize("folder", ["evaluators", "verdicts", "privacy"])
def test_every_module_of_a_bench_can_be_imported(folder: str) -> None:
    names = sorted(file.stem for file in (BENCH / folder).glob("*.py"))
    assert names
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, str(BENCH / folder), *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
