"""Evaluators that are services of others: each Job sends them records over HTTPS, signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.score_service import Webhook
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import PodAdditions, SecretKey
from modelward.desired.text_egress import address
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.port import ScoringPort, ScoringRequest
from modelward.evaluate.score import Score
from modelward.evaluate.score_contract import service
from modelward.reasons.checks import CheckReason


@dataclass(frozen=True, slots=True)
class WebhookKind:
    """One service for each spec."""

    name: str = "webhook"
    names: tuple[str, ...] = ()

    def about(self, name: str) -> AboutEvaluator:  # noqa: ARG002  # each spec describes its own
        """Return that its flags are taken as they are."""
        return AboutEvaluator(f"{self.name}/1", "not measured; verdicts take its flags as they are")

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        """Read the block, and its address."""
        read = service.read(block, Webhook)
        if isinstance(read, Finding):
            return read
        try:
            address(read.url)
        except ValueError as error:
            return Finding(CheckReason.INVALID_CONFIG, f"webhook.url: {error}")
        return service.evaluator(block, read)

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:
        """Return the address that the Job asks, and the key that it signs with."""
        made = Webhook.model_validate(dict(evaluator.config))
        return PodAdditions(secrets=(_key(made),), egress=(address(made.url),))

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:  # noqa: ARG002
        """Return those of `resolve`."""
        return evaluator.facts

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        """Send the records, signed."""
        made = Webhook.model_validate(dict(evaluator.config))
        base = ScoringRequest(service.url(made.url), b"", signing=_key(made))
        return await service.score(evaluator, made, base, exchanges, port)


def _key(made: Webhook) -> SecretKey:
    return SecretKey(made.secret_ref.name, made.secret_ref.key)


KIND = WebhookKind()
