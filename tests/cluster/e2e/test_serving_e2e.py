"""Serving comes first: 200 requests a second pass unharmed while Modelward's own pieces break and people change things.

Adopted pods are compared with what the same pods would serve without Modelward. A pod that leaves is still sent
requests until every node knows, whoever made it leave; the owner's `preStop` sleep covers that, and Modelward adds
nothing to it. MODELWARD_FULL=1 keeps the hub from answering for 10 minutes and repeats the rest until then.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from installation import SYSTEM, Installed
from load_client import Load
from pod_processes import stopped
from serving import ADOPTED, LATE, OTHER, OWNED, Serving, delete_leader, kill_leader, leader, wrong

FULL = os.environ.get("MODELWARD_FULL") == "1"
HANG_S, HUB_BACK_S = (600, 400) if FULL else (15, 120)
"""Kubernetes ends what does not answer, and lets what it ended again and again wait for up to 5 minutes."""
RATE = 200.0
MOST = int(RATE * (HANG_S + 240))

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(HANG_S + 600)]


@dataclass(slots=True)
class Recorded:
    """What went on while clients asked."""

    load: Load
    leaders: list[str] = field(default_factory=list)
    hung: list[int] = field(default_factory=list)
    hung_s: float = 0.0
    configurations: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def serving(installed: Installed) -> Iterator[Serving]:
    """The endpoints, with nothing wrong yet."""
    scene = Serving(installed, f"e2e-serving-{uuid.uuid4().hex[:5]}")
    try:
        scene.open()
        yield scene
    finally:
        installed.cluster.kubectl("delete", "namespace", scene.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="module")
def recorded(serving: Serving) -> Recorded:
    """Everything at once; what is asserted of it comes in the tests."""
    installed = serving.installed
    with serving.load(RATE, MOST) as load, serving.churning() as configurations:
        told = Recorded(load, configurations=configurations)
        began = time.monotonic()
        with stopped({"modelward-hub-0"}, "hub") as told.hung:
            told.leaders.append(kill_leader(installed))
            serving.adopt(OTHER, LATE)  # by the one that leads next
            _come_and_go(serving, told)
            while (left := began + HANG_S - time.monotonic()) > 0:
                time.sleep(min(left, 20))
                if FULL:
                    told.leaders.append(kill_leader(installed))
                    installed.until("another leads", lambda: leader(installed) != told.leaders[-1])
                    _come_and_go(serving, told)
            told.hung_s = time.monotonic() - began
    report = json.dumps(load.report() | {"failures": [str(one) for one in load.failures]})
    print(report)
    if path := os.environ.get("MODELWARD_SERVING_REPORT"):
        Path(path).write_text(report)
    installed.until("the hub", lambda: _hub_runs(installed), HUB_BACK_S)
    return told


def _hub_runs(installed: Installed) -> bool:
    status: dict[str, int] = installed.get("statefulset", "modelward-hub", SYSTEM)["status"]
    return status.get("readyReplicas") == 1


def _come_and_go(serving: Serving, told: Recorded) -> None:
    told.leaders.append(delete_leader(serving.installed))
    for replicas in (3, 1):
        serving.scale(replicas)


def test_what_breaks_and_changes_here_did_break_and_change(serving: Serving, recorded: Recorded) -> None:
    assert len(set(recorded.leaders)) == len(recorded.leaders) >= 2
    assert leader(serving.installed) not in recorded.leaders
    assert recorded.hung
    assert recorded.hung_s >= HANG_S
    assert len(set(recorded.configurations)) >= 5
    assert (serving.revision(ADOPTED), serving.revision(LATE), serving.revision(OTHER)) == ("2", "2", "2")
    assert recorded.load.sent > 2_000, recorded.load.report()
    assert recorded.load.per_s >= 0.9 * RATE, recorded.load.report()


@pytest.mark.parametrize("name", [OWNED, ADOPTED])
def test_no_request_through_a_collector_fails_or_is_altered(recorded: Recorded, name: str) -> None:
    tally = recorded.load.tallies[name]
    assert tally.sent > 500
    assert tally.reused > 100
    assert tally.asked_again <= tally.reused / 100, "a kept connection is closed when its client is not asking"
    assert wrong(recorded.load)[name] == (0, 0), [one for one in recorded.load.failures if one.target == name]
    assert tally.answered == tally.sent


def test_adopting_under_load_costs_no_request_that_a_roll_out_of_its_owner_would_not(recorded: Recorded) -> None:
    tally = recorded.load.tallies[LATE]
    assert tally.sent > 500
    assert wrong(recorded.load)[LATE] == (0, 0), [one for one in recorded.load.failures if one.target == LATE]
