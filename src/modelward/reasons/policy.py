"""Reasons of a MonitoringPolicy's conditions, and of an Evaluator's Accepted."""

from __future__ import annotations

from modelward.reasons.checks import CheckReason
from modelward.reasons.reason import Reason, ReasonTable, unreadable


class PolicyReason(ReasonTable, kind="MonitoringPolicy", conditions=("Accepted",)):
    """Why a policy is in force, or what of it is not."""

    VALID = Reason("Valid", "the policy is in force")
    INVALID_SPEC = unreadable("policy", "mpol", "nothing of it is in force but the limits of its capture")
    PAUSED = Reason("Paused", "`spec.paused` is true: last verdicts are kept, nothing new starts")
    NO_CAPTURE = CheckReason.NO_CAPTURE
    CAPTURE_FORBIDDEN = CheckReason.CAPTURE_FORBIDDEN
    UNKNOWN_EVALUATOR = CheckReason.UNKNOWN_EVALUATOR
    EVALUATOR_NOT_FOUND = CheckReason.EVALUATOR_NOT_FOUND
    INVALID_CONFIG = CheckReason.INVALID_CONFIG
    EGRESS_NOT_ALLOWED = CheckReason.EGRESS_NOT_ALLOWED
    JUDGE_UNAVAILABLE = CheckReason.JUDGE_UNAVAILABLE
    JUDGES_ITSELF = CheckReason.JUDGES_ITSELF
    KEPT_TOO_SHORT = CheckReason.KEPT_TOO_SHORT
    INVALID_THRESHOLD = CheckReason.INVALID_THRESHOLD
    RAW_PAYLOADS_FORBIDDEN = Reason(
        "RawPayloadsForbidden",
        "`content: Full` counts as `Redacted`",
        "the Namespace does not allow it",
        "`kubectl annotate ns NS modelward.dev/allow-raw-payloads=true`, if payloads may be kept unredacted",
    )
    VALUE_OUT_OF_RANGE = Reason(
        "ValueOutOfRange",
        "`capture` asks for more than a collector or the hub can do; the message says what is in force instead",
        "an earlier version stored the policy; today the API server refuses such a value",
        "write the value that the message names",
    )


class BoundReason(ReasonTable, kind="MonitoringPolicy", conditions=("Bound",)):
    """Whether a policy watches any endpoint."""

    ENDPOINTS_SELECTED = Reason("EndpointsSelected", "the policy watches at least one endpoint")
    NOTHING_SELECTED = Reason(
        "NothingSelected",
        "no endpoint of the namespace carries the labels",
        "a misspelt label, or the endpoint comes later",
        "`kubectl get llmep -n NS --show-labels`",
    )


class SamplesReason(ReasonTable, kind="MonitoringPolicy", conditions=("SamplesKept",)):
    """Whether the samples of a policy are kept as long as it asks."""

    WITHIN_SHARE = Reason("WithinShare", "samples are kept for `keepFor` again")
    STORAGE_FULL = Reason(
        "StorageFull",
        "the namespace has used up its share of the hub's store: its oldest exchanges go before `keepFor`, or its"
        " newest are refused",
        "a long `keepFor`, a large `sample` or `maxBody`, a small volume",
        "shorten `capture.keepFor` or lower `capture.sample`; whoever runs Modelward may raise `hub.namespaceShare`",
    )
    RESULTS_DROPPED = Reason(
        "ResultsDropped",
        "the namespace has more results than its share of the hub or of the operator's memory: those of its oldest"
        " windows within a day are dropped, and no verdict rests on them; the message names the time",
        "many evaluations of many endpoints with a short `every`",
        "write a longer `every`, or evaluate fewer endpoints",
    )


