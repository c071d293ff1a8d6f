"""Ridge logistic regression in float64 by Newton's method: one optimum, so the same rows give the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

ITERATIONS = 25
"""At most; quadratic convergence takes about 8."""
TOLERANCE = 1e-9


def fitted(vectors: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any], ridge: float) -> NDArray[Any]:
    """Return float64 [d + 1], the bias last, that minimise weighted log loss + ridge/2 |w|² without the bias.

    vectors [n, d]; targets [n] in [0, 1], where .5 is a row that is neither; weights [n] > 0. Newton's method as in
    Hastie, Tibshirani and Friedman 2009, 4.4.1, with halved steps where a whole one would climb.
    """
    import numpy as np

    rows = np.hstack([vectors.astype(np.float64), np.ones((len(vectors), 1))])
    penalty = np.full(rows.shape[1], ridge)
    penalty[-1] = 1e-6

    def loss(point: NDArray[Any]) -> float:
        logits = rows @ point
        return float(
            (weights * (np.logaddexp(0.0, logits) - targets * logits)).sum() + 0.5 * (penalty * point**2).sum()
        )

    point, now = np.zeros(rows.shape[1]), loss(np.zeros(rows.shape[1]))
    for _ in range(ITERATIONS):
        p = 1.0 / (1.0 + np.exp(-(rows @ point)))
        gradient = rows.T @ (weights * (p - targets)) + penalty * point
        hessian = (rows * (weights * p * (1.0 - p))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        while loss(point - step) > now + 1e-12 * abs(now) and np.abs(step).max() > TOLERANCE:
            step = step / 2
        point, now = point - step, loss(point - step)
        if np.abs(step).max() < TOLERANCE:
            break
    return point
