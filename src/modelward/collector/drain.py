"""When a pod that is to leave may go: pure, so that the rule can be tested without waiting."""

from __future__ import annotations

from dataclasses import dataclass, field

STALLED_S = 1.5
"""The data plane's heart beats once a second."""


@dataclass(slots=True)
class Drain:
    """Decides when a preStop hook returns.

    Quiet alone proves nothing. A node sends requests until it learns that the pod leaves, and one that is seldom asked
    is quiet all the time: nothing ends in the first `leave_s` seconds. And a data plane that gets no processor counts
    nothing while clients queue at its port: a moment in which it does not live is not quiet.
    """

    began: float
    leave_s: float
    quiet_s: float
    _since: float = field(init=False)
    _started: float = field(init=False, default=-1.0)
    _beats: float = field(init=False, default=-1.0)
    _beat_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self._beat_at = self.began

    def done(self, now: float, *, in_flight: float, started: float, beats: float) -> bool:
        """Return whether the pod may go, from how many requests run, how many ever began, and the heartbeat."""
        if beats != self._beats:
            self._beats, self._beat_at = beats, now
        if in_flight > 0 or started != self._started or now - self._beat_at > STALLED_S:
            self._since, self._started = now, started
        return now - self._since >= self.quiet_s and now - self.began >= self.leave_s
