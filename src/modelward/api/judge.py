"""The block `judge` of an Evaluator: a rubric that an LLM judges exchanges by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import Model, rules
from modelward.api.form import LABEL, QUERY_VALUE, SECRET_KEY
from modelward.api.quantity import Name, SecretName, TextUrl
from modelward.api.usage import OwnPrices

JudgeMode = Literal["Single", "Reference", "Pairwise"]
JudgePart = Literal["Question", "Answer", "System", "Conversation", "Context"]
Readout = Literal["CompletionLabel", "ChatLabel", "JSONSchema", "Word"]
ReadoutChoice = Literal["Auto", "CompletionLabel", "ChatLabel", "JSONSchema", "Word"]

Label = Annotated[str, Field(pattern=LABEL.pattern, max_length=32)]
"""A word of a judge's answer: it comes into status and results, and so is never text of an exchange."""
Text = Annotated[str, Field(min_length=1, max_length=4096)]


class SecretKeyRef(Model):
    """A key of a Secret of this namespace; only the Job mounts it."""

    name: SecretName
    """Name of the Secret; it begins with `modelward-`."""
    key: Annotated[str, Field(pattern=SECRET_KEY.pattern, min_length=1, max_length=253)] = "api-key"
    """The key that holds the credential."""


class JudgeCredentials(Model):
    """How the judge knows who asks."""

    secret_ref: SecretKeyRef
    header: Literal["Authorization", "api-key"] = "Authorization"
    """Authorization sends it as a bearer token; api-key sends it bare, as Azure wants it."""


class ExternalJudge(Model):
    """A model behind any API in the form of OpenAI's."""

    url: TextUrl
    """Base URL of the API, to which /chat/completions is added, such as https://api.example.com/v1."""
    model: Annotated[str, Field(min_length=1, max_length=256)]
    """Name of the model, as the API knows it."""
    api_version: Annotated[str | None, Field(pattern=QUERY_VALUE.pattern, max_length=32)] = None
    """Sent as the query `api-version`, which Azure wants, such as 2024-10-21."""
    credentials: JudgeCredentials | None = None
    prices: OwnPrices | None = None
    """What it costs, which a budget of cost needs to know."""


class JudgeEndpointRef(Model):
    """An LLMEndpoint of this namespace."""

    kind: Literal["LLMEndpoint"] = "LLMEndpoint"
    """Kind of the object."""
    name: Name
    """Name of the LLMEndpoint; it is asked at the address in its status."""
    model: Annotated[str | None, Field(min_length=1, max_length=256)] = None
    """Name of the model, where its server has several."""


class JudgeModel(Model):
    """Who judges."""

    model_config = rules(
        ("has(self.endpointRef) != has(self.external)", "set exactly one of endpointRef and external"),
    )

    endpoint_ref: JudgeEndpointRef | None = None
    external: ExternalJudge | None = None


class JudgeLabels(Model):
    """The words that a judge may answer with."""

    fault: Annotated[tuple[Label, ...], Field(min_length=1, max_length=8)]
    """Those of an exchange at fault."""
    ok: Annotated[tuple[Label, ...], Field(min_length=1, max_length=8)]
    """Those of a good one."""
    abstain: Annotated[tuple[Label, ...], Field(max_length=4)] = ()
    """Those of one that the judge cannot decide: it counts as neither, and as not applicable."""


class JudgeExample(Model):
    """An exchange with the label that it should get, shown to the judge before each record."""

    question: Annotated[str, Field(max_length=4096)] = ""
    """What the user said."""
    answer: Text
    """What was answered."""
    label: Label
    """One of `labels`."""


class JudgeReference(Model):
    """A good answer to a question, which answers to the same question are compared with."""

    question: Text
    """The question; case, spaces and punctuation make no difference."""
    answer: Text
    """A good answer to it."""


class JudgeBlock(Model):
    """A rubric, who judges by it, and how its answer is read."""

    model_config = rules(
        (
            "has(self.labels) != (self.mode == 'Pairwise')",
            "Single and Reference need labels; Pairwise has its own: worse, better, tie",
        ),
        (
            "(has(self.references) && size(self.references) > 0) != (self.mode == 'Single')",
            "Reference and Pairwise need references, good answers to compare with; Single has none",
        ),
        (
            "self.mode != 'Pairwise' || !has(self.examples) || size(self.examples) == 0",
            "examples have labels, and Pairwise has none of yours; leave them out",
        ),
    )

    model: JudgeModel
    mode: JudgeMode = "Single"
    """Single judges an answer by itself, Reference against a good one, Pairwise the better, in both orders."""
    rubric: Annotated[str, Field(min_length=1, max_length=8192)]
    """What makes an exchange good or bad, in plain words: narrow, with one thing to decide."""
    labels: JudgeLabels | None = None
    examples: Annotated[tuple[JudgeExample, ...], Field(max_length=8)] = ()
    """At most eight labelled exchanges that show what the rubric means."""
    references: Annotated[tuple[JudgeReference, ...], Field(max_length=64)] = ()
    """Good answers, for Reference and Pairwise; an exchange with another question is not applicable."""
    sees: Annotated[tuple[JudgePart, ...], Field(min_length=1, max_length=5)] = ("Question", "Answer")
    """Parts of an exchange that the judge is shown."""
    readout: ReadoutChoice = "Auto"
    """How it is read: by the probability of labels' words (CompletionLabel, ChatLabel), as JSON, or as a word."""
    max_tokens: Annotated[int, Field(ge=16, le=4096)] = 256
    """Most tokens of one answer that is read as JSON or as a word; models that think aloud need more."""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    """Most requests to the judge at once."""
    deadline_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    """Longest time for one exchange, tries and pauses included; a model that has to wake needs more."""
    max_samples: Annotated[int, Field(ge=1, le=2000)] = 200
    """Most exchanges that one batch judges."""
