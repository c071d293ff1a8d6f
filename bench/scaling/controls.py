"""What scaling is compared with: a HorizontalPodAutoscaler, and an oracle that knows the load to come."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from scaling_fleet import CARRIED, SLOTS, Fleet, Modelward

from modelward.scaling.capacity import Learned, remembered
from modelward.scaling.history import DecisionHistory
from modelward.scaling.spec import ScalingSpec


@dataclass(slots=True)
class Autoscaler:
    """`autoscaling/v2` with its defaults, on the requests in flight of a pod as a share of its slots.

    10 % tolerance, at most twice the pods or four more at once, down to the highest of the last five minutes.
    """

    share: float
    most: int
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)

    def __call__(self, fleet: Fleet, now_s: float) -> int | None:
        """Return the number of pods; those that are not ready count as idle when it would scale up."""
        usage, now = fleet.usage(), len(fleet.replicas)
        target = self.share * SLOTS
        in_flight, ready = usage.in_flight or 0.0, max(1, usage.ready)
        ratio = in_flight / ready / target
        wanted = now if abs(ratio - 1) <= 0.1 else math.ceil(ratio * ready)
        if ratio > 1.1 and usage.ready < now:
            wanted = math.ceil(in_flight / target) if in_flight / now / target > 1.1 else now
        wanted = min(wanted, max(2 * now, now + 4))
        self._wanted.append((now_s, wanted))
        while self._wanted[0][0] < now_s - 300:
            self._wanted.popleft()
        if wanted < now:
            wanted = min(now, max(count for _, count in self._wanted))
        return max(1, min(self.most, wanted))


@dataclass(slots=True)
class Oracle:
    """Knows the load of the next 150 s, plans 90 %, and holds for five minutes."""

    load: Sequence[float]
    most: int
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)

    def __call__(self, _fleet: Fleet, now_s: float) -> int | None:
        """Return what the busiest 30 of the next 150 s need."""
        coming = sorted(self.load[int(now_s) : int(now_s) + 150])[-30:]
        self._wanted.append((now_s, math.ceil(math.fsum(coming) / 30 / CARRIED / 0.9)))
        while self._wanted[0][0] < now_s - 300:
            self._wanted.popleft()
        return max(1, min(self.most, max(count for _, count in self._wanted)))


class Restarted(Modelward):
    """The rule in an operator that restarts at some times: of what was learned it knows what status says."""

    def __init__(self, spec: ScalingSpec, restarts_s: Collection[float]) -> None:
        super().__init__(spec)
        self._restarts_s = sorted(restarts_s)

    def __call__(self, fleet: Fleet, now_s: float) -> int | None:
        """Decide once, perhaps as another process."""
        if self._restarts_s and now_s >= self._restarts_s[0]:
            self._restarts_s.pop(0)
            known = self.decision.capacity if self.decision is not None else None
            learned = remembered(str(known), round(now_s * 1_000)) if known is not None else Learned()
            self.history = DecisionHistory(learned=learned)
        return super().__call__(fleet, now_s)
