"""Reasons of ScalingActive, which are those of a scaling decision and of its Event too."""

from __future__ import annotations

from modelward.reasons.reason import Reason, ReasonTable


class ScalingReason(ReasonTable, kind="LLMEndpoint", conditions=("ScalingActive",)):
    """Why a scaling decision is what it is, or why none is made."""

    LOAD = Reason("Load", "as many replicas as the load asks for; the message has the numbers")
    IDLE = Reason("Idle", "no requests", "clients send none", "nothing;  `minReplicas` is kept")
    STEADY = Reason("Steady", "the number of replicas fits")
    SLOW_TOKENS = Reason(
        "SlowTokens",
        "tokens come slower than the objective",
        "the replicas are busy",
        "nothing; it adds replicas, and takes them back if they do not help",
    )
    SLOW_FIRST_TOKEN = Reason(
        "SlowFirstToken",
        "first tokens come later than the objective",
        "the replicas are busy",
        "nothing; it adds replicas, and takes them back if they do not help",
    )
    SCALE_DOWN_HOLD = Reason(
        "ScaleDownHold", "fewer would do", "the message says what is waited for", "`scaling.scaleDownHold`"
    )
    AT_MAXIMUM = Reason("AtMaximum", "more would be needed", "`maxReplicas` decided", "raise `maxReplicas`")
    AT_MINIMUM = Reason("AtMinimum", "fewer would do", "`minReplicas` decided", "lower `minReplicas`")
    LEARNING_CAPACITY = Reason(
        "LearningCapacity",
        "it is not known yet what a replica carries",
        "no replica was full yet",
        "wait for a busy time, or set `scaling.tokensPerSecond`",
    )
    NO_TOKEN_COUNTS = Reason(
        "NoTokenCounts",
        "neither the engine nor the answers count tokens",
        "clients do not ask for `usage`, or `engine` is another one",
        "ask clients for `stream_options.include_usage`; check `spec.engine`",
    )
    HOLDING_ON_STALE_METRICS = Reason(
        "HoldingOnStaleMetrics",
        "metrics are missing or partial: nothing goes down",
        "see `MetricsAvailable`",
        "look at `MetricsAvailable`",
    )
    NOT_ACCEPTED = Reason(
        "NotAccepted",
        "what is declared cannot be carried out: nothing is scaled",
        "see `Accepted`",
        "look at `Accepted`",
    )
    NO_WORKLOAD = Reason(
        "NoWorkload", "there is nothing to scale yet", "see `WorkloadReady`", "look at `WorkloadReady`"
    )
    ANOTHER_SCALER = Reason(
        "AnotherScaler",
        "we do not scale",
        "an HPA scales this LLMEndpoint while `scaling.mode` is `Direct`",
        "delete it, or `scaling.mode: Off`",
    )
    MULTIPLE_WRITERS = Reason(
        "MultipleWriters",
        "we do not scale",
        "an HPA writes the workload itself",
        "point it at the LLMEndpoint",
    )
    REFUSED = Reason(
        "Refused",
        "the API server refused the new number; the message quotes it",
        "quotas, admission policies",
        "`kubectl get quota -n NS`",
    )
