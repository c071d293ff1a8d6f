"""Captured exchanges as people read them: what was said, what was masked, and what each check made of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import Fitted
from modelward.api.exchange import Content, Outcome

EXCHANGE_PAGE = 20
Stopped = Literal["End", "PageFull", "Budget"]
"""End: there is nothing more; PageFull, Budget (2 s or 64 MB were read): go on with the cursor."""


class ShownTurn(Fitted):
    """One message that was sent to the model; masks stand in the text."""

    role: str
    text: str


class ShownMask(Fitted):
    """How often one kind of personal data or secret was masked."""

    kind: str
    count: int
    subject: Literal["prompt", "response"]
    echoed: bool = False


class ScoreView(Fitted):
    """What one check made of an exchange."""

    policy: str
    evaluation: str
    state: str
    flagged: bool | None = None
    value_ppm: int | None = None
    number_millionths: int | None = None
    label: str = ""
    reason: str = ""
    by: str = ""


class LabelView(Fitted):
    """What one person said of an exchange."""

    name: str
    fault: bool | None = None
    text: str = ""
    author: str = ""
    time_ms: int = 0
    own: bool = False
    """Whether it is the reader's own, which is shown as chosen."""


class ExchangeView(Fitted):
    """One exchange; without turns and answer where only metadata is kept of it."""

    id: str
    time_ms: int
    model: str
    revision: str = ""
    operation: str = ""
    status: int
    outcome: Outcome
    content: Content
    turns: tuple[ShownTurn, ...] = ()
    response: str = ""
    finish_reason: str = ""
    truncated: bool = False
    duration_us: int = 0
    first_token_us: int | None = None
    per_output_token_us: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    caller: str = ""
    prompt_template: str = ""
    conversation: str = ""
    masks: tuple[ShownMask, ...] = ()
    scores: tuple[ScoreView, ...] = ()
    labels: tuple[LabelView, ...] = ()


class ExchangePage(Fitted):
    """Exchanges that a filter leaves, newest first. That they were shown is on record."""

    rows: tuple[ExchangeView, ...]
    cursor: str = ""
    """What to go on with; empty at the end."""
    stopped: Stopped = "End"
    scanned: int = 0
    """Exchanges that were read to find these."""
    reached_ms: int | None = None
    """How far back they were read."""
    evaluations: tuple[str, ...] = ()
    """`policy/evaluation` of the checks by which `flagged` can filter."""
    may_label: bool = False
    recorded: bool = True
    """Whether the audit took the record of this reading."""


class PersonLabel(Fitted):
    """A person's word on one exchange, for `POST /v1/feedback`; the newest of a person and name counts."""

    namespace: Annotated[str, Field(max_length=63)]
    endpoint: Annotated[str, Field(max_length=253)]
    response_id: Annotated[str, Field(max_length=128)]
    kind: Literal["Label"] = "Label"
    name: Annotated[str, Field(max_length=127)]
    """`policy/evaluation` whose finding is judged."""
    fault: bool | None = None
    """Whether the exchange is at fault, whatever the check says; None: the person cannot say, or takes it back."""
    text: Annotated[str, Field(max_length=500)] = ""
    """Why; redacted before it is stored."""
    source: Literal["Reviewer"] = "Reviewer"
