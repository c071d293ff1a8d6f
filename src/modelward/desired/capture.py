"""How much of an endpoint's traffic is kept when several policies watch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelward.api import collector_config
from modelward.api.collector_config import MAX_BODY_BYTES
from modelward.api.exchange import CONTENT_ORDER, Content
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import bytes_count, duration_ms, percent_ppm
from modelward.desired.finding import Finding
from modelward.desired.names import ALLOW_RAW_PAYLOADS
from modelward.reasons.policy import PolicyReason

KEEP_FOR_MIN_MS = 1_000
"""The hub counts in whole seconds, and keeping for none of them is no rule."""


@dataclass(frozen=True, slots=True)
class EffectiveCapture:
    """What is in force for one endpoint; the defaults hold where no policy selects it.

    `lowered_by` names the policy whose content is the least revealing. `problem` says when a policy asked for `Full`
    where the namespace does not allow it, or for more than a collector holds; `problem_of` are the policies that asked.
    """

    content: Content = "None"
    sample_ppm: int = 0
    always_errors: bool = False
    always_slower_than_ms: int | None = None
    max_body_bytes: int = 262_144
    keep_for_ms: int = 7 * 24 * 3_600_000
    lowered_by: str = ""
    problem: Finding | None = None
    problem_of: frozenset[str] = frozenset()

    def for_collector(self) -> collector_config.CaptureSettings:
        """Return the part that collectors receive."""
        return collector_config.CaptureSettings(
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
    """Unite policies: least revealing content, shortest keepFor, largest sample and body, every `always`.

    Every value lies within what collectors and the hub accept. A policy that an earlier version stored may ask for
    other values, which the API server refuses today.
    """
    if not policies:
        return EffectiveCapture()
    captures = [policy.spec.capture for policy in policies]
    raw = () if allow_raw else tuple(policy for policy in policies if policy.spec.capture.content == "Full")
    least = min(policies, key=lambda policy: (reveals(allowed_content(policy, allow_raw)), policy.metadata.name))
    slower = [duration_ms(capture.always.slower_than) for capture in captures if capture.always.slower_than]
    return EffectiveCapture(
        content=allowed_content(least, allow_raw),
        sample_ppm=max(percent_ppm(capture.sample) for capture in captures),
        always_errors=any(capture.always.errors for capture in captures),
        always_slower_than_ms=min(slower, default=None),
        max_body_bytes=min(MAX_BODY_BYTES, max(bytes_count(capture.max_body) for capture in captures)),
        keep_for_ms=max(KEEP_FOR_MIN_MS, min(duration_ms(capture.keep_for) for capture in captures)),
        lowered_by=least.metadata.name,
        problem=_raw_forbidden(raw, allowed_content(least, allow_raw)) or _cut(policies),
        problem_of=frozenset(policy.metadata.name for policy in raw or policies if raw or _cut((policy,))),
    )


def _cut(policies: Sequence[MonitoringPolicy]) -> Finding | None:
    for policy in sorted(policies, key=lambda policy: policy.metadata.name):
        max_body, keep_for = policy.spec.capture.max_body, policy.spec.capture.keep_for
        if bytes_count(max_body) > MAX_BODY_BYTES:
            message = f"maxBody {max_body} of policy {policy.metadata.name} is above 16Mi; 16Mi is in force"
            return Finding(PolicyReason.VALUE_OUT_OF_RANGE, f"{message}. Write at most 16Mi")
        if duration_ms(keep_for) < KEEP_FOR_MIN_MS:
            message = f"keepFor {keep_for} of policy {policy.metadata.name} is below 1s; 1s is in force"
            return Finding(PolicyReason.VALUE_OUT_OF_RANGE, f"{message}. Write at least 1m")
    return None


def _raw_forbidden(policies: Sequence[MonitoringPolicy], in_force: Content) -> Finding | None:
    if not policies:
        return None
    names = ", ".join(sorted(policy.metadata.name for policy in policies))
    needed = f'content Full of policy {names} needs {ALLOW_RAW_PAYLOADS}: "true" on the namespace'
    return Finding(PolicyReason.RAW_PAYLOADS_FORBIDDEN, f"{needed}; {in_force} is in force")
