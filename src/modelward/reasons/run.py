"""Reasons of an EvaluationRun's Complete, and of each of its items."""

from __future__ import annotations

from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason, ReasonTable, unreadable
from modelward.reasons.workload import WorkloadReason


class RunReason(ReasonTable, kind="EvaluationRun", conditions=("Complete",)):
    """Where an evaluation run is, or why it ended without a result."""

    FINISHED = Reason("Finished", "the run has ended; `status.result` says how")
    INVALID_SPEC = unreadable("run", "llmrun", "nothing of it is done")
    STARTING = Reason("Starting", "the Job is being created", "the run is new", "wait")
    ENDPOINT_NOT_FOUND = Reason(
        "EndpointNotFound",
        "there is no LLMEndpoint of that name; after a minute the run ends as `Error`",
        "a misspelt name, or it comes later",
        "`kubectl get llmep -n NS`, then another EvaluationRun",
    )
    ENDPOINT_NOT_READ = Reason(
        "EndpointNotRead",
        "the endpoint could not be read; after a minute the run ends as `Error`",
        "the operator has just started, or the endpoint's spec cannot be read",
        "look at the endpoint's `Accepted`",
    )
    ENDPOINT_PAUSED = Reason(
        "EndpointPaused",
        "the endpoint is paused; the run has ended as `Error`",
        "`spec.paused` of the LLMEndpoint",
        "`spec.paused: false`, then another EvaluationRun",
    )
    NOTHING_TO_EVALUATE = Reason(
        "NothingToEvaluate",
        "no policy asks for it; the run has ended as `Error`",
        "no policy selects the endpoint, or none that does has such an evaluation",
        "`kubectl get mpol -n NS`",
    )
    RUNNING = Reason("Running", "the Job runs")
    NO_POD = Reason(
        "NoPod",
        "the Job has had no pod for 30 s",
        "a quota or an admission policy refuses it",
        "`kubectl get events -n NS --field-selector involvedObject.name=JOB`",
    )
    SUSPENDED = Reason(
        "Suspended", "the Job waits", "`spec.suspend` is true, or a queue holds it", "`spec.suspend: false`"
    )
    COLLECTING_RESULTS = Reason(
        "CollectingResults", "the Job has ended, its results have not arrived", "the hub is slow or unavailable", "wait"
    )
    INVALID_TEMPLATE = AcceptedReason.INVALID_TEMPLATE
    NAME_TAKEN = AcceptedReason.NAME_TAKEN
    REFUSED = AcceptedReason.REFUSED
    UNSCHEDULABLE = WorkloadReason.UNSCHEDULABLE
    IMAGE_NOT_PULLABLE = WorkloadReason.IMAGE_NOT_PULLABLE
    CRASH_LOOP_BACK_OFF = WorkloadReason.CRASH_LOOP_BACK_OFF
    CREATE_CONTAINER_CONFIG_ERROR = WorkloadReason.CREATE_CONTAINER_CONFIG_ERROR
    CREATE_CONTAINER_ERROR = WorkloadReason.CREATE_CONTAINER_ERROR
    RUN_CONTAINER_ERROR = WorkloadReason.RUN_CONTAINER_ERROR
    HUB_UNAVAILABLE = CheckReason.HUB_UNAVAILABLE
    NO_CAPTURE = CheckReason.NO_CAPTURE
    CAPTURE_FORBIDDEN = CheckReason.CAPTURE_FORBIDDEN
    UNKNOWN_EVALUATOR = CheckReason.UNKNOWN_EVALUATOR
    EVALUATOR_NOT_FOUND = CheckReason.EVALUATOR_NOT_FOUND
    INVALID_CONFIG = CheckReason.INVALID_CONFIG
    EGRESS_NOT_ALLOWED = CheckReason.EGRESS_NOT_ALLOWED
    EVALUATOR_FAILING = CheckReason.EVALUATOR_FAILING
    JUDGE_UNAVAILABLE = CheckReason.JUDGE_UNAVAILABLE
    JUDGES_ITSELF = CheckReason.JUDGES_ITSELF
    KEPT_TOO_SHORT = CheckReason.KEPT_TOO_SHORT
    INVALID_THRESHOLD = CheckReason.INVALID_THRESHOLD
    PLAN_TOO_LARGE = Reason(
        "PlanTooLarge",
        "of an item: the configs of all items of the run together are too large for one run",
        "many evaluations with long configs, requested at once",
        "ask for fewer items in one EvaluationRun; what is scheduled is split by itself",
    )
    ANOTHER_CONTAINER = Reason(
        "AnotherContainer",
        "of an item: its evaluator needs another container than those before it, and a run's pod has one",
        "a run by hand over evaluations with several Evaluators of kind `container`",
        "ask for the item in an EvaluationRun of its own; what is scheduled is split by itself",
    )
    RESULT_LOST = Reason(
        "ResultLost",
        "of an item: the Job ended without its result",
        "its pod could not start, ran out of memory or time, or the hub was unavailable",
        "`kubectl describe job -n NS RUN`; a scheduled one is due again by itself",
    )
