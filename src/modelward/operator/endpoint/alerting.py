"""From one reconcile's findings to the alerts of an endpoint, as status shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from modelward.alerts.delivery import settled
from modelward.alerts.episode import SEVERITY_ORDER, AlertInput, AlertVerdict, Episode
from modelward.alerts.inputs import input_of_budget, inputs_of_check
from modelward.alerts.kinds import ALERT_KINDS
from modelward.alerts.routing import Routing
from modelward.alerts.rows import deliveries_of, episode_of, row_of
from modelward.alerts.silence import Silence
from modelward.alerts.standing import StandingAlert, suppressor
from modelward.alerts.step import removed, step
from modelward.api.alert_status import MAX_ALERTS, AlertStatus
from modelward.api.base import ObjectMeta
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.monitoringpolicy import MonitoringPolicy
from modelward.api.quantity import timestamp_ms
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.checks import CheckReason
from modelward.reasons.collector import CollectorReason
from modelward.reasons.metrics import MetricsReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.checks import Check
from modelward.status.conditions import ConditionState

_NEVER_SERVED_FOR_MS = 30 * 60_000
"""A large model loads for a while: one that has never served gets this long."""
_AT_CREATION_MS = 120_000
_QUIET = frozenset({WorkloadReason.ASLEEP, WorkloadReason.SCALED_TO_ZERO})
"""There is nothing to watch or to see."""
_NOTHING_TO_READ = frozenset({MetricsReason.NO_PODS, MetricsReason.ENGINE_EXPORTS_NOTHING})
NO_BUDGETS: Mapping[str, ConditionState] = {}
_PASSING_BY = frozenset({CollectorReason.BYPASSED, CollectorReason.SERVICE_BYPASSES})


def endpoint_alerts(
    status: LLMEndpointStatus,
    before: LLMEndpointStatus,
    about: ObjectMeta,
    checks: Sequence[Check],
    routings: Mapping[str, Routing],
    silences: Iterable[Silence],
    now_ms: int,
    budgets: Mapping[str, ConditionState] = NO_BUDGETS,
) -> tuple[AlertStatus, ...]:
    """Return the alerts of an endpoint, without deliveries, of those policies that ask for alerts (`routings`).

    `status` is what this reconcile found, `before` what stands on the server; `checks` are this reconcile's. `budgets`
    are WithinBudget of those policies whose alerts of it this endpoint carries.
    """
    known = {(one.policy, one.name): one for one in before.alerts}
    inputs = {one.key: one for one in _inputs(status, about, checks, routings)}
    inputs |= {one.key: one for one in _of_budgets(budgets, routings)}
    stood: list[StandingAlert] = []
    for key in dict.fromkeys((*inputs, *known)):
        routing = routings.get(key[0])
        if routing is None:
            continue
        row = known.get(key)
        episode = _stepped(row, inputs.get(key), routing, now_ms)
        if episode is not None:
            deliveries = deliveries_of(row) if row else ()
            stood.append(StandingAlert(about.namespace, about.name, *key, episode, deliveries))
    silenced = tuple(silences)
    rows = (
        row_of(one.policy, one.name, one.episode, suppressor(one, stood, routings[one.policy], silenced, now_ms))
        for one in _gravest(stood)
    )
    return tuple(sorted(rows, key=lambda row: (row.policy, row.name)))


def _stepped(row: AlertStatus | None, seen: AlertInput | None, routing: Routing, now_ms: int) -> Episode | None:
    before = episode_of(row) if row else None
    known = settled(deliveries_of(row), routing.receivers) if row else True
    if seen is None:
        return removed(before, now_ms, routing.timing, settled=known) if before else None
    return step(before, seen, now_ms, routing.timing, settled=known)


def _gravest(alerts: list[StandingAlert]) -> list[StandingAlert]:
    """Return as many as status can hold: those that fire before others, and the more severe ones."""

    def rank(one: StandingAlert) -> tuple[bool, bool, int]:
        told = any(not delivery.settled for delivery in one.deliveries)
        return (not told, not one.episode.firing, -SEVERITY_ORDER.index(one.episode.severity))

    return sorted(alerts, key=rank)[:MAX_ALERTS]


def _inputs(
    status: LLMEndpointStatus, about: ObjectMeta, checks: Sequence[Check], routings: Mapping[str, Routing]
) -> Iterator[AlertInput]:
    conditions = {one.type: one for one in status.conditions}
    states = {
        name: ConditionState(name, one.status, WorkloadReason.named(one.reason), one.message)
        for name, one in conditions.items()
    }
    quiet = {(one.policy, one.name) for one in checks if one.concern == "Objectives" and one.severity == "Info"}
    for row in status.budgets:
        if row.policy in routings and (row.policy, row.objective) not in quiet:
            yield input_of_budget(row)
    for policy, routing in routings.items():
        yield from _of_endpoint(policy, status, about, states)
        yield from _of_itself(policy, states, checks)
        yield from (one for check in checks if check.policy == policy for one in inputs_of_check(check, routing))


def carried_budgets(policies: Iterable[MonitoringPolicy], endpoint: str) -> Mapping[str, ConditionState]:
    """Return WithinBudget by policy, as its status has it, of those whose first endpoint this is: it is told once.

    A budget of which nothing is known, such as while the hub is away, is Unknown, and never gone.
    """
    found: dict[str, ConditionState] = {}
    for policy in policies:
        first = next((one.endpoint for one in policy.status.bindings), None)
        if policy.spec.budget is None or first != endpoint:
            continue
        told = next((one for one in policy.status.conditions if one.type == "WithinBudget"), None)
        status, reason = (told.status, told.reason) if told else ("Unknown", "NumbersMissing")
        message = told.message if told else ""
        found[policy.metadata.name] = ConditionState("WithinBudget", status, WorkloadReason.named(reason), message)
    return found


def _of_budgets(budgets: Mapping[str, ConditionState], routings: Mapping[str, Routing]) -> Iterator[AlertInput]:
    told = ((policy, state) for policy, state in budgets.items() if policy in routings)
    return (_input(policy, "OverBudget", _verdict(state), state) for policy, state in told)


def _of_endpoint(
    policy: str, status: LLMEndpointStatus, about: ObjectMeta, states: Mapping[str, ConditionState]
) -> Iterator[AlertInput]:
    ready, metrics = states.get("Ready"), states.get("MetricsAvailable")
    collector, scaling = states.get("CollectorReady"), states.get("ScalingActive")
    quiet = ready is not None and (ready.reason in _QUIET or ready.reason == "Asleep")
    if ready is not None:
        yield _not_ready(policy, ready, status, about)
    if metrics is not None:
        fails: AlertVerdict = "Passed" if metrics.status == "True" or quiet or _unreadable(metrics) else "Failed"
        yield _input(policy, "Unwatched", fails, metrics)
    if collector is not None:
        passing = collector.status == "False" and collector.reason in {one.name for one in _PASSING_BY}
        known: AlertVerdict = "Unknown" if collector.status == "Unknown" else "Passed"
        yield _input(policy, "TrafficUnseen", "Failed" if passing else known, collector)
    if scaling is not None:
        yield _input(policy, "ScalingStuck", _verdict(scaling), scaling)


def _of_itself(policy: str, states: Mapping[str, ConditionState], checks: Sequence[Check]) -> Iterator[AlertInput]:
    """Yield what keeps Modelward from its work: what it writes is refused, or the hub does not judge the checks."""
    accepted = states.get("Accepted")
    if accepted is None:
        return
    blind = [one.name for one in checks if one.policy == policy and one.found_reason == CheckReason.HUB_UNAVAILABLE]
    if accepted.status == "False" and accepted.reason == AcceptedReason.REFUSED.name:
        yield _input(policy, "Modelward", "Failed", accepted)
    elif blind:
        kind, reason = ALERT_KINDS["Modelward"], str(CheckReason.HUB_UNAVAILABLE)
        named = f"{', '.join(blind[:3])}{' and others' if len(blind) > 3 else ''}"
        what = f"{kind.means}: {reason}, {named} cannot be judged"[:256]
        yield AlertInput(policy, kind.name, "Failed", kind.severity, reason, what, kind.for_ms)
    else:
        yield _input(policy, "Modelward", "Passed", accepted)


def _unreadable(metrics: ConditionState) -> bool:
    """Return whether there is nothing that numbers could be read from, which other alerts or the user's choice tell."""
    return metrics.reason in {one.name for one in _NOTHING_TO_READ}


