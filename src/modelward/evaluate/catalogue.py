"""All kinds of evaluators that are installed: specs in, evaluators as data out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from modelward.api.evaluator import Evaluator
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.policy_evaluation import Evaluation
from modelward.desired.evaluators import (
    EndpointAddress,
    EvaluatorBlock,
    Resolution,
    Resolutions,
    ResolvedEvaluator,
    block_of,
)
from modelward.desired.finding import Finding
from modelward.desired.text_egress import forbidden
from modelward.evaluate.calibration.in_force import in_force
from modelward.evaluate.kinds.kind import AboutEvaluator, EvaluatorKind, ScopedKind, asking
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.scoring import Scorer
from modelward.reasons.checks import CheckReason

_REMEMBERED = 1_000
_REMEMBERED_CHARS = 8_192
"""Of one config, so that no namespace fills the operator's memory with its own."""


@dataclass(frozen=True, slots=True)
class EvaluatorCatalogue:
    """Kinds of evaluators by name; what was made of a block is cached: every reconcile asks again.

    `allowed_hosts` are those outside the cluster that text may be sent to; None where a person runs them by hand, who
    sends text of their own.
    """

    kinds: Mapping[str, EvaluatorKind]
    allowed_hosts: tuple[str, ...] | None = None
    _made: dict[tuple[str, str, str], Resolution] = field(default_factory=dict, repr=False, compare=False)

    def within(self, allowed_hosts: Sequence[str]) -> EvaluatorCatalogue:
        """Return the same kinds, of which none may send text to another host outside the cluster."""
        return EvaluatorCatalogue(self.kinds, tuple(allowed_hosts))

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        """Return the evaluator with what its pod needs, or what is wrong with the block."""
        config = json.dumps(dict(block.config), default=str)
        if len(config) > _REMEMBERED_CHARS:
            return self._resolve(block)
        key = (block.kind, block.name, config)
        if key not in self._made:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[key] = self._resolve(block)
        return self._made[key]

    def _resolve(self, block: EvaluatorBlock) -> Resolution:
        kind = self.kinds.get(block.kind)
        if kind is None:
            message = f"there is no kind of evaluator {block.kind}; known are {', '.join(sorted(self.kinds))}"
            return Finding(CheckReason.UNKNOWN_EVALUATOR, message)
        found = kind.resolve(block)
        if isinstance(found, Finding):
            return found
        pod = kind.pod(found)
        refused = None if self.allowed_hosts is None else forbidden(pod.egress, self.allowed_hosts)
        return refused or replace(found, pod=pod)

    def version(self, block: EvaluatorBlock) -> str:
        """Return the version of its settings, whether it may be asked or not; empty where they are wrong."""
        kind = self.kinds.get(block.kind)
        found = kind.resolve(block) if kind else None
        return found.facts.version if isinstance(found, ResolvedEvaluator) else ""

    def about(self, block: EvaluatorBlock) -> AboutEvaluator:
        """Return what the status of an Evaluator says of it."""
        kind = self.kinds.get(block.kind)
        return kind.about(block.name) if kind else AboutEvaluator()

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the evaluators that a kind offers by name."""
        return self.kinds[kind].names if kind in self.kinds else ()

    def scorer(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> Scorer:
        """Return what scores by an evaluator that was resolved here."""
        return Scorer(self.kinds[evaluator.kind], evaluator, port)

    def scope_key(self, evaluator: ResolvedEvaluator) -> str:
        """Return the key of the scope that an evaluator judges by; empty where it has none."""
        kind = self.kinds[evaluator.kind]
        return kind.scope_key(evaluator) if isinstance(kind, ScopedKind) else ""

    def is_asking(self, block: EvaluatorBlock) -> bool:
        """Return whether an evaluator asks a model."""
        return asking(self.kinds.get(block.kind)) is not None

    def endpoint(self, block: EvaluatorBlock) -> str:
        """Return the name of the LLMEndpoint that an evaluator asks; empty where it asks none."""
        kind = asking(self.kinds.get(block.kind))
        return kind.endpoint(block) if kind else ""

    def of_policies(
        self,
        policies: Iterable[MonitoringPolicy],
        evaluators: Mapping[str, Evaluator],
        addresses: Mapping[str, EndpointAddress] | None = None,
    ) -> Resolutions:
        """Resolve every evaluation of some policies of a namespace; `evaluators` are the namespace's, by name.

        `addresses` are the URLs of the namespace's LLMEndpoints, empty of those that have none yet; None where it is
        not known what there is.
        """
        return {
            (policy.metadata.name, evaluation.name): self._of(evaluation, evaluators, addresses)
            for policy in policies
            for evaluation in policy.spec.evaluations
        }

    def placed(self, block: EvaluatorBlock, addresses: Mapping[str, EndpointAddress]) -> EvaluatorBlock | Finding:
        """Return a block with the address of the LLMEndpoint that it asks; JudgeUnavailable where that has none."""
        kind = asking(self.kinds.get(block.kind))
        name = kind.endpoint(block) if kind else ""
        if kind is None or not name:
            return block
        found = addresses.get(name, EndpointAddress())
        if found.outside:
            return _outside(block, name, found.outside)
        return kind.placed(block, found.url) if found.url else _nowhere(block, name, addresses)

    def _of(
        self,
        evaluation: Evaluation,
        evaluators: Mapping[str, Evaluator],
        addresses: Mapping[str, EndpointAddress] | None,
    ) -> Resolution:
        block = _block(evaluation, evaluators)
        if not isinstance(block, Finding) and addresses is not None:
            block = self.placed(block, addresses)
        if isinstance(block, Finding):
            return block
        found = self.resolve(block)
        if isinstance(found, Finding) and found.reason == CheckReason.INVALID_CONFIG:
            return Finding(found.reason, f"config of {block.name}: {found.message}")
        reference = evaluation.evaluator_ref
        return in_force(found, evaluators[reference.name]) if reference else found


def _outside(block: EvaluatorBlock, name: str, url: str) -> Finding:
    """Return that text would leave the cluster by a way that neither masks it nor asks where it may go."""
    told = f"{block.name} asks LLMEndpoint {name}, whose gateway leads out of the cluster, to {url[:200]}"
    return Finding(CheckReason.EGRESS_NOT_ALLOWED, f"{told}; write that as {block.kind}.model.external instead")


def _nowhere(block: EvaluatorBlock, name: str, addresses: Mapping[str, EndpointAddress]) -> Finding:
    told = f"{block.name} asks LLMEndpoint {name}, which"
    why = (
        "has no address yet; one in collector mode ScrapeOnly never has"
        if name in addresses
        else "is not in this namespace"
    )
    return Finding(CheckReason.JUDGE_UNAVAILABLE, f"{told} {why}")


def _block(evaluation: Evaluation, evaluators: Mapping[str, Evaluator]) -> EvaluatorBlock | Finding:
    if evaluation.check is not None:
        return block_of(evaluation.check, evaluation.name)
    reference = evaluation.evaluator_ref
    if reference is None:
        return Finding(
            CheckReason.EVALUATOR_NOT_FOUND, f"evaluation {evaluation.name} names neither check nor evaluatorRef"
        )
    evaluator = evaluators.get(reference.name)
    if evaluator is None:
        return Finding(CheckReason.EVALUATOR_NOT_FOUND, f"there is no Evaluator {reference.name} in this namespace")
    return block_of(evaluator.spec, reference.name)
