"""Before against after, and one revision against another, with the interval that says how sure."""

from __future__ import annotations

from typing import Literal

from modelward.api.base import Fitted
from modelward.api.endpoint_status import Change

CauseKind = Literal["Revision", "Code", "Pod", "Caller", "Model"]
Relative = Literal["Better", "Worse", "Equal", "CannotTell"]


class BadShare(Fitted):
    """Requests of a time: how many there were and how many were bad, with the share and its 95 % interval in ppm."""

    from_ms: int
    to_ms: int
    requests: int
    bad: int
    share_ppm: int | None = None
    low_ppm: int | None = None
    high_ppm: int | None = None


class LikelyCause(Fitted):
    """A group of requests that went bad: its share before and after, and by how much it rose (ppm, 95 % interval)."""

    by: CauseKind
    value: str
    before: BadShare
    after: BadShare
    rise_ppm: int
    low_ppm: int
    high_ppm: int
    of_rise_ppm: int | None = None
    """How much of the whole rise it carries."""


class WhyView(Fitted):
    """What changed when an endpoint's health or a check flipped."""

    namespace: str
    endpoint: str
    check: str = ""
    """`policy/name` of the check that is asked about; empty: failed requests."""
    flip_ms: int | None = None
    """When it flipped; None where it never did."""
    before: BadShare | None = None
    after: BadShare | None = None
    causes: tuple[LikelyCause, ...] = ()
    """At most three, those that carry the most of the rise first."""
    verdict: Literal["Explained", "CannotTell", "NotRisen", "NoFlip"] = "CannotTell"
    """NotRisen: after the flip surely no greater share was bad than before it."""
    sentence: str = ""
    """`can't tell (n = 40)`, or what explains it."""
    changes: tuple[Change, ...] = ()
    """What was changed in the hour before."""
    source: Literal["History", "Exchanges", "None"] = "None"


class CompareRow(Fitted):
    """One measure of two revisions."""

    policy: str = ""
    name: str
    kind: Literal["Objective", "Evaluation", "Requests"]
    unit: Literal["Share", "Duration", "Number"] = "Share"
    a: str = ""
    b: str = ""
    a_samples: int = 0
    b_samples: int = 0
    difference: str = ""
    low: str = ""
    high: str = ""
    result: Relative = "CannotTell"
    """Of b against a."""


class RevisionsView(Fitted):
    """Revision b against revision a."""

    namespace: str
    endpoint: str
    a: str
    b: str
    revisions: tuple[str, ...] = ()
    """Those of which there are results, newest first."""
    rows: tuple[CompareRow, ...] = ()
