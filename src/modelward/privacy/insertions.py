"""Values of SQL insertions, whose columns are named before them as in the heading of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.alternatives import lowered
from modelward.privacy.columns import Judge, judge_of
from modelward.privacy.span import Span

_INSERT = re.compile(
    r"insert\s{1,4}(?:or\s\w{1,8}\s)?into\s{1,4}[\w.`\"\[\]]{1,64}\s{0,4}\((?P<columns>[^()]{1,400})\)\s{0,4}values\s{0,4}"
)
_ROW = re.compile(r"\s{0,4}\((?:'(?:[^']|'')*+'|[^'()])*+\)\s{0,4},?")
_CELL = re.compile(r"'((?:[^']|'')*+)'|([^',()]++)")


def inserted_values(text: str) -> Iterator[Span]:
    """Find values in columns whose name is that of a number of people, a phone, a date of birth or a password."""
    low = lowered(text)
    if "insert" not in low:
        return
    for statement in _INSERT.finditer(low):
        begin, end = statement.span("columns")
        judges = [judge_of(name) for name in text[begin:end].split(",")]
        position = statement.end()
        while any(judges) and (row := _ROW.match(text, position)):
            yield from _judged(text, row, judges)
            position = row.end()


def _judged(text: str, row: re.Match[str], judges: list[Judge | None]) -> Iterator[Span]:
    cells = (cell for cell in _CELL.finditer(text, *row.span()) if cell.group(1) is not None or cell.group().strip())
    for cell, judge in zip(cells, judges, strict=False):
        group = 1 if cell.group(1) is not None else 2
        if judge and (kind := judge(cell.group(group).strip())):
            yield Span(kind, *cell.span(group))
