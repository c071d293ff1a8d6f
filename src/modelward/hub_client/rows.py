"""Rows of a hub's answer, read one by one: a row that cannot be read costs itself and no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, TypeVar

BATCH = 100
"""Rows that are read before other work of the loop gets its turn: about 3 ms."""
READ_ERRORS = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What reading a row of another shape can raise."""

Row = TypeVar("Row")


async def readable(
    rows: Sequence[Any], read: Callable[[Any], Row], skipped: Callable[[str], None]
) -> AsyncGenerator[list[Row]]:
    """Yield rows of decoded JSON as `read` returns them, some at a time; `skipped` receives each that is left out."""
    for start in range(0, len(rows), BATCH):
        batch: list[Row] = []
        for row in rows[start : start + BATCH]:
            try:
                batch.append(read(row))
            except READ_ERRORS:
                skipped("unreadable")
        yield batch
        await asyncio.sleep(0)
