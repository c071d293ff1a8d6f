"""What an evaluator answers over a window: a statistic, its p-value, how large the change is, and what moved."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelward.api.exchange import real_number, whole_number

MAX_MOVED = 10
"""Parts of a distribution that one test lists at most."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One part of what was compared: a topic, a word, a range of numbers.

    `share` of the window's exchanges (or words), with 95 % bounds, and its `change` from the reference, all 0..1. A
    topic has an `id` that it keeps from window to window, and the `sketch` by which it is known again.
    """

    label: str
    share: float
    low: float
    high: float
    change: float
    id: str = ""
    sketch: str = ""


@dataclass(frozen=True, slots=True)
class WindowTest:
    """One revision's window against its reference.

    `effect` with its 95 % bounds is in 0..1. Both samples are counted in exchanges; the reference ended in
    [reference_from_ms, reference_to_ms), 0 while there is none. `reason` is empty, or why nothing could be compared,
    with `effect` then in [0, 1]. Of an evaluator that failed `cause` is a word that says why, and `failed` how many of
    its own questions were not answered, where it asks some; `samples` are those that were.
    """

    revision: str
    samples: int
    conversations: int
    reference_samples: int
    reference_from_ms: int = 0
    reference_to_ms: int = 0
    statistic: float = 0.0
    p_value: float = 1.0
    effect: float = 0.0
    low: float = 0.0
    high: float = 1.0
    moved: tuple[Moved, ...] = ()
    reason: str = ""
    cause: str = ""
    failed: int = 0


def window_tests_from_json(rows: Any) -> tuple[WindowTest, ...]:
    """Read tests from decoded JSON; what cannot be read, or has no number where one belongs, is left out."""
    return tuple(_read(rows, _test))


def _read(rows: Any, read: Any) -> list[Any]:
    found = []
    for row in rows if isinstance(rows, Sequence) else ():
        with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError, OverflowError):
            found.append(read(row))
    return found


def _test(row: Mapping[str, Any]) -> WindowTest:
    shares: dict[str, Any] = {name: _share(row[name]) for name in ("p_value", "effect", "low", "high")}
    counts: dict[str, Any] = {
        name: whole_number(row[name])
        for name in ("samples", "conversations", "reference_samples", "reference_from_ms", "reference_to_ms")
    }
    if min(counts.values()) < 0:
        raise ValueError("counts are not negative")
    return WindowTest(
        revision=str(row["revision"]),
        statistic=real_number(row["statistic"]),
        moved=tuple(_read(row.get("moved"), _moved))[:MAX_MOVED],
        reason=str(row.get("reason", "")),
        cause=str(row.get("cause", "")),
        failed=max(0, whole_number(row.get("failed", 0))),
        **counts,
        **shares,
    )


def _moved(row: Mapping[str, Any]) -> Moved:
    share, low, high = (_share(row[name]) for name in ("share", "low", "high"))
    change = max(-1.0, min(1.0, real_number(row["change"])))
    return Moved(str(row["label"]), share, low, high, change, str(row.get("id", "")), str(row.get("sketch", "")))


def _share(value: Any) -> float:
    number = real_number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{number} is not in 0..1")
    return number
