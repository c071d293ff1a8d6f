"""The condition AlertsDelivered of a policy: whether its receivers take what is sent to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelward.api.alert_status import DeliveryStatus
from modelward.api.llmendpoint import LLMEndpoint
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.reasons.policy import DeliveryReason
from modelward.reasons.reason import Reason
from modelward.status.conditions import ConditionState

UNKNOWN_RECEIVER = "the platform offers no receiver of this name"
_SECRET_WORDS = ("no Secret", "no key", "SecretNotFound")
_MAX_TOLD = 3


def alerts_delivered(policy: MonitoringPolicy, endpoints: Iterable[LLMEndpoint]) -> tuple[ConditionState, ...]:
    """Return the condition of a policy that has receivers; none of another."""
    if policy.spec.alerts is None or not policy.spec.alerts.receivers:
        return ()
    problems = dict(sorted(_problems(policy.metadata.name, endpoints)))
    if not problems:
        return (ConditionState("AlertsDelivered", "True", DeliveryReason.DELIVERED),)
    told = [f"{receiver}: {problem}" for receiver, problem in problems.items()]
    more = f"; and {len(told) - _MAX_TOLD} more" if len(told) > _MAX_TOLD else ""
    reason = _reason(next(iter(problems.values())))
    return (ConditionState("AlertsDelivered", "False", reason, "; ".join(told[:_MAX_TOLD]) + more),)


def _problems(policy: str, endpoints: Iterable[LLMEndpoint]) -> Iterator[tuple[str, str]]:
    for endpoint in endpoints:
        for alert in endpoint.status.alerts:
            deliveries: tuple[DeliveryStatus, ...] = alert.deliveries if alert.policy == policy else ()
            yield from ((one.receiver, one.problem) for one in deliveries if one.problem)


def _reason(problem: str) -> Reason:
    if problem == UNKNOWN_RECEIVER:
        return DeliveryReason.RECEIVER_UNKNOWN
    missing = any(word in problem for word in _SECRET_WORDS)
    return DeliveryReason.SECRET_NOT_FOUND if missing else DeliveryReason.RECEIVER_FAILING
