"""From pooled scores to Passed, Failed or Unknown: only bounds decide, and what is missing is said."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from modelward.api.base import VerdictValue
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.quantity import limit_text
from modelward.api.quantity import percent_text as percent
from modelward.evaluate.interval import Interval, corrected, effective_size, wilson
from modelward.evaluate.needed import about, few, needed
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason

PPM = 1_000_000
MAX_FAILED_PPM = 100_000
"""Above this share of samples that could not be judged, the rest is no fair picture of the traffic."""
NONE_ALLOWED = "a limit of 0% can fail and never pass"
"""Added where no share is surely above 0%: no number of clean samples proves that there is no fault."""
MIN_DISCRIMINATION_PPM = 200_000
"""TPR - FPR below which the correction would multiply noise by more than five."""


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """When an evaluation counts as failed: exactly one of the two limits is set, in ppm of judged exchanges."""

    fail_above_ppm: int | None = None
    fail_below_ppm: int | None = None
    min_samples: int = 100

    def __post_init__(self) -> None:
        if (self.fail_above_ppm is None) == (self.fail_below_ppm is None):
            raise ValueError("exactly one of fail_above_ppm and fail_below_ppm")

    @property
    def limit_ppm(self) -> int:
        """The limit that is set."""
        return self.fail_below_ppm if self.fail_above_ppm is None else self.fail_above_ppm  # type: ignore[return-value]


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


@dataclass(frozen=True, slots=True)
class _Case:
    counts: Counts
    facts: EvaluatorFacts
    rule: VerdictRule
    missing: str


def decide(counts: Counts, facts: EvaluatorFacts, rule: VerdictRule, *, missing: str = "") -> Verdict:
    """Decide one evaluation of one revision.

    `missing` is the pooled windows' reason for having no samples (NoTraffic, NoCapture, EvaluatorFailing). The first
    obstacle in OBSTACLES makes it Unknown; else bounds decide, and an interval around the limit is NearThreshold.
    """
    interval = _interval(counts, facts)
    case = _Case(counts, facts, rule, missing)
    found = next((found for obstacle in OBSTACLES if (found := obstacle(case))), None)
    if found or interval is None:
        return _unknown(
            counts, interval if counts.samples else None, *(found or (CheckReason.NOT_CALIBRATED, facts.name))
        )
    return _decided(case, interval)


def _interval(counts: Counts, facts: EvaluatorFacts) -> Interval | None:
    if facts.true_positive_ppm <= facts.false_positive_ppm:
        return None
    n = effective_size(counts.weight, counts.weight_squared)
    share = min(1.0, counts.flagged_weight / counts.weight) if counts.weight > 0 else 0.0
    return corrected(wilson(share * n, n), facts.true_positive_ppm / PPM, facts.false_positive_ppm / PPM)


def _nothing_judged(case: _Case) -> tuple[Reason, str] | None:
    if case.counts.samples or case.counts.failed:
        return None
    if case.missing in MISSING:
        return CheckReason.named(case.missing), MISSING[CheckReason.named(case.missing)]
    if skipped := case.counts.not_applicable:
        return CheckReason.TOO_FEW_SAMPLES, f"0 of {case.rule.min_samples}: none of {skipped} exchanges is applicable"
    return CheckReason.NO_TRAFFIC, MISSING[CheckReason.NO_TRAFFIC]


def _evaluator_failing(case: _Case) -> tuple[Reason, str] | None:
    tried = case.counts.samples + case.counts.failed
    if case.counts.failed * PPM <= MAX_FAILED_PPM * tried:
        return None
    return (
        CheckReason.EVALUATOR_FAILING,
        f"{case.counts.failed} of {tried} samples could not be judged by {case.facts.name}",
    )


def _not_calibrated(case: _Case) -> tuple[Reason, str] | None:
    facts = case.facts
    if facts.true_positive_ppm - facts.false_positive_ppm >= MIN_DISCRIMINATION_PPM:
        return None
    rates = f"TPR {percent(facts.true_positive_ppm)}, FPR {percent(facts.false_positive_ppm)}"
    return CheckReason.NOT_CALIBRATED, f"{facts.name} {facts.version} cannot tell good from bad: {rates}"


def _too_few(case: _Case) -> tuple[Reason, str] | None:
    if case.counts.samples >= case.rule.min_samples:
        return None
    message = f"{case.counts.samples} of {case.rule.min_samples} samples"
    fewest = needed(0.0 if case.rule.fail_above_ppm is not None else 1.0, _apparent_limit(case))
    if case.rule.min_samples < fewest < math.inf:
        message += f"; about {about(fewest)} are needed at {limit_text(case.rule.limit_ppm)}"
    return CheckReason.TOO_FEW_SAMPLES, message


def _apparent_limit(case: _Case) -> float:
    """Return the share of flagged samples that stands for the limit, with the evaluator's own errors."""
    true, false = case.facts.true_positive_ppm / PPM, case.facts.false_positive_ppm / PPM
    return false + case.rule.limit_ppm / PPM * (true - false)


def _enough(case: _Case) -> float:
    """Return how many samples of the share that was seen would decide."""
    counts = case.counts
    share = min(1.0, counts.flagged_weight / counts.weight) if counts.weight > 0 else 0.0
    size = effective_size(counts.weight, counts.weight_squared)
    return needed(share, _apparent_limit(case)) * (counts.samples / size if size else 1.0)


OBSTACLES: tuple[Callable[[_Case], tuple[Reason, str] | None], ...] = (
    _nothing_judged,
    _evaluator_failing,
    _not_calibrated,
    _too_few,
)
MISSING = {
    CheckReason.NO_TRAFFIC: "no exchanges in the window",
    CheckReason.NO_CAPTURE: "exchanges were captured without text; set capture.content to Redacted",
    CheckReason.EVALUATOR_FAILING: "no sample could be judged",
}


def _decided(case: _Case, interval: Interval) -> Verdict:
    rule, samples = case.rule, case.counts.samples
    low, high, limit = round(interval.low * PPM), round(interval.high * PPM), rule.limit_ppm
    above, below = low > limit, high < limit
    if not above and not below:
        reason, told = near(spread(interval), limit_text(limit), samples, _enough(case))
        return _unknown(case.counts, interval, reason, told if limit else f"{told}; {NONE_ALLOWED}")
    failed = above if rule.fail_above_ppm is not None else below
    message = f"{spread(interval)} {'>' if above else '<'} {limit_text(limit)}, n={samples}"
    outcome: VerdictValue = "Failed" if failed else "Passed"
    reason = CheckReason.ABOVE_LIMIT if above else CheckReason.BELOW_LIMIT
    return Verdict(outcome, round(interval.value * PPM), low, high, samples, reason, message)


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
