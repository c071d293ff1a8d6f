"""What the user declared about scaling, in the numbers that the decision needs."""

from dataclasses import dataclass

from modelward.api.replica_bounds import fewest_allowed, nearest_allowed


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
        return fewest_allowed(self.min_replicas, wakes=self.wakes)

    def within(self, replicas: int) -> int:
        """The nearest number that the user allows."""
        return nearest_allowed(replicas, self.min_replicas, self.max_replicas, wakes=self.wakes)
