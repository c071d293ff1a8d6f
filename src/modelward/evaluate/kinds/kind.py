"""What a kind of evaluator is: built-in ones are a kind, LLM judges or containers are others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from modelward.api.evaluation import AskedModel, EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.window_answer import WindowTest
from modelward.desired.evaluators import EvaluatorBlock, Resolution, ResolvedEvaluator
from modelward.desired.pod_additions import PodAdditions
from modelward.evaluate.past import PastTraffic
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score


@dataclass(frozen=True, slots=True)
class AboutEvaluator:
    """What the status of an Evaluator says of it, whether its settings are right or not."""

    version: str = ""
    measured: str = ""


class EvaluatorKind(Protocol):
    """One kind: everything about it that the operator, the Job and the command line ask for.

    A module in this folder whose `KIND` is one is found by itself; nothing else names it but its block in the API.
    """

    @property
    def name(self) -> str:
        """The key of its block in a spec."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The evaluators that it offers by name; none where each spec describes its own."""
        ...

    def about(self, name: str) -> AboutEvaluator:
        """Return what is known of an evaluator before its settings are read; nothing of an unknown one."""
        ...

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        """Return the evaluator, or UnknownEvaluator or InvalidConfig with what is wrong.

        The same block gives the same, version included; a changed one gives another version.
        """
        ...

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:
        """Return what the Job's pod needs in order to run it."""
        ...

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:
        """Return what results carry: `evaluator.facts`, or with error rates that belong to its very settings.

        The same settings give the same; name and version are those of `resolve`.
        """
        ...

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        """Return one score per exchange, in order.

        The exchanges have what the evaluator needs. There are some of them at a time, or all those of the window
        where it judges windows: what it finds of the window as a whole, it says of the exchanges that make it so.
        """
        ...


@runtime_checkable
class AskingKind(Protocol):
    """A kind that asks a model, which may be an LLMEndpoint of the namespace."""

    def endpoint(self, block: EvaluatorBlock) -> str:
        """Return the name of the LLMEndpoint that it asks; empty where it asks none."""
        ...

    def placed(self, block: EvaluatorBlock, url: str) -> EvaluatorBlock:
        """Return the block with the address of that LLMEndpoint, with which it can score."""
        ...

    async def asked(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> AskedModel | None:
        """Return how the model was asked in this run so far; None where it was not."""
        ...

    def version(self, evaluator: ResolvedEvaluator, by: frozenset[str]) -> str:
        """Return the version with those that judged, as scores name them: another model is another version."""
        ...


def asking(kind: object) -> AskingKind | None:
    """Return a kind that asks a model; None where it is another one."""
    return kind if isinstance(kind, AskingKind) else None


@runtime_checkable
class WindowKind(Protocol):
    """A kind some of whose evaluators answer Change: they compare a window with what was before."""

    async def test(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], past: PastTraffic, port: ScoringPort
    ) -> tuple[WindowTest, ...]:
        """Return a test for each revision in the window; the exchanges have what the evaluator needs."""
        ...


@runtime_checkable
class ScopedKind(Protocol):
    """A kind some of whose evaluators judge by a scope, which is checked before anything is."""

    def scope_key(self, evaluator: ResolvedEvaluator) -> str:
        """Return the key under which what is found of the scope is kept; empty where there is no scope."""
        ...
