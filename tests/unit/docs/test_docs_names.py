"""A name means one thing: no two public classes or type aliases of the package share theirs."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src" / "modelward"


def names_of(text: str) -> Iterator[str]:
    """Yield the public classes of a module, and the capitalised names that it defines at its top."""
    tree = ast.parse(text)
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        if isinstance(node, ast.Assign) and "TypeVar" not in ast.unparse(node.value):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name) and not one.id.isupper())


def test_no_two_public_classes_share_a_name() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        for name in names_of(path.read_text(encoding="utf-8")):
            if name[0].isupper():
                found[name].append(str(path.relative_to(SOURCE)))
    assert {name: where for name, where in found.items() if len(where) > 1} == {}
