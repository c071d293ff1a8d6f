"""The kind `judge`: an LLM that reads exchanges by a rubric."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError

from modelward.api.budget import TokenPrices
from modelward.api.evaluation import AskedModel, EvaluatorFacts
from modelward.api.exchange import Exchange
from modelward.api.form import in_words
from modelward.desired.evaluators import EvaluatorBlock, PaidModel, Resolution, ResolvedEvaluator, Text
from modelward.desired.finding import Finding
from modelward.desired.pod_additions import Egress, PodAdditions, SecretKey
from modelward.evaluate.judge.asking import Asker, Outcome
from modelward.evaluate.judge.judging import NoReference, judged
from modelward.evaluate.judge.reading import NoLabel
from modelward.evaluate.judge.record import record_of
from modelward.evaluate.judge.session import JudgeSession
from modelward.evaluate.judge.settings import PROTOCOL, JudgeSettings
from modelward.evaluate.kinds.kind import AboutEvaluator
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.reasons.checks import CheckReason

NAME = "judge"
_ADDRESS = re.compile(r"^(https?)://(\[[^\]]+\]|[^/:?#]+)(?::([0-9]{1,5}))?")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class JudgeKind:
    """Judges; each spec describes its own."""

    name: str = NAME
    names: tuple[str, ...] = ()

    def about(self, name: str) -> AboutEvaluator:  # noqa: ARG002  # each is its spec
        """Return the protocol, which every version begins with."""
        return AboutEvaluator(PROTOCOL)

    def resolve(self, block: EvaluatorBlock) -> Resolution:
        """Read the block; what no schema sees is InvalidConfig."""
        try:
            settings = JudgeSettings.model_validate(dict(block.config))
        except ValidationError as error:
            return Finding(CheckReason.INVALID_CONFIG, "; ".join(in_words(error, NAME)[:3]))
        if fault := next(settings.faults(), None):
            return Finding(CheckReason.INVALID_CONFIG, f"judge.{fault}")
        sees: dict[Text, bool] = {"question": "Question" in settings.sees, "answer": "Answer" in settings.sees}
        if settings.mode != "Single":
            sees = {"question": True, "answer": True}
        return ResolvedEvaluator(
            kind=self.name,
            name=block.name,
            config=block.config,
            facts=unmeasured(block.name, settings.version()),
            requires=tuple(part for part, seen in sees.items() if seen),
            has_value=True,
            value_fails="Above",
            costly=True,
            readouts=settings.offered,
            threshold_of="Value" if settings.labels else None,
            max_samples=settings.max_samples,
            asks=settings.base_url.removesuffix("/v1"),
            model=PaidModel(self.endpoint(block), settings.model_name, _own_prices(settings)),
        )

    def endpoint(self, block: EvaluatorBlock) -> str:
        """Return the LLMEndpoint that is asked, by its name; empty for an API outside."""
        reference = (block.config.get("model") or {}).get("endpointRef") or {}
        return str(reference.get("name") or "")

    def placed(self, block: EvaluatorBlock, url: str) -> EvaluatorBlock:
        """Return the block with the address of its LLMEndpoint."""
        return EvaluatorBlock(block.kind, block.name, {**block.config, "address": url})

    def pod(self, evaluator: ResolvedEvaluator) -> PodAdditions:
        """Return the address that is asked, and the key of the Secret that it wants."""
        settings = _settings(evaluator)
        credentials = settings.external.credentials if settings.external else None
        address = _ADDRESS.match(settings.base_url)
        return PodAdditions(
            secrets=(SecretKey(credentials.secret_ref.name, credentials.secret_ref.key),) if credentials else (),
            egress=(Egress(address[2].strip("[]").lower(), int(address[3] or _PORTS[address[1]])),) if address else (),
        )

    async def facts(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> EvaluatorFacts:  # noqa: ARG002
        """Return those of `resolve`: nothing that a judge says of itself tells how often it errs."""
        return evaluator.facts

    def version(self, evaluator: ResolvedEvaluator, by: frozenset[str]) -> str:
        """Return the version with the readouts and models that judged."""
        return _settings(evaluator).version(by)

    async def asked(self, evaluator: ResolvedEvaluator, port: ScoringPort) -> AskedModel | None:
        """Return who answered and how it was asked; None where nothing was."""
        settings = _settings(evaluator)
        session = _session(evaluator, settings, port)
        return session.told(settings) if session.calls else None

    async def score(
        self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange], port: ScoringPort
    ) -> list[Score]:
        """Ask about each exchange; one by one, until it is known how this judge is asked."""
        settings = _settings(evaluator)
        asker = Asker(settings, _session(evaluator, settings, port), port)
        one = partial(_score, asker, float(evaluator.threshold or 0.5))
        found: list[Score] = []
        while len(found) < len(exchanges) and not asker.session.settled and not asker.session.closed:
            found.append(await one(exchanges[len(found)]))
        others = [partial(one, exchange) for exchange in exchanges[len(found) :]]
        return found + await port.each(others, settings.concurrency)


def unmeasured(name: str, version: str) -> EvaluatorFacts:
    """Return the facts of a judge whose errors were never measured: it decides nothing."""
    return EvaluatorFacts(name, version, true_positive_ppm=0, false_positive_ppm=0)


def _own_prices(settings: JudgeSettings) -> TokenPrices | None:
    prices = settings.external.prices if settings.external else None
    return prices.of_token if prices else None


def _settings(evaluator: ResolvedEvaluator) -> JudgeSettings:
    settings = JudgeSettings.model_validate(dict(evaluator.config))
    return settings.model_copy(update={"chosen": evaluator.readout}) if evaluator.readout else settings


def _session(evaluator: ResolvedEvaluator, settings: JudgeSettings, port: ScoringPort) -> JudgeSession:
    """Return the run's session; evaluations that ask one judge in one way share it."""
    key = f"{NAME}/{settings.base_url}/{evaluator.facts.version}/{evaluator.readout}"
    return port.remembered(key, lambda: JudgeSession.of(settings))


async def _score(asker: Asker, threshold: float, exchange: Exchange) -> Score:
    record = record_of(exchange, masked=asker.settings.external is not None)
    return score_of(exchange.id, await judged(asker, record), asker.settings, threshold)


def score_of(name: str, found: Outcome | NoReference, settings: JudgeSettings, threshold: float = 0.5) -> Score:
    """Return the score of what a judge said, at fault from the threshold on, with its reason."""
    if isinstance(found, NoReference):
        return Score(name, "NotApplicable", label="no-reference")
    if isinstance(found, NoLabel):
        return Score(name, "Failed", label=found.cause)
    if found.value is None:
        return Score(name, "Abstained", label=found.label, explanation=found.reason, by=found.by)
    flagged = found.value >= threshold if settings.labels else found.meaning == "Fault"
    label = found.label
    if settings.labels and flagged != (found.meaning == "Fault"):
        label = (settings.labels.fault if flagged else settings.labels.ok)[0]
    return Score(name, "Scored", flagged, found.value, label, explanation=found.reason, by=found.by)


KIND = JudgeKind()
