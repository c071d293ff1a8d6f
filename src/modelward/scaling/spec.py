"""What the user declared about scaling, in the numbers that the decision needs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScalingSpec:
    """Bounds and objectives of one endpoint.

    `attainment_ppm` is the share of requests that must keep the objectives.
    `tokens_per_second` is what one replica carries, where the user knows it; otherwise it is learned. `wakes` says
    that something outlives the replicas and holds requests for them (a gateway): without it, none is left at 0.
    `revision` names what the replicas run; what was learned of another revision is forgotten.
    """

    min_replicas: int
    max_replicas: int
    scale_down_hold_ms: int = 600_000
    time_to_first_token_ms: int | None = None
    tokens_per_second: int | None = None
    wakes: bool = False
    revision: str = ""
    time_per_output_token_ms: int | None = None
    attainment_ppm: int = 990_000

    @property
    def floor(self) -> int:
        """The fewest replicas that scaling may leave."""
        return self.min_replicas if self.wakes else max(1, self.min_replicas)

    def within(self, replicas: int) -> int:
        """The nearest number that the user allows."""
        return max(self.floor, min(self.max_replicas, replicas))
