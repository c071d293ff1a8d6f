"""What a status says of checks: verdicts, what they rest on, and error budgets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import Fitted, VerdictValue
from modelward.api.quantity import Name
from modelward.api.status_fields import MessageText, Number, ReasonText, Time


class CheckStatus(Fitted):
    """What objectives and evaluations have in common: a verdict, and what it rests on."""

    policy: Name
    """The policy that states the check."""
    name: Name
    """The check's name in that policy."""
    samples: int = 0
    """Requests, or scored answers, that the verdict rests on."""
    verdict: VerdictValue
    """Passed, Failed, or Unknown when too little is known to say."""
    was: Literal["Passed", "Failed"] | None = None
    """Of an Unknown check: what it was when samples last decided it."""
    reason: ReasonText = ""
    """Why, as one word."""
    message: MessageText = ""
    """Why, for people."""
    observed_at: Time = ""
    """When the number was measured, or the end of the newest window that counts; empty where there is none."""
    heard_at: Time = ""
    """When samples last came, where they came after `observedAt` and decided nothing."""
    revision: Annotated[str, Field(max_length=64)] = ""
    """The revision that the verdict speaks of, or that of what it was."""
    spec_hash: Annotated[str, Field(max_length=16)] = ""
    """Digest of the check, by which a changed limit is known."""


class MetricStatus(CheckStatus):
    """One objective's number and verdict."""

    value: Number = ""
    """The number as measured, with its unit."""


class MovedPart(Fitted):
    """A topic, a word or a range of numbers, with its share of the window and how that changed."""

    label: Annotated[str, Field(max_length=64)]
    """The words of a topic, a word, or a range; only what many conversations share."""
    share: Number = ""
    """Its share of the window."""
    low: Number = ""
    """Lower end of the 95% interval of the share."""
    high: Number = ""
    """Upper end of the 95% interval of the share."""
    change: Number = ""
    """By how much the share is above (+) or below (-) that of the reference."""
    id: Annotated[str, Field(max_length=32)] = ""
    """Of a topic: by which it is known from window to window."""


class ComparisonStatus(Fitted):
    """How the rate differs from what it is compared with, in points."""

    against: Annotated[str, Field(max_length=64)]
    """Baseline, or the name of a revision."""
    result: Literal["Better", "Worse", "Equal", "CannotTell"]
    """Equal where the difference is surely within the margin; else its direction, where that is sure."""
    difference: Number = ""
    """The rate minus the other one, such as +2.1%; empty where there is nothing to compare with."""
    low: Number = ""
    """Lower end of the 95% interval of the difference."""
    high: Number = ""
    """Upper end of the 95% interval of the difference."""
    samples: int = 0
    """Scored answers that it is compared with."""


class EvaluationStatus(CheckStatus):
    """One evaluation's rate, or another statistic of its scores, with its interval, sample count and verdict."""

    rate: Number = ""
    """Share of scored answers at fault, or the mean or percentile that the policy asks for; how far a window moved."""
    low: Number = ""
    """Lower end of the 95% interval of the rate."""
    high: Number = ""
    """Upper end of the 95% interval of the rate."""
    p_value: Number = ""
    """Of an evaluator of change: how often chance alone would show as much."""
    moved: Annotated[tuple[MovedPart, ...], Field(max_length=10)] = ()
    """Of an evaluator of change: what moved, or the topics."""
    run: Annotated[str, Field(max_length=253)] = ""
    """The EvaluationRun that scored the newest window."""
    examples: Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=3)] = ()
    """Ids of flagged exchanges."""
    change: ComparisonStatus | None = None
    """What `notWorseThan` found."""


class ErrorBudgetStatus(Fitted):
    """What is left of an objective's error budget, and how fast it goes."""

    policy: Name
    """The policy that states the objective."""
    objective: Name
    """The objective's name in that policy."""
    period: Number = ""
    """What the budget is for."""
    spent: Number = ""
    """Share of the budget that is spent."""
    remaining: Number = ""
    """Share of the budget that is left, below 0 when more was spent; empty where too little was watched."""
    low: Number = ""
    """Lower end of the 95% interval of what is left, where requests are sampled."""
    high: Number = ""
    """Upper end of that interval."""
    burn: Number = ""
    """How many times as fast as the budget allows the last hour spent it; empty without requests."""
    burning: Literal["No", "Slow", "Fast", "Unknown"] = "Unknown"
    """Whether it goes so fast that the alert BudgetBurn fires."""
    exhausted_at: Time = ""
    """When it was found to be spent, while it is."""
    seen: Number = ""
    """Share of the period that was watched."""
    message: MessageText = ""
    """Why, for people."""


class EvaluationBudgetStatus(Fitted):
    """What is left of an evaluation's error budget, estimated from the answers that were scored."""

    policy: Name
    """The policy that states the evaluation."""
    evaluation: Name
    """The evaluation's name in that policy."""
    period: Number = ""
    """What the budget is for."""
    spent: Number = ""
    """Share of the budget that is spent, by the rate corrected for the evaluator's own errors."""
    remaining: Number = ""
    """Share of the budget that is left, below 0 when more was spent; empty where too little is known."""
    low: Number = ""
    """Lower end of the 95% interval of what is left."""
    high: Number = ""
    """Upper end of that interval."""
    samples: int = 0
    """Scored answers that it rests on."""
    exhausted_at: Time = ""
    """When it was found to be surely spent, the whole interval at 0 or below, while it is."""
    seen: Number = ""
    """Share of the period since the first answer that was scored in it."""
    message: MessageText = ""
    """Why, for people."""
