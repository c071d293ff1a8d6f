"""Running a Job's plan: windows from the hub, results to the hub."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from modelward.api.evaluation import EvaluatorFacts, WindowResult
from modelward.api.exchange import Exchange
from modelward.api.kept_score import evaluator_set
from modelward.api.run_plan import Plan, PlanItem
from modelward.api.window_answer import WindowTest
from modelward.desired.evaluators import EvaluatorBlock, ResolvedEvaluator
from modelward.desired.runs import is_scheduled
from modelward.desired.text_egress import address
from modelward.evaluate.catalogue import EvaluatorCatalogue
from modelward.evaluate.port import ScoreMemory, ScoringPort
from modelward.evaluate.scoring import Scorer, window_result
from modelward.evaluate.window_scoring import window_tests
from modelward.hub_client.client import HubClient, HubUnavailableError, ScoreSet
from modelward.job.budgeted import Budgeted
from modelward.job.embeddings import SharedEmbeddings
from modelward.job.hub_past import HubPast
from modelward.job.hub_scopes import HubScopes
from modelward.job.installed import UnknownEvaluatorError, catalogue, resolved
from modelward.job.marks import Marks, marked_egress
from modelward.job.minilm import embed
from modelward.job.outside_scores import HubOutsideScores
from modelward.job.patience import RunPatience
from modelward.job.port import JobPort
from modelward.job.purse import Purse
from modelward.job.score_memory import HubScores
from modelward.job.shown_scores import show_scores
from modelward.reasons.checks import CheckReason

log = logging.getLogger(__name__)
MESSAGE_BYTES = 2_000
"""What fits in a termination message with room to spare: the kubelet cuts at 4096 over all containers."""
ERROR_CHARS = 160
PAUSES_S = (1.0, 5.0, 15.0)
"""Waits before the hub is asked again: a hub that restarts is back within seconds."""
CLIENT_ERROR = range(400, 500)
T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """How a run went: items planned, done and failed, and samples judged; never text of an exchange."""

    items: int = 0
    done: int = 0
    failed: int = 0
    samples: int = 0
    errors: list[str] = field(default_factory=list)

    def fail(self, item: PlanItem, cause: str) -> None:
        """Count an item as failed, and say why."""
        self.failed += 1
        self.errors.append(f"{item.endpoint}/{item.evaluation}: {cause}"[:ERROR_CHARS])
        log.error("item failed endpoint=%s evaluation=%s cause=%s", item.endpoint, item.evaluation, cause)

    def message(self) -> str:
        """Return the termination message: JSON of at most MESSAGE_BYTES, with as many errors as fit."""
        data = asdict(self)
        while len(text := json.dumps(data)) > MESSAGE_BYTES and data["errors"]:
            data["errors"].pop()
        return text


@dataclass(slots=True)
class EvaluationJob:
    """What the items of a plan share: the hub, evaluators, embeddings, scopes, and the window requested last."""

    plan: Plan
    client: HubClient
    known: EvaluatorCatalogue
    embeddings: SharedEmbeddings
    tally: Tally
    scopes: HubScopes
    marks: Marks
    _holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    _purses: dict[str, Purse] = field(default_factory=dict)
    _learned: dict[str, Any] = field(default_factory=dict)
    """What kinds have learned in this run of the addresses that they ask."""
    _window: tuple[tuple[str, int, int, int], Sequence[Exchange]] | None = None
    _patience: RunPatience = field(default_factory=RunPatience)

    async def run_item(self, item: PlanItem) -> None:
        """Judge one item and put its result to the hub."""
        plan, tally = self.plan, self.tally
        try:
            judge = resolved(EvaluatorBlock(item.kind, item.evaluator, item.config), self.known)
        except UnknownEvaluatorError as error:
            tally.fail(item, str(error))
            await _patiently(lambda: self.client.put_result(_failing(plan, item)))
            return
        if chosen := item.calibrated:
            judge = replace(judge, readout=chosen.readout, threshold=chosen.threshold)
        exchanges = await self._exchanges(item)
        scorer = replace(self.known.scorer(judge, self._port(item, judge)), memory=self._memory(item, judge))
        result, scores = await window_result(
            item, namespace=plan.namespace, run=plan.run, evaluator=scorer, exchanges=exchanges
        )
        if item.calibrated:
            result = replace(result, evaluator=item.calibrated.rates(result.evaluator))
        if judge.answers == "Change":
            result = replace(result, tests=await self._tests(item, scorer))
        await _patiently(lambda: self.client.put_result(result))
        await show_scores(self.client, plan.namespace, item, exchanges, scores)
        tally.samples += sum(s.state == "Scored" for s in scores)
        failed = [s for s in scores if s.state == "Failed"]
        if result.reason == CheckReason.EVALUATOR_FAILING:
            tally.fail(item, f"no sample could be judged: {failed[0].label}")
        else:
            tally.done += 1
        log.info(
            "item done endpoint=%s evaluation=%s exchanges=%d failed=%d reason=%s",
            item.endpoint, item.evaluation, len(exchanges), len(failed), result.reason or "-",
        )  # fmt: skip

    async def close(self) -> None:
        """Give back what was reserved of budgets and not used."""
        for purse in self._purses.values():
            await purse.close()

    def _memory(self, item: PlanItem, judge: ResolvedEvaluator) -> ScoreMemory | None:
        """Return what was scored before, of an evaluator whose scores cost something."""
        if not judge.costly:
            return None
        # The version of a judge is that of its settings, but for where it is and what it costs.
        settings = judge.config if judge.model is None else {}
        how = {"readout": judge.readout, "threshold": judge.threshold, "settings": settings}
        score_set = evaluator_set(judge.kind, judge.name, judge.facts.version, how)
        return HubScores(self.client, ScoreSet(self.plan.namespace, item.endpoint, score_set), self._holder)

    def _port(self, item: PlanItem, judge: ResolvedEvaluator) -> ScoringPort:
        """Return what the evaluator may ask; within the policy's budget where it costs something and there is one."""
        probed = (address(item.address),) if judge.probes and item.address else ()
        port = JobPort(
            self.embeddings,
            (*judge.pod.egress, *probed),
            allowed_hosts=self.plan.allowed_hosts,
            scopes=self.scopes,
            outside=HubOutsideScores(self.client, self.plan.namespace, item.endpoint, _patiently),
            patience=self._patience,
            learned=self._learned,
            marked=marked_egress(judge, self.marks, probed),
            endpoint=item.address,
        )
        if not item.budgeted:
            return port
        purse = self._purses.setdefault(item.policy, Purse(self.client, self.plan, item.policy, _patiently))
        return Budgeted(port, purse, judge.name, item.prices)

    async def _tests(self, item: PlanItem, scorer: Scorer) -> tuple[WindowTest, ...]:
        """Compare the verdict's whole sliding time, of which a scheduled item is the newest part."""
        begin_ms = min(item.from_ms, item.to_ms - item.over_ms) if is_scheduled(self.plan.run) else item.from_ms
        past = HubPast(self.client, self.plan.namespace, item, scorer.evaluator.facts, _patiently)
        return await window_tests(scorer, await past.window(max(0, begin_ms), item.to_ms), past)

    async def _exchanges(self, item: PlanItem) -> Sequence[Exchange]:
        """Return the item's window; evaluators of one window get the same sample, and so share its embeddings."""
        asked = (item.endpoint, item.from_ms, item.to_ms, item.max_samples)
        if self._window is None or self._window[0] != asked:
            self._window = None  # two windows at once may not fit into memory
            self._window = asked, await _patiently(lambda: self.client.window(self.plan.namespace, *asked))
        return self._window[1]


