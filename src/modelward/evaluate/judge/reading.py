"""From a reply to a label: one reading for each readout, and a cause for all that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from modelward.api.judge import Readout
from modelward.evaluate.explanation import explanation
from modelward.evaluate.judge.labels import LabelClass, LabelSet
from modelward.evaluate.judge.reply import Reply

EMPTY: Final = "empty"
TRUNCATED: Final = "truncated"
FOREIGN_LABEL: Final = "foreign-label"
NOT_JSON: Final = "not-json"
NO_PROBABILITIES: Final = "no-probabilities"
MIN_MASS = 1e-6
"""Less probability than this over all labels says nothing of which one is meant."""


@dataclass(frozen=True, slots=True)
class LabelReading:
    """A label that was read. `value` is the probability of a fault as the judge sees it, None where it abstains.

    `reason` is text of the judge, which may repeat text of the exchange, masked; `by` is the readout and the model's
    name.
    """

    label: str
    meaning: LabelClass
    value: float | None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class NoLabel:
    """A reply without a label; asking again may help, unless the judge gives no probabilities."""

    cause: str


Read: TypeAlias = LabelReading | NoLabel


def read(readout: Readout, reply: Reply, labels: LabelSet) -> Read:
    """Return what a reply says. Any reply gives one answer: no text of it raises."""
    return _READERS[readout](reply, labels)


def _by_probability(reply: Reply, labels: LabelSet) -> Read:
    """Read the first place that holds more than marks: the share of its probability that each meaning has."""
    if not reply.tokens:
        return NoLabel(NO_PROBABILITIES)
    for place in reply.tokens:
        mass = _mass(place, labels)
        if sum(mass.values()) >= MIN_MASS:
            return _likeliest(mass, place, labels)
        if any(token.strip() for token in place) and max(place, key=place.__getitem__).strip():
            return NoLabel(FOREIGN_LABEL)
    return NoLabel(EMPTY)


def _mass(place: Mapping[str, float], labels: LabelSet) -> dict[LabelClass, float]:
    mass: dict[LabelClass, float] = {"Fault": 0.0, "OK": 0.0, "Abstain": 0.0}
    for token, probability in place.items():
        if meaning := labels.class_begun_by(token):
            mass[meaning] += probability
    return mass


def _likeliest(mass: Mapping[LabelClass, float], place: Mapping[str, float], labels: LabelSet) -> Read:
    token = max((one for one in place if labels.class_begun_by(one)), key=place.__getitem__)
    decided = mass["Fault"] + mass["OK"]
    if mass["Abstain"] > max(mass["Fault"], mass["OK"]) or not decided:
        abstained = [label for label in labels.every if labels.class_of(label) == "Abstain"]
        return LabelReading(abstained[0], "Abstain", None)
    value = mass["Fault"] / decided
    meaning: LabelClass = "Fault" if value >= 0.5 else "OK"
    begun = [label for label in sorted(labels.begun_by(token)) if labels.class_of(label) == meaning]
    others = [label for label in labels.every if labels.class_of(label) == meaning]
    return LabelReading((begun or others)[0], meaning, min(1.0, max(0.0, value)))


def _by_json(reply: Reply, labels: LabelSet) -> Read:
    if not reply.text.strip():
        return NoLabel(TRUNCATED if reply.cut else EMPTY)
    try:
        found = json.loads(_unfenced(reply.text), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return NoLabel(TRUNCATED if reply.cut else NOT_JSON)
    given = found.get("label") if isinstance(found, dict) else None
    label = labels.exactly(given) if isinstance(given, str) else None
    if label is None:
        return NoLabel(FOREIGN_LABEL)
    return _certain(label, labels, found.get("reason"))


def _by_word(reply: Reply, labels: LabelSet) -> Read:
    if not reply.text.strip():
        return NoLabel(TRUNCATED if reply.cut else EMPTY)
    first, _, rest = reply.text.strip().partition("\n")
    if reply.cut and not rest:
        label = labels.leading(first)
        return _certain(label, labels, "") if label and _goes_on(first, label) else NoLabel(TRUNCATED)
    label = labels.leading(reply.text)
    return _certain(label, labels, rest) if label else NoLabel(FOREIGN_LABEL)


def _goes_on(line: str, label: str) -> bool:
    """Return whether a line that was cut is longer than its label, so that the label itself is whole."""
    return len(line.strip()) > len(label) + 1


def _certain(label: str, labels: LabelSet, reason: Any) -> LabelReading:
    meaning = labels.class_of(label)
    value = None if meaning == "Abstain" else float(meaning == "Fault")
    return LabelReading(label, meaning, value, explanation(reason))


def _unfenced(text: str) -> str:
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3]
    return text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


_READERS: Mapping[Readout, Callable[[Reply, LabelSet], Read]] = {
    "CompletionLabel": _by_probability,
    "ChatLabel": _by_probability,
    "JSONSchema": _by_json,
    "Word": _by_word,
}
