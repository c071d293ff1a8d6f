"""Evaluators that are images: each Job runs one beside its scoring container, without a token of the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api.evaluation import EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.llmendpoint import Resources
from modelward.api.score_service import Container
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import Egress, PodAdditions, SidecarContainer
from modelward.desired.text_egress import POD
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.port import ScoringPort, ScoringRequest
from modelward.evaluate.score import Score
from modelward.evaluate.score_contract import MANIFEST_PATH, service

PORT = 18090


@dataclass(frozen=True, slots=True)
class ContainerKind:
    """One image for each spec; a Job runs one of them at most (`desired.runs`)."""

    name: str = "container"
    names: tuple[str, ...] = ()

    def about(self, name: str) -> AboutEvaluator:  # noqa: ARG002  # each spec describes its own
        """Return that its flags are taken as they are."""
        return AboutEvaluator(f"{self.name}/1", "not measured; verdicts take its flags as they are")

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        """Read the block."""
        read = service.read(block, Container)
        return read if isinstance(read, Finding) else service.evaluator(block, read)

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:
        """Return the container; it is named by all that it is made from, so that another spec is another one."""
        made = Container.model_validate(dict(evaluator.config))
        sidecar = SidecarContainer(
            name=f"evaluator-{service.digest(made, 'sends', 'labels', 'config')}",
            image=made.image,
            args=made.args,
            env=tuple((one.name, one.value) for one in made.env),
            pull_policy=made.image_pull_policy,
            port=PORT,
            started_path=MANIFEST_PATH,
            **_resources(made.resources or Resources()),
        )
        return PodAdditions(containers=(sidecar,), egress=(Egress(POD, PORT),))

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:  # noqa: ARG002
        """Return those of `resolve`."""
        return evaluator.facts

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        """Ask the container beside this one."""
        made = Container.model_validate(dict(evaluator.config))
        base = ScoringRequest(service.url(f"http://{POD}:{PORT}"), b"")
        return await service.score(evaluator, made, base, exchanges, port)


def _resources(written: Resources) -> dict[str, tuple[tuple[str, str], ...]]:
    given = {"requests": written.requests, "limits": written.limits}
    return {name: tuple(sorted(amounts.items())) for name, amounts in given.items() if amounts}


KIND = ContainerKind()
