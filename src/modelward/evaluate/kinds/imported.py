"""The kind `imported`: scores that something else has made, and posted to the hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.form import in_words
from modelward.api.imported import Imported
from modelward.api.kept_score import KeptScore, imported_set
from modelward.api.quantity import PPM, percent_ppm
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.port import OutsideScores, PortError, ScoringPort
from modelward.evaluate.score import Score
from modelward.reasons.checks import CheckReason

NAME = "imported"
NOT_SCORED = "not-scored"
"""The label of an exchange that no score was posted of."""


@dataclass(frozen=True, slots=True)
class ImportedKind:
    """One source and name for each spec."""

    name: str = NAME
    names: tuple[str, ...] = ()

    def about(self, name: str) -> AboutEvaluator:  # noqa: ARG002  # each is its spec
        """Return the form of the scores."""
        return AboutEvaluator("imported/1")

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        """Read the block; how often its flags are wrong is not known, so no share of them decides anything yet."""
        try:
            made = Imported.model_validate(dict(block.config), extra="forbid")
        except ValidationError as error:
            return Finding(CheckReason.INVALID_CONFIG, "; ".join(in_words(error, NAME)[:3]))
        if made.flag_above is not None and made.flag_below is not None:
            return Finding(CheckReason.INVALID_CONFIG, "imported: set at most one of flagAbove and flagBelow")
        side: Literal["Above", "Below"] | None = (
            "Above" if made.flag_above is not None else "Below" if made.flag_below is not None else None
        )
        return ResolvedEvaluator(
            kind=self.name,
            name=block.name,
            config=block.config,
            facts=EvaluatorFacts(block.name, _version(made), true_positive_ppm=0, false_positive_ppm=0),
            needs="MetadataOnly",
            requires=(),
            has_value=True,
            value_fails=side,
        )

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:  # noqa: ARG002  # the hub is asked
        """Return nothing."""
        return NOTHING

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:  # noqa: ARG002
        """Return those of `resolve`."""
        return evaluator.facts

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        """Look the scores up; an exchange that has none is not applicable."""
        if not isinstance(port, OutsideScores):
            raise PortError("scores from outside are in the hub, and there is none here", unsent=True)
        made = Imported.model_validate(dict(evaluator.config))
        found = await port.outside_scores(imported_set(made.source, made.name), exchanges)
        return [
            _score(kept, made) if (kept := found.get(one.id)) else Score(one.id, "NotApplicable", label=NOT_SCORED)
            for one in exchanges
        ]


def _version(made: Imported) -> str:
    said = json.dumps(made.model_dump(mode="json"), sort_keys=True)
    return f"imported/1+{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def _score(kept: KeptScore, made: Imported) -> Score:
    if kept.state != "Scored":
        return Score(kept.id, "NotApplicable", label=kept.label)
    flagged = kept.flagged
    if flagged is None:
        flagged = kept.value is not None and _beyond(kept.value, made)
    return Score(kept.id, "Scored", flagged, kept.value, kept.label, kept.number)


def _beyond(value: float, made: Imported) -> bool:
    if made.flag_above is not None:
        return round(value * PPM) > percent_ppm(made.flag_above)
    return made.flag_below is not None and round(value * PPM) < percent_ppm(made.flag_below)


KIND = ImportedKind()
