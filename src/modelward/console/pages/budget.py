"""What is left of an error budget, in words and as a bar."""

from __future__ import annotations

import re
from dataclasses import dataclass

from modelward.api.check_status import ErrorBudgetStatus, EvaluationBudgetStatus
from modelward.console.charts.budget_bar import LOW, budget_bar
from modelward.console.charts.shapes import SvgElement

_PERCENT = re.compile(r"(-?\d{1,4}(?:\.\d{1,4})?)\s?%")


@dataclass(frozen=True, slots=True)
class DrawnBudget:
    """A budget: its words, the class of its state, and its bar."""

    text: str
    state: str
    shapes: tuple[SvgElement, ...]


def error_budget(one: ErrorBudgetStatus | EvaluationBudgetStatus | None) -> DrawnBudget | None:
    """Draw the error budget of a check; where too little was watched, say how much was."""
    if one is None:
        return None
    if not one.remaining:
        return budget_of(f"{one.seen} of the period seen" if one.seen else "not known")
    within = f" ({one.low} {one.high})" if one.low and one.high else ""
    return budget_of(one.remaining + within)


def budget_of(text: str) -> DrawnBudget | None:
    """Draw a budget from status's own words, such as `35%` or `35% (12%-51%)`; None for none.

    Words without a share say why it is not known, and are drawn hatched.
    """
    if not text:
        return None
    shares = [float(one) / 100 for one in _PERCENT.findall(text)]
    if not shares or "seen" in text:
        short = f"{shares[0] * 100:.0f} % seen" if shares else text
        return DrawnBudget(short, "unk", budget_bar(None))
    left = shares[0]
    low, high = (shares[1], shares[2]) if len(shares) >= 3 else (None, None)
    words = "spent" if left <= 0 else f"{left * 100:.0f} %"
    return DrawnBudget(words, "bad" if left <= 0 else "warn" if left < LOW else "", budget_bar(left, low, high))
