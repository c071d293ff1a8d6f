"""Reasons of the conditions that sum up checks: ObjectivesMet, QualityHealthy, SafetyHealthy."""

from __future__ import annotations

from modelward.reasons.reason import Reason, ReasonTable


class CheckReason(ReasonTable, kind="LLMEndpoint", conditions=("ObjectivesMet", "QualityHealthy", "SafetyHealthy")):
    """Why a check passed, failed or is not decided."""

    PASSED = Reason("Passed", "all checks of this kind are decided and good")
    NOTHING_TO_CHECK = Reason(
        "NothingToCheck",
        "no policy asks for it",
        "no policy of the namespace selects this endpoint, or none has such a check",
        "`kubectl get mpol -n NS`; `kubectl get llmep -n NS --show-labels`",
    )
    ABOVE_LIMIT = Reason(
        "AboveLimit",
        "the whole interval is above the limit: bad for shares of faults and durations, good for scores",
        "the message has value, interval, limit and sample count",
        "`modelward explain NS/NAME` lists flagged exchanges; `status.changes` what changed before",
    )
    BELOW_LIMIT = Reason(
        "BelowLimit",
        "the whole interval is below the limit: good for shares of faults and durations, bad for scores",
        "the message has value, interval, limit and sample count",
        "`modelward explain NS/NAME` lists flagged exchanges; `status.changes` what changed before",
    )
    NEAR_THRESHOLD = Reason(
        "NearThreshold",
        "the limit lies within the interval",
        "the share really is about at the limit, or the limit lies within a bucket of the histogram",
        "another limit; a longer `over`, a larger `capture.sample`",
    )
    TOO_FEW_SAMPLES = Reason(
        "TooFewSamples",
        "n of the m required, or how many more would decide; or no exchange was applicable to the check",
        "little traffic, or little of it captured; or `over` is too short to hold as many as it takes",
        "wait as long as the message says; else a longer `over`, a larger `capture.sample`, a lower `minSamples`",
    )
    NOT_YET_DECIDED = Reason(
        "NotYetDecided",
        "nothing was decided yet, and nothing came in the window",
        "a new endpoint or policy, before its first traffic",
        "send traffic; else look at `CollectorReady`",
    )
    NO_TRAFFIC = Reason(
        "NoTraffic",
        "nothing came in the window; what was decided stands for 24 hours first",
        "the endpoint is idle, or clients go past it",
        "nothing, when idle; else look at `CollectorReady`",
    )
    POLICY_PAUSED = Reason(
        "PolicyPaused",
        "the policy is paused, and there was no verdict before",
        "`spec.paused` of the policy",
        "`spec.paused: false`",
    )
    BYPASSED = Reason(
        "Bypassed",
        "the check would be decided, but less than 90 % of the traffic is seen",
        "clients use another Service than ours",
        "look at `CollectorReady`",
    )
    MISSING = Reason(
        "Missing",
        "no pod has measured this metric",
        "engines differ in what they export; `TimeToFirstToken` needs streams, `TimePerOutputToken` also `usage`",
        "a collector measures all of them: `collector.mode: Sidecar` or `Gateway`",
    )
    HUB_UNAVAILABLE = Reason(
        "HubUnavailable",
        "there is no hub, or it does not answer",
        "the hub's volume or pod; or it is turned off in the chart",
        "`modelward doctor`; `kubectl get pods -n modelward-system`",
    )
    NO_CAPTURE = Reason(
        "NoCapture",
        "the check needs text and none is captured",
        "`capture.content` is `None` or `MetadataOnly`, or there is no collector",
        "`capture.content: Redacted`, and a collector (not `ScrapeOnly`)",
    )
    CAPTURE_FORBIDDEN = Reason(
        "CaptureForbidden",
        "another policy, named in the message, lowered the content",
        "of several policies the least revealing content wins",
        "agree on one content",
    )
    EVALUATOR_FAILING = Reason(
        "EvaluatorFailing",
        "more than 10 % of the samples could not be judged",
        "the evaluator cannot read these exchanges, or fails",
        "`kubectl logs -n NS job/RUN`; RUN from `kubectl get llmrun -n NS`",
    )
    BUDGET_EXHAUSTED = Reason(
        "BudgetExhausted",
        "n of m samples were judged, too few for a verdict, before the policy's budget for judges was spent",
        "much traffic, a long rubric or a small `budget`; or one run may spend only `perRun` of it",
        "a larger `budget`, or a smaller `capture.sample`; a new day of the budget begins at 0:00 UTC",
    )
    PRICE_UNKNOWN = Reason(
        "PriceUnknown",
        "the policy limits what judges may cost, and the judge's model has no price in that currency",
        "no `prices` beside the model, or another currency than that of `budget.judgeCostPerDay`",
        "write `usage.prices` into the LLMEndpoint that judges, or leave `judgeCostPerDay` out",
    )
    NOT_CALIBRATED = Reason(
        "NotCalibrated",
        "the evaluator cannot tell good from bad, or it is not known how well it can",
        "TPR - FPR may be under 20 %; its rates come without the number of labelled rows behind them; or its"
        " calibration has too few labels, too low a kappa, is too old or of another version, as the message says",
        "use another check; or label exchanges of this endpoint and set `calibration` with `positives` and `negatives`,"
        " or `spec.calibration` of the Evaluator",
    )
    JUDGE_MANIPULABLE = Reason(
        "JudgeManipulable",
        "text under judgement can turn the judge: of faults that it flags, more than 5 % may pass with a payload added",
        "a model that follows instructions in what it reads; the message has the numbers",
        "another model or readout for the judge; a narrower rubric",
    )
    CALIBRATION_STALE = Reason(
        "CalibrationStale",
        "labels of this endpoint's own traffic and the calibration contradict each other",
        "the traffic, or the model that judges, is no longer what it was when it was calibrated",
        "label more of this endpoint's traffic and calibrate again",
    )
    WORSE_THAN_BASELINE = Reason(
        "WorseThanBaseline",
        "surely worse than in the day before, by more than `notWorseThan.baseline` allows",
        "the message has value, difference, interval and both sample counts",
        "`modelward explain NS/NAME` lists flagged exchanges; `status.changes` what changed before",
    )
    WORSE_THAN_REVISION = Reason(
        "WorseThanRevision",
        "surely worse than the revision before, by more than `notWorseThan.by` allows",
        "the message has value, difference, interval and both sample counts",
        "`modelward explain NS/NAME` lists flagged exchanges; go back to the revision before",
    )
    THRESHOLD_BELOW_EVALUATOR_NOISE = Reason(
        "ThresholdBelowEvaluatorNoise",
        "the limit is less than the evaluator may be off, so a faultless endpoint could not pass; the message has both",
        "a strict limit; few labelled rows behind its error rates, or rates that differ from domain to domain",
        "a limit of at least what the message names; or set `calibration` from labelled exchanges of this endpoint",
    )
    UNKNOWN_EVALUATOR = Reason(
        "UnknownEvaluator",
        "there is no built-in of that name; the message lists them",
        "a misspelt name, or one of a newer release",
        "fix `check.builtin`",
    )
    EVALUATOR_NOT_FOUND = Reason(
        "EvaluatorNotFound",
        "there is no Evaluator of that name in this namespace",
        "a misspelt name, or it comes later",
        "`kubectl get llmeval -n NS`",
    )
    INVALID_CONFIG = Reason(
        "InvalidConfig",
        "the check's `config` is wrong; the message names the field",
        "a missing or misspelt field",
        "see [evaluators](evaluators.md)",
    )
    EGRESS_NOT_ALLOWED = Reason(
        "EgressNotAllowed",
        "the evaluator would send text to a host outside the cluster that the installation does not allow",
        "the Helm value `egress.allowedHosts` does not have the host that the message names; it is empty by default",
        "`helm upgrade … --set 'egress.allowedHosts={HOST}'`; or a Service in the cluster, written `NAME.NS.svc`",
    )
    JUDGE_UNAVAILABLE = Reason(
        "JudgeUnavailable",
        "the judge cannot be asked; the message has the status that it answered with, or what is missing",
        "its LLMEndpoint is gone or has no address, its server is down, its credential is wrong",
        "`kubectl get llmep -n NS`; check `judge.model`, and the Secret that it names",
    )
    JUDGES_ITSELF = Reason(
        "JudgesItself",
        "the endpoint would judge its own answers, which a model finds better than they are",
        "the policy selects the LLMEndpoint that the judge asks",
        "an `endpointSelector` that leaves the judge's endpoint out",
    )
    VALUE_OUT_OF_RANGE = Reason(
        "ValueOutOfRange",
        "the check needs more than is kept, so nothing is decided; the message names the limit",
        "an earlier version stored the policy; today the API server refuses such a value",
        "write the value that the message names",
    )
    KEPT_TOO_SHORT = Reason(
        "KeptTooShort",
        "exchanges are gone before the next batch scores them",
        "`every` is above `capture.keepFor`; of several policies the shortest `keepFor` is in force",
        "a shorter `every`, or a longer `keepFor`",
    )
    INVALID_THRESHOLD = Reason(
        "InvalidThreshold",
        "the limit is on the wrong side for this check",
        "a share of faults is bad above its limit, a score below it",
        "write `failAbove` or `failBelow` as the message says",
    )
