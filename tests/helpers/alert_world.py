"""A namespace whose alerts go through any schedule of verdicts, faults and crashes, and what receivers hear of it."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from modelward.alerts.delivery import AlertDelivery, settled
from modelward.alerts.due import due
from modelward.alerts.due_message import DueItem, DueMessage
from modelward.alerts.episode import AlertInput, AlertVerdict, Episode
from modelward.alerts.receiver import Answered, Told, Undelivered
from modelward.alerts.routing import Routing
from modelward.alerts.silence import Silence
from modelward.alerts.standing import Standing, StandingAlert
from modelward.alerts.step import step

Key = tuple[str, str, str]
"""Endpoint, policy and name of an alert."""
_VERDICTS: tuple[AlertVerdict, ...] = (*("Failed",) * 4, *("Passed",) * 3, "NearThreshold", *("Unknown",) * 2)
Row = tuple[Episode, tuple[AlertDelivery, ...]]
EXPLAINS = {
    "NotReady": {"Unwatched", "Objective/errors", "Check/topic", "BudgetBurn/errors"},
    "Unwatched": {"Objective/errors", "Check/topic", "BudgetBurn/errors"},
    "BudgetBurn/errors": {"Objective/errors"},
}
"""Written anew and not read from the table under test."""


class CrashError(Exception):
    """The leader ends here."""


@dataclass
class Heard:
    """What one receiver got, in order."""

    ids: Counter[tuple[str, int]] = field(default_factory=Counter)
    tells: list[tuple[int, Key, int, str]] = field(default_factory=list)
    """When, which alert and episode, and what; a message that comes twice under one id is read once."""
    under: defaultdict[tuple[str, int], set[Key]] = field(default_factory=lambda: defaultdict(set))
    """Which alerts came under an id."""
    doubles: int = 0
    """How often something came under an id under which it had come before."""
    shared: int = 0
    """How often something else came under an id that was known."""
    messages: int = 0
    last: dict[tuple[Key, int], str] = field(default_factory=dict)


@dataclass
class Seen:
    """What one process has in its store: the rows, and the version of each endpoint by which it writes."""

    rows: dict[Key, Row]
    versions: Counter[str]


@dataclass
class World:
    """The API server's side: statuses and silences; and the receivers' side."""

    routing: Routing
    rows: dict[Key, Row] = field(default_factory=dict)
    versions: Counter[str] = field(default_factory=Counter)
    inputs: dict[Key, AlertInput] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    heard: defaultdict[str, Heard] = field(default_factory=lambda: defaultdict(Heard))
    down: set[str] = field(default_factory=set)
    now_ms: int = 1_800_000_000_000
    verdicts: dict[Key, list[tuple[int, AlertVerdict]]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    crashes: int = 0
    led_by_two: int = 0
    """In how many turns two leaders wrote at once."""
    handed_over: int = 0
    """How many messages two leaders both sent while they led at once."""
    reopened: int = 0
    """How often an alert came back: what was told of its end may have arrived or not."""
    given_up: set[tuple[str, Key, int]] = field(default_factory=set)
    """What failed for so long that it is tried no more: receiver, alert, episode."""

    def seen(self) -> Seen:
        """Return what a process has that has heard of all that was written."""
        return Seen(dict(self.rows), Counter(self.versions))

    def standing(self, seen: Seen | None = None) -> Standing:
        alerts = tuple(
            StandingAlert("retail", endpoint, policy, name, episode, deliveries)
            for (endpoint, policy, name), (episode, deliveries) in (seen or self).rows.items()
        )
        endpoints = len({endpoint for endpoint, _, _ in self.inputs})
        return Standing(alerts, {self.routing.policy: self.routing}, self.silences, endpoints)

    def observe(self, key: Key, verdict: AlertVerdict) -> None:
        self.inputs[key] = replace(self.inputs[key], verdict=verdict, reason="" if verdict != "Unknown" else "Missing")
        self.verdicts[key].append((self.now_ms, verdict))

    def reconcile(self) -> None:
        """What an endpoint's reconcile writes."""
        for key, seen in self.inputs.items():
            before, deliveries = self.rows.get(key, (None, ()))
            known = settled(deliveries, self.routing.receivers)
            after = step(before, seen, self.now_ms, self.routing.timing, settled=known)
            self._note(key, before, after)
            self.versions[key[0]] += after != before
            if after is None:
                self.rows.pop(key, None)
            elif before is None or after.began_ms != before.began_ms:
                self.rows[key] = (after, ())
            else:
                self.rows[key] = (after, deliveries)

    def _note(self, key: Key, before: Episode | None, after: Episode | None) -> None:
        self.reopened += before is not None and after is not None and before.ended and after.firing
        if after is not None and after.state == "Resolved" and (before is None or before.state != "Resolved"):
            long_ago = self.now_ms - self.routing.timing.resolve_after_ms
            history = self.verdicts[key]
            at_start = [verdict for at, verdict in history if at <= long_ago][-1:]
            within = [verdict for at, verdict in history if at > long_ago]
            if {*at_start, *within} != {"Passed"}:
                self.faults.append(f"{key} resolved without Passed: {at_start} {within}")

    def write(self, seen: Seen, alert: StandingAlert, delivery: AlertDelivery) -> bool:
        """Write by the version that the process has seen; return whether it was still that one, else it sees anew."""
        key = key_of(alert)
        current = seen.versions[alert.endpoint] == self.versions[alert.endpoint]
        if current and key in self.rows and self.rows[key][0].began_ms == alert.episode.began_ms:
            episode, before = self.rows[key]
            if delivery.given_up:
                self.given_up.add((delivery.receiver, key, episode.began_ms))
            others = tuple(one for one in before if one.receiver != delivery.receiver)
            self.rows[key] = (episode, (*others, delivery))
            self.versions[alert.endpoint] += 1
        seen.rows = {one: row for one, row in seen.rows.items() if one[0] != alert.endpoint}
        seen.rows |= {one: row for one, row in self.rows.items() if one[0] == alert.endpoint}
        seen.versions[alert.endpoint] = self.versions[alert.endpoint]
        return current

    def explained(self, key: Key) -> bool:
        """Return whether what is told of must not be: by the brief's own words."""
        endpoint, policy, name = key
        for (where, under, other), (episode, _) in self.rows.items():
            if (where, under) == (endpoint, policy) and name in EXPLAINS.get(other, ()):
                failing = other == "NotReady" and episode.state == "Pending" and episode.verdict == "Failed"
                if episode.state in ("Firing", "Held") or failing:
                    return True
        began = self.rows[key][0].began_ms
        return any(one.covers("retail", endpoint, name, began, self.now_ms) for one in self.silences)

    def noted(self, message: DueMessage) -> None:
        """Hold a message to what was known when it was noted: what is under way then cannot be called back."""
        for item in message.items:
            key = key_of(item.alert)
            ends = item.tell in ("Resolved", "Closed")
            if not ends and self.explained(key):
                self.faults.append(f"{key} told {item.tell} while inhibited or silenced")
            if item.tell == "Resolved" and not any(verdict == "Passed" for _, verdict in self.verdicts[key]):
                self.faults.append(f"{key} told Resolved, and never passed")

    def receive(self, message: DueMessage) -> Answered:
        heard = self.heard[message.receiver]
        if message.receiver in self.down:
            return Undelivered("HTTP 500")
        heard.ids[message.key, message.sequence] += 1
        heard.messages += 1
        under, about = heard.under[message.key, message.sequence], {key_of(item.alert) for item in message.items}
        heard.doubles += not under.isdisjoint(about)
        heard.shared += bool(under) and under.isdisjoint(about)
        under |= about
        for item in message.items:
            key, began = key_of(item.alert), item.alert.episode.began_ms
            if heard.ids[message.key, message.sequence] == 1:
                heard.tells.append((self.now_ms, key, began, item.tell))
            heard.last[key, began] = item.tell if item.tell in ("Resolved", "Closed") else "Firing"
        return Told()


