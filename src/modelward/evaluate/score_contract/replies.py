"""What a reply of score/v1 says of each record, whatever it holds: a record is scored once, or it failed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from modelward.evaluate.explanation import explanation
from modelward.evaluate.port import ScoringReply
from modelward.evaluate.score import Score

OTHER = "other"
"""Stands for a label that the evaluator's spec does not list: it may be text."""


def scores(reply: ScoringReply, ids: Sequence[str], labels: Collection[str]) -> dict[str, Score]:
    """Return a score for each id. Never raises.

    Failed are all records of a reply that is none (BadReply, HTTP500), and of others those that are missing (Missing),
    answered twice (Doubled), or answered with what the contract does not know (UnknownState, NoFlag, ValueOutOfRange).
    Answers for ids that were not asked are passed over.
    """
    if reply.status != 200:
        return {name: _failed(name, f"HTTP{reply.status}") for name in ids}
    rows = _rows(reply.body)
    if rows is None:
        return {name: _failed(name, "BadReply") for name in ids}
    answers: dict[str, list[Mapping[str, Any]]] = {name: [] for name in ids}
    for row in rows:
        named = row.get("id") if isinstance(row, dict) else None
        if isinstance(named, str) and named in answers:
            answers[named].append(row)
    return {name: _one(name, found, labels) for name, found in answers.items()}


def _rows(body: bytes) -> list[Any] | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    rows = read.get("scores") if isinstance(read, dict) else None
    return rows if isinstance(rows, list) else None


def _one(name: str, answers: Sequence[Mapping[str, Any]], labels: Collection[str]) -> Score:
    if len(answers) != 1:
        return _failed(name, "Doubled" if answers else "Missing")
    (row,) = answers
    match row.get("state"):
        case "Scored":
            return _scored(name, row, labels)
        case "NotApplicable":
            return Score(name, "NotApplicable", label=_label(row, labels), explanation=_reason(row))
        case "Failed":
            return _failed(name, _label(row, labels) or "Reported")
        case _:
            return _failed(name, "UnknownState")


def _scored(name: str, row: Mapping[str, Any], labels: Collection[str]) -> Score:
    flagged, value = row.get("flagged"), row.get("value")
    if not isinstance(flagged, bool):
        return _failed(name, "NoFlag")
    if value is not None and not (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1):
        return _failed(name, "ValueOutOfRange")  # NaN is within nothing
    known = None if value is None else float(value)
    return Score(name, "Scored", flagged, known, _label(row, labels), explanation=_reason(row))


def _reason(row: Mapping[str, Any]) -> str:
    return explanation(row.get("explanation"))


def _label(row: Mapping[str, Any], labels: Collection[str]) -> str:
    label = row.get("label")
    if label is None or label == "":
        return ""
    return label if isinstance(label, str) and label in labels else OTHER


def _failed(name: str, label: str) -> Score:
    return Score(name, "Failed", label=label)
