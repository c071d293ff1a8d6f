"""Counts of one endpoint over some time, in the one form in which they are kept: they can be added in any order.

A record maps columns to whole numbers. A column has a label, which says of what it counts (of the endpoint, of a
revision and model, of an objective, of a check), and a field. What is absent is zero; where zero and unknown differ,
fields of `given` count the minutes in which a number was known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from modelward.api.evaluation import Counts, WindowResult
from modelward.api.history import BOUNDS, LEVELS, OTHER, OUTCOMES, CallerCount, HistoryPart, HistoryRow

Column: TypeAlias = tuple[str, str]
Record: TypeAlias = dict[Column, int]
ENDPOINT = ""
PART, OBJECTIVE, CHECK, CALLER = "p", "o", "c", "u"
_SEPARATOR = "\x1f"
_LARGEST = (1 << 64) - 1
TOKENS = ("input", "output", "cached")
_AMOUNTS = (*TOKENS, "cost")
CALLER_FIELDS = ("asked", "input", "output", "unpriced")
"""Requests, tokens, and requests that are in no cost."""
GIVEN = (*OUTCOMES, *BOUNDS, *_AMOUNTS)
WEIGHTS = (
    "weight", "weight_squared", "flagged_weight",
    "conversation_weight_squared", "conversation_flagged_squared", "conversation_product",
)  # fmt: skip
"""Sums over a check's samples, kept in thousandths."""
_LEVEL_FIELDS = {level: tuple(f"{level}.{what}" for what in ("n", "sum", "min", "max")) for level in LEVELS}
_BUCKET_FIELDS = {name: tuple(f"{name}.{place}" for place in range(len(bounds) + 1)) for name, bounds in BOUNDS.items()}
_GIVEN_FIELDS = {name: f"given.{name}" for name in GIVEN}
FIELDS = (
    "covered",
    *(f"given.{name}" for name in GIVEN),
    *(f"{level}.{what}" for level in LEVELS for what in ("n", "sum", "min", "max")),
    *OUTCOMES,
    *(f"{name}.{place}" for name, bounds in BOUNDS.items() for place in range(len(bounds) + 1)),
    *TOKENS,
    "cost",
    "events",
    "bad",
    "samples",
    "flagged",
    *WEIGHTS,
    "asked",
    "unpriced",
)
"""All fields in a fixed order: new ones come at the end, because staged rows name them by their place."""


def label(*parts: str) -> str:
    """Return the label of a kind and what tells its columns apart."""
    return _SEPARATOR.join(part.replace(_SEPARATOR, " ") for part in parts)


def parts_of(text: str) -> list[str]:
    """Return what a label was made of."""
    return text.split(_SEPARATOR)


def combined(field: str, one: int, other: int) -> int:
    """Return a column's value for two records together. A lowest value is kept as one more, so that 0 is none."""
    if not one or not other:
        return one or other
    if field.endswith(".min"):
        return min(one, other)
    if field.endswith(".max"):
        return max(one, other)
    return min(_LARGEST, one + other)


def merged(records: Iterable[Mapping[Column, int]]) -> Record:
    """Return all records together."""
    total: Record = {}
    for record in records:
        for column, value in record.items():
            total[column] = combined(column[1], total[column], value) if column in total else value
    return total


def record_of(row: HistoryRow) -> Record:
    """Return what a row of the operator's counts."""
    found: Record = {}
    if row.covered_ms:
        found[ENDPOINT, "covered"] = row.covered_ms
    for level, spread in row.levels.items():
        n, total, lowest, highest = _LEVEL_FIELDS[level]
        _add(found, ENDPOINT, ((n, spread.readings), (total, spread.total)))
        _add(found, ENDPOINT, ((lowest, spread.lowest + 1), (highest, spread.highest)))
    for part in row.parts:
        _add_part(found, part)
    for caller in row.callers:
        _add_caller(found, caller)
    for one in row.objectives:
        _add(found, label(OBJECTIVE, one.policy, one.name), (("events", one.events), ("bad", one.bad)))
    return found


def _add(found: Record, of: str, counts: Iterable[tuple[str, int]]) -> None:
    for name, value in counts:
        if value:
            column = of, name
            found[column] = combined(name, found[column], value) if column in found else value


def _add_part(found: Record, part: HistoryPart) -> None:
    of = label(PART, part.revision, part.model, part.currency)
    amounts = part.input_tokens, part.output_tokens, part.cached_tokens, part.cost
    told = [(name, value) for name, value in zip(_AMOUNTS, amounts, strict=True) if value is not None]
    _add(found, of, part.outcomes.items())
    for latency, buckets in part.latencies.items():
        _add(found, of, zip(_BUCKET_FIELDS[latency], buckets, strict=True))
    _add(found, of, told)
    for name in (*part.outcomes, *part.latencies, *(name for name, _ in told)):
        found[ENDPOINT, _GIVEN_FIELDS[name]] = 1


def _add_caller(found: Record, one: CallerCount) -> None:
    """Add what a caller used; its costs have labels of their own, one for each currency."""
    amounts = one.requests, one.input_tokens, one.output_tokens, one.unpriced
    _add(found, label(CALLER, one.caller, ""), zip(CALLER_FIELDS, amounts, strict=True))
    for currency, cost in one.costs.items():
        _add(found, label(CALLER, one.caller, currency), (("cost", cost),))


def callers_beyond(sums: Mapping[str, tuple[int, int]], most: int) -> dict[str, str]:
    """Return which labels of callers make way, and under which they go on to be counted: those that cost least.

    `sums` are the cost and the requests of each label.
    """
    by_name: dict[str, tuple[int, int]] = {}
    for text, (cost, asked) in sums.items():
        name = parts_of(text)[1]
        known = by_name.get(name, (0, 0))
        by_name[name] = known[0] + cost, known[1] + asked
    named = sorted(by_name.keys() - {OTHER}, key=lambda name: (-by_name[name][0], -by_name[name][1], name))
    gone = set(named[most:])
    return {text: label(CALLER, OTHER, parts_of(text)[2]) for text in sums if parts_of(text)[1] in gone}


def record_of_window(result: WindowResult) -> Record:
    """Return what a check found in a window, by revision."""
    return merged(
        {(label(CHECK, result.policy, result.evaluation, revision), f): n for f, n in _of_counts(counts) if n > 0}
        for revision, counts in result.revisions.items()
    )


def _of_counts(counts: Counts) -> Iterable[tuple[str, int]]:
    yield from (("samples", counts.samples), ("flagged", counts.flagged))
    yield from ((name, min(_LARGEST, round(getattr(counts, name) * 1_000))) for name in WEIGHTS)


def without_surplus(columns: Mapping[str, int], most: int) -> dict[str, str]:
    """Return which labels of revisions and models make way, and under which they go on to be counted.

    `columns` has the requests of each label. The largest stay. Costs in another currency than that of the largest are
    counted without one.
    """
    ranked = sorted(columns, key=lambda text: (-columns[text], text))
    if len(ranked) <= most:
        return {}
    currency = parts_of(ranked[0])[3]
    rest = {text: parts_of(text)[3] for text in ranked[most - 2 :]}
    return {text: label(PART, OTHER, OTHER, own if own == currency else "") for text, own in rest.items()}
