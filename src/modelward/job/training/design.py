"""The rows of a logistic regression: dense vectors, and the few buckets of word pieces that each text has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelward.evaluate.word_pieces import BUCKETS, buckets

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Design:
    """A matrix [n, d + BUCKETS + 1] that is never written out: `dense` [n, d], then pieces, then a column of ones.

    Entry i of the pieces stands in row `rows[i]` and bucket `columns[i]` with `values[i]`; without pieces all are empty
    and there are no columns of them.
    """

    dense: NDArray[Any]
    rows: NDArray[Any]
    columns: NDArray[Any]
    values: NDArray[Any]

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return int(self.dense.shape[1]) + self._buckets + 1

    @property
    def _buckets(self) -> int:
        return BUCKETS if len(self.rows) else 0

    def times(self, point: NDArray[Any]) -> NDArray[Any]:
        """Return the product [n] with a point [width]."""
        import numpy as np

        width = self.dense.shape[1]
        found: NDArray[Any] = self.dense @ point[:width] + point[-1]
        if self._buckets:
            found = found + np.bincount(
                self.rows, self.values * point[width:-1][self.columns], minlength=len(self.dense)
            )
        return found

    def transposed_times(self, row_values: NDArray[Any]) -> NDArray[Any]:
        """Return the product [width] of the transpose with a value for each row."""
        return self._transposed(self.dense, self.values, row_values)

    def squares_transposed_times(self, row_values: NDArray[Any]) -> NDArray[Any]:
        """Return the same product where every entry is squared."""
        return self._transposed(self.dense**2, self.values**2, row_values)

    def _transposed(self, dense: NDArray[Any], values: NDArray[Any], row_values: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        parts = [dense.T @ row_values]
        if self._buckets:
            parts.append(np.bincount(self.columns, values * row_values[self.rows], minlength=BUCKETS))
        return np.concatenate([*parts, [row_values.sum()]])


def design(vectors: NDArray[Any], texts: Sequence[str] = ()) -> Design:
    """Return the rows of vectors [n, d], with the word pieces of `texts` where those are given."""
    import numpy as np

    found = [buckets(text) for text in texts]
    sizes = [len(one) for one in found]
    return Design(
        vectors.astype(np.float64),
        np.repeat(np.arange(len(found)), sizes),
        np.array([bucket for one in found for bucket in one], np.int64),
        np.repeat(1.0 / np.sqrt(np.maximum(1.0, sizes)), sizes),
    )
