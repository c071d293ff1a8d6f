"""The ledger of one policy's UTC day: reserve the worst case, settle what was used. Pure: data in, data out.

What is reserved counts as spent until it is settled, and for good when it never is. So whatever crashes, and whoever
asks at once, no more is spent than the limits allow, as long as no request uses more than its worst case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any

from modelward.api.budget import BudgetLimits, Spend, SpendDecision, SpendRequest, SpentSoFar, counted

MAX_OPEN = 256
"""Requests under way of one policy. Beyond it the oldest count as spent: their Job is gone, or far too slow."""
MAX_SETTLED = 256
"""Settled keys that are known when they come again: answers that got lost are asked for within seconds."""
MAX_RUNS, MAX_EVALUATORS = 200, 50
OTHER = "other"


NOTHING = Spend()


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one request may spend at most."""

    run: str
    evaluator: str
    spend: Spend


@dataclass(frozen=True, slots=True)
class Ledger:
    """One day (days since 1970) of one policy.

    `spent` is settled or given up for spent; `open` is reserved, by key, the oldest first; `settled` are the newest
    keys. `runs` have what each has spent and reserved, `evaluators` all tokens spent since the ledger began. `lost`
    closes the day: what was spent of it is not known.
    """

    day: int
    spent: Spend = NOTHING
    open: Mapping[str, Reservation] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    runs: Mapping[str, Spend] = field(default_factory=dict)
    evaluators: Mapping[str, int] = field(default_factory=dict)
    unreported: int = 0
    refused: int = 0
    currency: str = ""
    lost: bool = False

    @property
    def total(self) -> Spend:
        """What counts as spent: settled and reserved."""
        return reduce(add, (one.spend for one in self.open.values()), self.spent)


def opened(day: int, seen: SpentSoFar | None) -> Ledger:
    """Return the ledger of a policy of which there is none: it goes on from the status, else the day is spent.

    A status that never had a budget has seen nothing spent; one of another day says nothing of this one.
    """
    if seen is None:
        return Ledger(day)
    return Ledger(day, seen.spend) if seen.day == day else Ledger(day, lost=True)


def rolled(ledger: Ledger, day: int) -> Ledger:
    """Return the ledger on a day: a new one begins with nothing spent. A clock that goes back brings no day back.

    What is still reserved stays with the day on which it was.
    """
    if day <= ledger.day:
        return ledger
    evaluators = ledger.evaluators
    for one in ledger.open.values():
        evaluators = _more(evaluators, one.evaluator, one.spend.tokens)
    return Ledger(day, evaluators=evaluators)


def reserve(ledger: Ledger, asked: SpendRequest, limits: BudgetLimits) -> tuple[Ledger, SpendDecision]:
    """Reserve the worst case of as many requests as fit; a key that is known is granted again, and changes nothing."""
    if knows(ledger, asked.key):
        return ledger, SpendDecision(count=_granted(ledger, asked))
    if refused := _refusal(ledger, asked, limits):
        return replace(ledger, refused=ledger.refused + asked.final), refused
    count = _fitting(ledger, asked, limits)
    spend = Spend(asked.tokens * count, (asked.cost or 0) * count)
    taken = Reservation(asked.run, asked.evaluator, spend)
    runs = {**ledger.runs, asked.run: ledger.runs.get(asked.run, Spend()) + spend}
    while len(runs) > MAX_RUNS:
        del runs[next(name for name in runs if name != asked.run)]
    found = replace(
        ledger, open={**ledger.open, asked.key: taken}, runs=runs, currency=asked.currency or ledger.currency
    )
    while len(found.open) > MAX_OPEN:
        found = _closed(found, next(iter(found.open)), None)
    return found, SpendDecision(count=count)


def knows(ledger: Ledger, key: str) -> bool:
    """Return whether a key was granted."""
    return key in ledger.open or key in ledger.settled


def settle(ledger: Ledger, key: str, used: Spend | None, unreported: int = 0) -> Ledger:
    """Put what was used in the place of the worst case; None where that is not known: all of it is spent.

    `unreported` are answers that did not say: `used` has their worst case. A key that is not known is settled
    already, or of another day.
    """
    if key not in ledger.open:
        return ledger
    found = _closed(ledger, key, used)
    settled = (*ledger.settled, key)[-MAX_SETTLED:]
    return replace(found, settled=settled, unreported=found.unreported + (unreported or used is None))


def cancel(ledger: Ledger, key: str) -> Ledger:
    """Return the ledger without a reservation that was not stored, and so was never granted."""
    return _closed(ledger, key, Spend()) if key in ledger.open else ledger


