"""All that scoring may ask of the world outside. The Job owns it, with its model, its timeouts and its secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, runtime_checkable

from modelward.api.exchange import Exchange
from modelward.api.kept_score import KeptScore
from modelward.api.scope import ScopeFacts
from modelward.desired.pod_additions import SecretKey
from modelward.evaluate.score import Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


T = TypeVar("T")
Cause = Literal["unreachable", "timeout", "out-of-time", "too-large", "not-declared", "no-secret", "no-mark"]
"""Out of time is a run that has waited too long for this address, and does not ask it again."""


class PortError(Exception):
    """What was asked of the port cannot be had; the exchanges that need it are Failed, and it is not asked again.

    `cause` says which of the few ways it is, for those that may try again; `unsent` that nothing left: no connection
    came about, or the port itself refused.
    """

    def __init__(self, message: str = "", cause: Cause = "unreachable", *, unsent: bool = False) -> None:
        """Keep the parts beside the message."""
        super().__init__(message)
        self.cause, self.unsent = cause, unsent


class UnansweredError(PortError):
    """Too few of an evaluator's own questions were answered; `word` is the commonest cause: a status or one of ours."""

    def __init__(self, failed: int, answered: int, word: str) -> None:
        """Keep the counts, which status shows."""
        super().__init__(f"{failed} of {failed + answered} were not answered: {word}")
        self.failed, self.answered, self.word = failed, answered, word


class BudgetExhaustedError(PortError):
    """The policy's budget is spent: what is left of the window is not asked, which is no failure of the evaluator."""


class PriceUnknownError(PortError):
    """The policy limits the cost, and that of this request cannot be known."""


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """A POST to an address that the evaluator's pod additions name.

    `credential` becomes a bearer token on its way, `signing` the key of a `Modelward-Signature`. It is sent up to
    `tries` times, where no answer comes in time, or one of status 500 and above. `credential` goes bare into another
    `credential_header` than Authorization, and `timeout_s` takes the place of the port's. Who is `insistent` tries
    again and gives up by itself: a failure does not count against the address.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    credential: SecretKey | None = None
    signing: SecretKey | None = None
    tries: int = 1
    credential_header: str = "Authorization"
    timeout_s: float | None = None
    insistent: bool = False


@dataclass(frozen=True, slots=True)
class ScoringReply:
    """What was answered, whatever its status; `retry_after_s` where it asks for a pause in seconds, else 0."""

    status: int
    body: bytes
    retry_after_s: float = 0.0


class ScoringPort(Protocol):
    """What a scorer is handed."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [n, 384] of unit norm, in the order of `texts`; the same texts are embedded once a window."""
        ...

    async def post(self, request: ScoringRequest) -> ScoringReply:
        """Return the reply, within its time and the port's size. Raises PortError."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait."""
        ...

    async def within(self, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
        """Return what the work returns in that time, else raise PortError with cause timeout."""
        ...

    async def each(self, work: Sequence[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:
        """Do some works, at most so many at once; return what each returned, in their order."""
        ...

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Return what the run knows under a key, made at first; what a kind learns of an address outlives a batch."""
        ...


class ScoreMemory(Protocol):
    """What an evaluator has scored before, which need not be paid for again; what it cannot have it does without."""

    async def known(self, exchanges: Sequence[Exchange]) -> Sequence[Score | None]:
        """Return the score of each exchange, in order, None where there is none.

        By what it says, and not by its id alone, which two exchanges may share. Waits for those that another Job is
        just scoring.
        """
        ...

    async def keep(self, scored: Sequence[tuple[Exchange, Score]]) -> None:
        """Remember scores for the Jobs that come."""
        ...


@runtime_checkable
class OutsideScores(Protocol):
    """A port that has scores which something else has made."""

    async def outside_scores(self, score_set: str, exchanges: Sequence[Exchange]) -> Mapping[str, KeptScore]:
        """Return the scores of a set that there are, by exchange. Raises PortError."""
        ...


@runtime_checkable
class ProbingPort(ScoringPort, Protocol):
    """A port that may ask the endpoint whose exchanges are judged; what it asks is marked, and is no user's."""

    async def probe(self, body: bytes) -> ScoringReply:
        """Return what the endpoint answers to a chat request. Raises PortError."""
        ...


@runtime_checkable
class ScopeMemory(Protocol):
    """A port that remembers what was found of scopes, by their key; what it cannot have it does without."""

    async def scope_facts(self, key: str) -> ScopeFacts | None:
        """Return what is known of a scope; None where that is nothing, or cannot be had."""
        ...

    async def keep_scope_facts(self, key: str, facts: ScopeFacts) -> None:
        """Remember it for the Jobs that come."""
        ...
