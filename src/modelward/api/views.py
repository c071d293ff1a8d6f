"""What people read of endpoints and policies: the pages of the console and of the kubectl plugin, as the hub answers.

Times are Unix milliseconds, numbers integers or texts ready to show. What is not known is empty or None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from modelward.api.alert_status import DeliveryStatus
from modelward.api.base import ConditionStatus, Fitted, Severity, VerdictValue
from modelward.api.check_status import ComparisonStatus, MovedPart
from modelward.api.endpoint_status import Health, LLMEndpointStatus
from modelward.api.person import Right
from modelward.api.policy_status import MonitoringPolicyStatus

FLEET_PAGE = 50
Attention = Literal["NeedsYou", "CannotTell", "Well"]
"""NeedsYou: Degraded or Unhealthy; CannotTell: Unknown."""
FleetSort = Literal["need", "name", "since", "cost", "requests"]
CheckKind = Literal["Objective", "Evaluation"]
BarUnit = Literal["Share", "Duration", "Number"]


class IntervalBar(Fitted):
    """A check's numbers for an interval bar, in one unit: parts per million, microseconds, or millionths."""

    unit: BarUnit
    value: int
    low: int | None = None
    high: int | None = None
    limit: int | None = None
    fails: Literal["Above", "Below"] = "Above"


class Agreement(Fitted):
    """How often people agreed with an evaluation: `people agreed with 41 of 50 flags`."""

    flags: int
    """Flagged exchanges that people labelled."""
    flags_agreed: int
    """Of which they found so many at fault as well."""
    others: int = 0
    """Exchanges that were not flagged and that people labelled."""
    others_agreed: int = 0


class CheckView(Fitted):
    """One objective or evaluation with its limit: all that a verdict rests on, in one line."""

    policy: str
    name: str
    kind: CheckKind
    concern: Literal["Objectives", "Quality", "Safety"]
    severity: Severity
    verdict: VerdictValue
    was: Literal["Passed", "Failed"] | None = None
    reason: str = ""
    message: str = ""
    value: str = ""
    low: str = ""
    high: str = ""
    limit: str = ""
    """As the policy has it, such as `10%` or `800ms`; empty where the policy is not known."""
    bar: IntervalBar | None = None
    over: str = ""
    samples: int = 0
    observed_ms: int | None = None
    heard_ms: int | None = None
    revision: str = ""
    metric: str = ""
    """Of an objective: what it bounds, such as TimeToFirstToken."""
    evaluator: str = ""
    """Of an evaluation: the built-in, or the kind and name of what scores."""
    run: str = ""
    examples: tuple[str, ...] = ()
    """Ids of flagged exchanges; their text takes the right Text."""
    moved: tuple[MovedPart, ...] = ()
    change: ComparisonStatus | None = None
    agreement: Agreement | None = None


class FleetRow(Fitted):
    """One endpoint in a list."""

    namespace: str
    name: str
    need: Attention
    health: Health
    since_ms: int | None = None
    why: str = ""
    """What health rests on, in one line."""
    ready: ConditionStatus = "Unknown"
    replicas: str = ""
    """Ready of desired, such as 3/3."""
    first_token_p95: str = ""
    error_rate: str = ""
    requests_per_minute: str = ""
    cost_per_hour: str = ""
    checks: str = ""
    """Decided of all, such as 4/5."""
    leading: CheckView | None = None
    """The check that health rests on, else the quality check with the least room to its limit."""
    budget: str = ""
    """The smallest error budget that is left, as status has it."""
    firing: int = 0
    held: int = 0
    silenced: int = 0
    engine: str = ""
    mode: str = ""
    revision: str = ""
    seen: str = ""
    """Share of the engine's requests that collectors saw."""
    models: tuple[str, ...] = ()
    ribbon: str = ""
    """The last 24 hours, oldest first, one letter each: W well, D degraded, B bad, U undecided, - not watched."""
    asked: tuple[int | None, ...] = ()
    """Requests in each part of the ribbon; None where it was not watched."""
    text: bool = False
    """Whether the person may read exchanges."""