class HistoryReason(ReasonTable, kind="MonitoringPolicy", conditions=("HistoryKept",)):
    """Whether the hub keeps the history of a policy's endpoints; numbers of now and verdicts do not rest on it."""

    HISTORY_KEPT = Reason("HistoryKept", "the history is kept again")
    HISTORY_FULL = Reason(
        "HistoryFull",
        "the hub's history takes no rows: it has reached its size, or the disk is full; an hour of rows waits in the"
        " operator",
        "a small volume, many endpoints, a large `history.size`",
        "enlarge the hub's volume or raise `history.size`: `kubectl get pvc -n modelward-system`",
    )
    HISTORY_NEWER = Reason(
        "HistoryNewer",
        "the hub's database is of a newer version and is left untouched: nothing is added, no question is answered",
        "Modelward was rolled back",
        "install the newer version again, or move `history/history.db` of the hub's volume away",
    )
    HISTORY_UNUSABLE = Reason(
        "HistoryUnusable",
        "the hub's history cannot be opened or written; each write tries again",
        "a damaged disk, a volume that is mounted for reading only",
        "`kubectl logs -n modelward-system -l app.kubernetes.io/component=hub`",
    )
    HISTORY_NOT_COPIED = Reason(
        "HistoryNotCopied",
        "the history is kept, but its copy in the object store is not: a lost volume would lose what came since",
        "wrong or expired keys, a bucket that is missing, a store that does not answer",
        "`kubectl logs -n modelward-system -l app.kubernetes.io/component=hub`",
    )
    HUB_UNAVAILABLE = CheckReason.HUB_UNAVAILABLE


class ScopeReason(ReasonTable, kind="MonitoringPolicy", conditions=("ScopeChecked",)):
    """Whether the scopes that topic evaluators judge by hold their own questions."""

    QUESTIONS_STAY_IN = Reason(
        "QuestionsStayIn", "of each scope's own questions, examples and parts of its lines, at most 3 % fall out"
    )
    QUESTIONS_FALL_OUT = Reason(
        "QuestionsFallOut",
        "more than 3 % of a scope's own questions count as off topic; the message names its lines and examples by"
        " their place, from 0",
        "a line that says many things at once, or examples that are unlike all others",
        "`modelward evaluators check --evaluator FILE` shows the questions; give each part of such a line a line of its"
        " own, or write more `inScopeExamples` like them",
    )
    NOT_CHECKED_YET = Reason(
        "NotCheckedYet",
        "what a scope does with its own questions is not known",
        "its first evaluation has not run, or the hub does not answer",
        "wait for the first EvaluationRun; `modelward evaluators check --evaluator FILE` says it at once",
    )


class BudgetReason(ReasonTable, kind="MonitoringPolicy", conditions=("WithinBudget",)):
    """Whether judges, and the endpoints themselves, keep within the policy's budget."""

    WITHIN_BUDGET = Reason("WithinBudget", "nothing was refused today; the message has what was spent")
    OVER_BUDGET = Reason(
        "OverBudget",
        "the selected endpoints have cost more than `costPerDay` or `costPerMonth`; nothing is refused for it",
        "more requests, longer answers, a dearer model",
        "`modelward_caller_cost_total` says who asked, `modelward_cost_total` which model; raise the limit, or limit"
        " requests in your own gateway",
    )
    PRICE_UNKNOWN = Reason(
        "PriceUnknown",
        "an endpoint served tokens of a model without a price, so that nothing says what was spent",
        '`usage.prices` of the endpoint does not name the model, and has no `"*"`',
        'write its price, or one for `"*"`; the period is known again from its next beginning',
    )
    CURRENCY_DIFFERS = Reason(
        "CurrencyDiffers",
        "an endpoint's prices are in another currency than the budget, so that its cost is in no sum",
        "`usage.prices.currency` and the budget were written by different people",
        "write both in one currency",
    )
    NUMBERS_MISSING = Reason(
        "NumbersMissing",
        "of some selected endpoint there are no fresh numbers, so that nothing says what it costs",
        "its condition `MetricsAvailable` says what is missing",
        "`kubectl describe llmep -n NS NAME`",
    )
    BUDGET_EXHAUSTED = CheckReason.BUDGET_EXHAUSTED
    USAGE_NOT_REPORTED = Reason(
        "UsageNotReported",
        "some answers of the judge's model carried no `usage`: each counts as the most that it could have spent",
        "a server or a proxy that leaves `usage` out",
        "let the server report `usage`, or the day's budget ends early",
    )


