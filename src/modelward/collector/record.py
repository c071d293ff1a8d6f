"""From a captured exchange to the record that may leave the pod: parsed, redacted, and no more than is allowed."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

from modelward.api.exchange import Content, Exchange, Message, Redaction
from modelward.collector.handover import CapturedExchange
from modelward.collector.transcript import Answer, Question, answer_in, decoded, question_in
from modelward.privacy.identifiers import exchange_id, hashed, id_core, passing_id
from modelward.privacy.redaction import redact, redactions_of
from modelward.privacy.short_fields import known_reason, known_role, plain_caller_name, plain_model_name


class ExchangeRecorder:
    """Makes exchange records of one endpoint."""

    def __init__(self, endpoint: str, revision: str) -> None:
        self._endpoint, self._revision = endpoint, revision

    def record(self, parcel: CapturedExchange, content: Content, key: bytes | None) -> Exchange:
        """Return the exchange with as much content as is allowed.

        `key` hashes ids and conversations. Without it an id that no engine made is replaced by a random one, and no
        conversation is named: never by anything that could be guessed.
        """
        question, asked_cut = self._question(parcel)
        answer, answer_cut = self._answer(parcel)
        messages, response, redactions = _allowed(question, answer, content)
        return Exchange(
            id=_id(answer.id, parcel, key),
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
            caller=plain_caller_name(parcel.caller) if parcel.caller else "",
            conversation=_conversation(parcel.conversation or question.conversation, question, key),
            redactions=redactions,
            inclusion=parcel.inclusion,
            truncated=parcel.truncated or asked_cut or answer_cut,
        )

    def _question(self, parcel: CapturedExchange) -> tuple[Question, bool]:
        try:
            return question_in(decoded(parcel.request, parcel.request_encoding)), False
        except (ValueError, TypeError, AttributeError, RecursionError):
            return Question(), bool(parcel.request)

    def _answer(self, parcel: CapturedExchange) -> tuple[Answer, bool]:
        try:
            return answer_in(decoded(parcel.response, parcel.response_encoding), parcel.content_type), False
        except (ValueError, TypeError, AttributeError, RecursionError):
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


def _id(name: str, parcel: CapturedExchange, key: bytes | None) -> str:
    if name and passing_id(name, _sent(name, parcel)):
        return name
    return f"mw-{secrets.token_hex(12)}" if key is None or not name else exchange_id(name, key, (name,))


def _sent(name: str, parcel: CapturedExchange) -> Iterator[str]:
    """Yield what the client sent and the engine may have made the id of: headers, and ids in the body of a request."""
    yield from parcel.client_ids.split("\n")
    asked = parcel.request
    if parcel.request_encoding:
        with contextlib.suppress(ValueError):
            asked = decoded(parcel.request, parcel.request_encoding)
    yield from (part for part in (name, id_core(name)) if part and part.encode("utf-8", "replace") in asked)


def _conversation(named: str, question: Question, key: bytes | None) -> str:
    """Return a keyed hash of the named conversation, else of how it began, which later turns repeat."""
    if key is None:
        return ""
    if not named:
        first_user = next((i for i, m in enumerate(question.messages) if m.role == "user"), None)
        if first_user is None:
            return ""
        named = "\0".join(message.text for message in question.messages[: first_user + 1])
    return hashed(named, key, "conversation")
