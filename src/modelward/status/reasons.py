"""Every reason that a condition can have: what it means, what usually causes it, what to do next.

The one source of docs/reasons.md, of the advice in `modelward explain` and of `modelward doctor`. NS and NAME stand
for the object's namespace and name, POD, JOB and RUN for what is concerned.
"""

from __future__ import annotations

from modelward.status.check_reasons import CHECKS
from modelward.status.endpoint_reasons import ACCEPTED, COLLECTOR, METRICS, SCALING, WORKLOAD
from modelward.status.reason import Reason, Section

_POLICY_REASONS = ("UnknownEvaluator", "EvaluatorNotFound", "InvalidConfig", "InvalidThreshold", "KeptTooShort")
_NO_RESULT = ("HubUnavailable", "NoCapture", "CaptureForbidden")
_POD_REASONS = (
    "Unschedulable",
    "ImageNotPullable",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)
_POLICY = (
    Reason("Valid", "the policy is in force"),
    Reason("Paused", "`spec.paused` is true: last verdicts are kept, nothing new starts", "", ""),
    *(reason for reason in CHECKS if reason.name in (*_POLICY_REASONS, "NoCapture", "CaptureForbidden")),
    Reason(
        "RawPayloadsForbidden",
        "`content: Full` counts as `Redacted`",
        "the Namespace does not allow it",
        "`kubectl annotate ns NS modelward.dev/allow-raw-payloads=true`, if payloads may be kept unredacted",
    ),
    Reason(
        "ValueOutOfRange",
        "`capture` asks for more than a collector or the hub can do; the message says what is in force instead",
        "an earlier version stored the policy; today the API server refuses such a value",
        "write the value that the message names",
    ),
)
_BOUND = (
    Reason("EndpointsSelected", "the policy watches at least one endpoint"),
    Reason(
        "NothingSelected",
        "no endpoint of the namespace carries the labels",
        "a misspelt label, or the endpoint comes later",
        "`kubectl get llmep -n NS --show-labels`",
    ),
)
_SAMPLES_KEPT = (
    Reason("WithinShare", "samples are kept for `keepFor` again"),
    Reason(
        "StorageFull",
        "the namespace has used up its share of the hub's store: its oldest exchanges go before `keepFor`, or its"
        " newest are refused",
        "a long `keepFor`, a large `sample` or `maxBody`, a small volume",
        "shorten `capture.keepFor` or lower `capture.sample`; whoever runs Modelward may raise `hub.namespaceShare`",
    ),
)
_COMPLETE = (
    Reason("Finished", "the run has ended; `status.result` says how"),
    Reason("Starting", "the Job is being made", "it was just asked for", "wait"),
    Reason(
        "EndpointNotFound",
        "there is no LLMEndpoint of that name; after a minute the run ends as `Error`",
        "a misspelt name, or it comes later",
        "`kubectl get llmep -n NS`, then another EvaluationRun",
    ),
    Reason(
        "EndpointNotRead",
        "the endpoint was not looked at; after a minute the run ends as `Error`",
        "the operator has just started, or the endpoint's spec cannot be read",
        "look at the endpoint's `Accepted`",
    ),
    Reason(
        "EndpointPaused",
        "the endpoint is paused; the run has ended as `Error`",
        "`spec.paused` of the LLMEndpoint",
        "`spec.paused: false`, then another EvaluationRun",
    ),
    Reason(
        "NothingToEvaluate",
        "no policy asks for it; the run has ended as `Error`",
        "no policy selects the endpoint, or none that does has such an evaluation",
        "`kubectl get mpol -n NS`",
    ),
    Reason("Running", "the Job runs", "", ""),
    Reason(
        "NoPod",
        "the Job has had no pod for 30 s",
        "a quota or an admission policy refuses it",
        "`kubectl get events -n NS --field-selector involvedObject.name=JOB`",
    ),
    Reason("Suspended", "the Job waits", "`spec.suspend` is true, or a queue holds it", "`spec.suspend: false`"),
    Reason("CollectingResults", "the Job has ended and its results are waited for", "the hub is slow or away", "wait"),
    *(reason for reason in ACCEPTED if reason.name in ("NameTaken", "InvalidTemplate", "Refused")),
    *(reason for reason in WORKLOAD if reason.name in _POD_REASONS),
    *(reason for reason in CHECKS if reason.name in (*_POLICY_REASONS, *_NO_RESULT)),
    Reason(
        "PlanTooLarge",
        "of an item: the configs of all items of the run together are too large for one run",
        "many evaluations with long configs, asked for at once",
        "ask for fewer items in one EvaluationRun; what is scheduled is split by itself",
    ),
    Reason(
        "ResultLost",
        "of an item: the Job ended without its result",
        "its pod could not start, ran out of memory or time, or the hub was away",
        "`kubectl describe job -n NS RUN`; a scheduled one is due again by itself",
    ),
)

SECTIONS: tuple[Section, ...] = (
    Section("LLMEndpoint", ("Accepted",), ACCEPTED),
    Section("LLMEndpoint", ("WorkloadReady",), WORKLOAD),
    Section("LLMEndpoint", ("CollectorReady",), COLLECTOR),
    Section("LLMEndpoint", ("MetricsAvailable",), METRICS),
    Section("LLMEndpoint", ("ObjectivesMet", "QualityHealthy", "SafetyHealthy"), CHECKS),
    Section("LLMEndpoint", ("ScalingActive",), SCALING),
    Section("MonitoringPolicy", ("Accepted",), _POLICY),
    Section("MonitoringPolicy", ("Bound",), _BOUND),
    Section("MonitoringPolicy", ("SamplesKept",), _SAMPLES_KEPT),
    Section(
        "Evaluator",
        ("Accepted",),
        (
            Reason("Valid", "the evaluator can be used"),
            *(reason for reason in CHECKS if reason.name in ("UnknownEvaluator", "InvalidConfig")),
        ),
    ),
    Section("EvaluationRun", ("Complete",), _COMPLETE),
)
"""Ready is not among them: it repeats the reason of Accepted or WorkloadReady, whichever is not True."""


def reason_of(condition: str, name: str, kind: str = "LLMEndpoint") -> Reason | None:
    """Return what is known of a condition's reason; Ready is looked up where it comes from."""
    conditions = ("Accepted", "WorkloadReady") if condition == "Ready" else (condition,)
    for section in SECTIONS:
        if section.kind == kind and any(one in section.conditions for one in conditions):
            found = next((reason for reason in section.reasons if reason.name == name), None)
            if found is not None:
                return found
    return None
