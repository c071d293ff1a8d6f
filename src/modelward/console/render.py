"""Writing pages: strict templates that escape everything; nothing of a page is markup that code has made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined

from modelward.console.assets import sheet

TEMPLATES = Path(__file__).parent / "templates"
SHEET = "console.css"
"""The name by which templates include the style sheet."""


@dataclass(frozen=True, slots=True)
class NavItem:
    """A page in the bar on top."""

    text: str
    href: str
    current: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence above a page; its kind is a class: done, err, or none."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What stands around every page. `live` is the address that a page is brought up to date from; empty: never."""

    nonce: str
    print_sheet: str = ""
    scripts: tuple[str, ...] = ()
    icon: str = ""
    person: str = ""
    cluster: str = ""
    can_leave: bool = False
    nav: tuple[NavItem, ...] = ()
    notice: Notice | None = None
    live: str = ""


@cache
def environment() -> Environment:
    """Return the one environment: a name that is missing is an error, and all output is escaped."""
    return Environment(
        loader=ChoiceLoader((FileSystemLoader(TEMPLATES), DictLoader({SHEET: f"{{% raw %}}{sheet()}{{% endraw %}}"}))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def write(template: str, frame: PageFrame, page: object) -> str:
    """Return a page."""
    return environment().get_template(template).render(frame=frame, page=page)
