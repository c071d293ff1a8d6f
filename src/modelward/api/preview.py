"""What a policy would have done with the time that is past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from modelward.api.base import Fitted


class PreviewRequest(Fitted):
    """A policy as it might be, for `POST /v1/view/preview`; no more than its spec counts."""

    namespace: Annotated[str, Field(max_length=63)]
    name: Annotated[str, Field(max_length=253)]
    spec: Mapping[str, Any]
    from_ms: int
    to_ms: int


class PreviewEpisode(Fitted):
    """One alert that would have fired."""

    endpoint: str
    alert: str
    severity: str
    reason: str = ""
    """Why it failed, as one word."""
    since_ms: int
    until_ms: int | None = None
    """When it would have been resolved; None: it would fire still."""
    closed: bool = False
    """Whether it would have ended without evidence of recovery."""
    message: str = ""
    told: tuple[str, ...] = ()
    """Receivers."""


class PreviewSide(Fitted):
    """One policy over the time."""

    fired: int
    episodes: tuple[PreviewEpisode, ...] = ()
    """The newest, at most a hundred."""


class Preview(Fitted):
    """`would have fired 3 times last week (now 11)`."""

    namespace: str
    name: str
    from_ms: int
    to_ms: int
    now: PreviewSide | None = None
    """The policy as it is; None where there is none of that name."""
    then: PreviewSide | None = None
    """The policy as it was asked about; None where it cannot be read."""
    sentence: str = ""
    problems: tuple[str, ...] = ()
    """What is wrong with the spec, and what of it the hub cannot replay, each with the cause."""
    endpoints: int = 0
    """Endpoints that it would select."""
    seen_ppm: int | None = None
    """Share of the time that was watched."""
    cut: bool = False
    """Whether not all endpoints were replayed: both sides then fired at least so often."""


class SilenceRequest(Fitted):
    """A silence that a person asks for, for `POST /v1/view/silences`; the operator makes the object."""

    namespace: Annotated[str, Field(max_length=63)]
    endpoint: Annotated[str, Field(max_length=253)] = ""
    alerts: Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=20)] = ()
    until_ms: int
    until_resolved: bool = False
    comment: Annotated[str, Field(max_length=256)] = ""
