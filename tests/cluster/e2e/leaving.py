"""Namespaces full of Modelward's objects, and how its pieces are taken away from them one after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from installation import REPOSITORY, SYSTEM, Installed, deployment, rolled_out, scripted
from modes import small, users_service
from streams import chat

PACE = ("--tokens-per-second", "200", "--concurrency", "16")
OWNED, ADOPTED, RELAYED = "owned", "adopted", "relayed"
OURS = "app.kubernetes.io/managed-by=modelward"
WORKLOADS = {
    OWNED: {OWNED},
    ADOPTED: {f"my-{ADOPTED}"},
    RELAYED: {f"my-{RELAYED}", f"{RELAYED}-gateway"},
}
JOB_TRACKING = "batch.kubernetes.io/job-tracking"
AUTOMATIC = "kube-aggregator.kubernetes.io/automanaged"
KINDS = "llmep,mpol,llmeval,llmrun"
SETTLE_S = 240.0
"""Long, for a machine that does other things too: how long a pod takes to start is not what is asked here."""
CRDS = tuple(
    yaml.safe_load(path.read_text())["metadata"]["name"] for path in sorted((REPOSITORY / "crds").glob("*.yaml"))
)


@dataclass(frozen=True, slots=True)
class Inhabited:
    """A namespace with objects of every kind: a model that Modelward runs, an adopted one, one behind a gateway."""

    installed: Installed
    namespace: str
    endpoints: tuple[str, ...]

    def open(self) -> None:
        """Apply everything, without waiting."""
        self.installed.cluster.kubectl("create", "namespace", self.namespace)
        theirs = [f"my-{name}" for name in self.endpoints if name != OWNED]
        users = (*(deployment(name, *PACE) for name in theirs), *map(users_service, theirs))
        self.installed.apply(self.namespace, *users, *rules(), *map(declaration, self.endpoints))

    def settle(self) -> None:
        """Wait until all pods are what they are to be."""
        wanted = set().union(*(WORKLOADS[name] for name in self.endpoints))

        def settled() -> bool:
            found = {str(one["metadata"]["name"]): one for one in self._deployments()}
            return found.keys() == wanted and all(map(rolled_out, found.values())) and _injected(found)

        self.installed.until(f"{self.namespace} as declared", settled, SETTLE_S)

    def _deployments(self) -> list[dict[str, Any]]:
        return self.installed.items("deployments", self.namespace)

    @property
    def workloads(self) -> set[str]:
        """The names of the Deployments that there are."""
        return {str(one["metadata"]["name"]) for one in self._deployments()}

    def pods(self) -> dict[str, dict[str, Any]]:
        """Return the pods that serve, by uid; those of evaluations come and go."""
        found = [one for one in self.installed.items("pods", self.namespace) if _of_deployment(one)]
        return {one["metadata"]["uid"]: one for one in found if "deletionTimestamp" not in one["metadata"]}

    def pods_of(self, workload: str) -> set[str]:
        """Return the uids of one Deployment's pods."""
        return {uid for uid, pod in self.pods().items() if pod["metadata"]["name"].startswith(f"{workload}-")}

    def unanswered(self, *services: str) -> dict[str, tuple[int, bytes]]:
        """Return which Services give another answer than the engine itself, and what they said."""
        own = chat(self._engine(), stream=True).comparable
        said = {name: chat(self.installed.url(name, self.namespace), stream=True) for name in services}
        return {name: (one.status, one.body[-200:]) for name, one in said.items() if one.comparable != own}

    def _engine(self) -> str:
        pod = next(one for one in self.pods().values() if one["metadata"]["name"].startswith("my-adopted-"))
        return f"http://{pod['status']['podIP']}:8080"

    def renew(self) -> Callable[[], None]:
        """Scale every Deployment to two and delete the pods that were there; what is returned waits for new ones."""
        before, names = self.pods(), [f"deployment/{name}" for name in sorted(self.workloads)]
        kubectl, where = self.installed.cluster.kubectl, ("-n", self.namespace)
        kubectl("scale", *names, *where, "--replicas=2")
        kubectl("delete", "pod", *(pod["metadata"]["name"] for pod in before.values()), *where, "--wait=false")

        def renewed() -> bool:
            return all(map(rolled_out, self._deployments())) and before.keys().isdisjoint(self.pods())

        def wait() -> None:
            self.installed.until("new pods of every Deployment", renewed, SETTLE_S)

        return wait

    def until_answered(self, *services: str) -> None:
        """Wait until kube-proxy and name servers know the new pods, and all answer what the engine says."""
        self.installed.until("the Services' answers", lambda: not self.unanswered(*services))
        assert [self.unanswered(*services) for _ in range(4)] == [{}] * 4

    def finalizers(self) -> dict[str, list[str]]:
        """Return every finalizer on an object in the namespace, but for that of Kubernetes on pods of running Jobs."""
        kinds = f"deployments,services,configmaps,serviceaccounts,jobs,pods,{KINDS}"
        found = {
            f"{one['kind']}/{one['metadata']['name']}": one["metadata"].get("finalizers", [])
            for one in self.installed.items(kinds, self.namespace)
        }
        return {one: ours for one, all_ in found.items() if (ours := [name for name in all_ if name != JOB_TRACKING])}

    def let_children_stay(self) -> None:
        """Delete the LLMEndpoints but none of their children, as one does before deleting the CRDs."""
        self.installed.cluster.kubectl("delete", "llmep", "--all", "-n", self.namespace, "--cascade=orphan")

    def forget_configuration(self) -> None:
        """Delete all ConfigMaps of ours."""
        self.installed.cluster.kubectl("delete", "configmap", "-l", OURS, "-n", self.namespace)

    def delete(self) -> float:
        """Delete the namespace and return the seconds until it was gone."""
        return took_s(lambda: self.installed.cluster.kubectl("delete", "namespace", self.namespace, "--timeout=150s"))


