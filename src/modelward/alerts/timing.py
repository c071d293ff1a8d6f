"""When alerts are told and when they end, in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.alerts import AlertTiming
from modelward.api.quantity import duration_ms

HOUR_MS = 3_600_000
STANDING_PENDING_MS = HOUR_MS
"""How long an alert that has not fired yet waits for data."""
CRITICAL_TRIES_MS = 24 * HOUR_MS
OTHER_TRIES_MS = 4 * HOUR_MS
FALLBACK_AFTER_MS = 5 * 60_000
"""How long a receiver may fail before the fallback is told too."""
FLAPPING_REOPENINGS = 3
"""More in an hour are flapping."""


@dataclass(frozen=True, slots=True)
class Timing:
    """`spec.alerts.timing`, read."""

    group_wait_ms: int = 30_000
    group_interval_ms: int = 300_000
    repeat_every_ms: int = 12 * HOUR_MS
    resolve_after_ms: int = 600_000
    cooldown_ms: int = 900_000
    close_unknown_after_ms: int = 24 * HOUR_MS


def timing_of(spec: AlertTiming) -> Timing:
    """Return the timing that a policy asks for."""
    return Timing(
        group_wait_ms=duration_ms(spec.group_wait),
        group_interval_ms=duration_ms(spec.group_interval),
        repeat_every_ms=duration_ms(spec.repeat_every),
        resolve_after_ms=duration_ms(spec.resolve_after),
        cooldown_ms=duration_ms(spec.cooldown),
        close_unknown_after_ms=duration_ms(spec.close_unknown_after),
    )
