"""From a captured exchange to the record that may leave the pod: parsed, redacted, and no more than is allowed."""

from __future__ import annotations

import hashlib
import secrets

from modelward.api.exchange import Content, Exchange, Message, Redaction
from modelward.collector.handover import Parcel
from modelward.collector.transcript import Answer, Question, answer_in, decoded, question_in
from modelward.privacy.redaction import redact, redactions_of
from modelward.privacy.short_fields import known_reason, known_role, plain_model_name

_KEY_OF_THIS_PROCESS = secrets.token_bytes(32)
"""Used until the operator gives a key: conversations then group within one process's life only."""


class Recorder:
    """Makes exchange records of one endpoint. `unread` counts bodies that could not be parsed."""

    def __init__(self, endpoint: str, revision: str) -> None:
        self._endpoint, self._revision = endpoint, revision
        self.unread = 0

    def record(self, parcel: Parcel, content: Content, conversation_key: str) -> Exchange:
        """Return the exchange with as much content as is allowed."""
        question, asked_cut = self._question(parcel)
        answer, answer_cut = self._answer(parcel)
        messages, response, redactions = _allowed(question, answer, content)
        return Exchange(
            id=answer.id or f"mw-{secrets.token_hex(12)}",
            time_ms=parcel.time_ms,
            endpoint=self._endpoint,
            model=plain_model_name(parcel.model or question.model),
            revision=self._revision,
            operation=parcel.operation,
            status=parcel.status,
            outcome=parcel.outcome,
            content=content,
            messages=messages,
            response=response,
            finish_reason=known_reason(answer.finish_reason),
            usage=parcel.usage,
            timings=parcel.timings,
            conversation=_conversation(parcel.conversation or question.conversation, question, conversation_key),
            redactions=redactions,
            inclusion=parcel.inclusion,
            truncated=parcel.truncated or asked_cut or answer_cut,
        )

    def _question(self, parcel: Parcel) -> tuple[Question, bool]:
        try:
            return question_in(decoded(parcel.request, parcel.request_encoding)), False
        except (ValueError, TypeError, AttributeError, RecursionError):
            self.unread += 1
            return Question(), bool(parcel.request)

    def _answer(self, parcel: Parcel) -> tuple[Answer, bool]:
        try:
            return answer_in(decoded(parcel.response, parcel.response_encoding), parcel.content_type), False
        except (ValueError, TypeError, AttributeError, RecursionError):
            self.unread += 1
            return Answer(), bool(parcel.response)


def _allowed(
    question: Question, answer: Answer, content: Content
) -> tuple[tuple[Message, ...], str, tuple[Redaction, ...]]:
    if content not in ("Redacted", "Full"):
        return (), "", ()
    messages = tuple(Message(known_role(message.role), message.text) for message in question.messages)
    asked = [redact(message.text) for message in messages]
    said = redact(answer.text)
    redactions = redactions_of((finding for text in asked for finding in text.findings), said.findings)
    if content == "Full":
        return messages, answer.text, redactions
    masked = tuple(Message(message.role, text.text) for message, text in zip(messages, asked, strict=True))
    return masked, said.text, redactions


def _conversation(named: str, question: Question, key: str) -> str:
    """Return a keyed hash of the named conversation, else of how it began, which later turns repeat."""
    if not named:
        first_user = next((i for i, m in enumerate(question.messages) if m.role == "user"), None)
        if first_user is None:
            return ""
        named = "\0".join(message.text for message in question.messages[: first_user + 1])
    secret = key.encode()[:64] or _KEY_OF_THIS_PROCESS
    return hashlib.blake2b(named.encode("utf-8", "replace"), digest_size=16, key=secret).hexdigest()
