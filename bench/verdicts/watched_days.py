"""Days of sampled traffic, and how often a rule fails in them; rare failures by importance sampling.

A day is a row of windows, a window a number of conversations of equal length. The flags of a conversation are
beta-binomial: `icc` is the correlation of two of its answers, 0 where answers are independent.

Rare failures: one of all pairs (window, start) is drawn, the windows between them are drawn with more flags, as many as
the rule just fails at, and each day is weighted by the likelihood ratio of the whole mixture. That is unbiased, and its
error does not grow as failures become rarer (Naiman and Priebe 2001 for scan statistics; Siegmund 1976 for the tilt).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from watched_rules import WatchedRule

Array = NDArray[np.float64]
_CELLS = 3_000_000
"""Numbers that one batch may hold in an array."""


@dataclass(frozen=True)
class Traffic:
    """Conversations of `turns` sampled answers each in a window, and windows in the sliding set."""

    conversations: int = 20
    turns: int = 1
    icc: float = 0.0
    windows: int = 12

    @property
    def size(self) -> int:
        """Samples of a window."""
        return self.conversations * self.turns


def flags_of_one(rates: Array, traffic: Traffic) -> Array:
    """Return the probabilities of 0 … `turns` flags in a conversation, one row for each rate."""
    turns, rows = traffic.turns, []
    for rate in rates:
        if traffic.icc == 0:
            row = [math.comb(turns, k) * rate**k * (1 - rate) ** (turns - k) for k in range(turns + 1)]
        else:
            spread = 1 / traffic.icc - 1
            a, b = rate * spread, (1 - rate) * spread
            row = [math.comb(turns, k) * math.exp(_beta(a + k, b + turns - k) - _beta(a, b)) for k in range(turns + 1)]
        rows.append(np.array(row) / sum(row))
    return np.array(rows)


def _beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


class Watch:
    """One rule over traffic of some kind; `clustered` gives it the effective size instead of the number of samples."""

    def __init__(self, rule: WatchedRule, traffic: Traffic, *, clustered: bool = True) -> None:
        self.traffic, self.clustered = traffic, clustered and traffic.turns > 1
        most = traffic.size * traffic.windows
        self._sizes = np.unique(np.concatenate([np.arange(1, min(most, 400) + 1), np.linspace(1, most, 400)]))
        self._fewest = rule.fewest(self._sizes)
        first = 1 if rule.every_start else traffic.windows
        self.lengths = np.arange(first, traffic.windows + 1)

    def fewest(self, sizes: Array) -> Array:
        """Return from how many flags on the rule fails, by effective size."""
        return np.interp(sizes, self._sizes, self._fewest)

    def failing(self, drawn: NDArray[np.int64], ends: NDArray[np.int64], lengths: NDArray[np.int64]) -> Array:
        """Return whether sets fail that end before window `ends` and have so many windows; also returned: their flags.

        `drawn` has the shape (days, windows, turns + 1): conversations by their flags.
        """
        flags = np.arange(drawn.shape[2])
        sums = [np.cumsum(drawn @ flags**power, axis=1) for power in (1, 2)]
        k, k2 = (
            np.pad(one, ((0, 0), (1, 0)))[:, ends] - np.pad(one, ((0, 0), (1, 0)))[:, ends - lengths] for one in sums
        )
        n = (self.traffic.size * lengths).astype(float)
        if not self.clustered:
            return np.stack([k >= self.fewest(n) - 1e-6, k])
        turns, pair = self.traffic.turns, self.traffic.turns**2
        weight = n + 2 * turns
        share = (k + turns) / weight
        scatter = k2 + pair - 2 * share * (turns * k + pair) + share**2 * (turns * n + 2 * pair)
        size = np.minimum(n, n * weight * share * (1 - share) / scatter)  # `independent_size`
        return np.stack([k / n * size >= self.fewest(size) - 1e-6, k])


def false_failures(watch: Watch, rates: Array, days: int, seed: int = 1) -> tuple[float, float]:
    """Return the probability that a day has a failure, and its standard error.

    `rates` are those of the windows of the day, after as many of the evening before as the set reaches back.
    """
    rng, traffic = np.random.default_rng(seed), watch.traffic
    base = flags_of_one(rates, traffic)
    starts = np.arange(traffic.windows, len(rates) + 1)
    ends, lengths = (one.ravel() for one in np.meshgrid(starts, watch.lengths, indexing="ij"))
    tilt, cumulant, log_weight = _tilts(watch, base, ends, lengths)
    weight = np.exp(log_weight - log_weight.max())
    chance = weight / weight.sum()
    found: list[Array] = []
    batch = max(5, min(200, _CELLS // len(ends)))
    for _ in range(math.ceil(days / batch)):
        picked = rng.choice(len(ends), size=batch, p=chance)
        drawn = _drawn(rng, traffic, base, tilt[picked], ends[picked], lengths[picked])
        failing, k = watch.failing(drawn, ends, lengths)
        exponent = tilt * k - cumulant + np.log(np.maximum(chance, 1e-300))
        top = exponent.max(axis=1)
        mixture = top + np.log(np.exp(exponent - top[:, None]).sum(axis=1))
        found.append(failing.any(axis=1) * np.exp(-mixture))
    every = np.concatenate(found)
    return float(every.mean()), float(every.std() / math.sqrt(len(every)))


def _tilts(
    watch: Watch, base: Array, ends: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[Array, Array, Array]:
    """Return for each set the tilt at which its mean is where the rule fails, its log moment, and log of its chance."""
    traffic, flags = watch.traffic, np.arange(base.shape[1])
    design = 1 + (traffic.turns - 1) * traffic.icc if watch.clustered else 1.0
    size = traffic.size * lengths / design
    goal = np.minimum(watch.fewest(size) / size, 0.95) * traffic.turns
    cumulative = np.pad(np.cumsum(base, axis=0), ((1, 0), (0, 0)))
    mean = (cumulative[ends] - cumulative[ends - lengths]) / lengths[:, None]
    low, high = np.zeros(len(ends)), np.full(len(ends), 12.0)
    for _ in range(40):
        middle = (low + high) / 2
        tilted = mean * np.exp(middle[:, None] * flags)
        below = (tilted @ flags) / tilted.sum(axis=1) < goal
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    cumulant = np.zeros(len(ends))
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for back in range(1, length + 1):
            moment = (base[ends[rows] - back] * np.exp(low[rows, None] * flags)).sum(axis=1)
            cumulant[rows] += traffic.conversations * np.log(moment)
    return low, cumulant, cumulant - low * goal * lengths * traffic.conversations


def _drawn(
    rng: np.random.Generator,
    traffic: Traffic,
    base: Array,
    tilt: Array,
    ends: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> NDArray[np.int64]:
    window = np.arange(len(base))
    inside = (window < ends[:, None]) & (window >= (ends - lengths)[:, None])
    tilted = base[None] * np.exp(tilt[:, None, None] * np.arange(base.shape[1]) * inside[:, :, None])
    return rng.multinomial(traffic.conversations, tilted / tilted.sum(axis=2, keepdims=True))


def plain_days(watch: Watch, rates: Array, days: int, seed: int = 2) -> NDArray[np.bool_]:
    """Return for each of some days, drawn as they are, and verdict whether it fails: (days, verdicts)."""
    rng, traffic = np.random.default_rng(seed), watch.traffic
    base = flags_of_one(rates, traffic)
    ends = np.arange(traffic.windows, len(rates) + 1)
    rows = []
    for _ in range(days // 50):
        drawn = rng.multinomial(traffic.conversations, base, size=(50, len(base)))
        failing = [watch.failing(drawn, ends, np.full_like(ends, length))[0] > 0 for length in watch.lengths]
        rows.append(np.any(failing, axis=0))
    return np.concatenate(rows)


def windows_to_failure(watch: Watch, before: float, after: float, trials: int, most: int = 288) -> Array:
    """Return after how many windows of a new rate each trial first fails, `most` + 1 where none does."""
    rates = np.array([before] * watch.traffic.windows + [after] * most)
    failing = plain_days(watch, rates, trials)[:, 1:]
    return np.where(failing.any(axis=1), failing.argmax(axis=1) + 1, most + 1).astype(float)
