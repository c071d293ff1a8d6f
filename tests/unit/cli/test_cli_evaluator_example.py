"""The worked example of an evaluator is one file and one entry point; it is installed and runs as its page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "evaluator"
MODELWARD = (sys.executable, "-c", "from modelward.cli.app import main; main()")
BUILD = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package by its own backend, and unpack it as `pip install --no-deps --target` does."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-c", BUILD, str(folder)]
    done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, check=True)
    wheel = folder / done.stdout.split()[-1]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    wheel.unlink()
    return folder


def modelward(installed: Path, *arguments: str, cwd: Path = EXAMPLE) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "300"}
    command = (*MODELWARD, *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_one_module_and_one_entry_point(installed: Path) -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    (module,) = project["entry-points"]["modelward.evaluators"].values()
    assert [one.name for one in installed.glob("*.py")] == [f"{module}.py"]
    assert len(list(EXAMPLE.glob("**/*.py"))) == 1


def test_its_page_shows_what_the_commands_print(installed: Path, tmp_path: Path) -> None:
    page = (EXAMPLE / "README.md").read_text()
    blocks = re.findall(r"```\n\$ modelward (.+)\n((?:.|\n)*?)```", page)
    assert len(blocks) >= 2
    for command, expected in blocks:
        arguments = [str(tmp_path / "scores.jsonl") if one == "scores.jsonl" else one for one in command.split()]
        assert modelward(installed, *arguments) == expected


def test_it_scores_as_it_says_it_does(installed: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.jsonl"
    files = ("--evaluator", "evaluator.yaml", "--input", "exchanges.jsonl", "--output", str(scores))
    modelward(installed, "evaluate", *files)
    rows = [json.loads(line) for line in scores.read_text().splitlines()]
    labels = {one["id"]: one["label"] for one in map(json.loads, (EXAMPLE / "labels.jsonl").read_text().splitlines())}
    assert [row["id"] for row in rows] == list(labels)
    assert {row["evaluator"] for row in rows} == {"promises"}
    measured = json.loads(modelward(installed, "evaluators", "show", "Promises", "-o", "json"))["measured"]
    for word, rate, count in (("fault", "true_positive_ppm", "positives"), ("ok", "false_positive_ppm", "negatives")):
        flags = [row["flagged"] for row in rows if labels[row["id"]] == word]
        assert measured[count] == len(flags)
        assert measured[rate] == round(sum(flags) / len(flags) * 1_000_000)
