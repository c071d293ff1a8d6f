"""Over random lives of endpoints and policies, with leaders that crash at any write, each end is told once."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from alert_bench import AlertBench, CrashError, Row

from modelward.kube.kinds import LLM_ENDPOINT

FULL = os.environ.get("MODELWARD_FULL") == "1"
SCHEDULES = 2_000 if FULL else 48
NAMES = ("chat", "code", "search")
SPEC = {"receivers": [{"name": "sre", "shared": "sre"}]}


@dataclass
class Life:
    """A namespace in which anything may go, and what its endpoints say while they are there."""

    rng: random.Random
    bench: AlertBench = field(default_factory=AlertBench)
    rows: dict[str, Row] = field(default_factory=dict)
    """By endpoint its alert, as its own reconcile would write it."""
    there: set[str] = field(default_factory=set)
    asked: bool = True
    """Whether the policy is there."""
    ended: int = 0
    """How many leaders have ended, each with at most one message of an incident under way."""

    async def write(self, name: str) -> None:
        """Write the status of an endpoint; an alert that has ended goes when its receivers know."""
        row = self.rows.get(name)
        if row and row["state"] == "Resolved":
            known = self.bench.deliveries(name).values()
            if not any(one.get("told") == "Firing" or one.get("sending") for one in known):
                self.rows.pop(name)
        await self.bench.shows(name, *([self.rows[name]] if name in self.rows and self.asked else []))

    async def event(self) -> None:
        """Let something happen."""
        name, what = self.rng.choice(NAMES), self.rng.random()
        if what < 0.4:
            self.there.add(name)
            if self.rows.get(name, {}).get("state") != "Firing":
                self.rows[name] = self.bench.row()
        elif what < 0.55 and name in self.rows:
            self.rows[name] |= {"state": "Resolved", "since": self.bench.row()["since"]}
        elif what < 0.8 and name in self.there:
            self.there.discard(name)
            self.rows.pop(name, None)
            self.bench.deleted(name)
        elif what < 0.9:
            self.asked = not self.asked
            if self.asked:
                self.bench.policy(SPEC)
            else:
                self.rows.clear()
                self.bench.policy_deleted()
        for one in sorted(self.there):
            await self.write(one)

    async def turn(self, *, crash: bool) -> None:
        """Let the leader do its work, which may end before any write; another then leads."""
        left = [self.rng.randint(0, 5) if crash and self.rng.random() < 0.3 else 1 << 30]

        def burn() -> None:
            left[0] -= 1
            if left[0] < 0:
                raise CrashError

        self.bench.api.before_write = burn
        try:
            await self.bench.turn(self.rng.choice((5, 31, 60, 301)) if crash else 151)
        except CrashError:
            self._another_leads()
        self.bench.api.before_write = lambda: None
        if crash and self.rng.random() < 0.2:
            self._another_leads()

    def _another_leads(self) -> None:
        self.ended += 1
        self.bench.restart()

    def believed(self) -> set[str]:
        """Return the endpoints whose alert the receiver believes to fire."""
        found: dict[str, str] = {}
        for _, message in self.bench.port.taken:
            found |= {fact.endpoint: fact.state for fact in message.alerts}
        return {name for name, state in found.items() if state == "Firing"}


@pytest.mark.timeout(3_600 if FULL else 300)
@pytest.mark.parametrize("part", range(4))
async def test_no_receiver_believes_for_ever_what_is_gone(part: int) -> None:
    for seed in range(part, SCHEDULES, 4):
        life = Life(random.Random(seed))
        for _ in range(life.rng.randint(6, 24)):
            await life.event()
            for _ in range(life.rng.randint(0, 3)):
                await life.turn(crash=True)
        for _ in range(14):
            for name in sorted(life.there):
                await life.write(name)
            await life.turn(crash=False)
        firing = {name for name, row in life.rows.items() if row["state"] == "Firing" and life.asked}
        assert life.believed() == firing, seed
        assert all(life.bench.api.store.get(LLM_ENDPOINT, "retail", name) for name in life.there), seed
        ids = Counter(message.id for _, message in life.bench.port.taken)
        assert sum(ids.values()) - len(ids) <= life.ended, seed
