"""`modelward evaluators prepare` builds the model or says why not, with the few files that an image build has of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modelward.cli.app import app
from modelward.job import minilm_build
from modelward.job.minilm import MODEL_FILE

ROOT = Path(__file__).parents[3]


def test_weights_that_are_not_the_published_ones_end_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(minilm_build, "installed_model", lambda: tmp_path)
    done = CliRunner().invoke(app, ["evaluators", "prepare", "--output", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "not the published" in done.stderr
    assert not (tmp_path / "out" / MODEL_FILE).exists()


def test_the_image_build_copies_all_that_the_command_imports(tmp_path: Path) -> None:
    stage = (ROOT / "Dockerfile").read_text().partition(" AS minilm\n")[2].partition("\nFROM ")[0]
    copies = re.findall(r"^COPY (src/.+) (\S+)$", stage, re.MULTILINE)
    for sources, target in copies:
        folder = tmp_path / target.removeprefix("/opt/modelward/")
        folder.mkdir(parents=True)
        for source in sources.split():
            shutil.copy(ROOT / source, folder)
    (module,) = re.findall(r"python -m (\S+) prepare --output", stage)
    code = f"import {module}, modelward.job.minilm, modelward.job.minilm_build, modelward.job.minilm_graph"
    command = [sys.executable, "-c", f"{code}; print(modelward.__file__)"]
    environment = {"PYTHONPATH": str(tmp_path / "app")}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith(str(tmp_path)), "the copies were imported, not the checkout"
