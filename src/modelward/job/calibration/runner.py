"""Calibrating one evaluator: score the labels under each readout, choose, attack, and say what came of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modelward.api.calibration import CalibrationOutcome
from modelward.api.calibration_plan import CalibrationPlan
from modelward.api.exchange import Exchange
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.evaluate.calibration.candidates import Readings, readings
from modelward.evaluate.calibration.floor import cannot_read_labels
from modelward.evaluate.calibration.injection import MAX_ATTACKS, PAYLOADS, attacks
from modelward.evaluate.calibration.outcome import attacked, calibrated, chosen
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.port import ScoringPort
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import Scorer, facts_by, facts_of, score
from modelward.job.budgeted import Budgeted
from modelward.job.calibration.candidates import all_candidates
from modelward.job.calibration.label_records import LabelRecords
from modelward.job.calibration.memory import CalibrationMemory, LabelStore
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.installed import UnknownEvaluatorError, resolved
from modelward.job.marks import Marks, marked_egress
from modelward.job.patience import RunPatience
from modelward.job.port import JobPort
from modelward.reasons.calibration import CalibrationReason
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason

log = logging.getLogger(__name__)
CHARS_OF_A_TOKEN = 4
ANSWER_TOKENS = 16
MOST_TOLD = 400
WAIT_S = 3_000.0
"""Of a Job's hour, for the models that it asks: a small one on a CPU takes a second or two for each label."""


