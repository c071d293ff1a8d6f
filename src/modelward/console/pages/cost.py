"""The page Cost: what each caller used and cost, by UTC day, from the hub's own history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from modelward.api.budget import COST_UNITS, DAY_MS
from modelward.api.history import OTHER
from modelward.api.series import HistoryQuery, HistorySeries
from modelward.console.charts.shapes import SvgElement, rect
from modelward.console.pages.links import Link, tabs
from modelward.console.text import count, money, plain

DAYS = 31
"""Today and thirty days before: the hub reads them from rows of an hour."""
_WIDTH, _HEIGHT, _GAP = 186, 28, 1.0


@dataclass(frozen=True, slots=True)
class CallerRow:
    """What one caller used; `days` are what it cost on each, the oldest first, and `bars` show them."""

    name: str
    note: str
    currency: str
    total: str
    today: str
    requests: str
    tokens: str
    unpriced: str
    days: tuple[str, ...]
    bars: tuple[SvgElement, ...]
    says: str


@dataclass(frozen=True, slots=True)
class ShownCost:
    """What the template writes; `named` is whether callers are told apart."""

    namespace: str
    name: str
    tabs: tuple[Link, ...]
    headline: str
    days: tuple[str, ...]
    rows: tuple[CallerRow, ...]
    named: bool
    problem: str


@dataclass(frozen=True, slots=True)
class _Used:
    """Sums of one caller: units of cost by day in one currency, and all that it asked in the time."""

    caller: str
    currency: str
    cost: tuple[int, ...]
    requests: int
    tokens: int
    unpriced: int


def question(now_ms: int) -> HistoryQuery:
    """Return what is asked of the hub: whole UTC days, today among them."""
    end_ms = now_ms // DAY_MS * DAY_MS + DAY_MS
    return HistoryQuery("callers", end_ms - DAYS * DAY_MS, end_ms, points=DAYS)


def shown_cost(place: tuple[str, str], found: HistorySeries | None) -> ShownCost:
    """Return the page; the hub answers with the cost alone where the person may not read who asked."""
    if found is None:
        missing = "The hub keeps no history, or could not be asked."
        return ShownCost(*place, tabs(*place, "Cost"), _headline(()), (), (), named=True, problem=missing)
    named = found.metric == "callers"
    used = _used(found) if named else _whole(found)
    top: dict[str, int] = {}
    for one in used:
        top[one.currency] = max(1, top.get(one.currency, 0), *one.cost)
    return ShownCost(
        namespace=place[0],
        name=place[1],
        tabs=tabs(*place, "Cost"),
        headline=_headline(used),
        days=tuple(_day(at_ms) for at_ms in found.at_ms),
        rows=tuple(_row(one, top[one.currency], found.at_ms) for one in used),
        named=named,
        problem=found.problem,
    )


def _used(found: HistorySeries) -> list[_Used]:
    """Return callers with a row for each of their currencies, those that cost most first, `other` last."""
    sums = {(line.caller, line.name): sum(n or 0 for n in line.values) for line in found.lines if line.name != "cost"}
    costs = {(one.caller, one.currency): tuple(n or 0 for n in one.values) for one in found.lines if one.currency}
    priced = {caller for caller, _ in costs}
    costs |= {(caller, ""): (0,) * len(found.at_ms) for caller in {one for one, _ in sums} - priced}
    rows = [
        _Used(
            caller,
            currency,
            cost,
            sums.get((caller, "asked"), 0),
            sums.get((caller, "input"), 0) + sums.get((caller, "output"), 0),
            sums.get((caller, "unpriced"), 0),
        )
        for (caller, currency), cost in costs.items()
    ]
    return sorted(rows, key=lambda one: (one.caller in (OTHER, ""), -sum(one.cost), -one.requests, one.caller))


def _whole(found: HistorySeries) -> list[_Used]:
    lines = [line for line in found.lines if line.currency]
    return [_Used("all callers", line.currency, tuple(n or 0 for n in line.values), 0, 0, 0) for line in lines]


def _headline(used: Sequence[_Used]) -> str:
    totals: dict[str, int] = {}
    for one in used:
        if one.currency:
            totals[one.currency] = totals.get(one.currency, 0) + sum(one.cost)
    if not totals:
        return "No cost is known of the last 31 days"
    told = " and ".join(f"{_amount(total)} {currency}" for currency, total in sorted(totals.items()))
    return f"{told} in the last 31 days"


def _row(one: _Used, top: int, at_ms: Sequence[int]) -> CallerRow:
    name, note = _told(one.caller)
    total, currency = sum(one.cost), one.currency
    most = max(range(len(one.cost)), key=lambda place: one.cost[place], default=0)
    says = f"{name}: {_amount(total)} {currency} in {len(one.cost)} days" if currency else f"{name}: no cost"
    says += f", most on {_day(at_ms[most])} with {_amount(one.cost[most])}" if total else ""
    return CallerRow(
        name=name,
        note=note,
        currency=currency or "–",
        total=_amount(total) if currency else "–",
        today=_amount(one.cost[-1]) if currency and one.cost else "–",
        requests=count(one.requests) if one.requests else "–",
        tokens=plain(one.tokens) if one.tokens else "–",
        unpriced=count(one.unpriced) if one.unpriced else "–",
        days=tuple(_amount(cost) for cost in one.cost),
        bars=_bars(one.cost, top),
        says=says,
    )


def _told(caller: str) -> tuple[str, str]:
    if not caller:
        return "no name", "requests without the header"
    return (caller, "all without a name of their own") if caller == OTHER else (caller, "")


def _bars(costs: Sequence[int], top: int) -> tuple[SvgElement, ...]:
    """Draw a bar for each day, as high as it is against the dearest day of all callers of the currency."""
    wide = _WIDTH / max(1, len(costs))
    return tuple(
        rect("f3", place * wide, _HEIGHT - high, wide - _GAP, high)
        for place, cost in enumerate(costs)
        if (high := max(1.0, _HEIGHT * cost / top) if cost else 0.0)
    )


def _day(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return f"{moment.day} {moment:%b}"


def _amount(units: int) -> str:
    return money(units / COST_UNITS)