class FleetCounts(Fitted):
    """How many endpoints there are, of those that the person may see and that the filter leaves."""

    needs_you: int = 0
    cannot_tell: int = 0
    well: int = 0


class FleetPage(Fitted):
    """Rows of one page: those that need a person first, by severity and since when."""

    rows: tuple[FleetRow, ...]
    page: int
    pages: int
    total: int
    counts: FleetCounts
    namespaces: tuple[str, ...] = ()
    """Those that the person may see and in which there is an endpoint, at most 500."""
    told_ms: int | None = None
    """When the operator last told the hub of anything; None: not since the hub started."""


class ShownSpec(Fitted):
    """What views show of an endpoint's spec."""

    engine: str = ""
    backend: str = ""
    """WorkloadRef, External or Template."""
    mode: str = ""
    replicas: int | None = None
    scaling: Mapping[str, Any] = {}
    """`spec.scaling` as it stands."""
    prices: Mapping[str, Any] = {}
    """`spec.usage.prices` as it stands."""
    paused: bool = False


class AlertView(Fitted):
    """An alert of an endpoint as `status.alerts` has it, with what silences it."""

    namespace: str
    endpoint: str
    policy: str
    name: str
    state: str
    severity: str = ""
    since_ms: int | None = None
    episode: str = ""
    message: str = ""
    held: str = ""
    by: str = ""
    """What inhibits or acknowledges it."""
    silence: str = ""
    """Name of the AlertSilence that covers it."""
    deliveries: tuple[DeliveryStatus, ...] = ()


class SilenceView(Fitted):
    """An AlertSilence, or a request for one that the operator has not carried out yet."""

    namespace: str
    name: str = ""
    endpoint: str = ""
    alerts: tuple[str, ...] = ()
    until_ms: int | None = None
    until_resolved: bool = False
    comment: str = ""
    by: str = ""
    state: Literal["Requested", "InForce", "Ended", "Refused"] = "InForce"
    problem: str = ""


class AlertPage(Fitted):
    """Alerts of what the person may see: firing first, then held, then resolved."""

    rows: tuple[AlertView, ...]
    silences: tuple[SilenceView, ...] = ()
    total: int = 0
    silence_in: tuple[str, ...] = ()
    """Namespaces in which the person may silence."""


class PolicyRow(Fitted):
    """A policy in a list."""

    namespace: str
    name: str
    endpoints: str = ""
    checks: int = 0


class PolicyPage(Fitted):
    """The policies of what the person may see."""

    rows: tuple[PolicyRow, ...]
    total: int = 0


class PolicyView(Fitted):
    """One policy: its spec, which is what a preview begins with, and its status."""

    namespace: str
    name: str
    spec: Mapping[str, Any]
    status: MonitoringPolicyStatus
    created_ms: int | None = None


class EndpointView(Fitted):
    """All of one endpoint but its history and its exchanges."""

    namespace: str
    name: str
    need: Attention
    created_ms: int | None = None
    told_ms: int | None = None
    """When the operator told the hub what is shown here."""
    facts: ShownSpec
    status: LLMEndpointStatus
    row: FleetRow
    checks: tuple[CheckView, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    silences: tuple[SilenceView, ...] = ()
    rights: tuple[Right, ...] = ()
    """What the person may do in this namespace."""
    kept: int = 0
    """Exchanges that the hub keeps of it, and from when to when."""
    kept_from_ms: int | None = None
    kept_to_ms: int | None = None


class AuditRow(Fitted):
    """One act: who read or erased what, or tried to."""

    time_ms: int
    who: str
    verb: str
    object: str
    count: int
    by: str = ""
    ids: tuple[str, ...] = ()
    """Of the exchanges whose text was shown, the first hundred."""
    filter: str = ""
    allowed: bool = True
    token: str = ""
    """The token's `jti`, by which the API server's audit knows who made it."""


class AuditPage(Fitted):
    """The audit of one namespace, newest first."""

    rows: tuple[AuditRow, ...]
    cursor: str = ""
    whole: bool = True
    """Whether the chain of records has no gap and no change."""
    problem: str = ""
    """Where the chain breaks."""
