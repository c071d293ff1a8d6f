"""Ridge logistic regression in float64 by Newton's method: one optimum, so the same rows give the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modelward.job.training.design import Design

ITERATIONS = 60
"""At most; it takes about 12."""
TOLERANCE = 1e-9
BIAS_RIDGE = 1e-6
CONJUGATE_STEPS = 2_000


def fitted(design: Design, targets: NDArray[Any], weights: NDArray[Any], ridge: float) -> NDArray[Any]:
    """Return float64 [width], the bias last, that minimise weighted log loss + ridge/2 |w|² without the bias.

    targets [n] in [0, 1], where .5 is a row that is neither; weights [n] > 0. Newton's method as in Hastie, Tibshirani
    and Friedman 2009, 4.4.1, with halved steps where a whole one would climb. Steps are solved for by conjugate
    gradients, more exactly the nearer the optimum is (Dembo, Eisenstat and Steihaug 1982): with thousands of word
    pieces the Hessian is too large to be written out.
    """
    import numpy as np

    penalty = np.full(design.width, ridge)
    penalty[-1] = BIAS_RIDGE

    def loss(point: NDArray[Any]) -> float:
        logits = design.times(point)
        return float(
            (weights * (np.logaddexp(0.0, logits) - targets * logits)).sum() + 0.5 * (penalty * point**2).sum()
        )

    point, now = np.zeros(design.width), loss(np.zeros(design.width))
    first = 0.0
    for _ in range(ITERATIONS):
        p = 1.0 / (1.0 + np.exp(-design.times(point)))
        gradient = design.transposed_times(weights * (p - targets)) + penalty * point
        slope = float(np.sqrt(gradient @ gradient))
        first = first or slope or 1.0
        step = _step(design, weights * p * (1.0 - p), penalty, gradient, min(0.1, slope / first))
        while loss(point - step) > now + 1e-12 * abs(now) and np.abs(step).max() > TOLERANCE:
            step = step / 2
        point, now = point - step, loss(point - step)
        if np.abs(step).max() < TOLERANCE:
            break
    return point


def _step(
    design: Design, curvature: NDArray[Any], penalty: NDArray[Any], gradient: NDArray[Any], exactness: float
) -> NDArray[Any]:
    """Solve Hessian · x = gradient by conjugate gradients, preconditioned by the diagonal, to a share of its norm."""
    import numpy as np

    diagonal = design.squares_transposed_times(curvature) + penalty
    x, rest = np.zeros_like(gradient), gradient.copy()
    towards = rest / diagonal
    direction, size = towards, float(rest @ towards)
    enough = exactness**2 * size
    for _ in range(CONJUGATE_STEPS):
        if size <= enough or size < np.finfo(np.float64).tiny:
            break
        image = design.transposed_times(curvature * design.times(direction)) + penalty * direction
        length = size / float(direction @ image)
        x, rest = x + length * direction, rest - length * image
        towards = rest / diagonal
        last, size = size, float(rest @ towards)
        direction = towards + size / last * direction
    return x