@dataclass
class Leader:
    """One turn of delivery: intents, send, told. It ends where `fuse` says: after so many steps.

    `seen` is its store where that is behind; what it writes by an old version is refused, as the API server does.
    """

    world: World
    fuse: int | None = None
    seen: Seen | None = None
    sent: set[tuple[str, int]] = field(default_factory=set)
    """The messages that arrived."""
    changed: set[str] = field(default_factory=set)
    """Endpoints that another wrote meanwhile: what this turn would say of them rests on what was."""

    def turn(self) -> None:
        for _ in self.steps():
            if self.fuse is not None:
                if self.fuse == 0:
                    raise CrashError
                self.fuse -= 1

    def steps(self) -> Iterator[None]:
        """Do the turn, and stop before each write and each message."""
        seen = self.seen or self.world.seen()
        for message in due(self.world.standing(seen), self.world.now_ms).messages:
            noted, anew = not any(item.alert.endpoint in self.changed for item in message.items), False
            for item in message.items:
                yield
                begun = message.begun(item)
                if noted and begun != item.alert.delivery(message.receiver):
                    noted = anew = self._write(seen, item, begun)
            if not noted:
                continue
            if anew or self.seen is None:  # one that is behind may repeat what is under way, as it was
                self.world.noted(message)
            yield
            answer = self.world.receive(message)
            self.sent |= {(message.key, message.sequence)} if isinstance(answer, Told) else set()
            for item in message.items:
                yield
                self._told(seen, message, item, answer)

    def _write(self, seen: Seen, item: DueItem, delivery: AlertDelivery) -> bool:
        written = self.world.write(seen, item.alert, delivery)
        self.changed |= set() if written else {item.alert.endpoint}
        return written

    def _told(self, seen: Seen, message: DueMessage, item: DueItem, answer: Answered) -> None:
        """Write the answer; where another was faster, only if the message is still the one that is under way."""
        told = message.answered(item, answer, self.world.now_ms)
        if not self._write(seen, item, told):
            _, deliveries = seen.rows.get(key_of(item.alert), (None, ()))
            now = next((one for one in deliveries if one.receiver == message.receiver), None)
            if now is not None and now.sending and (now.key, now.sending_ms) == (message.key, message.sequence):
                self.world.write(seen, item.alert, told)


def key_of(alert: StandingAlert) -> Key:
    return (alert.endpoint, alert.policy, alert.name)


def doubles(world: World) -> int:
    """Return how often a message came once more under its id, over all receivers."""
    return sum(heard.doubles for heard in world.heard.values())


def repeated_news(heard: Heard) -> Iterator[tuple[Key, int, str]]:
    """Yield alerts that a receiver was told anew though it had been told the same, and not as a repetition."""
    last: dict[tuple[Key, int], str] = {}
    for _, key, began, tell in heard.tells:
        if tell in ("Firing", "Resolved", "Closed"):
            if last.get((key, began)) == tell:
                yield key, began, tell
            last[key, began] = tell


def schedule(rng: random.Random, keys: list[Key]) -> Iterator[tuple[int, Key, AlertVerdict]]:
    """Yield steps of a random life: seconds that pass, and a verdict that then changes."""
    for _ in range(rng.randint(5, 40)):
        verdict: AlertVerdict = rng.choice(_VERDICTS)
        passed = rng.choice((5, 15, 30, 60, 120, 300, 600, 700, 900, 3_600, 40_000, 90_000))
        yield passed, rng.choice(keys), verdict
