"""Asking a judge about one record: tries and pauses, what it refuses, and a second chance for what is no label."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from modelward.desired.pod_additions import SecretKey
from modelward.evaluate.judge import request
from modelward.evaluate.judge.prompt import Task, nonce_of, prompt
from modelward.evaluate.judge.reading import FOREIGN_LABEL, NO_PROBABILITIES, NOT_JSON, LabelReading, NoLabel, read
from modelward.evaluate.judge.reply import decoded
from modelward.evaluate.judge.request import REFUSALS, AskForm
from modelward.evaluate.judge.session import JudgeSession
from modelward.evaluate.judge.settings import JudgeSettings
from modelward.evaluate.port import (
    BudgetExhaustedError,
    PortError,
    PriceUnknownError,
    ScoringPort,
    ScoringReply,
    ScoringRequest,
)

PAUSES_S = (1.0, 4.0)
"""Between the three tries of a request that found the judge busy or broken."""
MAX_PAUSE_S = 30.0
"""Of what a judge asks for by Retry-After."""
NOT_ASKED: Mapping[type[PortError], str] = {one: one.__name__ for one in (BudgetExhaustedError, PriceUnknownError)}
"""What a budget refuses, by the labels by which that is told from a failure."""
BUSY = frozenset({408, 425, 429, *range(500, 600)} - {501})
_MAX_FORMS = 16
"""More than there are: each refusal leaves out one thing."""

Outcome: TypeAlias = LabelReading | NoLabel


@dataclass(frozen=True, slots=True)
class Asker:
    """One judge, and the way to it."""

    settings: JudgeSettings
    session: JudgeSession
    port: ScoringPort

    async def within_time(self, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Do the work for one record within its time; whatever the way to the judge does is a cause."""
        if self.session.closed:
            return NoLabel(self.session.closed)
        try:
            found = await self.port.within(self.settings.deadline_seconds, work)
        except PortError as error:
            found = NoLabel(NOT_ASKED.get(type(error), error.cause))
        self.session.judged(found.cause if isinstance(found, NoLabel) else "")
        return found

    async def reading(self, task: Task, record_id: str) -> Outcome:
        """Return what the judge says of one record, or why it cannot be read."""
        form, again = self.session.form, False
        for _ in range(_MAX_FORMS):
            reply = await self._answered(self._request(task, record_id, form, again=again))
            if reply.status in REFUSALS and (lower := self._lower(form, reply)):
                form = lower
                continue
            found = self._read(reply, form, task)
            if isinstance(found, NoLabel) and (below := self._below(form, found.cause)):
                form = below
                continue
            if reply.status == 200:
                self.session.settle(form)
            if isinstance(found, LabelReading) or again or reply.status != 200:
                return found
            again = True
        return NoLabel(f"HTTP {reply.status}")

    def _lower(self, form: AskForm, reply: ScoringReply) -> AskForm | None:
        """Return what is left to try; nothing once the judge takes this form, because then it refuses the record."""
        if self.session.settled and form == self.session.form:
            return None
        return form.after(reply.status, reply.body)

    def _below(self, form: AskForm, cause: str) -> AskForm | None:
        """Return the next readout for a judge that gives no probabilities, or of other words than labels."""
        settings = self.settings
        free = settings.readout == "Auto" and settings.chosen is None and form.readout == "ChatLabel"
        lower = cause == NO_PROBABILITIES or (cause == FOREIGN_LABEL and free)
        return form.below() if lower and not self.session.settled else None

    def _read(self, reply: ScoringReply, form: AskForm, task: Task) -> Outcome:
        if reply.status != 200:
            return NoLabel(f"HTTP {reply.status}")
        found = decoded(reply.body)
        if found is None:
            return NoLabel(NOT_JSON)
        self.session.took(found)
        what = read(form.readout, found, task.labels)
        return replace(what, by=f"{form.readout} {found.model}".strip()) if isinstance(what, LabelReading) else what

    def _request(self, task: Task, record_id: str, form: AskForm, *, again: bool) -> ScoringRequest:
        settings = self.settings
        nonce = nonce_of(self.session.version, record_id)
        asked = prompt(settings, task, nonce, form.readout, again=again)
        credentials = settings.external.credentials if settings.external else None
        return ScoringRequest(
            request.path(settings, form.readout),
            request.body(settings, asked, form, task.labels),
            {"Content-Type": "application/json"},
            SecretKey(credentials.secret_ref.name, credentials.secret_ref.key) if credentials else None,
            credential_header=credentials.header if credentials else "Authorization",
            timeout_s=settings.deadline_seconds,
            insistent=True,
        )

    async def _answered(self, asked: ScoringRequest) -> ScoringReply:
        """Ask at most three times while the judge is busy or not to be reached; what comes last is the answer."""
        for pause_s in PAUSES_S:
            try:
                self.session.calls += 1
                reply = await self.port.post(asked)
            except PortError as error:
                if error.cause != "unreachable" or type(error) in NOT_ASKED:
                    raise
                await self.port.pause(pause_s)
            else:
                if reply.status not in BUSY:
                    return reply
                await self.port.pause(min(MAX_PAUSE_S, max(pause_s, reply.retry_after_s)))
        self.session.calls += 1
        return await self.port.post(asked)
