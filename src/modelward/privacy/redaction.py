"""Masking personal data and secrets in a text before it leaves the pod."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from modelward.api.exchange import Redaction
from modelward.privacy.detectors import DETECTORS
from modelward.privacy.labels import labels_of
from modelward.privacy.reading import reading_of
from modelward.privacy.span import Span

_MAX_ROUNDS = 8


class MaskedValue(NamedTuple):
    """One value that was masked; `value` compares equal however it was written, and never leaves memory."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with masks such as `[EMAIL]`, and what they stand for."""

    text: str
    findings: tuple[MaskedValue, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values of each kind were masked."""
        return Counter(finding.kind for finding in self.findings)


def redact(text: str) -> Redacted:
    """Mask every value that a detector finds.

    Redacting the result again changes nothing. Overlapping values are masked as one, so that no rest of one survives.
    """
    findings: list[MaskedValue] = []
    for _ in range(_MAX_ROUNDS):  # a mask may lay bare a value whose boundary was part of another
        reading = reading_of(text)
        spans = found_in(reading.text)
        findings += _findings(reading.text, spans)
        text = _masked(text, reading.written_spans(spans)) if spans else text
        if not _lays_bare(reading.text, spans):
            break
    return Redacted(text, tuple(findings))


def found_in(text: str) -> list[Span]:
    """Return what every detector finds in a text as it is read: in order, what overlaps as one."""
    return _merged([span for detector in DETECTORS for span in detector.find(text)])


def redactions_of(prompt: Iterable[MaskedValue], response: Iterable[MaskedValue]) -> tuple[Redaction, ...]:
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


def _findings(text: str, spans: list[Span]) -> Iterator[MaskedValue]:
    """Return what was found in a form that compares equal however it was written: all at once, as there may be many."""
    values = "\n".join([text[span.start : span.end].replace("\n", " ") for span in spans])
    comparable = _NO_SIGNIFICANCE.sub("", values.casefold()).split("\n")
    return (MaskedValue(span.kind, value) for span, value in zip(spans, comparable, strict=False))


def _lays_bare(text: str, spans: list[Span]) -> bool:
    """Say whether a value may be found beside one of these once that is a mask.

    That may be where they touch, where digits go on, and where a word is masked that said what a number is.
    """
    last, labels = 0, labels_of(text) if spans else None
    following = [*(span.start for span in spans[1:]), len(text)]
    for (_kind, start, end), next_start in zip(spans, following, strict=False):
        before, after = text[max(last, start - 4) : start], text[end : min(end + 4, next_start)]
        if not before.isspace() and (_ends_joined(text[last:start]) or _DIGIT_BEFORE.search(before)):
            return True
        if not after.isspace() and (_JOINED_AFTER.match(text, end, next_start) or _DIGIT_AFTER.match(after)):
            return True
        if labels is not None and labels.stand_in(start, end):
            return True
        last = end
    return False


def _ends_joined(gap: str) -> bool:
    """Say whether a word stands before the mask, or before signs in any number that a value may begin with."""
    rest = gap.rstrip(_JOINERS)
    return bool(rest) and (rest[-1].isalnum() or rest[-1] == "_")


_NO_SIGNIFICANCE = re.compile(r"[^\w@.\n]|_")
_JOINERS = "-./:@+#=~%'"
_JOINED_AFTER = re.compile(rf"[{_JOINERS}]*+\w")
_DIGIT_BEFORE, _DIGIT_AFTER = re.compile(r"[0-9][^\w]{1,3}$"), re.compile(r"[^\w]{1,3}[0-9]")
