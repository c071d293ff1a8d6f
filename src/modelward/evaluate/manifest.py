"""What an evaluator says about itself, so that a reader knows how far to trust its verdicts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from modelward.api.base import Severity
from modelward.api.evaluation import EvaluatorFacts
from modelward.desired.evaluators import Text
from modelward.evaluate.statistics.domains import prediction_margin

Direction = Literal["LowerIsBetter", "HigherIsBetter"]
Cost = Literal["Free", "Cheap", "Model", "Judge"]
"""Free: counts what is there; Cheap: text rules; Model: a small model on the CPU; Judge: calls an LLM."""
AnswerKind = Literal["Flag", "Value", "Number", "Label", "Change"]
"""Flag: at fault or not; Value: in [0, 1]; Number: in a unit; Label: of a closed set; Change: of a whole window."""
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the published weights of all-MiniLM-L6-v2, by which `port.embed` embeds."""


class EvaluatorConfig(BaseModel):
    """Base of evaluators' configurations: unknown fields are refused: a typo would silently check nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class DomainRates:
    """Error rates in one domain, or on one labelled set, in ppm."""

    name: str
    true_positive_ppm: int
    false_positive_ppm: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Error rates on labelled rows, in ppm, with what they were measured on and how many rows of each class.

    `domains` are the rates in each domain or set by itself. From two on they tell how far the rates may be off in one
    that is not among them; none where the rates were measured where they are used.
    """

    true_positive_ppm: int
    false_positive_ppm: int
    dataset: str
    positives: int
    negatives: int
    domains: tuple[DomainRates, ...] = ()

    @property
    def true_positive_margin_ppm(self) -> int:
        """How far the true positive rate of another domain may lie from the measured one."""
        return round(prediction_margin([one.true_positive_ppm for one in self.domains]))

    @property
    def false_positive_margin_ppm(self) -> int:
        """How far the false positive rate of another domain may lie from the measured one."""
        return round(prediction_margin([one.false_positive_ppm for one in self.domains]))


@dataclass(frozen=True, slots=True)
class Manifest:
    """One evaluator's identity and qualities; `measured` is None where a flag is a count and cannot be wrong.

    With `needs_text`, an exchange without a text of `requires` is not applicable. `answers` are the parts of a Score
    that it fills, or Change. `direction` is that of the share flagged or of the change, `value_direction` that of the
    value or number, None where neither side is better. `number_unit` is the number's. `threshold` is the default one of
    the value or number. `severity` is the one to give it: Info where flags are too often wrong to act on. `blind_to`
    are sentences on what it cannot see; `model_sha256` is the hash of the weights that it scores by. With
    `probes` it asks the endpoint itself.
    """

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
    requires: tuple[Text, ...] = ("question", "answer")
    answers: tuple[AnswerKind, ...] = ("Flag", "Label")
    value_direction: Direction | None = None
    number_unit: str = ""
    threshold: float | None = None
    severity: Severity = "Warning"
    blind_to: tuple[str, ...] = ()
    model_sha256: str = ""
    probes: bool = False

    def __post_init__(self) -> None:
        if ("Number" in self.answers) != bool(self.number_unit):
            raise ValueError(f"{self.name}: a number has a unit, and nothing else has one")

    def facts(self, config: EvaluatorConfig, measured: Measured | None) -> EvaluatorFacts:
        """Return what results carry; another configuration is another version, and starts a new verdict."""
        canonical = json.dumps(config.model_dump(mode="json"), sort_keys=True)
        version = f"{self.version}+{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"
        if measured is None:
            return EvaluatorFacts(self.name, version)
        return EvaluatorFacts(
            self.name,
            version,
            measured.true_positive_ppm,
            measured.false_positive_ppm,
            measured.positives,
            measured.negatives,
            measured.true_positive_margin_ppm,
            measured.false_positive_margin_ppm,
        )

    def document(self) -> Mapping[str, Any]:
        """Return the manifest as JSON with the schema of its configuration."""
        fields = asdict(self) | {"config": self.config.model_json_schema()}
        return {key: value for key, value in fields.items() if value is not None}
