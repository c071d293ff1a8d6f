"""What the demo shows: chapters, what it waits for, and the pictures a user would look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.rule import Rule

console = Console(highlight=False)
_T = TypeVar("_T")


class TookTooLongError(Exception):
    """What the demo waited for did not come; the message says what, and where to look."""


@contextmanager
def chapter(title: str) -> Iterator[None]:
    """Print a title, and at the end how long the chapter took."""
    console.print(Rule(f"[bold]{title}", align="left", style="dim"))
    started = time.monotonic()
    yield
    console.print(f"[dim]({time.monotonic() - started:.0f} s)[/dim]\n")


def say(text: str) -> None:
    """Print a sentence."""
    console.print(text)


def command(text: str) -> None:
    """Print a command as a user would type it."""
    console.print(f"[bold cyan]$ {text}[/bold cyan]")


def picture(text: str) -> None:
    """Print what a command printed, unwrapped."""
    console.print(text.rstrip(), markup=False, soft_wrap=True)


def wait(what: str, look: Callable[[], _T | None], limit_s: float, hint: str, every_s: float = 1.0) -> _T:
    """Look until something comes; TookTooLongError names what did not, and the next command."""
    deadline = time.monotonic() + limit_s
    with console.status(f"waiting for {what}"):
        while True:
            found = look()
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise TookTooLongError(f"{what} did not come within {limit_s:.0f} s; look at: {hint}")
            time.sleep(every_s)
