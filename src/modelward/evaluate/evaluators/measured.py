"""The shipped error rates of evaluators; `bench/evaluators` measures them and writes measured.json."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from modelward.evaluate.manifest import DomainRates, Measured

FILE = "measured.json"


def measured(name: str) -> Measured | None:
    """Return an evaluator's rates, or None when none were measured."""
    row = _rows().get(name)
    return Measured(**{**row, "domains": tuple(DomainRates(**one) for one in row.get("domains", ()))}) if row else None


@cache
def _rows() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(resources.files(__package__).joinpath(FILE).read_text())
    return data
