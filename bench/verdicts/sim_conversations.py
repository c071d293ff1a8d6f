"""Conversations whose exchanges are alike: how often an interval holds the true share, by what counts as a sample.

`sizes` is the number of exchanges of a conversation, fixed or geometric; `alike` is the intraclass correlation, from
independent exchanges (0) to conversations that are at fault throughout or not at all (1), drawn from a beta-binomial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from coverage import summary
from numpy.typing import NDArray

from modelward.api.evaluation import Counts
from modelward.evaluate.interval import effective_size, wilson
from modelward.evaluate.statistics.conversations import independent_size

TRIALS = 2_000


def windows(conversations: int, sizes: str, alike: float, share: float) -> list[Counts]:
    """Draw windows of so many conversations."""
    random = np.random.default_rng(20_264)
    shape = (TRIALS, conversations)
    kind, size = sizes.split()
    turns = np.full(shape, int(size)) if kind == "fixed" else random.geometric(1 / int(size), shape)
    flagged = random.binomial(turns, _chances(random, shape, alike, share))
    return [_counts(w, f) for w, f in zip(turns, flagged, strict=True)]


def _chances(random: np.random.Generator, shape: tuple[int, int], alike: float, share: float) -> NDArray[np.float64]:
    if alike == 0:
        return np.full(shape, share)
    if alike == 1:
        return (random.random(shape) < share).astype(float)
    spread = (1 - alike) / alike
    return random.beta(share * spread, (1 - share) * spread, shape)


def _counts(w: NDArray[np.int64], f: NDArray[np.int64]) -> Counts:
    n, k = int(w.sum()), int(f.sum())
    sums = (float((w * w).sum()), float((f * f).sum()), float((w * f).sum()))
    return Counts(n, k, 0, 0, float(n), float(n), float(k), *sums)


def plain_size(counts: Counts) -> float:
    """Return the size without the two conversations that are counted in."""
    p = counts.flagged_weight / counts.weight
    scatter = counts.conversation_flagged_squared - 2 * p * counts.conversation_product
    scatter += p * p * counts.conversation_weight_squared
    kish = effective_size(counts.weight, counts.weight_squared)
    if p in (0, 1) or scatter <= 0:
        return effective_size(counts.weight, counts.conversation_weight_squared)
    return min(kish, p * (1 - p) * counts.weight**2 / scatter)


def measure() -> dict[str, Any]:
    """Return per case and, for each way to count, the worst."""
    ways: dict[str, Callable[[Counts], float]] = {
        "every exchange": lambda counts: independent_size(replace(counts, conversation_weight_squared=0.0)),
        "conversations, plain": plain_size,
        "conversations (verdicts)": independent_size,
    }
    cases: dict[str, Any] = {}
    for conversations, sizes, alike, share in product(
        (30, 100, 400), ("fixed 5", "fixed 10", "geometric 8"), (0, 0.1, 0.3, 1), (0.02, 0.1, 0.3)
    ):
        drawn = windows(conversations, sizes, alike, share)
        cases[f"{conversations} conversations, {sizes}, alike {alike}, share {share}"] = {
            way: summary((wilson(c.flagged_weight / c.weight * size(c), size(c)) for c in drawn), share)
            for way, size in ways.items()
        }
    worst = {
        way: {
            f"{few}+ conversations": {
                "leastCover": min(row[way]["covers"] for row in _from(cases, few)),
                "mostWhollyAbove": max(row[way]["whollyAbove"] for row in _from(cases, few)),
            }
            for few in (30, 100, 400)
        }
        for way in ways
    }
    return {"cases": cases, "worst": worst}


def _from(cases: dict[str, Any], fewest: int) -> list[Any]:
    return [row for name, row in cases.items() if int(name.split()[0]) >= fewest]
