"""Swapping a group in a text: the same sentence about others, or nothing where that cannot be had."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from modelward.evaluate.counterfactual.groups import TermGroup

_Style: TypeAlias = Callable[[str], str]


def _as_written(term: str) -> str:
    return term


def _capitalised(term: str) -> str:
    return term[:1].upper() + term[1:]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a written form belongs: the set, the term's place in it, and how it is written."""

    of_set: int
    term: int
    style: _Style


@dataclass(frozen=True, slots=True)
class _Search:
    """How the terms of a group are found; one expression, in which longer terms come before shorter ones."""

    places: Mapping[str, _Place]
    terms: re.Pattern[str]
    unsafe: re.Pattern[str] | None


@cache
def _search(group: TermGroup) -> _Search:
    places: dict[str, _Place] = {}
    for of_set, one in enumerate(group.sets):
        for number, term in enumerate(one.terms):
            styles = (_as_written, _capitalised, str.upper) if term == term.lower() else (_as_written,)
            for style in styles:
                places.setdefault(style(term), _Place(of_set, number, style))
    unsafe = re.compile(_words(group.unsafe), re.IGNORECASE) if group.unsafe else None
    return _Search(places, re.compile(_words(places)), unsafe)


def _words(terms: tuple[str, ...] | Mapping[str, _Place]) -> str:
    """Return an expression for whole words: no letter, digit or hyphen stands beside them."""
    longest = sorted(terms, key=lambda one: (-len(one), one))
    return rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])"


def standing(text: str, group: TermGroup) -> int | None:
    """Return the set of which terms stand in a text; None where there is none, or more than one.

    A text about two sets says how they differ, and would say the contrary after a swap.
    """
    search = _search(group)
    found = {search.places[match[0]].of_set for match in search.terms.finditer(text)}
    if len(found) != 1 or (search.unsafe and search.unsafe.search(text)):
        return None
    return found.pop()


def swapped(text: str, group: TermGroup, to: int) -> str:
    """Return the text with each term of the group in the words of the set `to`, in the same case."""
    search = _search(group)

    def counterpart(match: re.Match[str]) -> str:
        place = search.places[match[0]]
        return place.style(group.sets[to].terms[place.term])

    return search.terms.sub(counterpart, text)


def counterfactual(text: str, group: TermGroup, to: int) -> str | None:
    """Return the same text about another set; None where it names not exactly one, or swapping back gives another text.

    So every pair that is asked differs in the group and in nothing else.
    """
    since = standing(text, group)
    if since is None or since == to:
        return None
    other = swapped(text, group, to)
    return other if standing(other, group) == to and swapped(other, group, since) == text else None
