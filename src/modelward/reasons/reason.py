"""The type of a condition's reason, and the tables that reasons are declared in.

A reason is the CamelCase word of a Kubernetes condition, and carries what it means, what usually causes it and what to
do next. docs/reasons.md and the advice of `modelward explain` are made from nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self


class Reason(str):
    """A condition's reason: the word itself, equal to it and written as it, with its texts in Markdown.

    `cause` and `next` are empty where all is as it should be. NS and NAME stand for the object's namespace and name,
    POD, JOB and RUN for what is concerned.
    """

    __slots__ = ("cause", "meaning", "next")

    cause: str
    meaning: str
    next: str

    def __new__(cls, name: str, meaning: str = "", cause: str = "", next: str = "") -> Self:  # noqa: A002
        """Make a reason; outside of a table only for a word that an object or the hub already holds."""
        reason = super().__new__(cls, name)
        reason.meaning, reason.cause, reason.next = meaning, cause, next
        return reason

    @property
    def name(self) -> str:
        """The word as a plain string."""
        return str(self)


def unreadable(kind: str, short: str, what: str) -> Reason:
    """Return the reason of a stored object of a kind that this version cannot read; `what` follows from that."""
    return Reason(
        "InvalidSpec",
        f"this version cannot read the {kind}, and {what}; the message names the field",
        "CustomResourceDefinitions and operator are of different releases, or an earlier one stored the value",
        f"write what it takes, or bring both to one release; `modelward doctor`, `kubectl explain {short}.spec`",
    )


class ReasonTable:
    """Base of the tables: a class whose attributes are the reasons that conditions of one kind can have.

    Attributes stand in the order of the documentation. A reason of two tables is one object: the second refers to it.
    """

    kind: ClassVar[str]
    conditions: ClassVar[tuple[str, ...]]
    reasons: ClassVar[tuple[Reason, ...]]
    _by_word: ClassVar[Mapping[str, Reason]]

    def __init_subclass__(cls, *, kind: str, conditions: tuple[str, ...]) -> None:
        """Collect the reasons that the class declares."""
        cls.kind, cls.conditions = kind, conditions
        cls.reasons = tuple(one for one in vars(cls).values() if isinstance(one, Reason))
        cls._by_word = {str(one): one for one in cls.reasons}

    @classmethod
    def named(cls, word: str) -> Reason:
        """Return the reason of a word that was stored; one of another release has no texts."""
        return cls._by_word.get(word) or Reason(word)
