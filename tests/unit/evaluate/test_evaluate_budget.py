"""A budget that ends a window early leaves a fair sample of it, and a verdict that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.exchange import Exchange, Message
from modelward.api.run_plan import PlanItem
from modelward.api.sampling import sample_rank
from modelward.desired.evaluators import ResolvedEvaluator
from modelward.evaluate.port import BudgetExhaustedError, PriceUnknownError, ScoringPort
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.score import Score
from modelward.evaluate.scoring import Scorer, window_result
from modelward.evaluate.verdict import decide

FACTS = EvaluatorFacts("judge", "1")
ITEM = PlanItem("chat", "p", "brand", "judge", {}, 0, 1_000_000)


def window(number: int) -> list[Exchange]:
    return [
        Exchange(f"e{i}", i * 10, "retail/chat", "m", "r1", "chat", 200, "ok", "Redacted",
                 (Message("user", "hi"),), "bad" if i % 4 == 0 else "good")
        for i in range(number)
    ]  # fmt: skip


@dataclass
class PaidKind:
    """Scores as long as there is room; then each exchange fails for that, as a judge that asks one by one has it."""

    room: int
    error: type[Exception] = BudgetExhaustedError
    asked: list[str] = field(default_factory=list)

    async def facts(self, evaluator: ResolvedEvaluator, _port: ScoringPort) -> EvaluatorFacts:
        return evaluator.facts

    async def score(self, _: ResolvedEvaluator, exchanges: Sequence[Exchange], _port: ScoringPort) -> list[Score]:
        found = []
        for one in exchanges:
            if len(self.asked) < self.room:
                self.asked.append(one.id)
                found.append(Score(one.id, "Scored", flagged=one.response == "bad"))
            else:
                found.append(Score(one.id, "Failed", label=self.error.__name__))
        return found


def scorer(kind: PaidKind) -> Scorer:
    return Scorer(cast("Any", kind), ResolvedEvaluator("judge", "judge", {}, FACTS, costly=True), cast("Any", None))


async def found(kind: PaidKind, number: int = 400) -> tuple[Counts, str]:
    exchanges = window(number)
    result, _ = await window_result(ITEM, namespace="retail", run="r", evaluator=scorer(kind), exchanges=exchanges)
    return result.revisions["r1"], result.reason


async def test_what_is_judged_first_is_what_the_hub_would_have_sent_of_a_smaller_window() -> None:
    kind = PaidKind(100)
    await found(kind)
    ranked = sorted(window(400), key=lambda one: sample_rank(one.id, one.time_ms))
    assert kind.asked == [one.id for one in ranked[:100]]


async def test_a_budget_that_ends_early_widens_the_interval_and_bends_nothing() -> None:
    part, reason = await found(PaidKind(100))
    whole, _ = await found(PaidKind(400))
    assert reason == ""
    assert (part.samples, part.not_asked, part.failed) == (100, 300, 0)
    assert part.weight == whole.weight  # the window weighs the same beside others
    rule = VerdictRule(fail_above_ppm=500_000, min_samples=50)
    small, large = decide(part, FACTS, rule), decide(whole, FACTS, rule)
    assert small.verdict == large.verdict == "Passed"
    assert small.low_ppm is not None
    assert large.low_ppm is not None
    assert small.low_ppm < large.low_ppm


async def test_too_little_for_a_verdict_is_unknown_and_says_that_the_budget_is_spent() -> None:
    counts, _ = await found(PaidKind(30))
    verdict = decide(counts, FACTS, VerdictRule(fail_above_ppm=500_000, min_samples=100))
    assert (verdict.verdict, verdict.reason) == ("Unknown", "BudgetExhausted")
    assert "30 of 400 samples" in verdict.message


async def test_nothing_asked_at_all_says_why() -> None:
    for error, reason in ((BudgetExhaustedError, "BudgetExhausted"), (PriceUnknownError, "PriceUnknown")):
        counts, missing = await found(PaidKind(0, error))
        assert missing == reason
        verdict = decide(counts, FACTS, VerdictRule(fail_above_ppm=500_000), missing=missing)
        assert (verdict.verdict, verdict.reason) == ("Unknown", reason)
