"""From pooled scores to Passed, Failed or Unknown: only bounds decide, and what is missing is said."""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelward.api.base import VerdictValue
from modelward.api.calibration import OwnLabels
from modelward.api.evaluation import Counts, EvaluatorFacts
from modelward.api.quantity import PPM
from modelward.desired.finding import Finding
from modelward.evaluate.evidence import Evidence, evidence, seen, share_by_labels, share_flagged, side_of
from modelward.evaluate.interval import Interval
from modelward.evaluate.needed import FAR_TIMES, about, few, least
from modelward.evaluate.obstacles import Case, obstacle, usable
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.statistics.correction import ErrorRates
from modelward.evaluate.watched import SlidingSet, failing, surely_fails, values_surely_fail, wait
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason

NONE_ALLOWED = "a limit of 0% can fail and never pass"
"""Added where no share is surely above 0%: no number of clean samples proves that there is no fault."""
NOT_BETTER = "its error rates are not known well enough for more samples to tell"
"""Added where the uncertainty of the error rates alone spans the limit."""


FEWEST_OWN_LABELS = 50
"""Of an endpoint's own exchanges; from so many on they decide, and error rates only say whether they still hold."""
_SHARE = VerdictRule(fail_above_ppm=0)


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
    counts: Counts,
    facts: EvaluatorFacts,
    rule: VerdictRule,
    *,
    missing: str = "",
    sliding: SlidingSet | None = None,
    uncalibrated: Finding | None = None,
    own: OwnLabels | None = None,
) -> Verdict:
    """Decide one evaluation of one revision.

    `missing` is the pooled windows' reason for having no samples (NoTraffic, NoCapture, EvaluatorFailing). The first
    obstacle in OBSTACLES makes it Unknown; else bounds decide, and an interval around the limit is NearThreshold.
    Values and numbers are measured and not corrected, so error rates matter to the share flagged only. `sliding` are
    the windows of `counts`, for a rule with odds: the newest of them may fail by themselves. With `own` labels of the
    endpoint the share is theirs (two-phase sampling), and a failure takes both: theirs beyond the limit, and the odds
    by error rates, which hold for any share. Where the two are apart, the calibration is stale.
    """
    rates = usable(facts) if rule.statistic == "Share" else ErrorRates()
    found = evidence(counts, rule, rates) if rates else None
    samples = found.samples if found else counts.samples if rule.statistic == "Share" else 0
    own = own if own is not None and own.labelled >= FEWEST_OWN_LABELS and rule.statistic == "Share" else None
    case = Case(counts, facts, rule, missing, rates, samples, sliding, uncalibrated, own)
    told = obstacle(case)
    if told or found is None or rates is None:
        reason, message = told or (CheckReason.NOT_CALIBRATED, facts.name)
        return _verdict("Unknown", found.interval if found else None, samples, reason, message)
    if own is not None:
        labelled = share_by_labels(counts, own)
        if apart := _apart(found.interval, labelled.interval, own.labelled):
            return _verdict("Unknown", labelled.interval, samples, CheckReason.CALIBRATION_STALE, apart)
        found = labelled
    return _watched(case, found, rates) if rule.odds and rule.statistic == "Share" else _decided(case, found, rates)


def _apart(by_rates: Interval, by_labels: Interval, labels: int) -> str:
    """Return both shares where no share is in both of their intervals."""
    if by_labels.low <= by_rates.high and by_rates.low <= by_labels.high:
        return ""
    told = f"{spread(by_rates)} by its calibration, {spread(by_labels)} by {labels} labels"
    return f"{told} of this endpoint's exchanges"


def _watched(case: Case, found: Evidence, rates: ErrorRates) -> Verdict:
    sliding = case.sliding or SlidingSet((case.counts,))
    length, run = failing(sliding, rates, case.rule)
    if not length:
        return _decided(case, found, rates)
    failed = share_flagged(run, rates) if case.own is None else share_by_labels(run, case.own)
    if not side_of(failed.interval, case.rule.limit_ppm):
        return _decided(case, found, rates)
    every = len(sliding.newest_first)
    newest = f" in the newest {length} of {every} windows" if length < every else ""
    return _beyond(failed, case.rule, newest)


