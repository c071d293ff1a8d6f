"""The definitions under a group of the test's own: no installed operator writes into it, and no other test uses it."""

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from waiting import PROCESS_PATIENCE_S, wait_until

from modelward.api import crd
from modelward.api.base import VERSION
from modelward.kube import access
from modelward.kube.errors import ApiError
from modelward.kube.transport import Transport

if TYPE_CHECKING:
    from conftest import Cluster

KINDS = {kind.name: kind for kind in crd.KINDS}
Spec = dict[str, Any]
Request = Callable[..., dict[str, Any]]
"""Asks the API server as `Transport.request` does; raises ApiError."""
_STRICTLY = {"dryRun": "All", "fieldValidation": "Strict"}


class Trial:
    """Our kinds in a group and a namespace of their own."""

    def __init__(self, cluster: "Cluster", namespace: str, request: Request) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.request = request
        self.group = f"{namespace}.modelward.test"

    def definitions(self) -> list[dict[str, Any]]:
        """Return the definitions with only the group changed."""
        documents = copy.deepcopy(crd.documents())
        for document in documents:
            document["spec"]["group"] = self.group
            document["metadata"]["name"] = f"{document['spec']['names']['plural']}.{self.group}"
        return list(documents)

    def resource(self, kind: str) -> str:
        """Return the name of a kind that kubectl cannot mistake for an installed one."""
        return f"{KINDS[kind].plural}.{self.group}"

    def document(self, kind: str, spec: Spec, name: str = "chat") -> dict[str, Any]:
        """Return a manifest."""
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": f"{self.group}/{VERSION}", "kind": kind, "metadata": metadata, "spec": spec}

    def kubectl(self, *arguments: str, body: object = None) -> str:
        """Run kubectl in the namespace, with an object on standard input where there is one."""
        return self.cluster.kubectl("-n", self.namespace, *arguments, input=None if body is None else json.dumps(body))

    def path(self, kind: str, name: str = "") -> str:
        """Return where the API server serves a kind in the namespace, or one object of it."""
        found = f"/apis/{self.group}/{VERSION}/namespaces/{self.namespace}/{KINDS[kind].plural}"
        return f"{found}/{name}" if name else found

    def tried(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what the API server would store of a new object."""
        return self.request("POST", self.path(body["kind"]), body=body, params=_STRICTLY, deadline=PROCESS_PATIENCE_S)

    def refusal(self, body: dict[str, Any]) -> str:
        """Return what the API server has against a new object, or nothing."""
        return _refusal(lambda: self.tried(body))

    def refused_change(self, body: dict[str, Any]) -> str:
        """Return what the API server has against another spec of an object that is stored, or nothing."""
        path = self.path(body["kind"], body["metadata"]["name"])
        stored = self.request("GET", path, deadline=PROCESS_PATIENCE_S)
        changed = {**stored, "spec": body["spec"]}
        return _refusal(lambda: self.request("PUT", path, body=changed, params=_STRICTLY, deadline=PROCESS_PATIENCE_S))

    def store(self, body: dict[str, Any]) -> None:
        """Create an object."""
        self.request("POST", self.path(body["kind"]), body=body, deadline=PROCESS_PATIENCE_S)

    def remove(self, kind: str, name: str) -> None:
        """Delete an object."""
        self.request("DELETE", self.path(kind, name), deadline=PROCESS_PATIENCE_S)

    def served(self) -> bool:
        """Return whether all kinds can be asked for by now."""
        return not any(map(self._missing, KINDS))

    def _missing(self, kind: str) -> str:
        return _refusal(lambda: self.request("GET", self.path(kind), deadline=PROCESS_PATIENCE_S))

    def stored(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object as the API server gives it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", self.resource(kind), name, "-o", "json"))
        return found


def _refusal(ask: Callable[[], object]) -> str:
    try:
        ask()
    except ApiError as error:
        if not 400 <= error.status < 500:
            raise
        return error.message
    return ""


@contextmanager
def _asking(cluster: "Cluster") -> Iterator[Request]:
    """Give a way to ask the API server without a process for each request."""
    with asyncio.Runner() as runner:
        # A session belongs to the loop in which it is made.
        transport = runner.run(_connected(cluster))
        try:
            yield lambda *words, **how: runner.run(transport.request(*words, **how))
        finally:
            runner.run(transport.close())


async def _connected(cluster: "Cluster") -> Transport:
    return Transport(await access.load(str(cluster.kubeconfig)))


@contextmanager
def installed(cluster: "Cluster", namespace: str) -> Iterator[Trial]:
    """Install the definitions for as long as the tests need them."""
    with _asking(cluster) as request, _installed(Trial(cluster, namespace, request)) as trial:
        yield trial


@contextmanager
def _installed(trial: Trial) -> Iterator[Trial]:
    names = [f"crd/{document['metadata']['name']}" for document in trial.definitions()]
    together = {"apiVersion": "v1", "kind": "List", "items": trial.definitions()}
    trial.kubectl("apply", "--server-side", "-f", "-", body=together)
    try:
        trial.kubectl("wait", "--for=condition=Established", "--timeout=120s", *names)
        wait_until(trial.served, PROCESS_PATIENCE_S)
        yield trial
    finally:
        trial.kubectl("delete", "--wait=false", *names)
