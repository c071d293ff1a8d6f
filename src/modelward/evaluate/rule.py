"""What decides an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.evaluate.statistics.sequence import Odds


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """When an evaluation counts as failed: exactly one of the two limits is set, in ppm of judged exchanges.

    `odds` are those of a verdict that is taken after each window; None of one that is taken once, at 95 %.
    """

    fail_above_ppm: int | None = None
    fail_below_ppm: int | None = None
    min_samples: int = 100
    odds: Odds | None = None

    def __post_init__(self) -> None:
        if (self.fail_above_ppm is None) == (self.fail_below_ppm is None):
            raise ValueError("exactly one of fail_above_ppm and fail_below_ppm")

    @property
    def limit_ppm(self) -> int:
        """The limit that is set."""
        return self.fail_below_ppm if self.fail_above_ppm is None else self.fail_above_ppm  # type: ignore[return-value]

    @property
    def above(self) -> bool:
        """Whether it is bad above the limit."""
        return self.fail_above_ppm is not None
