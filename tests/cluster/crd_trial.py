"""The definitions under a group of the test's own: no installed operator writes into it, and no other test uses it."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelward.api import crd
from modelward.api.base import VERSION

if TYPE_CHECKING:
    from conftest import Cluster

KINDS = {kind.name: kind for kind in crd.KINDS}
Spec = dict[str, Any]


class Trial:
    """Our kinds in a group and a namespace of their own."""

    def __init__(self, cluster: "Cluster", namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
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

    def refusal(self, body: dict[str, Any], verb: str = "create") -> str:
        """Return what the API server has against the object, or nothing."""
        try:
            self.kubectl(verb, "--dry-run=server", "--validate=strict", "-f", "-", body=body)
        except AssertionError as error:
            return str(error)
        return ""

    def stored(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object as the API server gives it."""
        found: dict[str, Any] = json.loads(self.kubectl("get", self.resource(kind), name, "-o", "json"))
        return found


@contextmanager
def installed(cluster: "Cluster", namespace: str) -> Iterator[Trial]:
    """Install the definitions for as long as the tests need them."""
    trial = Trial(cluster, namespace)
    names = [f"crd/{document['metadata']['name']}" for document in trial.definitions()]
    together = {"apiVersion": "v1", "kind": "List", "items": trial.definitions()}
    trial.kubectl("apply", "--server-side", "-f", "-", body=together)
    try:
        trial.kubectl("wait", "--for=condition=Established", "--timeout=120s", *names)
        yield trial
    finally:
        trial.kubectl("delete", "--wait=false", *names)
