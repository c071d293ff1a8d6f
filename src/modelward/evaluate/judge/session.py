"""What a run has learned of a judge: what it refuses, who answers, whether it answers at all, what it has cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelward.api.evaluation import AskedModel
from modelward.evaluate.judge.reply import Reply
from modelward.evaluate.judge.request import AskForm
from modelward.evaluate.judge.settings import JudgeSettings

MISSED_IN_A_ROW = 8
"""So many exchanges in a row that found no judge, and the rest of the run does not ask."""
MISSED_AT_FIRST = 3
"""The same, before the judge has answered at all."""
TERMINAL = frozenset({"HTTP 401", "HTTP 403", "no-secret", "not-declared", "out-of-time"})
"""Causes that no further request can mend."""
OF_THE_WAY = frozenset(
    {"unreachable", "timeout", "HTTP 404", "HTTP 429", "HTTP 500", "HTTP 502", "HTTP 503", "HTTP 504"}
)
"""Causes that say that the judge cannot be reached, and nothing about an exchange."""


@dataclass(slots=True)
class JudgeSession:
    """One judge in one run; `form` is how it is asked, as far as that is known."""

    form: AskForm
    settled: bool = False
    """Whether a request of this form was answered: from then on what is refused is refused of the exchange alone."""
    closed: str = ""
    """Why the judge is not asked any more."""
    answered: set[str] = field(default_factory=set)
    """The models that replies named."""
    version: str = ""
    """Of the settings, as it is before anything was asked."""
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unreported: int = 0
    """Replies without `usage`."""
    _missed: int = 0

    @classmethod
    def of(cls, settings: JudgeSettings) -> JudgeSession:
        """Return the session of a judge that was not asked yet."""
        return cls(AskForm(settings.readouts), version=settings.version())

    def took(self, reply: Reply) -> None:
        """Count what a reply cost, and who answered."""
        if reply.model:
            self.answered.add(reply.model)
        spent = reply.spent
        self.unreported += spent.input_tokens is None or spent.output_tokens is None
        self.input_tokens += spent.input_tokens or 0
        self.output_tokens += spent.output_tokens or 0

    def settle(self, form: AskForm) -> None:
        """Take in that a request of this form was answered."""
        if not self.settled:
            self.form, self.settled = form, True

    def judged(self, cause: str) -> None:
        """Take in how one exchange ended: with a cause, or empty where it has a label."""
        if cause in TERMINAL:
            self.closed = cause
        self._missed = self._missed + 1 if cause in OF_THE_WAY else 0
        if self._missed >= (MISSED_IN_A_ROW if self.settled else MISSED_AT_FIRST):
            self.closed = cause

    def told(self, settings: JudgeSettings) -> AskedModel:
        """Return what results say of it."""
        left = [*settings.readouts[: len(settings.readouts) - len(self.form.readouts)], *sorted(self.form.left_out)]
        return AskedModel(
            model=", ".join(sorted(self.answered))[:256],
            readout=self.form.readout,
            left_out=tuple(left),
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            unreported=self.unreported,
        )
