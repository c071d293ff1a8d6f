"""What one receiver is told together, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from modelward.alerts.candidate import Candidate
from modelward.alerts.due_message import DueItem, DueMessage, Tell
from modelward.alerts.episode import graver
from modelward.alerts.standing import digest
from modelward.alerts.timing import HOUR_MS, Timing

NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class ReceiverAlerts:
    """All that one receiver of one policy is, or may have been, told of."""

    policy: str
    receiver: str
    timing: Timing
    candidates: tuple[Candidate, ...]
    now_ms: int

    @property
    def number(self) -> int:
        """The number of a message that begins now: its second, because status holds no less."""
        return self.now_ms // 1_000 * 1_000

    def again(self) -> Iterator[DueMessage]:
        """Yield what was begun and may have arrived, as the same messages, with what is true now."""
        begun: defaultdict[tuple[str, int], list[Candidate]] = defaultdict(list)
        for one in self.candidates:
            if one.known.sending:
                begun[one.known.key, one.known.sending_ms].append(one)
        for (key, sequence), group in begun.items():
            items = [DueItem(one.alert, one.still()) for one in group if one.episode.ended or not one.suppressed]
            if items:
                # What is suppressed by now keeps the number: its receiver may take only one message of each.
                number = sequence if len(items) == len(group) else max(self.number, sequence + 1_000)
                yield self.message(key, number, items, again=True)

    def groups(self, sending: Collection[str]) -> Iterator[IncidentGroup]:
        """Yield the groups of what is not being sent; none of an incident of which a message is (`sending`)."""
        open_keys = {_tag(one.known.key): one.known.key for one in self.candidates if one.known.open}
        found: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
        for one in self.candidates:
            tag = digest(self.policy, self.receiver, *one.values())
            key = one.known.key if one.known.open else open_keys.get(tag, "")
            if not one.known.sending and key not in sending:
                found[_tag(key) or tag, key].append(one)
        for (tag, key), members in found.items():
            yield IncidentGroup(self, tag, key, tuple(members))

    def message(self, key: str, sequence: int, items: Sequence[DueItem], *, again: bool = False) -> DueMessage:
        """Return a message of these alerts, with how many of its incident fire after it."""
        told = {(item.alert.endpoint, item.alert.name) for item in items}
        fires = sum(item.alert.episode.firing for item in items)
        of_key = [one for one in self.candidates if one.known.key == key]
        return DueMessage(
            policy=self.policy,
            receiver=self.receiver,
            key=key,
            sequence=sequence,
            items=tuple(items),
            open=fires + sum(one.known.open and one.where not in told for one in of_key),
            storm=any(one.storm and one.where in told for one in self.candidates),
            again=again,
            ref=next((one.known.ref for one in of_key if one.known.ref), ""),
        )


@dataclass(frozen=True, slots=True)
class IncidentGroup:
    """Alerts of one receiver that are told together; `key` is empty where it has not been told of any of them."""

    of: ReceiverAlerts
    tag: str
    key: str
    members: tuple[Candidate, ...]

    def message(self) -> DueMessage | None:
        """Return the message that is due now, None where it has to wait or there is nothing to say."""
        now = self.of.now_ms
        news = [(one, tell) for one, tell in self._news() if self._earliest(one) <= now]
        if news and min(self._wanted(one, tell) for one, tell in news) <= now:
            return self._said([DueItem(one.alert, tell) for one, tell in news])
        if self.key and self._repeats_ms() <= now:
            still = [DueItem(one.alert, "Repeated") for one in self._still_open() if self._earliest(one) <= now]
            return self._said(still) if still else None
        return None

    def next_ms(self) -> int:
        """Return when something of the group may be due, if nothing changes."""
        times = [max(self._wanted(one, tell), self._earliest(one)) for one, tell in self._news()]
        if self.key and any(True for _ in self._still_open()):
            times.append(self._repeats_ms())
        return min((at for at in times if at > self.of.now_ms), default=NEVER)

    def _said(self, items: Sequence[DueItem]) -> DueMessage:
        """Return a message under the incident's key, or a new one."""
        key = self.key or f"{self.tag}-{self.of.now_ms // 1_000:x}"
        return self.of.message(key, max(self.of.number, self._last_ms() // 1_000 * 1_000 + 1_000), items)

    def _news(self) -> Iterator[tuple[Candidate, Tell]]:
        for one in self.members:
            if (tell := one.news(self.of.now_ms)) is not None:
                yield one, tell

    def _still_open(self) -> Iterator[Candidate]:
        routed = (one for one in self.members if one.route is not None and not one.suppressed)
        return (one for one in routed if one.known.open and one.episode.firing)

    def _earliest(self, one: Candidate) -> int:
        """Return before which time this alert is not told again: it flaps, or could not be told."""
        last = self._past(one.known.at_ms)
        if last and one.episode.flapping(self.of.now_ms):
            return last + HOUR_MS
        return last + self.of.timing.repeat_every_ms if last and one.known.given_up else 0

    def _wanted(self, one: Candidate, tell: Tell) -> int:
        """Return when this news is worth a message, in which what belongs to it then stands as well."""
        waited = one.episode.since_ms + self.of.timing.group_wait_ms
        if tell == "Raised":
            return 0
        if not self.key or (tell == "Firing" and self._graver_than_told(one)):
            return waited if tell in ("Firing", "Flapping") else 0
        after = self._last_ms() + self.of.timing.group_interval_ms
        return max(after, waited) if tell in ("Firing", "Flapping") else after

    def _graver_than_told(self, one: Candidate) -> bool:
        told = (other.known.severity for other in self.members if other.known.open)
        return all(graver(one.episode.severity, severity) for severity in told)

    def _repeats_ms(self) -> int:
        """Return when what still fires is told again; a clock that was set back a little makes no repetition due."""
        last = max((one.known.at_ms for one in self.members if one.known.key == self.key), default=0)
        every = self.of.timing.repeat_every_ms
        return last + every if last <= self.of.now_ms + every else 0

    def _last_ms(self) -> int:
        """Return when the receiver was last told of this incident."""
        return max((self._past(one.known.at_ms) for one in self.members if one.known.key == self.key), default=0)

    def _past(self, at_ms: int) -> int:
        """Return a time that lies in the past; one ahead of the clock, which was set back, is not known."""
        return at_ms if at_ms <= self.of.now_ms else 0


def _tag(key: str) -> str:
    """Return what a key says of the group: its receiver, and what its alerts share."""
    return key.partition("-")[0]
