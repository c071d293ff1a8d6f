"""Why an evaluation cannot be decided, whatever was found; the first obstacle counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.quantity import PPM, limit_text
from modelward.api.quantity import percent_text as percent
from modelward.desired.finding import Finding
from modelward.evaluate.interval import wilson
from modelward.evaluate.needed import about, least
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.correction import ErrorRates, corrected, error_rates, resolution
from modelward.evaluate.watched import SlidingSet
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason

MAX_FAILED_PPM = 100_000
"""Above this share of samples that could not be judged, the rest is no fair picture of the traffic."""
MIN_DISCRIMINATION = 0.2
"""Lower bound of TPR - FPR below which the correction would multiply noise by more than five."""
_CAUSES_TOLD = 3
STEP_PPM = 1_000
"""What an evaluator resolves is told in steps of 0.1 %, rounded up, so that the number told is one that is accepted."""
MISSING = {
    CheckReason.NO_TRAFFIC: "no exchanges in the window",
    CheckReason.NO_CAPTURE: "exchanges were captured without text; set capture.content to Redacted",
    CheckReason.EVALUATOR_FAILING: "no sample could be judged",
    CheckReason.PRICE_UNKNOWN: "the policy limits the cost, and the judge's model has no price in its currency",
}
Found = tuple[Reason, str]


@dataclass(frozen=True, slots=True)
class Case:
    """All that an evaluation is decided by; `samples` are those that have what the statistic is made of.

    `rates` are None where they are too bad, or too little is known of them; `sliding` are the windows of the counts,
    None of a verdict that is taken once. `uncalibrated` says that nothing may rest on the scores. `own` are enough
    labels of the endpoint's own exchanges to decide by.
    """

    counts: Counts
    facts: EvaluatorFacts
    rule: VerdictRule
    missing: str
    rates: ErrorRates | None
    samples: int
    sliding: SlidingSet | None = None
    uncalibrated: Finding | None = None
    own: OwnLabels | None = None


def usable(facts: EvaluatorFacts) -> ErrorRates | None:
    """Return the error rates, None where nothing can be decided with them."""
    rates = error_rates(facts)
    return rates if rates and rates.least_discrimination >= MIN_DISCRIMINATION else None


def obstacle(case: Case) -> Found | None:
    """Return reason and message of the first obstacle; what the policy's author can mend comes first."""
    return next((found for one in OBSTACLES if (found := one(case))), None)


def _not_calibrated(case: Case) -> Found | None:
    facts = case.facts
    if case.uncalibrated:
        return CheckReason.named(case.uncalibrated.reason), case.uncalibrated.message
    if case.rates is not None:
        return None
    if _unmeasured(facts):
        told = f"{facts.name} {facts.version} was never measured on labelled exchanges, so it decides nothing"
        return _evaluator_failing(case) or (CheckReason.NOT_CALIBRATED, told)
    rates = error_rates(facts)
    if rates is None:
        return CheckReason.NOT_CALIBRATED, (
            f"it is not known on how many labelled rows the error rates of {facts.name} {facts.version} were measured; "
            "give calibration its positives and negatives"
        )
    told = f"TPR {percent(facts.true_positive_ppm)}, FPR {percent(facts.false_positive_ppm)}"
    rows = f"n={facts.positives}+{facts.negatives}"
    least_told = percent(round(max(0.0, rates.least_discrimination) * PPM))
    return CheckReason.NOT_CALIBRATED, (
        f"{facts.name} {facts.version} cannot tell good from bad: {told}, {rows}; TPR - FPR may be {least_told} only"
    )


def _unmeasured(facts: EvaluatorFacts) -> bool:
    """Return whether there are no error rates at all, as those of a judge before its calibration."""
    return not (facts.true_positive_ppm or facts.false_positive_ppm or facts.positives or facts.negatives)