class DeliveryReason(ReasonTable, kind="MonitoringPolicy", conditions=("AlertsDelivered",)):
    """Whether receivers of a policy's alerts get them."""

    DELIVERED = Reason("Delivered", "no receiver refuses messages")
    RECEIVER_FAILING = Reason(
        "ReceiverFailing",
        "a receiver does not take a message; the message has its answer, and what is due is sent again for a day"
        " (Critical) or four hours",
        "a revoked URL or token, a server that is down, a host that is not allowed",
        "`modelward alerts test RECEIVER`; whoever runs Modelward may name a fallback (`alerts.fallback`)",
    )
    SECRET_NOT_FOUND = Reason(
        "SecretNotFound",
        "the Secret of a receiver, or its key, is not there",
        "it was not made in the policy's namespace, or has another name",
        "`kubectl get secret -n NS`; make it with the key that the message names",
    )
    RECEIVER_UNKNOWN = Reason(
        "ReceiverUnknown",
        "`shared` names a receiver that the platform does not offer",
        "a misspelt name, or Helm's `alerts.receivers` lacks it",
        "mend `shared`, or ask whoever runs Modelward",
    )


class RulesReason(ReasonTable, kind="MonitoringPolicy", conditions=("RulesApplied",)):
    """Whether the policy's own PrometheusRule is in place (`alerts.via: Policy`)."""

    APPLIED = Reason("Applied", "the PrometheusRule is in place")
    NO_SUCH_KIND = Reason(
        "NoSuchKind",
        "the cluster has no PrometheusRules, so that no alert of this policy's checks goes out",
        "the Prometheus operator is not installed",
        "install it, or write `alerts.via: Chart`, or receivers; `modelward render` prints the rules for a Prometheus"
        " without it",
    )
    NOT_ALLOWED = Reason(
        "NotAllowed",
        "the operator may not make PrometheusRules, so that no alert of this policy's checks goes out",
        "the right is opt-in",
        "whoever installed Modelward sets `monitoring.prometheusRule.ofPolicies: true`",
    )
    NAME_TAKEN = Reason(
        "NameTaken",
        "a PrometheusRule of that name is not of this policy; it is left as it is",
        "another owner made it",
        "remove it, or give the policy another name",
    )
    REFUSED = Reason(
        "Refused",
        "the API server refused the PrometheusRule; the message has its words",
        "an admission policy, or a Prometheus operator before 0.65, which knows no `keep_firing_for`",
        "what the message says",
    )


class ReachableReason(ReasonTable, kind="Evaluator", conditions=("Reachable",)):
    """Whether a judge answers."""

    JUDGE_ANSWERS = Reason("JudgeAnswers", "the judge answered in the newest run")
    JUDGE_UNAVAILABLE = CheckReason.JUDGE_UNAVAILABLE
    NOT_ASKED_YET = Reason(
        "NotAskedYet",
        "it is not known whether the judge answers",
        "no evaluation that uses it has run",
        "a MonitoringPolicy with `evaluatorRef`; wait for the first EvaluationRun",
    )


class EvaluatorReason(ReasonTable, kind="Evaluator", conditions=("Accepted",)):
    """Why an Evaluator can be used or cannot."""

    VALID = Reason("Valid", "the evaluator can be used")
    INVALID_SPEC = unreadable("evaluator", "llmeval", "no evaluation can use it")
    UNKNOWN_EVALUATOR = CheckReason.UNKNOWN_EVALUATOR
    INVALID_CONFIG = CheckReason.INVALID_CONFIG
    EGRESS_NOT_ALLOWED = CheckReason.EGRESS_NOT_ALLOWED
