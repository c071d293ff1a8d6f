"""No module imports itself through others, not even for its types alone: a reader can start at either end."""

from __future__ import annotations

import ast
import pkgutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src"
TOP = sorted(f"modelward.{one.name}" for one in pkgutil.iter_modules([str(SOURCE / "modelward")]))
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
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


def contract(begins: str) -> dict[str, Any]:
    """Return the contract whose name begins so."""
    (found,) = (one for one in CONTRACTS if one["name"].startswith(begins))
    return dict(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_has_a_cycle_of_imports(package: str) -> None:
    assert cycles(graph(package)) == []


def test_a_cycle_is_found_however_long_and_a_row_is_none() -> None:
    row = {"a": {"b"}, "b": {"c"}, "c": set[str]()}
    assert cycles(row) == []
    assert cycles({**row, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert cycles({"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}) == [["a", "b"], ["c", "d"]]


def test_pure_packages_import_of_urllib_only_what_splits_text() -> None:
    folders = [SOURCE / name.replace(".", "/") for name in contract("Pure packages")["source_modules"]]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    found = {one for path in files for one in imported(path) if one.startswith("urllib.")}
    assert [one for one in sorted(found) if not one.startswith("urllib.parse")] == []


def test_every_package_has_its_layer_and_the_page_for_contributors_shows_the_same_list() -> None:
    layers = contract("Layers")["layers"]
    assert sorted(name for layer in layers for name in layer.split(" | ")) == TOP
    shown = " > ".join(layers).replace("modelward.", "")
    assert shown in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()


def test_the_plugin_imports_standard_python_and_itself_alone() -> None:
    plugin = "modelward.kubectl"
    forbidden = contract("The plugin")
    assert forbidden["source_modules"] == [plugin]
    assert [name for name in TOP if name not in {plugin, *forbidden["forbidden_modules"]}] == []
    files = (SOURCE / "modelward" / "kubectl").rglob("*.py")
    found = {one for path in files for one in imported(path) if one.split(".")[0] not in sys.stdlib_module_names}
    assert [one for one in sorted(found) if not f"{one}.".startswith(f"{plugin}.")] == []
