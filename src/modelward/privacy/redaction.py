"""Masking personal data and secrets in a text before it leaves the pod."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from modelward.api.exchange import Redaction
from modelward.privacy import credentials, personal
from modelward.privacy.reading import reading_of
from modelward.privacy.span import Detector, Span

DETECTORS: tuple[Detector, ...] = (
    credentials.private_keys,
    credentials.url_credentials,
    credentials.bearer_tokens,
    credentials.api_keys,
    credentials.passwords,
    personal.emails,
    personal.cards,
    personal.ibans,
    personal.social_security_numbers,
    personal.ip_addresses,
    personal.phones,
)
"""In order of precedence: where two find the same characters, the first one names them."""

PERSONAL_KINDS = frozenset(
    (personal.EMAIL, personal.CARD, personal.IBAN, personal.US_SSN, personal.IP_ADDRESS, personal.PHONE)
)
SECRET_KINDS = frozenset(
    (
        credentials.API_KEY,
        credentials.BEARER_TOKEN,
        credentials.PRIVATE_KEY,
        credentials.PASSWORD,
        credentials.URL_CREDENTIALS,
    )
)
_MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One value that was masked; `value` compares equal however it was written, and never leaves memory."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with masks such as `[EMAIL]`, and what they stand for."""

    text: str
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values of each kind were masked."""
        return Counter(finding.kind for finding in self.findings)


def redact(text: str) -> Redacted:
    """Mask every value that a detector finds.

    Redacting the result again changes nothing. Overlapping values are masked as one, so that no rest of one survives.
    """
    findings: list[Finding] = []
    for _ in range(_MAX_ROUNDS):  # a mask may lay bare a value whose boundary was part of another
        reading = reading_of(text)
        spans = found_in(reading.text)
        if not spans:
            break
        findings += [Finding(span.kind, _comparable(reading.text[span.start : span.end])) for span in spans]
        text = _masked(text, reading.written_spans(spans))
    return Redacted(text, tuple(findings))


def found_in(text: str) -> list[Span]:
    """Return what every detector finds in a text as it is read: in order, what overlaps as one."""
    return _merged([span for detector in DETECTORS for span in detector(text)])


def redactions_of(prompt: Iterable[Finding], response: Iterable[Finding]) -> tuple[Redaction, ...]:
    """Count findings by kind and subject; an answer's value that the prompt already held counts as echoed."""
    asked = list(prompt)
    known = {finding.value for finding in asked}
    counted: Counter[tuple[str, Literal["prompt", "response"], bool]] = Counter()
    counted.update((finding.kind, "prompt", False) for finding in asked)
    counted.update((finding.kind, "response", finding.value in known) for finding in response)
    return tuple(Redaction(kind, count, subject, echoed) for (kind, subject, echoed), count in sorted(counted.items()))


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: s.start):  # stable: on equal starts the detectors' order decides
        last = merged[-1] if merged else None
        if last is not None and span.start < last.end:
            merged[-1] = Span(last.kind, last.start, max(last.end, span.end))
        else:
            merged.append(span)
    return merged


def _masked(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    position = 0
    for span in spans:
        parts += (text[position : span.start], f"[{span.kind}]")
        position = span.end
    parts.append(text[position:])
    return "".join(parts)


def _comparable(value: str) -> str:
    return "".join(character for character in value.casefold() if character.isalnum() or character in "@.")
