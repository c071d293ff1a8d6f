"""The words that a judge may answer with, found in whatever it wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LabelClass = Literal["Fault", "OK", "Abstain"]
_AROUND = " \t\r\n\"'`*_#.,:;!()[]{}<>-\u2581\u0120\u010a"
"""What models put around a label: quotes, Markdown, and the marks by which tokenizers show spaces."""
_PREFIX = re.compile(r"^(the )?(label|answer|verdict)( is)?\s*[:=-]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels by what they mean; no two are alike but for case."""

    fault: tuple[str, ...]
    ok: tuple[str, ...]
    abstain: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All of them, in the order in which a judge is told them: sorted, so that no meaning comes first."""
        return tuple(sorted((*self.fault, *self.ok, *self.abstain)))

    def class_of(self, label: str) -> LabelClass:
        """Return what a label of the set means."""
        return "Fault" if label in self.fault else "OK" if label in self.ok else "Abstain"

    def exactly(self, text: str) -> str | None:
        """Return the label that the text is, but for case; None where it is another word."""
        return next((label for label in self.every if label.casefold() == text.strip().casefold()), None)

    def leading(self, text: str) -> str | None:
        """Return the label that the first line begins with, None where that is another word or only part of one."""
        line = next((line for line in text.splitlines() if line.strip(_AROUND)), "")
        line = _PREFIX.sub("", line.strip(_AROUND)).strip(_AROUND).casefold()
        found = [label for label in self.every if _begins(line, label.casefold())]
        return max(found, key=len, default=None)

    def begun_by(self, token: str) -> frozenset[str]:
        """Return the labels that a token begins, or is; none for a token of marks alone."""
        word = token.strip(_AROUND).casefold()
        return frozenset(label for label in self.every if word and label.casefold().startswith(word))

    def class_begun_by(self, token: str) -> LabelClass | None:
        """Return what all labels mean that a token begins; None where it begins none, or some of several meanings."""
        meanings = {self.class_of(label) for label in self.begun_by(token)}
        return next(iter(meanings)) if len(meanings) == 1 else None

    def alike(self) -> Iterator[str]:
        """Yield the labels that are there twice, but for case."""
        seen: set[str] = set()
        for label in (*self.fault, *self.ok, *self.abstain):
            if label.casefold() in seen:
                yield label
            seen.add(label.casefold())


def _begins(line: str, label: str) -> bool:
    rest = line[len(label) :]
    return line.startswith(label) and not (rest[:1].isalnum() or (rest[:1] in ("-", "_") and rest[1:2].isalnum()))
