"""The words that all receivers share: each then puts them into its own form, as text and never as markup."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from modelward.alerts.message import AlertFact, AlertMessage
from modelward.api.quantity import duration_text, timestamp

VALUE_CHARACTERS = 600
"""Of one line of an alert; what is longer is cut with an ellipsis."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control characters, marks that turn the direction of text, halves of characters, line separators."""
ENDED = {"Resolved": "it passes again", "Closed": "without evidence of recovery"}
_KIND_WORDS = {
    "Firing": "Firing", "Raised": "More severe", "Repeated": "Still firing", "Flapping": "Flapping",
    "Resolved": "Resolved", "Closed": "Closed without evidence of recovery", "Test": "Test",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One line about an alert; a `command` is shown in a fixed width."""

    label: str
    value: str
    command: bool = False


def plain(text: str, characters: int = VALUE_CHARACTERS) -> str:
    """Return text on one line, without characters that are not seen, cut to a length in characters."""
    seen = "".join(" " if unicodedata.category(one) in _UNSEEN else one for one in text)
    return cut(" ".join(seen.split()), characters)


def cut(text: str, characters: int) -> str:
    """Return text of at most so many characters."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def headline(message: AlertMessage, characters: int = 150) -> str:
    """Return the first line: what happened, how severe, to what."""
    severity = "" if message.over or message.kind == "Test" else f" ({message.severity})"
    return cut(f"{_KIND_WORDS[message.kind]}{severity}: {plain(message.title)}", characters)


def name_of(fact: AlertFact) -> str:
    """Return what an alert is called: `retail/chat · Objective/errors`."""
    return plain(f"{fact.namespace}/{fact.endpoint} · {fact.name}", 200)


def lines(fact: AlertFact, sent_ms: int) -> tuple[AlertLine, ...]:
    """Return what is known of an alert: what, since when, how sure, what changed just before, the next command."""
    return tuple(line for line in _lines(fact, sent_ms) if line.value)


def _lines(fact: AlertFact, sent_ms: int) -> Iterator[AlertLine]:
    yield AlertLine("What", plain(fact.what))
    yield AlertLine("Since" if fact.state not in ENDED else "Ended", _since(fact, sent_ms))
    yield AlertLine("How sure", plain(fact.evidence.sentence))
    yield AlertLine("No data", plain(fact.held))
    yield AlertLine("Just before", plain("; ".join(fact.changed)))
    yield AlertLine("Policy", plain(fact.policy))
    yield AlertLine("Next", plain(fact.next_command), command=True)


def _since(fact: AlertFact, sent_ms: int) -> str:
    """Return when it began as people read it, in UTC, with how long ago; of what ended also how."""
    began = timestamp(fact.since_ms)[:16].replace("T", " ") + " UTC"
    passed_ms = sent_ms - fact.since_ms
    if fact.state in ENDED:
        return f"{ENDED[fact.state]}; it began {began}" + (f", {duration_text(passed_ms)} ago" if passed_ms > 0 else "")
    return began + (f", {duration_text(passed_ms)} ago" if passed_ms >= 60_000 else "")


def footer(message: AlertMessage) -> str:
    """Return the last line: from which cluster, and by which key the same incident is found again."""
    return plain(f"Modelward on {message.cluster} · {message.key}", 300) if message.cluster else plain(message.key)


def left_out(message: AlertMessage, shown: int) -> str:
    """Return how many alerts are not spelled out; empty where all are."""
    number = len(message.alerts) + message.more - shown
    return f"and {number} more" if number > 0 else ""
