"""From pooled scores to Passed, Failed or Unknown: only bounds decide, and what is missing is said."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.base import VerdictValue
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.quantity import PPM, limit_text
from modelward.api.quantity import percent_text as percent
from modelward.evaluate.evidence import Evidence, share_flagged
from modelward.evaluate.interval import Interval
from modelward.evaluate.needed import FAR_TIMES, MOST, about, few, least
from modelward.evaluate.obstacles import Case, obstacle, usable
from modelward.evaluate.rule import VerdictRule
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


def decide(counts: Counts, facts: EvaluatorFacts, rule: VerdictRule, *, missing: str = "") -> Verdict:
    """Decide one evaluation of one revision.

    `missing` is the pooled windows' reason for having no samples (NoTraffic, NoCapture, EvaluatorFailing). The first
    obstacle in OBSTACLES makes it Unknown; else bounds decide, and an interval around the limit is NearThreshold.
    """
    rates = usable(facts)
    evidence = share_flagged(counts, rates) if rates and counts.samples else None
    found = obstacle(Case(counts, facts, rule, missing, rates))
    if found or evidence is None:
        return _unknown(
            counts, evidence.interval if evidence else None, *(found or (CheckReason.NOT_CALIBRATED, facts.name))
        )
    return _decided(counts, evidence, rule)


def _decided(counts: Counts, evidence: Evidence, rule: VerdictRule) -> Verdict:
    interval, samples, limit = evidence.interval, counts.samples, rule.limit_ppm
    low, high = round(interval.low * PPM), round(interval.high * PPM)
    above, below = low > limit, high < limit
    if not above and not below:
        reason, told = near(spread(interval), limit_text(limit), samples, _enough(counts, evidence, limit))
        return _unknown(counts, interval, reason, told + _why_near(evidence, limit))
    failed = above if rule.fail_above_ppm is not None else below
    message = f"{spread(interval)} {'>' if above else '<'} {limit_text(limit)}, n={samples}"
    outcome: VerdictValue = "Failed" if failed else "Passed"
    reason = CheckReason.ABOVE_LIMIT if above else CheckReason.BELOW_LIMIT
    return Verdict(outcome, round(interval.value * PPM), low, high, samples, reason, message)


def _enough(counts: Counts, evidence: Evidence, limit_ppm: int) -> float:
    """Return how many samples with what was seen would decide."""

    def decides(size: float) -> bool:
        return not _holds(evidence.at(size), limit_ppm)

    return least(decides, evidence.size, evidence.size * FAR_TIMES) * (counts.samples / evidence.size)


def _why_near(evidence: Evidence, limit_ppm: int) -> str:
    """Return why more samples would not help, where that is so."""
    if not limit_ppm:
        return f"; {NONE_ALLOWED}"
    exactly = evidence.at(MOST)
    beside = abs(round(exactly.value * PPM) - limit_ppm) > limit_ppm // 10
    return f"; {NOT_BETTER}" if beside and _holds(exactly, limit_ppm) else ""


def _holds(interval: Interval, limit_ppm: int) -> bool:
    return round(interval.low * PPM) <= limit_ppm <= round(interval.high * PPM)


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
