"""Endpoints under load while Modelward's own pieces break and people change everything that may be changed."""

from __future__ import annotations

import itertools
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from customers import reached
from http_exchange import Answer, Request, engines_own
from installation import SYSTEM, Installed, deployment, rolled_out, scripted
from load_client import Load
from modes import small, users_service
from pod_processes import processes

OWNED, ADOPTED, LATE, OTHER = "owned", "adopted", "late", "other"
UNDER_LOAD = (OWNED, ADOPTED, LATE)
THEIRS = (ADOPTED, LATE, OTHER)
PACE = ("--tokens-per-second", "400", "--first-token-ms", "10", "--concurrency", "64", "--mode", "refuse-off-topic")
LEAVE_S = 10
"""What owners give every node to learn that a pod left; without it a roll-out loses requests, with us or without.

With 3 s, 2 of 6,787 requests were refused by pods that no collector stood before, on two cores with a load of 15.
"""


@dataclass(frozen=True, slots=True)
class Serving:
    """One namespace with a model that Modelward runs and three of the user's, of which one is adopted at first."""

    installed: Installed
    namespace: str

    def open(self) -> None:
        """Apply all and wait until clients are answered through collectors."""
        installed, namespace = self.installed, self.namespace
        installed.cluster.kubectl("create", "namespace", namespace)
        installed.apply(namespace, policy(0), *users_objects())
        model = small(OWNED, {"template": scripted(*PACE, cpu="10m")}, engine="llamacpp", replicas=2, drainSeconds=60)
        installed.apply(namespace, model, adopting(ADOPTED))
        installed.until_condition(OWNED, namespace, "Ready", "True")
        installed.until("the first adoption", lambda: self._adopted(ADOPTED), 120)
        installed.until("all rolled out", lambda: all(map(self.settled, (OWNED, *map(_theirs, THEIRS)))))
        installed.until("all Services", lambda: all(reached(self.url(name)) for name in UNDER_LOAD))

    def url(self, name: str) -> str:
        """Return where clients ask: our Service, or before adoption the user's own."""
        service = {OWNED: OWNED, ADOPTED: f"{ADOPTED}-collector"}.get(name, _theirs(name))
        return self.installed.url(service, self.namespace)

    def expected(self, name: str) -> dict[Request, Answer]:
        """Return what the model's engine answers with nothing in between."""
        pods = self.installed.items("pods", self.namespace, selector(name))
        return engines_own(f"http://{pods[0]['status']['podIP']}:8080")

    def load(self, rate: float, most: int) -> Load:
        """Return clients of all endpoints that are under load."""
        expected = {name: self.expected(name) for name in UNDER_LOAD}
        return Load({name: self.url(name) for name in UNDER_LOAD}, expected, rate, most)

    def deployment(self, workload: str) -> dict[str, Any]:
        """Return a Deployment."""
        return self.installed.get("deployment", workload, self.namespace)

    def settled(self, workload: str) -> bool:
        """Return whether a Deployment is where it should be, and the pods that left are gone."""
        found = self.deployment(workload)
        name = workload.removeprefix("my-")
        pods = self.installed.pod_uids(self.namespace, selector(name))
        return rolled_out(found) and len(pods) == found["spec"]["replicas"]

    def scale(self, replicas: int) -> None:
        """Scale both, Modelward's by its endpoint and the adopted one as its owner does, and wait until it is done."""
        where = ("-n", self.namespace, f"--replicas={replicas}")
        self.installed.cluster.kubectl("scale", "llmep", OWNED, *where)
        self.installed.cluster.kubectl("scale", "deployment", _theirs(ADOPTED), *where)

        def done() -> bool:
            counts = {self.deployment(one)["spec"]["replicas"] for one in (OWNED, _theirs(ADOPTED))}
            return counts == {replicas} and self.settled(OWNED) and self.settled(_theirs(ADOPTED))

        self.installed.until(f"{replicas} pods each", done, 120)

    def adopt(self, *names: str) -> None:
        """Adopt more of the user's Deployments, and wait until each has rolled."""
        self.installed.apply(self.namespace, *map(adopting, names))
        for name in names:
            self.installed.until(f"the roll-out of {name}", lambda name=name: self._adopted(name), 120)  # type: ignore[misc]

    def _adopted(self, name: str) -> bool:
        pod = self.deployment(_theirs(name))["spec"]["template"]["spec"]
        return bool(pod.get("initContainers")) and self.settled(_theirs(name))

    def revision(self, name: str) -> str:
        """Return how often a Deployment of the user's has rolled, counted from 1."""
        return str(self.deployment(_theirs(name))["metadata"]["annotations"]["deployment.kubernetes.io/revision"])

    def generation(self) -> str:
        """Return which configuration the owned endpoint's collectors are to run."""
        found = self.installed.get("configmap", f"modelward-collector-{OWNED}", self.namespace)
        return str(json.loads(found["data"]["collector.json"])["generation"])

    @contextmanager
    def churning(self) -> Iterator[list[str]]:
        """Change the policy every second; the list grows by each generation of the configuration that came of it."""
        seen, stop = [self.generation()], threading.Event()

        def churn() -> None:
            for turn in itertools.count(1):
                self.installed.apply(self.namespace, policy(turn))
                if stop.wait(1):
                    return
                if (now := self.generation()) != seen[-1]:
                    seen.append(now)

        thread = threading.Thread(target=churn, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            stop.set()
            thread.join(30)


def _theirs(name: str) -> str:
    return f"my-{name}"


def selector(name: str) -> str:
    """Return the labels of a model's pods."""
    return f"modelward.dev/endpoint={OWNED},modelward.dev/component=model" if name == OWNED else f"app={_theirs(name)}"


def users_objects() -> list[dict[str, Any]]:
    """Return the user's Deployments with a Service each; a leaving pod still serves for a moment, as it should."""
    made = []
    for name in THEIRS:
        workload = deployment(_theirs(name), *PACE, "--finish-seconds", "50", replicas=1 if name == OTHER else 2)
        pod = workload["spec"]["template"]["spec"]
        pod["containers"][0]["lifecycle"] = {"preStop": {"sleep": {"seconds": LEAVE_S}}}
        pod["terminationGracePeriodSeconds"] = LEAVE_S + 60
        made += [workload, users_service(_theirs(name))]
    return made


def adopting(name: str) -> dict[str, Any]:
    """Return an endpoint that adopts the user's Deployment."""
    return small(name, {"workloadRef": {"name": _theirs(name)}}, "Sidecar", engine="llamacpp")


def policy(turn: int) -> dict[str, Any]:
    """Return a policy whose sample and content are others at every turn."""
    content = ("MetadataOnly", "Redacted")[turn % 2]
    return {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": "MonitoringPolicy",
        "metadata": {"name": "restless"},
        "spec": {
            "endpointSelector": {"matchLabels": {"watch": "yes"}},
            "capture": {"content": content, "sample": f"{1 + turn * 13 % 100}%"},
        },
    }


def leader(installed: Installed) -> str:
    """Return who leads: the pod's name, `_`, and what tells one process of it from the next."""
    return str(installed.get("lease", "modelward", SYSTEM)["spec"]["holderIdentity"])


def kill_leader(installed: Installed) -> str:
    """Kill -9 the process that leads, and return who it was."""
    who = leader(installed)
    (pid,) = processes({who.partition("_")[0]}, "operator")
    os.kill(pid, signal.SIGKILL)
    return who


def delete_leader(installed: Installed) -> str:
    """Delete the pod that leads and give it no time, and return who it was."""
    who = leader(installed)
    pod = who.partition("_")[0]
    installed.cluster.kubectl("delete", "pod", pod, "-n", SYSTEM, "--force", "--grace-period=0", "--wait=false")
    return who


def wrong(load: Load) -> Mapping[str, tuple[int, int]]:
    """Return (failed, altered) of each target, for an assertion to show."""
    return {name: (tally.failed, tally.altered) for name, tally in load.tallies.items()}
