"""Whether an endpoint became worse than it was, or than its revision before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from modelward.api.check_status import ComparisonStatus
from modelward.api.evaluation import WindowResult
from modelward.api.policy_evaluation import Evaluation
from modelward.api.quantity import PPM, duration_ms, limit_text, percent_ppm, percent_text
from modelward.evaluate.comparison import Comparison, Margin, compare
from modelward.evaluate.obstacles import usable
from modelward.evaluate.pool import Pooled, earlier, previous
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.change import Difference
from modelward.evaluate.verdict import Verdict
from modelward.reasons.checks import CheckReason
from modelward.status.revision import Revision

BASELINE = "Baseline"
_COMPARABLE = frozenset(
    {CheckReason.ABOVE_LIMIT, CheckReason.BELOW_LIMIT, CheckReason.NEAR_THRESHOLD, CheckReason.TOO_FEW_SAMPLES}
)
"""Reasons of verdicts that rest on samples which can be compared with others."""


def compared(
    asked: Evaluation,
    rule: VerdictRule,
    found: tuple[Verdict, Pooled],
    results: Sequence[WindowResult],
    revision: Revision,
    now_ms: int,
) -> tuple[Verdict, ComparisonStatus | None]:
    """Return the verdict, Failed where the endpoint is surely worse than allowed, and what the comparison says.

    Nothing to compare with decides nothing: then the verdict stands as it is.
    """
    verdict, pooled = found
    if asked.not_worse_than is None or verdict.reason not in _COMPARABLE or verdict.samples < rule.min_samples:
        return verdict, None
    against, other = _other(asked, results, revision, now_ms)
    rates = usable(pooled.facts) if pooled.facts else None
    if other is None or other.facts != pooled.facts or rates is None or rule.odds is None:
        return verdict, ComparisonStatus(against=against, result="CannotTell")
    if other.counts.samples < rule.min_samples:
        return verdict, ComparisonStatus(against=against, result="CannotTell", samples=other.counts.samples)
    margin = Margin(percent_ppm(asked.not_worse_than.margin) / PPM, rule.above, rule.odds)
    made = compare(pooled.newest_first, other.counts, rates, margin)
    told = ComparisonStatus(
        against=against,
        result=made.relation,
        difference=points(made.difference.value),
        low=points(made.difference.low),
        high=points(made.difference.high),
        samples=made.other_samples,
    )
    return (_worse(verdict, made, against, margin) if made.too_much else verdict), told


def _other(
    asked: Evaluation, results: Sequence[WindowResult], revision: Revision, now_ms: int
) -> tuple[str, Pooled | None]:
    """Return the name of what is compared with, and its windows."""
    if asked.not_worse_than is None or asked.not_worse_than.revision is None:
        return BASELINE, earlier(results, now_ms=now_ms, over_ms=duration_ms(asked.over))
    return previous(results, revisions=revision.hashes, now_ms=now_ms) or ("Previous", None)


def _worse(verdict: Verdict, made: Comparison, against: str, margin: Margin) -> Verdict:
    if verdict.verdict == "Failed":
        return verdict
    reason = CheckReason.WORSE_THAN_BASELINE if against == BASELINE else CheckReason.WORSE_THAN_REVISION
    what = "the day before" if against == BASELINE else f"revision {against}"
    allowed = limit_text(round(margin.by * PPM))
    numbers = f"{_spread(made.difference)} against {what}, n={made.samples} and {made.other_samples}"
    message = f"{numbers}; {allowed} is allowed"
    return replace(verdict, verdict="Failed", reason=reason, message=message)


def _spread(found: Difference) -> str:
    low, high = (points(bound).removesuffix("%") for bound in (found.low, found.high))
    return f"{points(found.value)} ({low} to {high})"


def points(value: float) -> str:
    """Return a difference of shares as a person reads it: `+2.1%`."""
    ppm = round(value * PPM)
    return f"{'-' if ppm < 0 else '+'}{percent_text(abs(ppm))}"
