"""Judging exchanges one and all, so that a failure is counted and never looks like a pass."""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from modelward.api.evaluation import AskedModel, Causes, Counts, EvaluatorFacts, Example, WindowResult
from modelward.api.exchange import Exchange
from modelward.api.run_plan import PlanItem, Statistic
from modelward.api.sampling import sample_rank
from modelward.desired.evaluators import ResolvedEvaluator, Text
from modelward.evaluate.calibration.applied import at_threshold
from modelward.evaluate.conversations import conversations_of
from modelward.evaluate.kinds.kind import EvaluatorKind, asking
from modelward.evaluate.pool import MAX_EXAMPLES
from modelward.evaluate.port import (
    BudgetExhaustedError,
    PortError,
    PriceUnknownError,
    ScoreMemory,
    ScoringPort,
)
from modelward.evaluate.score import Score
from modelward.evaluate.statistics.histogram import binned, number_bin, value_bin
from modelward.reasons.checks import CheckReason

log = logging.getLogger(__name__)
BATCH = 64
_CAUSES = 7
_OTHER_CAUSES = "other"
WITH_TEXT = ("Redacted", "Full")
NOT_ASKED = {
    BudgetExhaustedError.__name__: CheckReason.BUDGET_EXHAUSTED,
    PriceUnknownError.__name__: CheckReason.PRICE_UNKNOWN,
}
"""Labels of scores that failed only because a budget had no room for them."""
NOT_GENERATIVE = frozenset({"embeddings", "embedding", "rerank", "classify", "moderation", "moderations", "tokenize"})


@dataclass(frozen=True, slots=True)
class Scorer:
    """An evaluator, its kind, what it may ask of the world outside, and what it has scored before."""

    kind: EvaluatorKind
    evaluator: ResolvedEvaluator
    port: ScoringPort
    memory: ScoreMemory | None = None


async def score(scorer: Scorer, exchanges: Sequence[Exchange]) -> list[Score]:
    """Return one score per exchange, in order; an evaluator that raises yields Failed scores, never an exception."""
    scores: dict[int, Score] = {}
    to_judge: list[int] = []
    for position, exchange in enumerate(exchanges):
        early = _without_judging(scorer.evaluator, exchange)
        if early:
            scores[position] = early
        else:
            to_judge.append(position)
    if scorer.evaluator.costly:  # who stops early then has a fair sample
        to_judge.sort(key=lambda position: sample_rank(exchanges[position].id, exchanges[position].time_ms))
    size = BATCH if scorer.evaluator.unit == "Exchange" else max(1, len(to_judge))
    for start in range(0, len(to_judge), size):
        batch = to_judge[start : start + size]
        scores.update(zip(batch, await _remembered(scorer, [exchanges[i] for i in batch]), strict=True))
    if failed := [s.label for s in scores.values() if s.state == "Failed"]:
        name = scorer.evaluator.name
        log.warning(
            "judging failed evaluator=%s samples=%d of=%d cause=%s", name, len(failed), len(to_judge), failed[0]
        )
    return [scores[position] for position in range(len(exchanges))]


async def _remembered(scorer: Scorer, batch: Sequence[Exchange]) -> list[Score]:
    """Judge what was not scored before, and remember it."""
    known = await scorer.memory.known(batch) if scorer.memory else [None] * len(batch)
    unknown = [one for one, found in zip(batch, known, strict=True) if found is None]
    judged = [_unless_not_asked(one) for one in await _judged(scorer, unknown)] if unknown else []
    if scorer.memory and unknown:
        await scorer.memory.keep(list(zip(unknown, judged, strict=True)))
    new = iter(judged)
    return [at_threshold(scorer.evaluator, found or next(new)) for found in known]


def _unless_not_asked(one: Score) -> Score:
    reason = NOT_ASKED.get(one.label) if one.state == "Failed" else None
    return replace(one, state="NotAsked", label=reason) if reason else one


def asked_share(scores: Sequence[Score]) -> float:
    """Return how much of what there was to judge was judged before the budget was spent: a fair sample of it."""
    asked, not_asked = (
        sum(one.state in states for one in scores) for states in (("Scored", "Abstained", "Failed"), ("NotAsked",))
    )
    return asked / (asked + not_asked) if asked and not_asked else 1.0


