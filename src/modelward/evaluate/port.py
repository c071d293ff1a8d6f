"""All that scoring may ask of the world outside. The Job owns it, with its model, its timeouts and its secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from modelward.api.exchange import Exchange
from modelward.api.scope import ScopeFacts
from modelward.desired.pod_additions import SecretKey
from modelward.evaluate.score import Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PortError(Exception):
    """What was asked of the port cannot be had; the exchanges that need it are Failed, and it is not asked again.

    `unsent` says that nothing left: no connection came about, or the port itself refused.
    """

    def __init__(self, message: str = "", *, unsent: bool = False) -> None:
        """Keep the part beside the message."""
        super().__init__(message)
        self.unsent = unsent


class BudgetExhaustedError(PortError):
    """The policy's budget is spent: what is left of the window is not asked, which is no failure of the evaluator."""


class PriceUnknownError(PortError):
    """The policy limits the cost, and that of this request cannot be known."""


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """A POST to an address that the evaluator's pod additions name.

    `credential` becomes a bearer token on its way, `signing` the key of a `Modelward-Signature`. It is sent up to
    `tries` times, where nobody answers in time, or with a status of 500 and above.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    credential: SecretKey | None = None
    signing: SecretKey | None = None
    tries: int = 1


@dataclass(frozen=True, slots=True)
class ScoringReply:
    """What was answered, whatever its status."""

    status: int
    body: bytes


class ScoringPort(Protocol):
    """What a scorer is handed."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [n, 384] of unit norm, in the order of `texts`; the same texts are embedded once a window."""
        ...

    async def post(self, request: ScoringRequest) -> ScoringReply:
        """Return the reply, within the port's time and size. Raises PortError."""
        ...


class ScoreMemory(Protocol):
    """What an evaluator has scored before, which need not be paid for again; what it cannot have it does without."""

    async def known(self, exchanges: Sequence[Exchange]) -> Mapping[str, Score]:
        """Return the scores that there are, by exchange; waits for those that another Job is just scoring."""
        ...

    async def keep(self, scored: Sequence[tuple[Exchange, Score]]) -> None:
        """Remember scores for the Jobs that come."""
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