def _not_ready(policy: str, ready: ConditionState, status: LLMEndpointStatus, about: ObjectMeta) -> AlertInput:
    since = next((one.last_transition_time for one in status.conditions if one.type == "Ready"), "")
    never = ready.status == "False" and _at_creation(since, about.creation_timestamp)
    for_ms = _NEVER_SERVED_FOR_MS if never else ALERT_KINDS["NotReady"].for_ms
    verdict: AlertVerdict = "Passed" if ready.reason == WorkloadReason.SCALED_TO_ZERO else _verdict(ready)
    return _input(policy, "NotReady", verdict, ready, for_ms)


def _at_creation(since: str, created: str) -> bool:
    """Return whether a condition is as it was from the beginning."""
    try:
        return timestamp_ms(since) - timestamp_ms(created) < _AT_CREATION_MS
    except ValueError:
        return False


def _verdict(state: ConditionState) -> AlertVerdict:
    verdicts: dict[str, AlertVerdict] = {"True": "Passed", "False": "Failed"}
    return verdicts.get(state.status, "Unknown")


def _input(
    policy: str, name: str, verdict: AlertVerdict, state: ConditionState, for_ms: int | None = None
) -> AlertInput:
    kind = ALERT_KINDS[name]
    what = f"{kind.means}: {state.reason}" + (f", {state.message}" if state.message else "")
    waits = kind.for_ms if for_ms is None else for_ms
    return AlertInput(policy, name, verdict, kind.severity, str(state.reason), what[:256], waits)
