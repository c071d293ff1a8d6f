"""A container of a team's own where NetworkPolicies are enforced: it reaches hub and DNS, and no pod beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bank import QUESTIONS, scripted_bot
from customers import ask_all, reached
from installation import REPOSITORY, Installed, helm_install
from policy_enforcer import enforced
from test_containers_e2e import BASE, MODELWARD, evaluation

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(os.environ.get("MODELWARD_FULL") != "1", reason="make judges-full: changes the node's iptables"),
]
BOT, MIN_SAMPLES = "bot", 40
IMAGE = "localhost/reaching:dev"
REACHES = '''"""Flags every record where a foreign pod can be reached; fails where its name cannot be looked up."""

import socket

NAME, VERSION, LABELS = "reaching", "0.1.0", ("reached", "refused")
_KNOWN = {}


def score(record, config):
    """Connect, once for each address."""
    where = (config["host"], config["port"])
    if where not in _KNOWN:
        address = socket.gethostbyname(where[0])
        with socket.socket() as found:
            found.settimeout(2)
            _KNOWN[where] = found.connect_ex((address, where[1])) == 0
    return {"state": "Scored", "flagged": _KNOWN[where], "label": "reached" if _KNOWN[where] else "refused"}
'''


@pytest.fixture(scope="module")
def image(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The skeleton's image, whose evaluator tries to reach another pod."""
    folder = tmp_path_factory.mktemp("init")
    subprocess.run([*MODELWARD, "evaluator", "init", "reaching", "--folder", str(folder)], check=True)
    kit: Path = folder / "reaching"
    (kit / "evaluator.py").write_text(REACHES)
    built = ("buildah", "bud", "-q", "--isolation=chroot", "--format=oci", "--build-arg", f"BASE={BASE}", "-t", IMAGE)
    subprocess.run([*built, str(kit)], check=True, capture_output=True)
    subprocess.run([sys.executable, str(REPOSITORY / "devcluster"), "load", IMAGE], check=True, capture_output=True)
    return IMAGE


@pytest.fixture(scope="module")
def place(installed: Installed, image: str) -> Iterator[str]:
    """A namespace of an installation that isolates such runs, with a bot that was asked."""
    helm_install(installed.cluster, "networkPolicy.evaluatorContainers=true")
    space = f"e2e-isolation-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", space)
    installed.apply(space, *asking("open"), scripted_bot(BOT, "answer"))
    installed.until_condition(BOT, space, "Ready", "True", 120)
    installed.until("its Service leads there", lambda: reached(installed.url(BOT, space)) or None, 90)
    yield space
    installed.cluster.kubectl("delete", "namespace", space, "--wait=false", "--ignore-not-found")
    helm_install(installed.cluster)


def asking(*names: str) -> list[dict[str, Any]]:
    """Return an Evaluator of each name, which tries to reach the bot, and a policy that asks for them."""
    about = {"apiVersion": "modelward.dev/v1alpha1"}
    evaluators = [
        {**about, "kind": "Evaluator", "metadata": {"name": name}, "spec": {"container": container(name)}}
        for name in names
    ]
    timing = {"failAbove": "50%", "every": "10s", "over": "10m", "minSamples": MIN_SAMPLES}
    spec = {
        "endpointSelector": {},
        "capture": {"content": "Redacted", "sample": "100%"},
        "evaluations": [{"name": name, "evaluatorRef": {"name": name}, **timing} for name in names],
    }
    return [*evaluators, {**about, "kind": "MonitoringPolicy", "metadata": {"name": "isolation"}, "spec": spec}]


def container(name: str) -> dict[str, Any]:
    """Return the block; `name` makes another run of it, and so another pod."""
    foreign = {"host": BOT, "port": 80}
    labels = ["reached", "refused"]
    return {"image": IMAGE, "labels": labels, "config": foreign, "env": [{"name": "RUN", "value": name}]}


def decided(installed: Installed, place: str, name: str) -> dict[str, Any]:
    """Ask the bot, and wait for a verdict on its answers."""
    ask_all(installed.url(BOT, place), QUESTIONS[:120], at_once=4, timeout_s=120)

    def found() -> dict[str, Any] | None:
        one = evaluation(installed, place, name)
        return one if one.get("verdict") in ("Passed", "Failed") else None

    return installed.until(f"{name} is decided", found, 240)


def test_a_foreign_pod_is_refused_where_policies_are_enforced_and_hub_and_dns_are_not(
    installed: Installed, place: str
) -> None:
    """The verdict itself shows hub and DNS: the container looks the bot's name up, the Job leaves its result."""
    assert decided(installed, place, "open")["verdict"] == "Failed", "without enforcement the bot is reached"
    with enforced(installed.cluster):
        installed.apply(place, *asking("open", "shut"))
        shut = decided(installed, place, "shut")
    assert shut["verdict"] == "Passed"
    assert shut["samples"] >= MIN_SAMPLES
