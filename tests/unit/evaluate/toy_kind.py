"""A kind of evaluator in one file, as a judge or a container would be: its block in the API, and all that it does.

It asks an address whether answers hold a word, and judges exchanges or windows, as it is told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import ValidationError

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.evaluator import Evaluator, EvaluatorSpec
from modelward.api.exchange import Exchange
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import Egress, PodAdditions, SecretKey, SidecarContainer
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.manifest import EvaluatorConfig
from modelward.evaluate.port import PortError, ScoringPort, ScoringRequest
from modelward.evaluate.score import Score
from modelward.reasons.checks import CheckReason


class ToyConfig(EvaluatorConfig):
    """The block `toy` of a spec."""

    url: str
    word: str
    unit: Literal["Exchange", "Window"] = "Exchange"


class ToySpec(EvaluatorSpec):
    """What the API would gain: a block beside `builtin`, of which exactly one is written."""

    builtin: str | None = None
    toy: Mapping[str, Any]


class ToyEvaluator(Evaluator):
    """An Evaluator with such a block."""

    spec: ToySpec


@dataclass(frozen=True, slots=True)
class ToyKind:
    """One evaluator for each spec; it flags answers that hold the word, by the word of an address."""

    name: str = "toy"
    names: tuple[str, ...] = ()

    def about(self, _: str) -> AboutEvaluator:
        return AboutEvaluator("1")

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        try:
            config = ToyConfig.model_validate(dict(block.config))
        except ValidationError as error:
            return Finding(CheckReason.INVALID_CONFIG, str(error.errors()[0]["loc"]))
        if len(config.word) > 1_000:
            return Finding(CheckReason.INVALID_CONFIG, "the word is too long")
        version = hashlib.sha256(json.dumps(config.model_dump(), sort_keys=True).encode()).hexdigest()[:8]
        facts = EvaluatorFacts(block.name, f"1+{version}")
        return ResolvedEvaluator(self.name, block.name, block.config, facts, unit=config.unit)

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:
        parts = urlsplit(str(evaluator.config["url"]))
        return PodAdditions(
            env=(("TOY", evaluator.name),),
            secrets=(SecretKey("toy-key", "token"),),
            containers=(SidecarContainer(f"toy-{evaluator.name}", "registry.example/toy:1"),),
            egress=(Egress(parts.hostname or "", parts.port or 80),),
        )

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:  # noqa: ARG002
        return evaluator.facts

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        config = ToyConfig.model_validate(dict(evaluator.config))
        body = json.dumps({"word": config.word, "answers": [one.response for one in exchanges]}).encode()
        reply = await port.post(ScoringRequest(config.url, body))
        if reply.status != 200:
            raise PortError(f"status {reply.status}")
        found = cast("list[bool]", json.loads(reply.body))
        return [Score(one.id, "Scored", flag, float(flag)) for one, flag in zip(exchanges, found, strict=True)]


KIND = ToyKind()
