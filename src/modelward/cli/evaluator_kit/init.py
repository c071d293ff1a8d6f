"""`modelward evaluator init`: a folder with an evaluator that works, to be changed."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from modelward.api.form import NAME

PLACEHOLDER = "my-evaluator"
FILES = ("evaluator.py", "server.py", "test_evaluator.py", "Dockerfile", "evaluator.yaml", "README.md")


class InitError(ValueError):
    """The folder cannot be made; the message says why."""


def init(name: str, parent: Path) -> Path:
    """Write the skeleton into a new folder of that name and return the folder. Raises InitError."""
    if not re.fullmatch(NAME.pattern, name) or len(name) > 63:
        raise InitError(f"{NAME.fault(name)} (at most 63 characters): the Evaluator is named so")
    folder = parent / name
    if folder.exists():
        raise InitError(f"{folder} is there already; nothing was written")
    folder.mkdir(parents=True)
    skeleton = files("modelward.cli.evaluator_kit") / "skeleton"
    for one in FILES:
        text = (skeleton / one).read_text(encoding="utf-8")
        (folder / one).write_text(text.replace(PLACEHOLDER, name), encoding="utf-8")
    return folder
