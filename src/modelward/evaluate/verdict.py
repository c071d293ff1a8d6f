"""From pooled scores to Passed, Failed or Unknown: only bounds decide, and what is missing is said."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.base import VerdictValue
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.quantity import PPM, limit_text
from modelward.api.quantity import percent_text as percent
from modelward.evaluate.evidence import Evidence, seen, share_flagged
from modelward.evaluate.interval import Interval
from modelward.evaluate.needed import FAR_TIMES, MOST, about, few, least
from modelward.evaluate.obstacles import Case, obstacle, usable
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.correction import ErrorRates
from modelward.evaluate.watched import SlidingSet, failing, surely_fails, wait
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason

NONE_ALLOWED = "a limit of 0% can fail and never pass"
"""Added where no share is surely above 0%: no number of clean samples proves that there is no fault."""
NOT_BETTER = "its error rates are not known well enough for more samples to tell"
"""Added where the uncertainty of the error rates alone spans the limit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decided or undecided check with its evidence; rates are corrected for the evaluator's own errors."""

    verdict: VerdictValue
    rate_ppm: int | None
    low_ppm: int | None
    high_ppm: int | None
    samples: int
    reason: Reason
    message: str


def decide(
    counts: Counts, facts: EvaluatorFacts, rule: VerdictRule, *, missing: str = "", sliding: SlidingSet | None = None
) -> Verdict:
    """Decide one evaluation of one revision.

    `missing` is the pooled windows' reason for having no samples (NoTraffic, NoCapture, EvaluatorFailing). The first
    obstacle in OBSTACLES makes it Unknown; else bounds decide, and an interval around the limit is NearThreshold.
    `sliding` are the windows of `counts`, for a rule with odds: the newest of them may fail by themselves.
    """
    rates = usable(facts)
    case = Case(counts, facts, rule, missing, rates, sliding)
    evidence = share_flagged(counts, rates) if rates and counts.samples else None
    found = obstacle(case)
    if found or evidence is None or rates is None:
        return _unknown(
            counts, evidence.interval if evidence else None, *(found or (CheckReason.NOT_CALIBRATED, facts.name))
        )
    return _watched(case, evidence, rates) if rule.odds else _decided(case, evidence, rates)


def _watched(case: Case, evidence: Evidence, rates: ErrorRates) -> Verdict:
    sliding = case.sliding or SlidingSet((case.counts,))
    length, run = failing(sliding, rates, case.rule)
    if not length:
        return _decided(case, evidence, rates)
    every = len(sliding.newest_first)
    newest = f" in the newest {length} of {every} windows" if length < every else ""
    return _beyond(share_flagged(run, rates).interval, run.samples, case.rule, newest)


def _decided(case: Case, evidence: Evidence, rates: ErrorRates) -> Verdict:
    interval, rule, samples = evidence.interval, case.rule, case.counts.samples
    side = _side(interval, rule.limit_ppm)
    if side and (rule.odds is None or (side == "<") == rule.above):
        return _beyond(interval, samples, rule)
    enough, shown, limit = _enough(case, evidence, rates), spread(interval), limit_text(rule.limit_ppm)
    beyond = f" {side} {limit}, not yet surely" if side else ""
    if side or few(samples, enough):
        told = f"{shown}{beyond}; {wait(case.sliding, samples, enough, limit)}"
        return _unknown(case.counts, interval, CheckReason.TOO_FEW_SAMPLES, told + _why_near(evidence, rule.limit_ppm))
    told = f"{shown} around {limit}, n={samples}{_why_near(evidence, rule.limit_ppm)}"
    return _unknown(case.counts, interval, CheckReason.NEAR_THRESHOLD, told)


def _beyond(interval: Interval, samples: int, rule: VerdictRule, newest: str = "") -> Verdict:
    """Return the verdict of an interval on one side of the limit."""
    value, low, high = (round(x * PPM) for x in (interval.value, interval.low, interval.high))
    side = _side(interval, rule.limit_ppm)
    outcome: VerdictValue = "Failed" if (side == ">") == rule.above else "Passed"
    reason = CheckReason.ABOVE_LIMIT if side == ">" else CheckReason.BELOW_LIMIT
    message = f"{spread(interval)} {side} {limit_text(rule.limit_ppm)}, n={samples}{newest}"
    return Verdict(outcome, value, low, high, samples, reason, message)


def _enough(case: Case, evidence: Evidence, rates: ErrorRates) -> float:
    """Return how many samples with what was seen would decide."""
    rule, share = case.rule, seen(case.counts)[0]

    def decides(size: float) -> bool:
        side = _side(evidence.at(size), rule.limit_ppm)
        fails = bool(side) and (side == ">") == rule.above
        return bool(side) and (not fails or rule.odds is None or surely_fails(share, size, rates, rule))

    return least(decides, evidence.size, evidence.size * FAR_TIMES) * (case.counts.samples / evidence.size)


def _why_near(evidence: Evidence, limit_ppm: int) -> str:
    """Return why more samples would not help, where that is so."""
    if not limit_ppm:
        return f"; {NONE_ALLOWED}"
    exactly = evidence.at(MOST)
    beside = abs(round(exactly.value * PPM) - limit_ppm) > limit_ppm // 10
    return f"; {NOT_BETTER}" if beside and not _side(exactly, limit_ppm) else ""


def _side(interval: Interval, limit_ppm: int) -> str:
    """Return on which side of the limit the whole interval is: `>`, `<`, or empty where it holds the limit."""
    low, high = round(interval.low * PPM), round(interval.high * PPM)
    return ">" if low > limit_ppm else "<" if high < limit_ppm else ""


def near(shown: str, limit: str, samples: int, enough: float, what: str = "samples") -> tuple[Reason, str]:
    """Return reason and message of an interval that holds the limit: too few to tell, or a share that is there."""
    if few(samples, enough):
        return (
            CheckReason.TOO_FEW_SAMPLES,
            f"{shown}; {samples} of about {about(enough)} {what} needed to tell it from {limit}",
        )
    return CheckReason.NEAR_THRESHOLD, f"{shown} around {limit}, n={samples}"


def _unknown(counts: Counts, interval: Interval | None, reason: Reason, message: str) -> Verdict:
    if interval is None:
        return Verdict("Unknown", None, None, None, counts.samples, reason, message)
    value, low, high = (round(x * PPM) for x in (interval.value, interval.low, interval.high))
    return Verdict("Unknown", value, low, high, counts.samples, reason, message)


def spread(interval: Interval) -> str:
    """Return a share with its bounds as a person reads it: `31% (24-39)`."""
    low, high = (percent(round(x * PPM)).removesuffix("%") for x in (interval.low, interval.high))
    return f"{percent(round(interval.value * PPM))} ({low}-{high})"
