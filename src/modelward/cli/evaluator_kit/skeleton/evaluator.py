"""What my-evaluator finds: change this file. It judges one record at a time, and knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME = "my-evaluator"
VERSION = "0.1.0"
LABELS = ("shouting",)
"""Every label that a score may carry. They go into results and status, so they never hold text of a record."""


def score(record: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Flag an answer that shouts; `value` says how loud it is, from 0 to 1.

    The record has `messages` ({role, content}), `response`, `group` (the conversation) and `attrs` (durations, tokens).
    `config` is what stands under `config` in evaluator.yaml. The same record gets the same score each time.
    `explanation` is for people: it is kept masked, and 300 characters of it.
    """
    text = str(record.get("response") or "")
    if not text.strip():
        return {"state": "NotApplicable"}
    letters = [letter for letter in text if letter.isalpha()]
    loud = sum(letter.isupper() for letter in letters) / len(letters) if letters else 0.0
    flagged = loud > float(config.get("maxCapitals", 0.6)) or text.count("!") > int(config.get("maxExclamations", 2))
    found = {"state": "Scored", "flagged": flagged, "value": round(loud, 3)}
    why = {"label": "shouting", "explanation": f"{loud:.0%} capitals, {text.count('!')} exclamation marks"}
    return found | (why if flagged else {})
