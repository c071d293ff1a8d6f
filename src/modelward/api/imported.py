"""Scores that something else has made, as an evaluator: the block `imported` of an Evaluator and of a check."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelward.api.base import Model, rules
from modelward.api.form import SCORE_NAME
from modelward.api.quantity import Percent

ScoreName = Annotated[str, Field(pattern=SCORE_NAME.pattern, min_length=1, max_length=62)]
"""One word: `faithfulness`, `ragas`."""


class Imported(Model):
    """Scores that were posted to the hub under these two names."""

    model_config = rules(
        ("!(has(self.flagAbove) && has(self.flagBelow))", "set at most one of flagAbove and flagBelow"),
    )

    name: ScoreName
    """What is scored, as the scores say it: faithfulness."""
    source: ScoreName
    """Who scores, as the scores say it: ragas."""
    flag_above: Percent | None = None
    """Scores that do not say whether they flag do so above this value, such as 50%."""
    flag_below: Percent | None = None
    """Scores that do not say whether they flag do so below this value, such as 50%."""
