"""What judging may spend in a UTC day, and what it has spent, as operator, hub and Job tell each other.

Costs are integers: trillionths (1e-12) of the currency's unit. A price for a million tokens with six decimals is then a
whole number for one token, and nothing is ever rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DAY_MS = 86_400_000
COST_UNITS = 10**12
"""Units of cost in one unit of a currency."""
_PPM = 1_000_000
MAX_COUNTED = 1 << 62
"""No spending reaches this: a number beyond it cannot be right."""
BudgetRefusal = Literal["BudgetExhausted", "PriceUnknown"]


@dataclass(frozen=True, slots=True)
class Spend:
    """Tokens, input and output together, and their cost."""

    tokens: int = 0
    cost: int = 0

    def __add__(self, other: Spend) -> Spend:
        """Return both together."""
        return Spend(self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: Spend) -> Spend:
        """Return this without the other."""
        return Spend(self.tokens - other.tokens, self.cost - other.cost)


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """What one token of a request and of an answer costs, in units of cost.

    `cached` is the price of an input token that the server had read before; None where it has no price of its own.
    """

    currency: str
    input: int
    output: int
    cached: int | None = None

    def cost(self, input_tokens: float, output_tokens: float, cached_tokens: float = 0) -> float:
        """Return what tokens cost, in units of cost; whole numbers of tokens cost a whole number of units.

        Cached tokens are among the input tokens; more of them than there are input tokens count as all of them.
        """
        cached = min(cached_tokens, input_tokens)
        cheaper = 0 if self.cached is None else self.input - self.cached
        return input_tokens * self.input - cached * cheaper + output_tokens * self.output


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """The most that a policy's evaluations may spend in a UTC day, and one run of it; None where there is no limit."""

    tokens: int | None = None
    cost: int | None = None
    currency: str = ""
    per_run_ppm: int = _PPM

    def of_run(self) -> BudgetLimits:
        """Return the limits of one run."""
        part = self.per_run_ppm
        return BudgetLimits(
            None if self.tokens is None else self.tokens * part // _PPM,
            None if self.cost is None else self.cost * part // _PPM,
            self.currency,
        )

    def admits(self, spend: Spend) -> bool:
        """Return whether so much is within them."""
        return (self.tokens is None or spend.tokens <= self.tokens) and (self.cost is None or spend.cost <= self.cost)


@dataclass(frozen=True, slots=True)
class SpentSoFar:
    """What a policy's status says was spent on a day (days since 1970, UTC)."""

    day: int
    spend: Spend


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """What the operator tells the hub of one policy: its limits, and what its status has seen.

    Where the hub has lost its ledger it goes on from `seen`. None is the status of a policy that never had a budget.
    """

    namespace: str
    policy: str
    limits: BudgetLimits
    seen: SpentSoFar | None = None


@dataclass(frozen=True, slots=True)
class SpendRequest:
    """The worst that one request to a model can spend, and how many such requests are wanted at most.

    `key` makes asking again harmless. `cost` is None where the model has no price. A refusal that is not `final` leaves
    no trace: who asks gives something back, and asks again.
    """

    key: str
    run: str
    evaluator: str
    tokens: int
    cost: int | None = None
    currency: str = ""
    count: int = 1
    final: bool = True


@dataclass(frozen=True, slots=True)
class SpendDecision:
    """Whether requests may be sent, and how many, else why not; `message` has the numbers."""

    refusal: BudgetRefusal | None = None
    message: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What a policy has spent on a day, requests that are under way included.

    `lost` says that the ledger was lost and the day counts as spent; `unreported` counts answers without `usage`,
    `refused` requests that there was no budget for. `evaluators` are tokens since the ledger began.
    """

    namespace: str
    policy: str
    day: int
    spend: Spend
    lost: bool = False
    unreported: int = 0
    refused: int = 0
    evaluators: Mapping[str, int] = field(default_factory=dict)


def day_of(now_ms: int) -> int:
    """Return the UTC day of a Unix time in milliseconds, as days since 1970."""
    return now_ms // DAY_MS


def terms_to_json(terms: BudgetTerms) -> dict[str, Any]:
    """Return the JSON object; the inverse of `terms_from_json`."""
    limits, seen = terms.limits, terms.seen
    return {
        "namespace": terms.namespace,
        "policy": terms.policy,
        "tokens": limits.tokens,
        "cost": limits.cost,
        "currency": limits.currency,
        "perRunPpm": limits.per_run_ppm,
        "seen": None if seen is None else {"day": seen.day, "tokens": seen.spend.tokens, "cost": seen.spend.cost},
    }


def terms_from_json(row: Mapping[str, Any]) -> BudgetTerms:
    """Read a row; KeyError, TypeError, ValueError, AttributeError or OverflowError when it is none."""
    limits = BudgetLimits(
        None if row.get("tokens") is None else counted(row["tokens"]),
        None if row.get("cost") is None else counted(row["cost"]),
        str(row.get("currency") or ""),
        min(_PPM, counted(row.get("perRunPpm", _PPM))),
    )
    seen = row.get("seen")
    so_far = None if seen is None else SpentSoFar(counted(seen["day"]), _spend(seen))
    return BudgetTerms(str(row["namespace"]), str(row["policy"]), limits, so_far)


def state_to_json(state: BudgetState) -> dict[str, Any]:
    """Return the JSON object; the inverse of `state_from_json`."""
    return {
        "namespace": state.namespace,
        "policy": state.policy,
        "day": state.day,
        "tokens": state.spend.tokens,
        "cost": state.spend.cost,
        "lost": state.lost,
        "unreported": state.unreported,
        "refused": state.refused,
        "evaluators": dict(state.evaluators),
    }


def state_from_json(row: Mapping[str, Any]) -> BudgetState:
    """Read a row; errors as those of `terms_from_json`."""
    return BudgetState(
        str(row["namespace"]),
        str(row["policy"]),
        counted(row["day"]),
        _spend(row),
        row.get("lost") is True,
        counted(row.get("unreported", 0)),
        counted(row.get("refused", 0)),
        {str(name): counted(tokens) for name, tokens in (row.get("evaluators") or {}).items()},
    )


def counted(value: Any) -> int:
    """Return a number that is not negative and no larger than spending can be; ValueError or TypeError if not one."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a whole number")
    if not 0 <= value <= MAX_COUNTED:
        raise ValueError("no amount that can be spent")
    return value


def _spend(row: Mapping[str, Any]) -> Spend:
    return Spend(counted(row["tokens"]), counted(row["cost"]))