def _below_noise(case: Case) -> Found | None:
    if case.rates is None or case.rule.statistic != "Share" or case.own is not None:
        return None
    rule, name = case.rule, case.facts.name
    noise_ppm = math.ceil(resolution(case.rates, above=rule.above) * PPM / STEP_PPM) * STEP_PPM
    if (rule.limit_ppm if rule.above else PPM - rule.limit_ppm) >= noise_ppm:
        return None
    wrong = case.rates.false_positive if rule.above else case.rates.true_positive
    low, high = (percent(round(bound * PPM)).removesuffix("%") for bound in (wrong.low, wrong.high))
    rate = f"{'FPR' if rule.above else 'TPR'} {percent(round(wrong.value * PPM))} ({low}-{high})"
    told, least_ppm = (
        ("failAbove {} is below {}", noise_ppm) if rule.above else ("failBelow {} is above {}", PPM - noise_ppm)
    )
    return CheckReason.THRESHOLD_BELOW_EVALUATOR_NOISE, (
        f"{told.format(limit_text(rule.limit_ppm), percent(least_ppm))}, where {name} can no longer tell it from "
        f"{'no fault' if rule.above else 'faultless'}: {rate}"
    )


def _nothing_judged(case: Case) -> Found | None:
    if case.counts.samples or case.counts.failed:
        return None
    if case.missing in MISSING:
        return CheckReason.named(case.missing), MISSING[CheckReason.named(case.missing)]
    if abstained := case.counts.abstained:
        told = f"0 of {case.rule.min_samples}: {case.facts.name} could decide none of {abstained} exchanges"
        return CheckReason.TOO_FEW_SAMPLES, told
    if skipped := case.counts.not_applicable:
        return CheckReason.TOO_FEW_SAMPLES, f"0 of {case.rule.min_samples}: none of {skipped} exchanges is applicable"
    return CheckReason.NO_TRAFFIC, MISSING[CheckReason.NO_TRAFFIC]


def _evaluator_failing(case: Case) -> Found | None:
    tried = case.counts.samples + case.counts.failed
    if case.counts.failed * PPM <= MAX_FAILED_PPM * tried:
        return None
    causes = sorted(case.counts.causes, key=lambda one: -one[1])[:_CAUSES_TOLD]
    told = f": {', '.join(f'{number} {cause}' for cause, number in causes)}" if causes else ""
    return (
        CheckReason.EVALUATOR_FAILING,
        f"{case.counts.failed} of {tried} samples could not be judged by {case.facts.name}{told}",
    )


def _not_asked(case: Case) -> Found | None:
    left = case.counts.not_asked
    if not left or case.samples >= case.rule.min_samples or case.missing == CheckReason.PRICE_UNKNOWN:
        return None
    tried = case.counts.samples + case.counts.failed
    return CheckReason.BUDGET_EXHAUSTED, (
        f"{tried} of {tried + left} samples were judged before the budget was spent; {case.rule.min_samples} are needed"
    )


def _too_few(case: Case) -> Found | None:
    if case.samples >= case.rule.min_samples:
        return None
    message = f"{case.samples} of {case.rule.min_samples} samples"
    if without := case.counts.samples - case.samples:
        message += f"; {without} have no value, as all that were scored before `statistic` was set"
    fewest = _fewest(case.rule, case.rates or ErrorRates())
    if case.rule.min_samples < fewest < math.inf:
        message += f"; about {about(fewest)} are needed at {case.rule.limit}"
    if case.sliding:
        wanted = max(case.rule.min_samples, fewest if fewest < math.inf else 0.0)
        message += case.sliding.in_time(wanted - case.samples)
    return CheckReason.TOO_FEW_SAMPLES, message


def _fewest(rule: VerdictRule, rates: ErrorRates) -> float:
    """Return how many samples of a faultless endpoint pass; infinite where that depends on its values."""
    if rule.statistic != "Share":
        return math.inf
    share, limit = (rates.false_positive if rule.above else rates.true_positive).value, rule.limit_ppm / PPM

    def passes(size: float) -> bool:
        found = corrected(wilson(share * size, size), rates)
        return found.high < limit if rule.above else found.low > limit

    return least(passes)


OBSTACLES: tuple[Callable[[Case], Found | None], ...] = (
    _not_calibrated,
    _below_noise,
    _not_asked,
    _nothing_judged,
    _evaluator_failing,
    _too_few,
)
