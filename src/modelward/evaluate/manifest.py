"""What an evaluator says about itself, so that a reader knows how far to trust its verdicts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from modelward.api.evaluation import EvaluatorFacts

Direction = Literal["LowerIsBetter", "HigherIsBetter"]
Cost = Literal["Free", "Cheap", "Model", "Judge"]
"""Free: counts what is there; Cheap: text rules; Model: a small model on the CPU; Judge: calls an LLM."""


class EvaluatorConfig(BaseModel):
    """Base of evaluators' configurations: unknown fields are refused: a typo would silently check nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Measured:
    """Error rates on a labelled set, in ppm, with what they were measured on and how many rows of each class."""

    true_positive_ppm: int
    false_positive_ppm: int
    dataset: str
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One evaluator's identity and qualities; `measured` is None where a flag is a count and cannot be wrong."""

    name: str
    version: str
    summary: str
    direction: Direction
    needs_text: bool
    subject: Literal["prompt", "response", "exchange"]
    cost: Cost
    languages: tuple[str, ...]
    licence: str
    labels: tuple[str, ...]
    config: type[EvaluatorConfig]
    measured: Measured | None = None
    unit: Literal["Exchange", "Window"] = "Exchange"

    def facts(self, config: EvaluatorConfig, measured: Measured | None) -> EvaluatorFacts:
        """Return what results carry; another configuration is another version, and starts a new verdict."""
        canonical = json.dumps(config.model_dump(mode="json"), sort_keys=True)
        version = f"{self.version}+{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"
        if measured is None:
            return EvaluatorFacts(self.name, version)
        return EvaluatorFacts(self.name, version, measured.true_positive_ppm, measured.false_positive_ppm)

    def document(self) -> Mapping[str, Any]:
        """Return the manifest as JSON with the schema of its configuration."""
        fields = asdict(self) | {"config": self.config.model_json_schema()}
        return {key: value for key, value in fields.items() if value is not None}