def _refusal(ledger: Ledger, asked: SpendRequest, limits: BudgetLimits) -> SpendDecision | None:
    if limits.cost is not None:
        if asked.cost is None:
            return SpendDecision("PriceUnknown", "the policy limits the cost, and the judge's model has no price")
        if asked.currency != limits.currency or (ledger.currency and ledger.currency != limits.currency):
            used = ledger.currency if asked.currency == limits.currency else asked.currency
            return SpendDecision("PriceUnknown", f"the budget is in {limits.currency}, and prices of today in {used}")
    spend = Spend(asked.tokens, asked.cost or 0)
    if ledger.lost:
        return SpendDecision("BudgetExhausted", "the ledger was lost, so this UTC day counts as spent")
    if not limits.of_run().admits(ledger.runs.get(asked.run, Spend()) + spend):
        return SpendDecision("BudgetExhausted", "this run has spent its part of the day's budget (perRun)")
    if not limits.admits(ledger.total + spend):
        return SpendDecision("BudgetExhausted", "the budget of this UTC day is spent")
    return None


def _fitting(ledger: Ledger, asked: SpendRequest, limits: BudgetLimits) -> int:
    """Return how many of the requests the limits admit, at most as many as are wanted. One of them fits."""
    found = asked.count
    for most, spent in ((limits, ledger.total), (limits.of_run(), ledger.runs.get(asked.run, NOTHING))):
        if most.tokens is not None and asked.tokens:
            found = min(found, (most.tokens - spent.tokens) // asked.tokens)
        if most.cost is not None and asked.cost:
            found = min(found, (most.cost - spent.cost) // asked.cost)
    return found


def _granted(ledger: Ledger, asked: SpendRequest) -> int:
    """Return how many requests a key was granted for."""
    one = ledger.open.get(asked.key)
    return max(1, one.spend.tokens // asked.tokens) if one and asked.tokens else 1


def _closed(ledger: Ledger, key: str, used: Spend | None) -> Ledger:
    """Return the ledger with a reservation closed: what was used is spent, all of it where that is not known."""
    one = ledger.open[key]
    used = one.spend if used is None else used
    run = ledger.runs.get(one.run)
    return replace(
        ledger,
        spent=ledger.spent + used,
        open={name: other for name, other in ledger.open.items() if name != key},
        runs=ledger.runs if run is None else {**ledger.runs, one.run: _at_least_nothing(run - one.spend + used)},
        evaluators=_more(ledger.evaluators, one.evaluator, used.tokens),
    )


def _at_least_nothing(spend: Spend) -> Spend:
    """Return the spend of a run that may have been forgotten among many, and so lacks what it reserved before."""
    return Spend(max(0, spend.tokens), max(0, spend.cost))


def _more(evaluators: Mapping[str, int], name: str, tokens: int) -> Mapping[str, int]:
    known = name if name in evaluators or len(evaluators) < MAX_EVALUATORS else OTHER
    return {**evaluators, known: evaluators.get(known, 0) + tokens} if tokens else evaluators


def ledger_to_json(ledger: Ledger) -> dict[str, Any]:
    """Return what is stored; the inverse of `ledger_from_json`."""
    return {
        "day": ledger.day,
        "spent": _spend_to_json(ledger.spent),
        "open": {key: [one.run, one.evaluator, *_spend_to_json(one.spend)] for key, one in ledger.open.items()},
        "settled": list(ledger.settled),
        "runs": {name: _spend_to_json(spend) for name, spend in ledger.runs.items()},
        "evaluators": dict(ledger.evaluators),
        "unreported": ledger.unreported,
        "refused": ledger.refused,
        "currency": ledger.currency,
        "lost": ledger.lost,
    }


def ledger_from_json(row: Mapping[str, Any]) -> Ledger:
    """Read what was stored; KeyError, TypeError, AttributeError, ValueError or OverflowError when it is not that."""
    return Ledger(
        counted(row["day"]),
        _spend_from_json(row["spent"]),
        {
            str(key): Reservation(str(run), str(name), Spend(counted(tokens), counted(cost)))
            for key, (run, name, tokens, cost) in row["open"].items()
        },
        tuple(map(str, row["settled"])),
        {str(name): _spend_from_json(spend) for name, spend in row["runs"].items()},
        {str(name): counted(tokens) for name, tokens in row["evaluators"].items()},
        counted(row["unreported"]),
        counted(row["refused"]),
        str(row["currency"]),
        row["lost"] is True,
    )


def _spend_to_json(spend: Spend) -> list[int]:
    return [spend.tokens, spend.cost]


def _spend_from_json(row: Any) -> Spend:
    tokens, cost = row
    return Spend(counted(tokens), counted(cost))
