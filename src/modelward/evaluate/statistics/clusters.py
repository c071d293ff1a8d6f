"""Topics: groups of near embeddings, which keep their names from window to window."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROUNDS = 25
STARTS = 4
SKETCH_NUMBERS = 64
_SKETCH_SEED = 20_240_229
SAME_COSINE = 0.8
"""From which two sketches are of one topic; `bench/evaluators/drift.py` measures how often that is right."""


def clusters(vectors: NDArray[np.float64], count: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the cluster of each row and the centres [count, dimensions], largest cluster first.

    Spherical k-means (Dhillon and Modha 2001) from k-means++ starts, the best of some. `vectors` [n, dimensions] have
    unit norm, as the centres do.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    tried = [_converged(vectors, _start(vectors, min(count, len(vectors)), rng)) for _ in range(STARTS)]
    best = max(tried, key=lambda centres: float((vectors @ centres.T).max(axis=1).sum()))
    labels = (vectors @ best.T).argmax(axis=1)
    order = np.argsort(-np.bincount(labels, minlength=len(best)), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[labels], best[order]


def _start(vectors: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    import numpy as np

    chosen = [int(rng.integers(len(vectors)))]
    far = np.ones(len(vectors))
    while len(chosen) < count:
        far = np.minimum(far, (1 - vectors @ vectors[chosen[-1]]).clip(0))
        total = float(far.sum())
        chosen.append(int(rng.choice(len(vectors), p=far / total)) if total > 1e-9 else int(rng.integers(len(vectors))))
    return vectors[chosen].copy()


def _converged(vectors: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    labels = np.full(len(vectors), -1)
    for _ in range(ROUNDS):
        found = (vectors @ centres.T).argmax(axis=1)
        if np.array_equal(found, labels):
            break
        labels = found
        sums = np.eye(len(centres))[labels].T @ vectors
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norms > 1e-9, sums / np.maximum(norms, 1e-9), centres)
    return centres


def sketch(centre: NDArray[np.float64]) -> str:
    """Return a centre as 64 signed bytes in base64: a random projection that keeps cosines to about a tenth.

    It is of a topic that may be shown, not of one text, and stays in the result as long as the topic's name does.
    """
    import numpy as np

    projected = _projection(len(centre)) @ centre
    scaled = np.rint(projected / max(float(np.abs(projected).max()), 1e-12) * 127).astype(np.int8)
    return base64.b64encode(scaled.tobytes()).decode()


def same_topics(new: Sequence[str], old: Sequence[str]) -> dict[int, int]:
    """Return which new sketch is which old one, each at most once, the nearest pairs first; what is none is left out.

    A sketch that cannot be read is no topic's.
    """
    import numpy as np

    ours, theirs = ([_read(text) for text in texts] for texts in (new, old))
    near = [
        (-float(np.dot(one, other)), i, j)
        for i, one in enumerate(ours)
        for j, other in enumerate(theirs)
        if one is not None and other is not None
    ]
    found: dict[int, int] = {}
    for negative, i, j in sorted(near):
        if -negative >= SAME_COSINE and i not in found and j not in found.values():
            found[i] = j
    return found


def _read(text: str) -> NDArray[np.float64] | None:
    import numpy as np

    try:
        raw = np.frombuffer(base64.b64decode(text, validate=True), np.int8).astype(np.float64)
    except ValueError:
        return None
    norm = float(np.linalg.norm(raw))
    return raw / norm if len(raw) == SKETCH_NUMBERS and norm > 0 else None


def _projection(dimensions: int) -> NDArray[np.float64]:
    import numpy as np

    drawn: NDArray[np.float64] = np.random.default_rng(_SKETCH_SEED).normal(size=(SKETCH_NUMBERS, dimensions))
    return drawn
