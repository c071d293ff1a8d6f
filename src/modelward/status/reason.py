"""What is said of one reason of a condition; the tables are in `reasons` and the two modules that it unites."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason; `cause` and `next` are empty where all is as it should be. Texts are Markdown."""

    name: str
    meaning: str
    cause: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Conditions that share their reasons, and the kind of object that has them."""

    kind: str
    conditions: tuple[str, ...]
    reasons: tuple[Reason, ...]