async def run_plan(
    plan: Plan,
    client: HubClient,
    termination: Path | None = None,
    *,
    known: EvaluatorCatalogue | None = None,
    embeddings: SharedEmbeddings | None = None,
) -> Tally:
    """Judge every item and put its result to the hub; an item that fails does not keep the others from running.

    Writes the tally to `termination` too. The run has failed when `tally.failed` is not 0.
    """
    tally = Tally(items=len(plan.items))
    within, scopes = (known or catalogue()).within(plan.allowed_hosts), HubScopes(client, plan.namespace)
    marks = Marks(client, plan.namespace)
    job = EvaluationJob(plan, client, within, embeddings or SharedEmbeddings(embed), tally, scopes, marks)
    for item in plan.items:
        try:
            await job.run_item(item)
        except HubUnavailableError as error:
            tally.fail(item, f"HubUnavailable: {error}")
        except Exception as error:  # noqa: BLE001  # whatever one item does, the others are owed their turn
            tally.fail(item, f"{type(error).__name__}: {error}")
    await job.close()
    if termination:
        await asyncio.to_thread(termination.write_text, tally.message())
    return tally


def _failing(plan: Plan, item: PlanItem) -> WindowResult:
    """Return the result of an evaluator that cannot even be made: it says so, and can never look like a pass."""
    return WindowResult(
        plan.namespace, item.endpoint, item.policy, item.evaluation, item.from_ms, item.to_ms, plan.run,
        EvaluatorFacts(item.evaluator, "invalid"), reason=CheckReason.EVALUATOR_FAILING,
    )  # fmt: skip


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    for pause_s in PAUSES_S:
        try:
            return await ask()
        except HubUnavailableError as error:
            if error.status in CLIENT_ERROR:
                raise
            log.warning("hub asked again in_s=%s cause=%s", pause_s, error)
            await asyncio.sleep(pause_s)
    return await ask()
