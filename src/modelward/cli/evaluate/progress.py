"""A progress bar on a terminal, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from modelward.api.exchange import Exchange
from modelward.cli.console import err
from modelward.job.json_lines import JsonLines

_EVERY = 32
"""Exchanges between two updates."""


@contextmanager
def shown_progress(exchanges: JsonLines[Exchange]) -> Iterator[Iterator[Exchange]]:
    """Yield the exchanges; while they are taken, show how many were and how much of the files that is."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        yield _counted(exchanges, bar)


def _counted(exchanges: JsonLines[Exchange], bar: Progress) -> Iterator[Exchange]:
    task = bar.add_task("0 exchanges", total=exchanges.size_bytes)
    for number, exchange in enumerate(exchanges, start=1):
        yield exchange
        if number % _EVERY == 0:
            bar.update(task, completed=exchanges.position_bytes, description=f"{number:,} exchanges")
