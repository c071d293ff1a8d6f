"""What decides an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from modelward.api.quantity import limit_text, percent_text
from modelward.api.run_plan import Statistic
from modelward.evaluate.statistics.sequence import Odds


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """When an evaluation counts as failed: exactly one of the two limits is set, in millionths.

    They are limits of the `statistic`: the share flagged, or the mean or a percentile of values in [0, 1]; or of a
    percentile of numbers in `unit`. `odds` are those of a share that is judged after each window; None of a verdict
    that is taken once, at 95 %.
    """

    fail_above_ppm: int | None = None
    fail_below_ppm: int | None = None
    min_samples: int = 100
    statistic: Statistic = "Share"
    unit: str = ""
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

    @property
    def share(self) -> float | None:
        """The share of a percentile, 0.95 of P95; None of another statistic."""
        return int(self.statistic[1:]) / 100 if self.statistic[1:].isdigit() else None

    @property
    def limit(self) -> str:
        """The limit as people read it."""
        return f"{self.limit_ppm / 1e6:g} {self.unit}" if self.unit else limit_text(self.limit_ppm)

    def shown(self, millionths: int) -> str:
        """Return a number of this statistic as people read it, without its unit where that is not %."""
        return f"{millionths / 1e6:.3g}" if self.unit else percent_text(millionths)
