"""The newest part of a sliding set that speaks for a change, so that what came before the change does not hide it.

A cumulative sum that restarts whenever nothing speaks for a change is the maximum over all starts (Page 1954). Here the
starts are those of the windows in the set. Where the sum is the evidence of `sequence`, the mean number of windows to a
false alarm is at least its odds (the Shiryaev-Roberts argument; Shin, Ramdas and Rinaldo 2023), and measured far more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate

from modelward.api.evaluation import Counts


def longest(newest_first: Iterable[Counts], speaks: Callable[[Counts], bool]) -> tuple[int, Counts]:
    """Return the longest run of newest windows that speaks for a change: its length, 0 where none does, and counts."""
    found = (0, Counts())
    for length, pooled in enumerate(accumulate(newest_first), 1):
        if pooled.samples and speaks(pooled):
            found = (length, pooled)
    return found
