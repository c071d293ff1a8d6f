"""From a fault to a team's own receiver, on the development cluster: real pods, the chart, a Job for each message."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faulty_fleet import OBJECTIVE
from quantiles import quantiles

ROOT = Path(__file__).resolve().parents[2]
RUN = f"{int(time.time()) % 100_000}"
"""In names of namespaces: those of the run before may still be going."""
SYSTEM, HOOK, IMAGE = "modelward-system", f"alerts-hook-{RUN}", "localhost/banking-bot:dev"
NAMESPACES = 5
"""Teams; each has one Job at a time."""
SETUP_S, HEALTHY_S, SPAN_S, PATIENCE_S = 50.0, 170.0, 30.0, 180.0
_BIN = Path.home() / ".cache" / "modelward" / "devcluster" / "bin"
API = "modelward.dev/v1alpha1"


@dataclass(frozen=True, slots=True)
class Plan:
    """By endpoint when it fails, in Unix seconds, and since when its page counts."""

    began: float
    faults: dict[str, float]

    def namespace(self, name: str) -> str:
        """Return the team of an endpoint."""
        return f"alerts-team-{RUN}-{list(self.faults).index(name) % NAMESPACES}"


def planned(endpoints: int, seed: int) -> Plan:
    """Let each endpoint fail at a random moment of a span, when all have been healthy for a while."""
    rng, now = random.Random(seed), time.time()
    at = now + SETUP_S + HEALTHY_S
    return Plan(now, {f"chat-{number}": at + rng.uniform(0, SPAN_S) for number in range(endpoints)})


def objects(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield all that is applied, in its order."""
    namespaces = [HOOK, *sorted({plan.namespace(name) for name in plan.faults})]
    script = {"stand_ins.py": (Path(__file__).parent / "stand_ins.py").read_text()}
    for namespace in namespaces:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        about = {"name": "stand-ins", "namespace": namespace}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": script}
    yield from _receiver()
    for namespace in namespaces[1:]:
        yield _policy(namespace)
    for name, fault in plan.faults.items():
        env = {"BEGAN_AT": str(plan.began), "FAULT_AT": str(fault)}
        yield _deployment(name, plan.namespace(name), "engine", env)
        backend = {"workloadRef": {"name": name}}
        spec = {"engine": "vllm", "backend": backend, "collector": {"mode": "ScrapeOnly"}}
        about = {"name": name, "namespace": plan.namespace(name)}
        yield {"apiVersion": API, "kind": "LLMEndpoint", "metadata": about, "spec": spec}


def _receiver() -> Iterator[dict[str, Any]]:
    yield _deployment("hook", HOOK, "receiver", {})
    spec = {"selector": {"app": "hook"}, "ports": [{"port": 8080}]}
    yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook", "namespace": HOOK}, "spec": spec}


def _policy(namespace: str) -> dict[str, Any]:
    alerts = {
        "receivers": [{"name": "team", "webhook": {"url": f"http://hook.{HOOK}.svc:8080/in"}}],
        "routes": [{"receivers": ["team"], "alerts": ["Objective"], "groupBy": ["Endpoint"]}],
    }
    about = {"name": "baseline", "namespace": namespace}
    spec = {"endpointSelector": {}, "objectives": [OBJECTIVE], "alerts": alerts}
    return {"apiVersion": API, "kind": "MonitoringPolicy", "metadata": about, "spec": spec}


def _deployment(name: str, namespace: str, what: str, env: dict[str, str]) -> dict[str, Any]:
    container = {
        "name": "server",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "/stand-ins/stand_ins.py", what],
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "5m", "memory": "24Mi"}},
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 2},
        "volumeMounts": [{"name": "stand-ins", "mountPath": "/stand-ins"}],
    }
    volumes = [{"name": "stand-ins", "configMap": {"name": "stand-ins"}}]
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": volumes}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    about = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec}


@dataclass(frozen=True, slots=True)
class DevCluster:
    """The development cluster, which is up when this is made, with the images of the checkout in it."""

    kubeconfig: str

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl or helm; AssertionError with its words where it fails."""
        env = os.environ | {"KUBECONFIG": self.kubeconfig}
        command = (str(_BIN / program), *arguments)
        done = subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2_000:]}"
        return done.stdout

    def install(self) -> None:
        """Install the chart with the timing that ships."""
        where = ("-n", SYSTEM, "--create-namespace", "--take-ownership", "--wait", "--timeout", "4m")
        images = ("image", "modelward"), ("collectorImage", "modelward-collector")
        values = [f"{key}.repository=localhost/{name},{key}.tag=dev" for key, name in images]
        values += [f"alerts.allowedHosts[0]=hook.{HOOK}.svc", "hub.enabled=false"]
        chart = str(ROOT / "helm" / "modelward")
        settings = (part for value in values for part in ("--set", value))
        self.run("helm", "upgrade", "--install", "modelward", chart, *where, *settings)

    def heard(self) -> list[dict[str, Any]]:
        """Return what the receiver has noted."""
        lines = self.run("kubectl", "logs", "-n", HOOK, "deployment/hook", "--tail=-1").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def measured(endpoints: int, seed: int) -> dict[str, Any]:
    """Measure once; the cluster's namespaces and the release go at the end."""
    up = subprocess.run([sys.executable, str(ROOT / "devcluster"), "up"], capture_output=True, text=True, check=True)
    cluster = DevCluster(up.stdout.strip().splitlines()[-1])
    cluster.install()
    plan = planned(endpoints, seed)
    made = [*objects(plan)]
    try:
        for one in made:
            cluster.run("kubectl", "apply", "--server-side", "-f", "-", stdin=json.dumps(one))
        told = _until_told(cluster, plan)
    finally:
        gone = [one["metadata"]["name"] for one in made if one["kind"] == "Namespace"]
        cluster.run("kubectl", "delete", "namespace", *gone, "--wait=false", "--ignore-not-found")
        cluster.run("helm", "uninstall", "modelward", "-n", SYSTEM, "--wait", "--ignore-not-found")
    took = sorted(at - plan.faults[name] for name, at in told.items())
    load = round(os.getloadavg()[0], 1)
    early = [name for name, at in told.items() if at < plan.faults[name]]
    found = quantiles(took, endpoints)
    return {**found, "healthy_s": HEALTHY_S, "early": early, "load_average": load, "cores": os.cpu_count()}


def _until_told(cluster: DevCluster, plan: Plan) -> dict[str, float]:
    told: dict[str, float] = {}
    last = max(plan.faults.values())
    while len(told) < len(plan.faults) and time.time() < last + PATIENCE_S:
        time.sleep(5.0)
        for one in cluster.heard() if time.time() > min(plan.faults.values()) else ():
            if (one["name"], one["kind"]) == ("Objective/errors", "Firing"):
                told.setdefault(one["endpoint"], one["at"])
    return told
