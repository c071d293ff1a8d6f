"""The first kind: evaluators that ship with Modelward, or that an installed package adds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.form import words
from modelward.api.quantity import percent_text
from modelward.api.run_plan import BUILTIN
from modelward.api.window_answer import WindowTest
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import NOTHING, PodAdditions
from modelward.evaluate.builtin_evaluator import BuiltinEvaluator
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.manifest import Direction, EvaluatorConfig, Measured
from modelward.evaluate.past import PastTraffic
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.reasons.checks import CheckReason

MAX_CONFIG_BYTES = 262_144
"""Of one evaluator's config, so that a run's plan, a ConfigMap, has room for several."""
AUTO = "auto"
"""The threshold that an evaluator sets itself, and that calibration may set instead."""
_MAX_MEASURED_CHARS = 256
_SIDE: Mapping[Direction, Literal["Above", "Below"]] = {"LowerIsBetter": "Above", "HigherIsBetter": "Below"}


@dataclass(frozen=True, slots=True)
class BuiltinKind:
    """Built-in evaluators, by name."""

    evaluators: Mapping[str, BuiltinEvaluator[Any]]
    name: str = BUILTIN

    @property
    def names(self) -> tuple[str, ...]:
        """Every built-in evaluator."""
        return tuple(sorted(self.evaluators))

    def about(self, name: str) -> AboutEvaluator:
        """Return the version of the manifest, and how good it was when measured."""
        known = self.evaluators.get(name)
        return AboutEvaluator(known.manifest.version, _measured(known.manifest.measured)) if known else AboutEvaluator()

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        """Find the evaluator and read its settings."""
        known = self.evaluators.get(block.name)
        if known is None:
            message = f"there is no built-in {block.name}; known are {', '.join(self.names)}"
            return Finding(CheckReason.UNKNOWN_EVALUATOR, message)
        read = _read(known.manifest.config, block.config)
        if isinstance(read, Finding):
            return read
        return ResolvedEvaluator(
            kind=self.name,
            name=block.name,
            config=block.config,
            facts=known.manifest.facts(read, known.rates_under(read)),
            needs="Redacted" if known.manifest.needs_text else "MetadataOnly",
            requires=known.manifest.requires,
            fails=_SIDE[known.manifest.direction],
            unit=known.manifest.unit,
            answers="Change" if known.test else "Share",
            probes=known.manifest.probes,
            has_value=not {"Value", "Number"}.isdisjoint(known.manifest.answers),
            value_fails=_SIDE[known.manifest.value_direction] if known.manifest.value_direction else None,
            number_unit=known.manifest.number_unit,
            threshold_of="Config" if getattr(read, "threshold", None) == AUTO else None,
        )

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:  # noqa: ARG002  # none needs anything
        """Return nothing: the embedding model is in the image, and none sends requests."""
        return NOTHING

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:
        """Return those of `resolve`, or with error rates that were found for these settings."""
        known = self.evaluators[evaluator.name]
        if known.rates_found is None:
            return evaluator.facts
        config = known.manifest.config.model_validate(dict(evaluator.config))
        return known.manifest.facts(config, await known.rates_found(config, port))

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        """Score by the evaluator's own code."""
        known = self.evaluators[evaluator.name]
        chosen = {"threshold": evaluator.threshold} if evaluator.threshold else {}
        config = known.manifest.config.model_validate({**evaluator.config, **chosen})
        return await known.score(config, exchanges, port)

    async def test(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], past: PastTraffic, port: ScoringPort
    ) -> tuple[WindowTest, ...]:
        """Compare by the evaluator's own code."""
        known = self.evaluators[evaluator.name]
        config = known.manifest.config.model_validate(dict(evaluator.config))
        return await known.test(config, exchanges, past, port) if known.test else ()

    def scope_key(self, evaluator: ResolvedEvaluator) -> str:
        """Return the key that the evaluator's own code makes of its scope."""
        known = self.evaluators[evaluator.name]
        return known.scope_key(known.manifest.config.model_validate(dict(evaluator.config))) if known.scope_key else ""


def settings_of(config: type[EvaluatorConfig]) -> list[str]:
    """Return the names of an evaluator's settings as they stand in YAML."""
    return [field.alias or name for name, field in config.model_fields.items()]


def _read(kind: type[EvaluatorConfig], config: Mapping[str, Any]) -> EvaluatorConfig | Finding:
    size = len(json.dumps(dict(config), default=str))
    if size > MAX_CONFIG_BYTES:
        message = f"it has {size} bytes, and {MAX_CONFIG_BYTES} at most: it is part of every run's plan"
        return Finding(CheckReason.INVALID_CONFIG, message)
    try:
        return kind.model_validate(dict(config))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        # A misspelt name comes before the required one that is then missing.
        faults.sort(key=lambda fault: fault["type"] != "extra_forbidden")
        told = "; ".join(_fault(fault["type"], fault["loc"], words(fault)) for fault in faults[:3])
        return Finding(CheckReason.INVALID_CONFIG, f"{told}; settings: {', '.join(settings_of(kind))}")


def _fault(kind: str, where: tuple[int | str, ...], message: str) -> str:
    named = ".".join(str(part) for part in where) or "config"
    return f"there is no setting {named}" if kind == "extra_forbidden" else f"{named}: {message}"


def _measured(rates: Measured | None) -> str:
    if rates is None:
        return "counts what is there"
    shares = f"TPR {percent_text(rates.true_positive_ppm)}, FPR {percent_text(rates.false_positive_ppm)}"
    return f"{shares} on {rates.dataset} (n={rates.positives}+{rates.negatives})"[:_MAX_MEASURED_CHARS]
