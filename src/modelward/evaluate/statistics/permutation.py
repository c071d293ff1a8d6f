"""Permutation tests between two samples of conversations: the false alarms are right whatever is measured.

Exchanges of one conversation resemble each other, so whole conversations are shuffled, never exchanges: as if each were
independent, a test would see change in any long conversation. Nothing is random here but by a seed, which the caller
derives from the window: the same input gives the same p-value.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from modelward.evaluate.statistics.distances import Distance

MOST = 25_000
"""Permutations at most, so that two halves together reach p = 3.4e-8: what 288 critical looks a day ask for."""
ENOUGH = 20
"""Permutations at least as extreme after which no more are drawn: a healthy window costs some hundred."""
_CHUNK_CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class ConversationSums:
    """A sample, summed by conversation: `sums` [conversations, features], `mass` [conversations], `keys` in order.

    The sample's mean is Σ sums / Σ mass; for shares a row of `sums` adds up to its mass.
    """

    keys: tuple[str, ...]
    sums: NDArray[np.float64]
    mass: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of all exchanges, [features]."""
        mean: NDArray[np.float64] = self.sums.sum(axis=0) / max(float(self.mass.sum()), 1e-12)
        return mean

    @property
    def effective(self) -> float:
        """How many equally large conversations hold as much information (Kish)."""
        squared = float((self.mass**2).sum())
        return float(self.mass.sum()) ** 2 / squared if squared > 0 else 0.0

    def half(self, first: bool) -> ConversationSums:
        """Return the conversations of one half; the key alone decides, so that both halves are fair samples."""
        import numpy as np

        rows = [i for i, key in enumerate(self.keys) if (_hashed(key) % 2 == 0) == first]
        index = np.array(rows, np.intp)
        return ConversationSums(tuple(self.keys[i] for i in rows), self.sums[index], self.mass[index])


def by_conversation(
    features: NDArray[np.float64], weights: NDArray[np.float64], conversations: Sequence[str]
) -> ConversationSums:
    """Sum up exchanges [n, features] with their weights [n] by conversation, in the order of its key.

    Weights are scaled to a mean of 1, because only their ratios say anything: a sample rate that was changed between
    two samples would else look like larger conversations. Of shares every row of `features` adds up to 1.
    """
    import numpy as np

    keys = sorted(set(conversations))
    if not keys:
        return ConversationSums((), np.zeros((0, features.shape[1])), np.zeros(0))
    place = {key: number for number, key in enumerate(keys)}
    rows = np.array([place[one] for one in conversations], np.intp)
    scaled, order = weights / weights.mean(), np.argsort(rows, kind="stable")
    begins = np.searchsorted(rows[order], np.arange(len(keys)))
    sums = np.add.reduceat((features * scaled[:, None])[order], begins, axis=0)
    return ConversationSums(tuple(keys), sums, np.bincount(rows, scaled, len(keys)).astype(np.float64))


def seed_of(parts: Iterable[str]) -> int:
    """Return a seed that these texts decide, whatever their order."""
    return _hashed("\n".join(sorted(parts)))


def permuted(
    window: ConversationSums, reference: ConversationSums, distance: Distance, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the distance between two samples of the same sizes, drawn from both together, some at a time."""
    import numpy as np

    rng = np.random.default_rng(seed)
    sums, mass = np.concatenate([window.sums, reference.sums]), np.concatenate([window.mass, reference.mass])
    chunk, taken = max(1, min(250, _CHUNK_CELLS // max(1, len(mass)))), len(window.keys)
    while True:
        drawn = rng.random((chunk, len(mass)), np.float32).argpartition(taken - 1, axis=1)[:, :taken]
        chosen = np.zeros((chunk, len(mass)))
        np.put_along_axis(chosen, drawn, 1.0, axis=1)
        inside, weight = chosen @ sums, chosen @ mass
        outside, rest = sums.sum(axis=0) - inside, mass.sum() - weight
        yield distance(inside / weight[:, None], outside / rest[:, None])


def p_value(
    window: ConversationSums, reference: ConversationSums, distance: Distance, seed: int, most: int | None = None
) -> float:
    """Return how often chance alone is as extreme, by sequential Monte Carlo (Besag and Clifford 1991).

    Valid at every size: P(p ≤ a) ≤ a where both samples are of one kind. 1 where a sample is empty. At most `most`
    permutations are drawn, MOST where none is given.
    """
    if not window.keys or not reference.keys:
        return 1.0
    most = MOST if most is None else most
    observed = float(distance(window.mean[None], reference.mean[None])[0]) * (1 - 1e-9)
    extreme = drawn = 0
    for found in permuted(window, reference, distance, seed):
        hits = (found[: most - drawn] >= observed).nonzero()[0]
        if extreme + len(hits) >= ENOUGH:
            return ENOUGH / (drawn + int(hits[ENOUGH - extreme - 1]) + 1)
        extreme, drawn = extreme + len(hits), drawn + len(found)
        if drawn >= most:
            break
    return (extreme + 1) / (most + 1)


def halved_p_value(
    window: ConversationSums, reference: ConversationSums, distance: Distance, seed: int, most: int | None = None
) -> float:
    """Return one p-value from two independent tests: each half of the window against its own half of the reference.

    No number of permutations that is worth its time proves p < 1e-5, and 288 looks a day ask for less than 1e-6. Two
    tests that share no conversation are independent, so their product reaches it exactly: P(p·q ≤ x) = x (1 - ln x).
    """
    first, second = (
        p_value(window.half(part), reference.half(part), distance, seed + part, most) for part in (True, False)
    )
    return combined(first, second)


def combined(first: float, second: float) -> float:
    """Return the p-value of two independent ones by their product (Fisher 1932)."""
    product = first * second
    return min(1.0, product * (1 - math.log(product)))


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
