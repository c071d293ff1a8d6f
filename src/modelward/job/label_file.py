"""What people said of exchanges, from a file: `{"id", "label": "fault" or "ok", "group", "evaluator"}`, one a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelward.job.json_lines import BadLine, JsonLines

FAULT, OK = "fault", "ok"


@dataclass(frozen=True, slots=True)
class ExchangeLabel:
    """A person's word on one exchange: `fault` is None for another word than fault or ok, such as `unsure`.

    With an `evaluator` it is for that one only.
    """

    id: str
    fault: bool | None
    group: str = ""
    evaluator: str = ""


@dataclass(slots=True)
class ExchangeLabels:
    """Labels by exchange. One that contradicts another of the same exchange and evaluator takes both away.

    `repeated` counts those said twice, `contradicted` those of them that differ.
    """

    by_key: dict[tuple[str, str], ExchangeLabel] = field(default_factory=dict)
    unsure: int = 0
    repeated: int = 0
    contradicted: int = 0

    def add(self, label: ExchangeLabel) -> None:
        """Take in one label."""
        key = (label.id, label.evaluator)
        before = self.by_key.get(key)
        if before is not None:
            self.repeated += 1
            if before.fault != label.fault:
                self.contradicted += 1
                label = ExchangeLabel(label.id, None, label.group, label.evaluator)
        elif label.fault is None:
            self.unsure += 1
        self.by_key[key] = label

    def of(self, exchange_id: str, evaluator: str) -> ExchangeLabel | None:
        """Return the label for an evaluator, else the one for all; None where there is none that says fault or ok."""
        found = self.by_key.get((exchange_id, evaluator)) or self.by_key.get((exchange_id, ""))
        return found if found is not None and found.fault is not None else None


def read_labels(path: Path, bad: Callable[[BadLine], None]) -> ExchangeLabels:
    """Read a file of labels; a line that is none goes to `bad`."""
    labels = ExchangeLabels()
    for label in JsonLines([path], label_from_json, bad):
        labels.add(label)
    return labels


def label_from_json(data: Mapping[str, Any]) -> ExchangeLabel:
    """Build a label from decoded JSON; ValueError when something is missing or no text."""
    for name in ("id", "label"):
        if not isinstance(data.get(name), str):
            raise ValueError(f"not a label: {name} must be text (docs/evaluate-by-hand.md shows one)")
    word = data["label"].strip().lower()
    fault = True if word == FAULT else False if word == OK else None
    return ExchangeLabel(data["id"], fault, str(data.get("group") or ""), str(data.get("evaluator") or ""))
