"""A score beside what a person said of the same exchange."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledScore:
    """One scored exchange with its label.

    `fault` is the person's word and `flagged` the evaluator's; `value` is the evaluator's, None where it gives none.
    `group` is whatever false alarms are to be compared by. Rows of one `cluster`, a conversation, are not independent.
    """

    fault: bool
    flagged: bool
    value: float | None = None
    group: str = ""
    cluster: str = ""
