"""From which confidence on an evaluator surely agrees with people often enough."""

from __future__ import annotations

from collections.abc import Sequence

from modelward.evaluate.statistics.distributions import beta_cdf

AGREEMENT = 0.9
LEVEL = 0.05


def surely_agrees(agreed: int, rows: int, agreement: float = AGREEMENT, level: float = LEVEL) -> bool:
    """Return whether so many of the rows could hardly agree if the true share were at most `agreement`.

    The exact binomial test: P(X ≥ agreed) at that share is I_agreement(agreed, rows - agreed + 1).
    """
    return 0 < agreed <= rows and beta_cdf(agreement, agreed, rows - agreed + 1) <= level


def confident_from(
    confidences: Sequence[float], agrees: Sequence[bool], agreement: float = AGREEMENT, level: float = LEVEL
) -> float | None:
    """Return the least confidence from which on at least `agreement` surely agree; None where there is none.

    Fixed-sequence testing (Jung, Brahman and Choi 2024, arXiv 2407.18370): confidences are tried from the highest down,
    each on all rows from it on, and the first that fails after one held ends the sequence, so that no error is spent
    twice. The steps before so many rows are there that the test can hold at all are not tried: they are known
    beforehand, because they depend on nothing but their number. Confidences are at 0.001 precision.
    """
    rounded = [round(one, 3) for one in confidences]
    held: float | None = None
    for limit in sorted(set(rounded), reverse=True):
        rows = [agree for confidence, agree in zip(rounded, agrees, strict=True) if confidence >= limit]
        if not surely_agrees(len(rows), len(rows), agreement, level):
            continue
        if not surely_agrees(sum(rows), len(rows), agreement, level):
            break
        held = limit
    return held
