"""Verdicts of a time that is past, through the state machine of alerts: which episodes there would have been."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelward.alerts.episode import AlertInput, Episode
from modelward.alerts.step import step
from modelward.alerts.timing import Timing
from modelward.api.base import Severity


@dataclass(frozen=True, slots=True)
class PastEpisode:
    """One alert that fired; `until_ms` is None where it fires still, Unix milliseconds.

    `reason` is that of the failure when it fired.
    """

    began_ms: int
    since_ms: int
    until_ms: int | None
    closed: bool
    severity: Severity
    what: str
    reason: str = ""


def replay(seen: Iterable[tuple[int, AlertInput]], timing: Timing) -> tuple[PastEpisode, ...]:
    """Return the episodes of one alert in the order of time, as if receivers knew at once of each."""
    found: dict[int, PastEpisode] = {}
    now: Episode | None = None
    for at_ms, verdict in seen:
        now = step(now, verdict, at_ms, timing)
        if now is None or not (now.firing or now.began_ms in found):
            continue
        before = found.get(now.began_ms)
        found[now.began_ms] = PastEpisode(
            now.began_ms,
            before.since_ms if before else now.since_ms,
            now.since_ms if now.ended else None,
            now.state == "Closed",
            now.severity,
            before.what if before and now.ended else now.what,
            before.reason if before else verdict.reason,
        )
    return tuple(found.values())