class CannotCalibrateError(Exception):
    """Why there are no rates: a reason of Calibrated, and its message."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.reason, self.message = reason, message[:MOST_TOLD]


@dataclass(slots=True)
class CalibrationRun:
    """One calibration; `tell` puts what is known so far where the operator reads it.

    What it sends to an LLMEndpoint of the namespace carries one of `marks`; none where a person calibrates by hand.
    """

    plan: CalibrationPlan
    records: LabelRecords
    store: LabelStore
    known: EvaluatorCatalogue
    embeddings: SharedEmbeddings
    clock_ms: Callable[[], int]
    tell: Callable[[CalibrationOutcome], Awaitable[None]]
    allowed_hosts: tuple[str, ...] | None = None
    marks: Marks | None = None
    _memory: CalibrationMemory = field(init=False)
    _learned: dict[str, Any] = field(default_factory=dict)
    _patience: RunPatience = field(default_factory=lambda: RunPatience(seconds=WAIT_S))
    _price: int = 0

    async def run(self) -> CalibrationOutcome:
        """Calibrate; what stands in the way becomes a reason of the result. Raises HubUnavailableError."""
        plan = self.plan
        self._memory = await CalibrationMemory.of(
            self.store, f"{plan.kind}/{plan.name}/{plan.version}", plan.max_tokens
        )
        try:
            found = await self._calibrated()
        except CannotCalibrateError as error:
            found = replace(self._empty(), reason=error.reason, message=error.message)
        await self._memory.close()
        found = replace(found, tokens=self._memory.spent, price=self._price, at_ms=self.clock_ms())
        log.info(
            "calibration done evaluator=%s labels=%d tokens=%d reason=%s",
            plan.evaluator, found.labels, found.tokens, found.reason or "-",
        )  # fmt: skip
        await self.tell(found)
        return found

    async def _calibrated(self) -> CalibrationOutcome:
        evaluator = self._evaluator()
        if blind := cannot_read_labels(evaluator):
            raise CannotCalibrateError(CalibrationReason.NOT_CALIBRATED, blind.message)
        self._require_labels()
        self._price = price_of(evaluator, [one.exchange for one in self.records.records])
        told = f"about {self._price:,} tokens of {self.plan.max_tokens:,}, of which {self._memory.spent:,} are spent"
        log.info("calibration begins evaluator=%s price=%r", self.plan.evaluator, told)
        await self.tell(replace(self._empty(), reason=CalibrationReason.CALIBRATING, message=told))
        found = await self._readings(evaluator)
        rows = [self.records.records[i].row for i in found.rows]
        exchanges = [one.exchange for one in self.records.records]
        try:
            choices = await all_candidates(self._scorer(evaluator), exchanges, found)
            rates = chosen(choices, rows)
        except ValueError as error:
            raise CannotCalibrateError(CalibrationReason.NOT_CALIBRATED, str(error)) from error
        final = replace(evaluator, readout=rates.readout, threshold=rates.threshold)
        own = found.scores[rates.readout]
        whole = calibrated(self._empty(), rates, rows, [own[i] for i in found.rows])
        whole = replace(whole, unread=self._unread(found))
        whole = await self._attacked(whole, final, [exchanges[i] for i in found.rows], [row.fault for row in rows])
        scorer = self._scorer(final)
        return replace(whole, answered=facts_by(scorer, await facts_of(scorer), own).version)

    def _evaluator(self) -> ResolvedEvaluator:
        plan = self.plan
        try:
            return resolved(EvaluatorBlock(plan.kind, plan.name, plan.config), self.known)
        except UnknownEvaluatorError as error:
            raise CannotCalibrateError(CalibrationReason.NOT_CALIBRATED, str(error)) from error

    def _require_labels(self) -> None:
        """Spend nothing on labels that are too few to tell anything."""
        records, plan = self.records, self.plan
        number, faults = len(records.records), records.faults
        if not number:
            told = records.first_bad() or "no line says fault or ok"
            raise CannotCalibrateError(CalibrationReason.LABELS_UNREADABLE, told)
        fewest, kind = min((faults, "fault"), (number - faults, "ok"))
        also = f"; {records.first_bad()}" if records.bad else ""
        if number < plan.labels:
            raise CannotCalibrateError(CalibrationReason.NOT_CALIBRATED, f"{number} of {plan.labels} labels{also}")
        if fewest < plan.per_class:
            told = f"{fewest} of {plan.per_class} labels {kind}{also}"
            raise CannotCalibrateError(CalibrationReason.NOT_CALIBRATED, told)

    async def _readings(self, evaluator: ResolvedEvaluator) -> Readings:
        exchanges = [one.exchange for one in self.records.records]
        every: dict[str, Sequence[Score]] = {}
        for readout in evaluator.readouts or ("",):
            every[readout] = await self._scored(replace(evaluator, readout=readout), exchanges)
        found = readings(every)
        if found.scores:
            return found
        failed, cause = next(iter(found.refused.values()))
        if failed == len(exchanges):
            raise CannotCalibrateError(CheckReason.JUDGE_UNAVAILABLE, cause)
        told = f"{failed} of {len(exchanges)} labels could not be judged: {cause}"
        raise CannotCalibrateError(CalibrationReason.EVALUATOR_FAILING, told)

    async def _scored(self, evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange]) -> list[Score]:
        found = await score(self._scorer(evaluator), exchanges)
        if any(one.state == "NotAsked" for one in found):
            spent = f"{self._memory.spent:,} of maxTokens {self.plan.max_tokens:,} are spent"
            told = f"{spent}, about {self._price:,} are needed"
            raise CannotCalibrateError(CalibrationReason.CALIBRATION_LIMITED, told)
        return found

    async def _attacked(
        self, whole: CalibrationOutcome, final: ResolvedEvaluator, exchanges: Sequence[Exchange], faults: Sequence[bool]
    ) -> CalibrationOutcome:
        """Add payloads to what is faulty and flagged under the final choice, in a text that the evaluator reads."""
        before = await self._scored(final, exchanges)
        rows = [i for i, fault in enumerate(faults) if fault and before[i].flagged]
        tried = attacks(exchanges, rows, into="question" if final.requires == ("question",) else "answer")
        after = await self._scored(final, [one.exchange for one in tried])
        return attacked(whole, [before[one.row] for one in tried], after)

    def _scorer(self, evaluator: ResolvedEvaluator) -> Scorer:
        port: ScoringPort = JobPort(
            self.embeddings,
            evaluator.pod.egress,
            allowed_hosts=self.allowed_hosts,
            learned=self._learned,
            patience=self._patience,
            marked=marked_egress(evaluator, self.marks) if self.marks else None,
        )
        if evaluator.costly:
            port = Budgeted(port, self._memory, evaluator.name)
        scorer = self.known.scorer(evaluator, port)
        return replace(scorer, memory=self._memory.under(evaluator.readout)) if evaluator.costly else scorer

    def _empty(self) -> CalibrationOutcome:
        plan = self.plan
        return CalibrationOutcome(
            plan.namespace, plan.evaluator, plan.version, plan.labels_version, self.clock_ms(),
            labels=len(self.records.records), labels_digest=self.records.digest, tokens=self._memory.spent,
            price=self._price,
        )  # fmt: skip

    def _unread(self, found: Readings) -> str:
        return "; ".join(f"{name}: {cause}" for name, (_, cause) in sorted(found.refused.items()))[:MOST_TOLD]


def price_of(evaluator: ResolvedEvaluator, exchanges: Sequence[Exchange]) -> int:
    """Return about how many tokens a calibration takes: each label under each readout, and the attacks.

    Four characters are a token, and settings such as a rubric are part of each request. 0 of what asks no model.
    """
    if not evaluator.costly or not exchanges:
        return 0
    settings = len(json.dumps(dict(evaluator.config), default=str))
    texts = [sum(len(message.text) for message in one.messages) + len(one.response) for one in exchanges]
    each = [(settings + length) // CHARS_OF_A_TOKEN + ANSWER_TOKENS for length in texts]
    attack = sum(each) // len(each) + max(map(len, PAYLOADS)) // CHARS_OF_A_TOKEN
    return sum(each) * max(1, len(evaluator.readouts)) + MAX_ATTACKS * attack
