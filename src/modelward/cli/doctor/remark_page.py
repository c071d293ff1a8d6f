"""What `modelward doctor` prints: what is wrong first, and the next command below each remark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from modelward.cli.doctor.remark import Remark, exit_code

_MARKS = {
    "Error": ("error  ", "bold red"),
    "Warning": ("warning", "bold yellow"),
    "Notice": ("notice ", "cyan"),
    "NotRead": ("unread ", "dim"),
    "Good": ("good   ", "green"),
}


def page(remarks: Sequence[Remark]) -> RenderableType:
    """Return the remarks for people at a terminal."""
    parts: list[RenderableType] = []
    for severity, (mark, style) in _MARKS.items():
        for remark in (one for one in remarks if one.severity == severity):
            parts.append(Text.assemble((mark, style), f" {remark.subject}: ", remark.what))
            if remark.next:
                parts.append(Text(f"        next: {remark.next}", "dim"))
    parts.append(Text(_summary(remarks), "bold"))
    return Group(*parts)


def document(remarks: Sequence[Remark]) -> dict[str, Any]:
    """Return the remarks for programs; `exitCode` is the command's own."""
    return {"exitCode": exit_code(remarks), "remarks": [asdict(remark) for remark in remarks]}


def _summary(remarks: Sequence[Remark]) -> str:
    count = Counter(remark.severity for remark in remarks)
    found = f"errors: {count['Error']}, warnings: {count['Warning']}"
    return f"{found}, could not be read: {count['NotRead']}" if count["NotRead"] else found
