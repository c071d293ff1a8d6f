"""The collector's image holds a part of the package: all that this part imports must be in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "modelward"


def carried() -> set[str]:
    """Read from the Dockerfile which packages are copied."""
    found = re.search(
        r"cp -r ([^&\n]*) /opt/collector-app/modelward/", (ROOT / "Dockerfile").read_text(encoding="utf-8")
    )
    assert found is not None
    return {name for name in found[1].split() if (SOURCE / name / "__init__.py").is_file()}


def imported(package: str) -> Iterator[str]:
    """Yield the packages that one imports anywhere, also within functions."""
    for path in (SOURCE / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            yield from (name.split(".")[1] for name in names if name.startswith("modelward."))


def test_the_image_carries_every_package_that_the_collector_imports() -> None:
    wanted, known = {"collector"}, set[str]()
    while wanted - known:
        package = (wanted - known).pop()
        known.add(package)
        wanted |= set(imported(package))
    assert wanted == carried()


def test_the_image_of_the_devcluster_is_built_anew_when_one_of_them_changes() -> None:
    found = re.search(r"_CARRIED = \(([^)]*)\)", (ROOT / "devcluster" / "images.py").read_text(encoding="utf-8"))
    assert found is not None
    assert set(re.findall(r'"(\w+)"', found[1])) == carried()
