"""From a window's test to Passed, Failed or Unknown: sure that something moved, and sure that it moved too far.

Looked at all day, a test at 5 % alarms every day. So each severity has a budget of false alarms, which is spent in
proportion to the time that a window covers: windows join without overlap, so all looks of a day spend the budget
of one day, however often and however irregularly they come, and whether or not they share exchanges (union bound).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from modelward.api.base import Severity
from modelward.api.evaluation import WindowResult
from modelward.api.quantity import PPM, limit_text, percent_text, timestamp
from modelward.api.window_answer import Moved, WindowTest
from modelward.desired.runs import is_scheduled
from modelward.evaluate.interval import Interval
from modelward.evaluate.needed import about
from modelward.evaluate.obstacles import MISSING
from modelward.evaluate.past import DAY_MS, FEWEST
from modelward.evaluate.rule import VerdictRule
from modelward.evaluate.verdict import Verdict, spread
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason

BUDGET_PER_DAY: Mapping[Severity, float] = {"Info": 1 / 5_000, "Warning": 1 / 5_000, "Critical": 1 / 100_000}
"""False alarms a day that healthy traffic may raise: one in 5,000 evaluator-days, or in 100,000."""


def newest(
    results: Iterable[WindowResult], revisions: Collection[str], now_ms: int, over_ms: int
) -> tuple[WindowResult, WindowTest] | tuple[None, None]:
    """Return the newest window in reach with its test of one of the revision's names; the schedule's before others."""
    reached = [one for one in results if now_ms - over_ms < one.to_ms <= now_ms]
    reached.sort(key=lambda one: (is_scheduled(one.run), one.to_ms, one.from_ms, one.run), reverse=True)
    names = revisions or ("",)
    for result in reached:
        for test in result.tests:
            if test.revision in names:
                return result, test
    return None, None


def p_text(p_value: float) -> str:
    """Return a p-value as people read it: 0.03, 2e-08."""
    return f"{p_value:.2g}" if p_value >= 0.001 else f"{p_value:.0e}"


def change_text(change: float) -> str:
    """Return a change of a share with its sign: +8.1%."""
    return f"{'-' if change < 0 else '+'}{percent_text(round(abs(change) * PPM))}"


def spent(result: WindowResult, severity: Severity) -> float:
    """Return the p-value from which a window of this length is an alarm."""
    return BUDGET_PER_DAY[severity] * min(1.0, max(0, result.to_ms - result.from_ms) / DAY_MS)


def decide_change(
    result: WindowResult | None, test: WindowTest | None, rule: VerdictRule, severity: Severity, *, missing: str = ""
) -> Verdict:
    """Decide one evaluation of change for one revision.

    Failed: the p-value is below what the window may spend, and the effect's lower bound above the limit. Passed: its
    upper bound is below the limit. `missing` says why there is no window.
    """
    if result is None or test is None:
        reason = CheckReason.named(missing) if missing in MISSING else CheckReason.NO_TRAFFIC
        return _unknown(None, reason, MISSING[reason])
    if test.reason == CheckReason.EVALUATOR_FAILING:
        return _unknown(test, CheckReason.EVALUATOR_FAILING, _failing(test))
    if test.reason == CheckReason.MISSING:
        return _unknown(test, CheckReason.MISSING, "no exchange carries what is compared")
    if test.reason:
        return _unknown(test, CheckReason.TOO_FEW_SAMPLES, _learning(test))
    if test.samples < rule.min_samples:
        return _unknown(test, CheckReason.TOO_FEW_SAMPLES, f"{test.samples} of {rule.min_samples} samples")
    limit, allowed = (rule.fail_above_ppm or 0) / PPM, spent(result, severity)
    told = _told(test)
    if test.low > limit and test.p_value <= allowed:
        return _verdict("Failed", test, CheckReason.ABOVE_LIMIT, f"{told} > {limit_text(rule.limit_ppm)}{_moved(test)}")
    if test.high < limit:
        return _verdict("Passed", test, CheckReason.BELOW_LIMIT, f"{told} < {limit_text(rule.limit_ppm)}")
    return _unknown(test, *_undecided(test, limit, allowed, rule))


def _undecided(test: WindowTest, limit: float, allowed: float, rule: VerdictRule) -> tuple[Reason, str]:
    shown = limit_text(rule.limit_ppm)
    if test.low > limit:
        why = f"p above {allowed:.1g}, which looks all day ask for"
        return CheckReason.NEAR_THRESHOLD, f"{_told(test)} > {shown}, but {why}"
    if test.effect < limit:
        ratio = (test.high - test.effect) / (limit - test.effect)
        enough = about(test.samples * ratio * ratio)
        return CheckReason.TOO_FEW_SAMPLES, f"{_told(test)}; about {enough} samples needed to tell it from {shown}"
    return CheckReason.NEAR_THRESHOLD, f"{_told(test)} around {shown}"


_HINTS: Mapping[str, str] = {
    "HTTP401": "it wants a key, and probes carry none",
    "HTTP403": "it wants a key, and probes carry none",
    "HTTP400": "it refuses the request, as one with temperature 0",
    "HTTP422": "it refuses the request, as one with temperature 0",
    "no-mark": "the hub signs no mark, and without one a probe would count as a user's request",
    "unreadable": "its answers hold no text",
}


def _failing(test: WindowTest) -> str:
    """Return what failed, with how many questions and the commonest cause."""
    asked = f"{test.failed} of {test.failed + test.samples} pairs were not answered" if test.failed else ""
    told = asked or MISSING[CheckReason.EVALUATOR_FAILING]
    return ": ".join(one for one in (told, test.cause, _HINTS.get(test.cause, "")) if one)


def _learning(test: WindowTest) -> str:
    if test.reference_samples >= FEWEST:
        return f"the reference has {test.reference_samples} exchanges, and is complete after a day or with more"
    return f"the reference has {test.reference_samples} exchanges of {FEWEST} at least"


def _told(test: WindowTest) -> str:
    shown = spread(Interval(test.effect, test.low, test.high))
    since = timestamp(test.reference_from_ms)[:10]
    return f"moved {shown}, p={p_text(test.p_value)}, n={test.samples} against {test.reference_samples} from {since}"


def _moved(test: WindowTest) -> str:
    rows: list[Moved] = sorted(test.moved, key=lambda one: -abs(one.change))[:2]
    named = [f"{one.label} {change_text(one.change)}" for one in rows]
    return f": {', '.join(named)}" if named else ""


def _verdict(outcome: str, test: WindowTest, reason: Reason, message: str) -> Verdict:
    value, low, high = (round(one * PPM) for one in (test.effect, test.low, test.high))
    return Verdict(outcome, value, low, high, test.samples, reason, message)  # type: ignore[arg-type]


def _unknown(test: WindowTest | None, reason: Reason, message: str) -> Verdict:
    if test is None or test.reason:
        return Verdict("Unknown", None, None, None, test.samples if test else 0, reason, message)
    return _verdict("Unknown", test, reason, message)
