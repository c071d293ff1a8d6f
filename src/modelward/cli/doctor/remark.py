"""What `modelward doctor` has to say: a remark with its weight and the next command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

RemarkSeverity = Literal["Error", "Warning", "Notice", "NotRead", "Good"]
"""Error: something does not work. Warning: something will not, or is out of step. Notice: worth knowing, as it should
be. NotRead: we may not read it. Good: checked and in order."""

FINDINGS: frozenset[RemarkSeverity] = frozenset({"Error", "Warning"})


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was checked; `next` is the command to run, empty where there is nothing to do."""

    severity: RemarkSeverity
    subject: str
    what: str
    next: str = ""


def exit_code(remarks: Iterable[Remark]) -> int:
    """Return 1 if there is something to act on."""
    return int(any(remark.severity in FINDINGS for remark in remarks))
