"""Heads: logistic regressions over the shared embedding, as plain numbers in a file that says what they learnt from.

Some weigh the words of a text too. `modelward evaluators train` writes them; `modelward.job.training` tells how.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import fsum, sqrt
from typing import TYPE_CHECKING, Any

from modelward.evaluate.manifest import MINILM_SHA256
from modelward.evaluate.word_pieces import BUCKETS, buckets

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "modelward.evaluate.evaluators"
FOLDER = "heads"


@dataclass(frozen=True, slots=True)
class Head:
    """Weights and bias of a logistic regression; `licences` are those of the sets that it was trained on.

    Weights are of the embedding's 384 numbers, and of what an evaluator appends to them. `pieces` are the weights
    [BUCKETS] of word pieces, or empty. A text's buckets count alike, 1 / √n for n of them.
    """

    weights: tuple[float, ...]
    bias: float
    licences: tuple[str, ...]
    pieces: tuple[float, ...] = ()

    def probabilities(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return float64 [n] in (0, 1) for n texts and their vectors [n, weights]; a text's depends on no other."""
        import numpy as np

        # Summed row by row: a matrix product sums in another order for another number of rows.
        logits = (vectors.astype(np.float64) * np.asarray(self.weights)).sum(axis=1) + self.bias
        if self.pieces:
            logits += np.array([self._of_pieces(text) for text in texts])
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float64)

    def _of_pieces(self, text: str) -> float:
        found = buckets(text)
        return fsum(self.pieces[bucket] for bucket in found) / sqrt(len(found)) if found else 0.0


def parsed_head(data: dict[str, Any]) -> Head:
    """Return the head in a file's JSON. ValueError when it was trained on other embeddings or buckets."""
    if data["embedder"] != MINILM_SHA256:
        raise ValueError(f"the head {data['name']} was trained on the embeddings of other weights")
    pieces = tuple(map(float, data.get("pieces", ())))
    if len(pieces) not in (0, BUCKETS):
        raise ValueError(f"the head {data['name']} weighs {len(pieces)} word pieces; {BUCKETS} or none are read")
    licences = sorted({one["licence"] for one in data["trainedOn"]})
    return Head(tuple(map(float, data["weights"])), float(data["bias"]), tuple(licences), pieces)


@cache
def shipped_head(name: str) -> Head:
    """Return a head of the package."""
    file = resources.files(PACKAGE) / FOLDER / f"{name}.json"
    return parsed_head(json.loads(file.read_text(encoding="utf-8")))


def licence_of(names: Sequence[str]) -> str:
    """Return the licences that the manifest of an evaluator with these heads names."""
    sets = sorted({licence for name in names for licence in shipped_head(name).licences})
    return f"Apache-2.0 (all-MiniLM-L6-v2); trained on sets under {', '.join(sets)}"