def _without_judging(evaluator: ResolvedEvaluator, exchange: Exchange) -> Score | None:
    """Return why there is nothing to judge, or None; first what can never be judged, then what was not captured."""

    def skip(label: str) -> Score:
        return Score(exchange.id, "NotApplicable", label=label)

    if exchange.operation.lower() in NOT_GENERATIVE:
        return skip("operation")
    if exchange.outcome != "ok" or exchange.status >= 400:
        return skip("error")
    if evaluator.needs not in WITH_TEXT:
        return None
    if exchange.content in ("None", "MetadataOnly"):
        return Score(exchange.id, "NotCaptured", label="no-text")
    texts: dict[Text, str] = {"question": exchange.question, "answer": exchange.response}
    missing = next((part for part in evaluator.requires if not texts[part].strip()), None)
    return skip(f"no-{missing}") if missing else None


async def _judged(scorer: Scorer, batch: Sequence[Exchange]) -> list[Score]:
    """Judge a batch; when that fails, one by one, so that one odd exchange costs itself only.

    Not where the port failed, which would fail as often as it is asked, nor where half a window is another window.
    """
    whole = scorer.evaluator.unit == "Window"
    try:
        scores = await scorer.kind.score(scorer.evaluator, batch, scorer.port)
        if [one.id for one in scores] == [one.id for one in batch]:
            return scores
        cause = f"{len(scores)} scores for {len(batch)} exchanges"
    except PortError as error:
        cause, whole = type(error).__name__, True
    except Exception as error:  # noqa: BLE001  # a plug-in may raise anything
        cause = type(error).__name__
    if whole or len(batch) == 1:
        return [Score(one.id, "Failed", label=cause if cause.isidentifier() else "BadAnswer") for one in batch]
    half = len(batch) // 2
    return await _judged(scorer, batch[:half]) + await _judged(scorer, batch[half:])


async def window_result(
    item: PlanItem, *, namespace: str, run: str, evaluator: Scorer, exchanges: Sequence[Exchange]
) -> tuple[WindowResult, list[Score]]:
    """Judge a window and sum it up per revision."""
    scores = await score(evaluator, exchanges)
    groups: dict[str, list[tuple[Exchange, Score]]] = defaultdict(list)
    for exchange, its_score in zip(exchanges, scores, strict=True):
        groups[exchange.revision].append((exchange, its_score))
    share = asked_share(scores)
    revisions = {revision: counts(rows, item.statistic, share) for revision, rows in groups.items()}
    result = WindowResult(
        namespace=namespace,
        endpoint=item.endpoint,
        policy=item.policy,
        evaluation=item.evaluation,
        from_ms=item.from_ms,
        to_ms=item.to_ms,
        run=run,
        evaluator=facts_by(evaluator, await facts_of(evaluator), scores),
        revisions=revisions,
        examples=_examples(groups),
        reason=reason(scores),
        asked=await _asked(evaluator, scores),
    )
    return result, scores


def facts_by(scorer: Scorer, facts: EvaluatorFacts, scores: Sequence[Score]) -> EvaluatorFacts:
    """Return facts with the version of those models that judged, whether in this run or before."""
    by = frozenset(one.by for one in scores if one.by)
    kind = asking(scorer.kind)
    return replace(facts, version=kind.version(scorer.evaluator, by)) if by and kind else facts


async def _asked(scorer: Scorer, scores: Sequence[Score]) -> AskedModel | None:
    """Return how a model was asked, where the evaluator asks one: in this run, or when what it remembers was scored."""
    kind = asking(scorer.kind)
    return (await kind.asked(scorer.evaluator, scorer.port) or remembered(scores)) if kind else None


def remembered(scores: Iterable[Score]) -> AskedModel | None:
    """Return who judged the scores that were not asked for again, and how; None where none says it."""
    by = sorted({one.by for one in scores if one.by})
    if not by:
        return None
    models = sorted({one.partition(" ")[2] for one in by} - {""})
    return AskedModel(model=", ".join(models)[:256], readout=by[-1].partition(" ")[0])


