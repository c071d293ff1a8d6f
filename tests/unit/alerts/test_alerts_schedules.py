"""Over random schedules, crashes after each write and receivers that fail, nothing is lost and nothing is made up."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from alert_world import CrashError, Key, Leader, Seen, World, doubles, repeated_news, schedule

from modelward.alerts.due import due
from modelward.alerts.episode import AlertInput, AlertVerdict
from modelward.alerts.routing import Route, Routing
from modelward.alerts.silence import Silence
from modelward.alerts.timing import Timing
from modelward.api.alerts import GroupLabel
from modelward.api.base import Severity

FULL = os.environ.get("MODELWARD_FULL") == "1"
SCHEDULES = 10_000 if FULL else 160
TURN_MS = 15_000
_OVER = object()
GROUPINGS: tuple[tuple[GroupLabel, ...], ...] = ((), ("Endpoint",), ("Alert",), ("Endpoint", "Severity"))
NAMES = {"NotReady": 120_000, "Unwatched": 1_800_000, "Objective/errors": 0, "Check/topic": 0, "BudgetBurn/errors": 0}


def world(rng: random.Random) -> World:
    endpoints = [f"e{number}" for number in range(rng.choice((1, 1, 2, 8)))]
    names = rng.sample(sorted(NAMES), rng.randint(1, len(NAMES)))
    group_by: tuple[GroupLabel, ...] = rng.choice(GROUPINGS)
    routes = (Route(("team",), group_by=group_by), Route(("shared/sre",), severities=("Critical",)))
    made = World(Routing("baseline", routes, Timing()))
    for endpoint in endpoints:
        for name in names:
            severity: Severity = "Critical" if name == "NotReady" or rng.random() < 0.3 else "Warning"
            seen = AlertInput("baseline", name, "Passed", severity, for_ms=NAMES[name])
            made.inputs[endpoint, "baseline", name] = seen
    return made


def turn(made: World, rng: random.Random, *, crash: bool) -> None:
    """Let the status be written and messages be sent; a crash, or a leader too late, may end any of it."""
    behind = made.seen() if crash and rng.random() < 0.5 else None
    made.reconcile()
    if crash and rng.random() < 0.1:
        both_lead(made, rng, behind)
        return
    try:
        Leader(made, rng.randint(0, 6) if crash and rng.random() < 0.2 else None).turn()
    except CrashError:
        made.crashes += 1


def both_lead(made: World, rng: random.Random, behind: Seen | None) -> None:
    """Let two leaders do a turn at once, in any order of their steps, one of them perhaps by what stood before."""
    leaders = [Leader(made, seen=behind), Leader(made)]
    left = [leader.steps() for leader in leaders]
    while left:
        going = rng.choice(left)
        if next(going, _OVER) is _OVER:
            left.remove(going)
    made.led_by_two += 1
    made.handed_over += len(leaders[0].sent & leaders[1].sent)


def live(seed: int) -> World:
    rng = random.Random(seed)
    made = world(rng)
    keys = list(made.inputs)
    for passed_s, key, verdict in schedule(rng, keys):
        _silence(made, rng, key)
        made.down = {one for one in ("team", "shared/sre") if rng.random() < 0.15}
        for _ in range(min(8, passed_s * 1_000 // TURN_MS)):
            made.now_ms += TURN_MS
            turn(made, rng, crash=True)
        made.now_ms += max(0, passed_s * 1_000 - 8 * TURN_MS)
        made.observe(key, verdict)
        turn(made, rng, crash=True)
    return made


def _silence(made: World, rng: random.Random, key: Key) -> None:
    if rng.random() < 0.1:
        until = made.now_ms + rng.choice((60_000, 3_600_000))
        silence = Silence("quiet", "retail", (key[2],), made.now_ms, until, key[0], until_resolved=rng.random() < 0.5)
        made.silences = (silence,)


def settle(made: World) -> None:
    """Let all be well with receivers for two days, so that what is owed is told."""
    made.down, made.silences = set(), ()
    rng = random.Random(0)
    for _ in range(400):
        made.now_ms += 450_000
        turn(made, rng, crash=False)


def owed(made: World) -> list[str]:
    """Return what a receiver should know and does not."""
    missing: list[str] = []
    for key, (episode, _) in made.rows.items():
        receivers = ["team", *(["shared/sre"] if episode.severity == "Critical" else [])]
        for receiver in receivers:
            last = made.heard[receiver].last.get((key, episode.began_ms))
            if episode.state in ("Firing", "Held") and last != "Firing" and not made.explained(key):
                missing.append(f"{receiver}: {key} fires, told {last}")
            gone = (receiver, key, episode.began_ms) in made.given_up
            if episode.ended and last == "Firing" and not gone:
                missing.append(f"{receiver}: {key} has ended, told {last}")
    for receiver, heard in made.heard.items():
        for (key, began), last in heard.last.items():
            current = made.rows.get(key)
            gone = (receiver, key, began) in made.given_up
            if last == "Firing" and not gone and (current is None or current[0].began_ms != began):
                missing.append(f"{receiver}: {key} of {began} is over, told {last}")
    return missing


@pytest.mark.timeout(7_200 if FULL else 300)
@pytest.mark.parametrize("part", range(8))
def test_nothing_is_lost_doubled_or_made_up(part: int) -> None:
    for seed in range(part, SCHEDULES, 8):
        made = live(seed)
        during = made.crashes
        settle(made)
        assert made.faults == [], seed
        assert owed(made) == [], seed
        assert doubles(made) <= during + made.handed_over, seed
        shared = sum(heard.shared for heard in made.heard.values())
        assert shared <= made.led_by_two, seed  # both note in one second: status holds no less of a message's number
        again = sum(1 for heard in made.heard.values() for _ in repeated_news(heard))
        assert again <= made.reopened + during, seed


def test_a_crash_at_each_point_of_a_message_doubles_it_at_most_once_under_the_same_key() -> None:
    for fuse in range(6):
        made = World(Routing("baseline", (Route(("team",)),)))
        for name in ("Objective/errors", "Check/topic"):
            made.inputs["chat", "baseline", name] = AlertInput("baseline", name, "Failed")
            made.observe(("chat", "baseline", name), "Failed")
        made.reconcile()
        made.now_ms += 60_000
        with_fuse = Leader(made, fuse)
        try:
            with_fuse.turn()
        except CrashError:
            made.now_ms += 20_000
            Leader(made).turn()
        heard = made.heard["team"]
        assert heard.messages in (1, 2), fuse
        if fuse >= 3:  # the message was sent, and was not known to have been
            assert list(heard.ids.values()) == [1 if fuse >= 5 else 2], fuse
        assert set(heard.last.values()) == {"Firing"}


def test_what_is_sent_again_without_an_alert_that_is_explained_by_now_is_another_message() -> None:
    made = World(Routing("baseline", (Route(("team",)),)))
    for name in ("Objective/errors", "Check/topic", "NotReady"):
        verdict: AlertVerdict = "Passed" if name == "NotReady" else "Failed"
        made.inputs["chat", "baseline", name] = AlertInput("baseline", name, verdict)
    made.reconcile()
    made.now_ms += 60_000
    made.down = {"team"}
    Leader(made).turn()
    for name, seen in (("Objective/errors", "Passed"), ("NotReady", "Failed")):
        made.observe(("chat", "baseline", name), seen)  # type: ignore[arg-type]
    made.routing = replace(made.routing, timing=replace(Timing(), resolve_after_ms=0))
    made.reconcile()
    made.down = set()
    Leader(made).turn()  # within the second: the end of one, and the other has to wait
    made.observe(("chat", "baseline", "NotReady"), "Passed")
    made.reconcile()
    made.now_ms += 60_000
    Leader(made).turn()
    assert set(made.heard["team"].ids.values()) == {1}
    assert made.heard["team"].last.keys() >= {(("chat", "baseline", "Check/topic"), made.now_ms - 120_000)}


def test_a_leader_that_wakes_after_it_was_replaced_sends_one_message_more_and_no_other() -> None:
    made = World(Routing("baseline", (Route(("team",)),)))
    made.inputs["chat", "baseline", "Check/topic"] = AlertInput("baseline", "Check/topic", "Failed")
    made.reconcile()
    made.now_ms += 60_000
    asleep = Leader(made, 1)
    with pytest.raises(CrashError):
        asleep.turn()
    (late,) = due(made.standing(), made.now_ms).messages
    Leader(made).turn()
    made.receive(late)
    Leader(made).turn()
    assert list(made.heard["team"].ids.values()) == [2]
