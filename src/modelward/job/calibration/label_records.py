"""Labelled exchanges with their text, one JSON object a line, as a ConfigMap holds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelward.api.exchange import Exchange, Message
from modelward.evaluate.calibration.outcome import LabelRow
from modelward.job.json_lines import BadLine, JsonLines
from modelward.job.label_file import label_from_json


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """One labelled exchange; `digest` is of all that an evaluator can read of it."""

    exchange: Exchange
    row: LabelRow
    digest: str


@dataclass(slots=True)
class LabelRecords:
    """The labels that say fault or ok, each exchange once; and how many lines said something else, or nothing."""

    records: list[LabelRecord] = field(default_factory=list)
    unsure: int = 0
    contradicted: int = 0
    bad: list[BadLine] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many are at fault."""
        return sum(one.row.fault for one in self.records)

    @property
    def digest(self) -> str:
        """The hash of all that they say, in any order; empty where there are none."""
        said = sorted([one.digest, one.row.fault, one.row.endpoint] for one in self.records)
        return hashlib.sha256(json.dumps(said).encode("utf-8", "surrogatepass")).hexdigest()[:32] if said else ""

    def first_bad(self) -> str:
        """Return how many lines were no labels, and where the first of them stands; empty where all were."""
        if not self.bad:
            return ""
        first = self.bad[0]
        return f"{len(self.bad)} lines are no labels, the first: {Path(first.file).name}:{first.line}"


def read_label_records(files: Sequence[Path]) -> LabelRecords:
    """Read files of labels. Two labels of one exchange that differ take it out; what is no label is kept apart."""
    found = LabelRecords()
    by_id: dict[str, LabelRecord | None] = {}
    for record in JsonLines(files, _record, found.bad.append):
        if record is None:
            found.unsure += 1
            continue
        before = by_id.get(record.exchange.id, record)
        if before is not None and before.row.fault != record.row.fault:
            found.contradicted += 1
            by_id[record.exchange.id] = None
        elif before is not None:
            by_id[record.exchange.id] = before
    found.records = [one for one in by_id.values() if one is not None]
    return found


def files_of(folder: Path) -> list[Path]:
    """Return the files of a mounted ConfigMap: its keys, not the folders by which the kubelet swaps them."""
    return sorted(one for one in folder.iterdir() if one.is_file() and not one.name.startswith("."))


def _record(data: Any) -> LabelRecord | None:
    """Return a labelled exchange, None of one that is neither fault nor ok; ValueError without the texts."""
    if not isinstance(data, Mapping):
        raise ValueError("not a label")  # a line's fault is a ValueError
    label = label_from_json(data)
    messages, answer = _messages(data), data.get("response", data.get("answer"))
    if not messages or not isinstance(answer, str):
        raise ValueError("a label needs messages or question, and response or answer")
    if label.fault is None:
        return None
    endpoint, conversation = str(data.get("endpoint") or ""), str(data.get("conversation") or "")
    exchange = Exchange(
        id=label.id, time_ms=0, endpoint=endpoint or "-", model="", revision="", operation="chat", status=200,
        outcome="ok", content="Full", messages=messages, response=answer, conversation=conversation,
    )  # fmt: skip
    row = LabelRow(label.fault, conversation or label.id, endpoint)
    return LabelRecord(exchange, row, digest_of(exchange))


def _messages(data: Mapping[str, Any]) -> tuple[Message, ...]:
    if isinstance(data.get("question"), str):
        return (Message("user", data["question"]),)
    rows = data.get("messages") or ()
    return tuple(Message(str(row["role"]), str(row.get("text", row.get("content")))) for row in rows)


def digest_of(exchange: Exchange) -> str:
    """Return the hash of the texts of an exchange, by which its scores are found again."""
    read = [[message.role, message.text] for message in exchange.messages]
    return hashlib.sha256(json.dumps([read, exchange.response]).encode("utf-8", "surrogatepass")).hexdigest()[:32]