async def facts_of(scorer: Scorer) -> EvaluatorFacts:
    """Return what results carry, with the error rates of these very settings; those of `resolve` where that fails."""
    try:
        return await scorer.kind.facts(scorer.evaluator, scorer.port)
    except Exception as error:  # noqa: BLE001  # the scores have failed in the same way, and say so
        log.warning("rates not found evaluator=%s cause=%s", scorer.evaluator.name, type(error).__name__)
        return scorer.evaluator.facts


def counts(rows: Sequence[tuple[Exchange, Score]], statistic: Statistic = "Share", share: float = 1.0) -> Counts:
    """Sum up scored exchanges, each weighted by the inverse of the probability that it was sampled with.

    Values and numbers are kept where the statistic is made of them. Of the window only a `share` was asked.
    """
    scored = [(1.0 / (exchange.inclusion * share), exchange, s) for exchange, s in rows if s.state == "Scored"]
    conversations: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    named = conversations_of([exchange for _, exchange, _ in scored])
    for name, (weight, _, s) in zip(named, scored, strict=True):
        all_of_it, flagged = conversations[name]
        conversations[name] = all_of_it + weight, flagged + weight * s.flagged
    sums = conversations.values()
    return Counts(
        samples=len(scored),
        flagged=sum(s.flagged for _, _, s in scored),
        not_applicable=sum(s.state in ("NotApplicable", "NotCaptured") for _, s in rows),
        failed=sum(s.state == "Failed" for _, s in rows),
        not_asked=sum(s.state == "NotAsked" for _, s in rows),
        abstained=sum(s.state == "Abstained" for _, s in rows),
        causes=_causes(rows),
        weight=math.fsum(weight for weight, _, _ in scored),
        weight_squared=math.fsum(weight * weight for weight, _, _ in scored),
        flagged_weight=math.fsum(weight for weight, _, s in scored if s.flagged),
        conversation_weight_squared=math.fsum(weight * weight for weight, _ in sums),
        conversation_flagged_squared=math.fsum(flagged * flagged for _, flagged in sums),
        conversation_product=math.fsum(weight * flagged for weight, flagged in sums),
        histogram=binned(_valued(scored)) if statistic != "Share" else (),
    )


def _causes(rows: Sequence[tuple[Exchange, Score]]) -> Causes:
    """Return the commonest causes; the rest are one together, since an evaluator of others may have any."""
    found = Counter(s.label or "unknown" for _, s in rows if s.state == "Failed")
    known = dict(found.most_common(_CAUSES))
    rest = found.total() - sum(known.values())
    if rest:
        known[_OTHER_CAUSES] = known.get(_OTHER_CAUSES, 0) + rest
    return tuple(sorted(known.items()))


def _valued(scored: Sequence[tuple[float, Exchange, Score]]) -> Iterator[tuple[int, float]]:
    """Yield bin and weight of each number, or of the value where there is no number."""
    for weight, _, s in scored:
        if s.number is not None:
            yield number_bin(s.number), weight
        elif s.value is not None:
            yield value_bin(s.value), weight


def reason(scores: Sequence[Score]) -> str:
    """Return why nothing could be judged, or the empty string when something was (or nothing was applicable)."""
    states = {s.state for s in scores}
    if not states:
        return CheckReason.NO_TRAFFIC
    if states & {"Scored", "Abstained"}:
        return ""
    if not_asked := next((s.label for s in scores if s.state == "NotAsked"), ""):
        return not_asked
    return (
        CheckReason.EVALUATOR_FAILING
        if "Failed" in states
        else CheckReason.NO_CAPTURE
        if "NotCaptured" in states
        else ""
    )


def _examples(groups: Mapping[str, Sequence[tuple[Exchange, Score]]]) -> dict[str, tuple[Example, ...]]:
    found = {}
    for revision, rows in groups.items():
        flagged = [(e, s) for e, s in rows if s.flagged]
        newest = sorted(flagged, key=lambda row: row[0].time_ms, reverse=True)[:MAX_EXAMPLES]
        if newest:
            found[revision] = tuple(Example(e.id, s.label) for e, s in newest)
    return found