def _decided(case: Case, found: Evidence, rates: ErrorRates) -> Verdict:
    interval, rule = found.interval, case.rule
    side = side_of(interval, rule.limit_ppm)
    if side and (rule.odds is None or (side == "<") == rule.above or _values_fail(case, found)):
        return _beyond(found, rule)
    if side and found.at is None:
        told = f"{spread(interval, rule)} {side} {rule.limit}, not yet surely, n={found.samples}"
        return _verdict("Unknown", interval, found.samples, CheckReason.TOO_FEW_SAMPLES, told)
    enough, shown = _enough(case, found, rates), spread(interval, rule)
    if side or few(found.samples, enough):
        beyond = f" {side} {rule.limit}, not yet surely" if side else ""
        told = f"{shown}{beyond}; {wait(case.sliding, found.samples, enough, rule.limit)}"
        return _verdict("Unknown", interval, found.samples, CheckReason.TOO_FEW_SAMPLES, told + _why_near(found, rule))
    told = f"{shown} around {rule.limit}, n={found.samples}{_why_near(found, rule)}"
    return _verdict("Unknown", interval, found.samples, CheckReason.NEAR_THRESHOLD, told)


def _values_fail(case: Case, found: Evidence) -> bool:
    return case.rule.statistic != "Share" and values_surely_fail(case.counts, found.size, case.rule)


def _beyond(found: Evidence, rule: VerdictRule, newest: str = "") -> Verdict:
    """Return the verdict of an interval on one side of the limit."""
    side = side_of(found.interval, rule.limit_ppm)
    reason = CheckReason.ABOVE_LIMIT if side == ">" else CheckReason.BELOW_LIMIT
    message = f"{spread(found.interval, rule)} {side} {rule.limit}, n={found.samples}{newest}"
    outcome: VerdictValue = "Failed" if (side == ">") == rule.above else "Passed"
    return _verdict(outcome, found.interval, found.samples, reason, message)


def _enough(case: Case, found: Evidence, rates: ErrorRates) -> float:
    """Return how many samples with what was seen would decide."""
    rule, share, at = case.rule, seen(case.counts)[0], found.at
    if at is None:
        return found.scaled(rule.limit_ppm)

    def decides(size: float) -> bool:
        side = side_of(at(size), rule.limit_ppm)
        fails = bool(side) and (side == ">") == rule.above
        return bool(side) and (not fails or rule.odds is None or surely_fails(share, size, rates, rule))

    return least(decides, found.size, found.size * FAR_TIMES) * (found.samples / found.size)


def _why_near(found: Evidence, rule: VerdictRule) -> str:
    """Return why more samples would not help, where that is so."""
    if not rule.limit_ppm and rule.statistic == "Share":
        return f"; {NONE_ALLOWED}"
    return f"; {NOT_BETTER}" if found.never_decides(rule.limit_ppm) else ""


def near(shown: str, limit: str, samples: int, enough: float, what: str = "samples") -> tuple[Reason, str]:
    """Return reason and message of an interval that holds the limit: too few to tell, or a share that is there."""
    if few(samples, enough):
        return (
            CheckReason.TOO_FEW_SAMPLES,
            f"{shown}; {samples} of about {about(enough)} {what} needed to tell it from {limit}",
        )
    return CheckReason.NEAR_THRESHOLD, f"{shown} around {limit}, n={samples}"


def _verdict(outcome: VerdictValue, interval: Interval | None, samples: int, reason: Reason, message: str) -> Verdict:
    if interval is None:
        return Verdict(outcome, None, None, None, samples, reason, message)
    value, low, high = (_millionths(x) for x in (interval.value, interval.low, interval.high))
    return Verdict(outcome, value, low, high, samples, reason, message)


def _millionths(value: float) -> int | None:
    """Return a number in millionths; None of a bound that samples do not reach."""
    return round(value * PPM) if math.isfinite(value) else None


def spread(interval: Interval, rule: VerdictRule | None = None) -> str:
    """Return a statistic with its bounds as a person reads it: `31% (24-39)`, `812 (790-840) characters`."""
    rule = rule or _SHARE
    low, high = (
        rule.shown(found).removesuffix("%") if (found := _millionths(bound)) is not None else ""
        for bound in (interval.low, interval.high)
    )
    bounds = f"{low}-{high}" if low and high else f"{low} or more" if low else f"up to {high}" if high else "unbounded"
    name = "" if rule.statistic == "Share" else f"{rule.statistic.lower()} "
    return f"{name}{rule.shown(round(interval.value * PPM))} ({bounds}){f' {rule.unit}' if rule.unit else ''}"
