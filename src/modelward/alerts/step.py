"""The state machine of an alert: what one more verdict makes of it. Operator, preview and tests take the same."""

from __future__ import annotations

from dataclasses import replace

from modelward.alerts.episode import AlertInput, Episode
from modelward.alerts.timing import STANDING_PENDING_MS, Timing

REMOVED = "Removed"
"""Why an alert is closed whose check is asked for no more."""


def step(
    before: Episode | None, seen: AlertInput, now_ms: int, timing: Timing, *, settled: bool = True
) -> Episode | None:
    """Return the alert after a verdict; None while it is Inactive.

    Only a Passed verdict resolves. Missing data holds an alert, and closes it after a long time, which is no recovery.
    An alert that ended is the same episode again until its cooldown has passed and all who were told of it know of its
    end (`settled`). A clock that went back costs waiting time, never a state.
    """
    if before is None:
        return _begun(seen, now_ms) if seen.verdict == "Failed" else None
    now = _noted(before, seen, now_ms)
    if now.state == "Pending":
        return _pending(now, seen, now_ms)
    if now.firing:
        return _firing(now, seen, now_ms, timing)
    over = settled and now_ms - now.since_ms >= timing.cooldown_ms
    return _ended(now, seen, now_ms, over=over)


def removed(before: Episode, now_ms: int, timing: Timing, *, settled: bool = True) -> Episode | None:
    """Return an alert whose check is asked for no more: what was firing is closed, and goes when all know."""
    if before.state == "Pending":
        return None
    if before.firing:
        return replace(before, state="Closed", since_ms=now_ms, held=REMOVED)
    return None if settled and now_ms - before.since_ms >= timing.cooldown_ms else _back_in_time(before, now_ms)


def _begun(seen: AlertInput, now_ms: int) -> Episode:
    state = "Pending" if seen.for_ms > 0 else "Firing"
    return Episode(
        state=state,  # type: ignore[arg-type]
        since_ms=now_ms,
        began_ms=now_ms,
        severity=seen.severity,
        what=seen.what,
        verdict="Failed",
        verdict_since_ms=now_ms,
    )


def _back_in_time(before: Episode, now_ms: int) -> Episode:
    """Return an alert whose times are not ahead of the clock: else it would wait for as long as the clock was wrong."""
    if max(before.since_ms, before.verdict_since_ms) <= now_ms:
        return before
    since, verdict_since = min(before.since_ms, now_ms), min(before.verdict_since_ms, now_ms)
    return replace(before, since_ms=since, verdict_since_ms=verdict_since)


def _noted(before: Episode, seen: AlertInput, now_ms: int) -> Episode:
    """Return the alert with the verdict that it has now, since when, and the severity of what fails."""
    now = _back_in_time(before, now_ms)
    if seen.verdict == "Failed" and seen.severity != now.severity:
        now = replace(now, severity=seen.severity, what=seen.what)
    if seen.verdict == now.verdict:
        return now
    ran = now_ms - now.verdict_since_ms if now.verdict == "Failed" else 0
    failed = min(now.failed_ms + ran, seen.for_ms) if now.state == "Pending" else 0
    return replace(now, verdict=seen.verdict, verdict_since_ms=now_ms, failed_ms=failed)


def _pending(now: Episode, seen: AlertInput, now_ms: int) -> Episode | None:
    if seen.verdict == "Passed":
        return None
    ran = now_ms - now.verdict_since_ms
    if seen.verdict == "Failed":
        fires = now.failed_ms + ran >= seen.for_ms
        return replace(now, state="Firing", since_ms=now_ms, what=seen.what) if fires else now
    return None if seen.verdict == "Unknown" and ran >= STANDING_PENDING_MS else now


def _firing(now: Episode, seen: AlertInput, now_ms: int, timing: Timing) -> Episode:
    lasted = now_ms - now.verdict_since_ms
    if seen.verdict == "Passed" and lasted >= timing.resolve_after_ms:
        return replace(now, state="Resolved", since_ms=now_ms, held="", what=seen.what or now.what)
    if seen.verdict != "Unknown":
        return now if now.state == "Firing" else replace(now, state="Firing", since_ms=now_ms, held="")
    if lasted >= timing.close_unknown_after_ms:
        return replace(now, state="Closed", since_ms=now_ms, held=seen.reason)
    if now.state == "Held" and now.held == seen.reason:
        return now
    return replace(now, state="Held", since_ms=now.since_ms if now.state == "Held" else now_ms, held=seen.reason)


def _ended(now: Episode, seen: AlertInput, now_ms: int, *, over: bool) -> Episode | None:
    if seen.verdict != "Failed":
        return None if over else now
    if over:
        return _begun(seen, now_ms)
    reopened = now.reopenings(now_ms)
    return replace(now, state="Firing", since_ms=now_ms, held="", what=seen.what, reopened_ms=reopened)
