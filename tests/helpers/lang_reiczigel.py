"""The published interval beside which the verdicts' own stands: tests and `bench/verdicts` hold them together."""

from __future__ import annotations

import math

from modelward.evaluate.interval import Z_95, Interval


def lang_reiczigel(k: float, n: float, positives: tuple[int, int], negatives: tuple[int, int]) -> Interval:
    """Return the interval of Lang and Reiczigel 2014 for k flagged of n, [0, 1] where it cannot be told.

    `positives` are (found, all) labelled faults, `negatives` (left alone, all) labelled faultless ones.
    """
    (found, m1), (kept, m0), z2 = positives, negatives, Z_95 * Z_95
    size, m1, m0 = n + z2, m1 + 2, m0 + 2
    p, s, c = (k + z2 / 2) / size, (found + 1) / m1, (kept + 1) / m0
    j = s + c - 1
    if j <= 0:
        return Interval(0.0, 0.0, 1.0)
    share = (p + c - 1) / j
    of_true, of_false = s * (1 - s) / m1, c * (1 - c) / m0
    shift = 2 * z2 * (share * of_true - (1 - share) * of_false)
    half = Z_95 * math.sqrt(p * (1 - p) / size + (1 - share) ** 2 * of_false + share**2 * of_true) / j
    low, high = (min(1.0, max(0.0, share + shift + side)) for side in (-half, half))
    return Interval(min(high, max(low, share)), low, high)
