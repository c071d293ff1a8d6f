"""No module imports itself through others, not even for its types alone: a reader can start at either end."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src"
PACKAGES = sorted(path.parent.name for path in (SOURCE / "modelward").glob("*/__init__.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Yield every module that a file names, wherever the import stands and whatever it is for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def graph(package: str) -> dict[str, set[str]]:
    files = {module_of(path): path for path in (SOURCE / "modelward" / package).rglob("*.py")}
    return {name: {one for one in imported(path) if one in files and one != name} for name, path in files.items()}


def cycles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return the modules that reach themselves, those of one knot together."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        left = [*arrows[start]]
        while left:
            if (name := left.pop()) not in found:
                found.add(name)
                left += arrows[name]
        return found

    reach = {name: reached(name) for name in arrows}
    knots = {frozenset(b for b in reach[a] if a in reach[b]) for a in arrows if a in reach[a]}
    return sorted(sorted(knot) for knot in knots)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_has_a_cycle_of_imports(package: str) -> None:
    assert cycles(graph(package)) == []


def test_a_cycle_is_found_however_long_and_a_row_is_none() -> None:
    row = {"a": {"b"}, "b": {"c"}, "c": set[str]()}
    assert cycles(row) == []
    assert cycles({**row, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert cycles({"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}) == [["a", "b"], ["c", "d"]]


def test_pure_packages_import_of_urllib_only_what_splits_text() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (pure,) = (one["source_modules"] for one in contracts if one["name"].startswith("Pure packages"))
    files = [path for name in pure for path in (SOURCE / name.replace(".", "/")).rglob("*.py")]
    found = {one for path in files for one in imported(path) if one.startswith("urllib.")}
    assert [one for one in sorted(found) if not one.startswith("urllib.parse")] == []
