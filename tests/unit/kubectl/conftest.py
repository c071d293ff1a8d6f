"""A kubectl that answers from files, so that what the plugin prints can be read without a cluster."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = """#!{python}
import json, pathlib, sys

folder = pathlib.Path({folder!r})
words = sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
match words:
    case ["get", kind, name, *_] if not name.startswith("-"):
        found = [one for one in json.loads((folder / kind).read_text())["items"] if one["metadata"]["name"] == name]
        if not found:
            sys.exit(f'Error from server (NotFound): {{kind}} "{{name}}" not found')
        print(json.dumps(found[0]))
    case ["get", kind, *_]:
        print((folder / kind).read_text())
    case ["create", "-f", "-", *_]:
        (folder / "created").write_text(sys.stdin.read())
        print("alertsilence.modelward.dev/ack-chat-x2k4p created")
    case ["create", "--dry-run=client", *_]:
        print((folder / "dry-run").read_text())
    case ["auth", "whoami", *_]:
        print(json.dumps({{"status": {{"userInfo": {{"username": "ann@example.org"}}}}}}))
    case ["config", "view", *_]:
        print("retail", end="")
    case _:
        sys.exit(f"error: unknown command {{words}}")
"""


@dataclass(frozen=True, slots=True)
class FileKubectl:
    """The program, and what it was asked and given."""

    folder: Path

    @property
    def program(self) -> str:
        return str(self.folder / "kubectl")

    def holds(self, kind: str, *objects: Mapping[str, Any]) -> None:
        (self.folder / f"{kind}.modelward.dev").write_text(json.dumps({"items": objects}))

    def created(self) -> Any:
        return json.loads((self.folder / "created").read_text())

    def calls(self) -> Sequence[Sequence[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def kubectl(tmp_path: Path) -> FileKubectl:
    made = FileKubectl(tmp_path)
    program = Path(made.program)
    program.write_text(_PROGRAM.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    made.holds("llmendpoints")
    return made


@pytest.fixture
def endpoint() -> Callable[..., dict[str, Any]]:
    def make(name: str, **status: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "retail"}, "status": status}

    return make
