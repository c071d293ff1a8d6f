"""How much of an endpoint's traffic is kept when several policies watch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api import collector_config
from modelward.api.exchange import CONTENT_ORDER, Content
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import bytes_count, duration_ms, percent_ppm
from modelward.desired.finding import Finding
from modelward.desired.names import ALLOW_RAW_PAYLOADS


@dataclass(frozen=True, slots=True)
class EffectiveCapture:
    """What is in force for one endpoint; the defaults hold where no policy selects it.

    `lowered_by` names the policy whose content is the least revealing. `problem` says when a policy asked for `Full`
    where the namespace does not allow it.
    """

    content: Content = "None"
    sample_ppm: int = 0
    always_errors: bool = False
    always_slower_than_ms: int | None = None
    max_body_bytes: int = 262_144
    keep_for_ms: int = 7 * 24 * 3_600_000
    lowered_by: str = ""
    problem: Finding | None = None

    def for_collector(self) -> collector_config.Capture:
        """Return the part that collectors are told."""
        return collector_config.Capture(
            content=self.content,
            sample_ppm=self.sample_ppm,
            always_errors=self.always_errors,
            always_slower_than_ms=self.always_slower_than_ms,
            max_body_bytes=self.max_body_bytes,
        )


def reveals(content: Content) -> int:
    """Return the rank of a content setting; a higher one shows more."""
    return CONTENT_ORDER.index(content)


def allowed_content(policy: MonitoringPolicy, allow_raw: bool) -> Content:
    """Return what one policy asks for, with `Full` lowered to `Redacted` where the namespace does not allow it."""
    content = policy.spec.capture.content
    return "Redacted" if content == "Full" and not allow_raw else content


def effective_capture(policies: Sequence[MonitoringPolicy], *, allow_raw: bool) -> EffectiveCapture:
    """Unite policies: least revealing content, shortest keepFor, largest sample and body, every `always`."""
    if not policies:
        return EffectiveCapture()
    captures = [policy.spec.capture for policy in policies]
    least = min(policies, key=lambda policy: (reveals(allowed_content(policy, allow_raw)), policy.metadata.name))
    slower = [duration_ms(capture.always.slower_than) for capture in captures if capture.always.slower_than]
    return EffectiveCapture(
        content=allowed_content(least, allow_raw),
        sample_ppm=max(percent_ppm(capture.sample) for capture in captures),
        always_errors=any(capture.always.errors for capture in captures),
        always_slower_than_ms=min(slower, default=None),
        max_body_bytes=max(bytes_count(capture.max_body) for capture in captures),
        keep_for_ms=min(duration_ms(capture.keep_for) for capture in captures),
        lowered_by=least.metadata.name,
        problem=None if allow_raw else _raw_forbidden(policies),
    )


def _raw_forbidden(policies: Sequence[MonitoringPolicy]) -> Finding | None:
    names = sorted(policy.metadata.name for policy in policies if policy.spec.capture.content == "Full")
    if not names:
        return None
    needed = f'content Full of policy {", ".join(names)} needs {ALLOW_RAW_PAYLOADS}: "true" on the namespace'
    return Finding("RawPayloadsForbidden", f"{needed}; Redacted is in force")
