"""What several pages are made of: links, facts, and rows of what happened."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from modelward.console.pages.moment import ShownMoment


@dataclass(frozen=True, slots=True)
class Link:
    """Where a word leads; `current` is where one is, `first` the next thing to do."""

    text: str
    href: str
    current: bool = False
    first: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is known of it; `state` is a class."""

    name: str
    text: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class LogRow:
    """Something that happened: when, its sign, and what."""

    at: ShownMoment
    sign: str
    text: str
    reason: str = ""
    message: str = ""
    kind: str = ""
    type: str = ""


def address(namespace: str, name: str, page: str = "", **query: str) -> str:
    """Return the address of a page of an endpoint."""
    place = f"/e/{quote(namespace)}/{quote(name)}{f'/{page}' if page else ''}"
    return f"{place}?{urlencode(query)}" if query else place


def tabs(namespace: str, name: str, current: str) -> tuple[Link, ...]:
    """Return the tabs of an endpoint's pages."""
    pages = (
        ("Overview", ""),
        ("Why", "why"),
        ("Revisions", "revisions"),
        ("Transcripts", "transcripts"),
        ("Cost", "cost"),
    )
    links = (Link(text, address(namespace, name, page), text == current) for text, page in pages)
    return (*links, Link("Alerts", f"/alerts?ns={quote(namespace)}"))
