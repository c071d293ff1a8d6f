"""Asking the API server by the person's own kubectl: its configuration, its rights, nothing of ours."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from modelward.kubectl.errors import PluginError

JsonObject = Mapping[str, Any]
PLURALS = {"llmep": "llmendpoints", "mpol": "monitoringpolicies", "llmsil": "alertsilences"}
GROUP = "modelward.dev"
TIMEOUT_S = 60
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Runs kubectl with the flags that the person gave; an empty namespace is that of the current context."""

    program: str = "kubectl"
    flags: tuple[str, ...] = ()
    namespace: str = ""
    everywhere: bool = False

    def objects(self, kind: str) -> list[JsonObject]:
        """Return all objects of a kind (`llmep`, `mpol`, `llmsil`) where the person asked for them."""
        where = ["--all-namespaces"] if self.everywhere else self._there()
        found = self._json("get", f"{PLURALS[kind]}.{GROUP}", *where)
        return list(found.get("items", ()))

    def object(self, kind: str, name: str) -> JsonObject:
        """Return one object; PluginError where there is none."""
        return self._json("get", f"{PLURALS[kind]}.{GROUP}", name, *self._there())

    def create(self, document: JsonObject) -> str:
        """Create an object and return what kubectl says of it: `alertsilence.modelward.dev/ack-x2k4p created`."""
        return self.run("create", "-f", "-", *self._there(), given=json.dumps(document)).strip()

    def here(self) -> str:
        """Return the namespace that is meant."""
        if self.namespace:
            return self.namespace
        view = self.run("config", "view", "--minify", "-o", "jsonpath={..namespace}")
        return view.strip() or "default"

    def person(self) -> str:
        """Return the person's name at the API server; empty where an older one does not tell."""
        try:
            found = json.loads(self.run("auth", "whoami", "-o", "json"))
        except (PluginError, ValueError):
            return ""
        return str(found.get("status", {}).get("userInfo", {}).get("username", ""))

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Return what kubectl printed; PluginError with what it complained of."""
        try:
            done = subprocess.run(
                self.command(*arguments), input=given, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except OSError as error:
            raise PluginError(f"{self.program} cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise PluginError(
                f"kubectl {arguments[0]} did not answer in {TIMEOUT_S} s: is the cluster there?"
            ) from error
        if done.returncode:
            raise PluginError(_advised(done.stderr.strip() or f"kubectl ended with {done.returncode}"))
        return done.stdout

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return a whole command line."""
        return (self.program, *self.flags, *arguments)

    @contextmanager
    def forwarded(self, namespace: str, service: str, port: int) -> Iterator[int]:
        """Forward a port of loopback to a Service until the block ends; yield the port."""
        command = self.command("port-forward", "-n", namespace, f"service/{service}", f":{port}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                found = _FORWARDING.search(line)
                if found is None:
                    process.terminate()
                    complaint = process.stderr.read().strip() if process.stderr else ""
                    raise PluginError(f"no way to service {namespace}/{service}: {complaint or 'port-forward ended'}")
                yield int(found[1])
            finally:
                process.terminate()

    def _there(self) -> Sequence[str]:
        return ("-n", self.namespace) if self.namespace else ()

    def _json(self, *arguments: str) -> JsonObject:
        found = json.loads(self.run(*arguments, "-o", "json"))
        return found if isinstance(found, dict) else {}


def _advised(complaint: str) -> str:
    if "the server doesn't have a resource type" in complaint:
        return f"{complaint}. Is Modelward installed? helm install modelward helm/modelward -n modelward-system"
    if "serviceaccounts/token" in complaint or 'cannot create resource "serviceaccounts/token"' in complaint:
        return f"{complaint}. Ask for the role modelward-transcripts in this namespace (docs/kubectl.md)"
    return complaint