def _of_deployment(pod: dict[str, Any]) -> bool:
    return any(owner["kind"] == "ReplicaSet" for owner in pod["metadata"].get("ownerReferences", ()))


def _injected(workloads: dict[str, dict[str, Any]]) -> bool:
    adopted = workloads.get(f"my-{ADOPTED}")
    return adopted is None or bool(adopted["spec"]["template"]["spec"].get("initContainers"))


def declaration(name: str) -> dict[str, Any]:
    """Return the LLMEndpoint of this name."""
    # A namespace's deletion goes on only after half of the longest time that a pod in it may take to end.
    if name == OWNED:
        return small(OWNED, {"template": scripted(*PACE, cpu="5m")}, engine="llamacpp", drainSeconds=1)
    more: dict[str, Any] = {"gateway": {"replicas": 1}, "drainSeconds": 1} if name == RELAYED else {}
    mode = "Gateway" if name == RELAYED else "Sidecar"
    return small(name, {"workloadRef": {"name": f"my-{name}"}}, mode, engine="llamacpp", **more)


def rules() -> list[dict[str, Any]]:
    """Return a policy, an evaluator that it refers to, and a run."""
    shared = {"evaluatorRef": {"name": "personal"}}
    evaluation = {"name": "no-personal-data", **shared, "failAbove": "10%", "affects": "Safety", "every": "15m"}
    policy = {
        "endpointSelector": {},
        "capture": {"content": "Redacted", "sample": "100%"},
        "evaluations": [evaluation],
    }
    specs = {
        "Evaluator": ("personal", {"builtin": "PII"}),
        "MonitoringPolicy": ("baseline", policy),
        "EvaluationRun": ("look-back", {"endpoint": OWNED, "suspend": True}),
    }
    version = "modelward.dev/v1alpha1"
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
        for kind, (name, spec) in specs.items()
    ]


def took_s(work: Callable[[], object]) -> float:
    """Return the seconds that something took."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def remove_operator(installed: Installed) -> None:
    """Delete the operator's Deployment, and wait until it is away."""
    _remove(installed, "deployment/modelward", "operator")


def remove_hub(installed: Installed) -> None:
    """Delete the hub, and wait until it is away."""
    _remove(installed, "statefulset/modelward-hub", "hub")


def remove_crds(installed: Installed) -> None:
    """Delete the CRDs, and with them every object of these kinds."""
    installed.cluster.kubectl("delete", "crd", *CRDS, "--timeout=60s")


def _remove(installed: Installed, what: str, component: str) -> None:
    installed.cluster.kubectl("delete", what, "-n", SYSTEM)
    where = f"app.kubernetes.io/component={component}"
    installed.until(f"the end of {what}", lambda: not installed.pod_uids(SYSTEM, where))


def uninstall(installed: Installed) -> float:
    """Uninstall the release and return the seconds until its last pod was gone."""

    def work() -> None:
        installed.cluster.helm("uninstall", "modelward", "-n", SYSTEM, "--wait")
        installed.until("the end of its pods", lambda: not installed.pod_uids(SYSTEM, ""), 120)

    return took_s(work)


def cluster_wide(installed: Installed) -> list[str]:
    """Return what of Modelward belongs to no namespace."""
    hooks = "validatingwebhookconfigurations,mutatingwebhookconfigurations,validatingadmissionpolicies,apiservices"
    kinds = f"{hooks},clusterroles,clusterrolebindings,customresourcedefinitions"
    found = json.loads(installed.cluster.kubectl("get", kinds, "-o", "json"))["items"]
    # The API server keeps an APIService for the group of each CRD.
    own = [one for one in found if AUTOMATIC not in one["metadata"].get("labels", {})]
    named = (f"{one['kind']}/{one['metadata']['name']}" for one in own)
    return sorted(name for name in named if "modelward" in name)
