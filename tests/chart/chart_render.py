"""The chart as Helm renders it, for values that users have."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

Object = dict[str, Any]

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "helm" / "modelward"
SYSTEM = "modelward-system"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelward" / "devcluster"
_BUILT, _GO = _CACHE / "bin" / "helm", _CACHE / "go-venv" / "bin" / "go"
_DIGEST = "sha256:" + "0123456789abcdef" * 4


def _secret(name: str, key: str) -> Mapping[str, Any]:
    return {"secretRef": {"name": name, "key": key}}


ALL_ON: Mapping[str, Any] = {
    "monitoring": {
        "podMonitors": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboards": {"enabled": True},
    },
    "networkPolicy": {"enabled": True},
    "console": {
        "enabled": True,
        "url": "https://modelward.example.com",
        "oidc": {"clientSecretName": "modelward-oidc", "caConfigMap": "issuer-ca"},
        "pastedToken": True,
        "ingress": {"enabled": True, "className": "nginx", "tlsSecretName": "modelward-tls"},
    },
    "people": {
        "oidc": {"issuer": "https://id.example.com:8444/realms/a", "clientId": "modelward"},
        "pasted": {"enabled": True},
    },
    "clusterName": "eu-prod-1",
}
VALUES: Mapping[str, Mapping[str, Any]] = {
    "defaults": {},
    "everything on": ALL_ON,
    "two namespaces": {**ALL_ON, "watchNamespaces": ["retail", "support"], "crds": {"install": False}},
    "ephemeral hub": {"hub": {"store": "ephemeral"}, "operator": {"replicas": 1}},
    "object store": {
        "hub": {"store": "objectStore", "objectStore": {"url": "s3://samples/modelward", "secretName": "s3"}},
    },
    "no hub": {**ALL_ON, "hub": {"enabled": False}, "console": {"enabled": False}},
    "digests, placement": {
        "image": {"digest": _DIGEST},
        "collectorImage": {"repository": "mirror.example/collector", "digest": _DIGEST},
        "imagePullSecrets": [{"name": "registry"}],
        "operator": {
            "priorityClassName": "system-cluster-critical",
            "nodeSelector": {"pool": "infra"},
            "tolerations": [{"key": "infra", "operator": "Exists"}],
            "podLabels": {"team": "platform"},
            "podAnnotations": {"sidecar.istio.io/inject": "false"},
        },
        "hub": {"volume": {"size": "1Gi", "storageClassName": "fast"}, "podAnnotations": {"a": "b"}},
        "podSettings": {
            "imagePullSecrets": ["registry"],
            "nodeSelector": {"pool": "gpu"},
            "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
            "labels": {"team": "platform"},
            "env": {"HTTPS_PROXY": "http://proxy:3128"},
        },
        "statusInterval": "10s",
        "scrapeInterval": "5s",
        "logFormat": "json",
        "logLevel": "debug",
    },
    "alerts": {
        "podSettings": {"env": {"HTTPS_PROXY": "http://proxy:3128"}},
        "alerts": {
            "receivers": [
                {"name": "oncall", "pagerDuty": {"routingKeyFrom": _secret("modelward-alerts", "pagerduty")}},
                {"name": "chat", "slack": {"tokenFrom": _secret("modelward-alerts", "slack"), "channel": "#llm"}},
                {"name": "teams", "teams": {"webhookUrlFrom": _secret("modelward-teams", "url")}},
                {
                    "name": "mail",
                    "email": {
                        "server": "smtp.example.com:587",
                        "username": "modelward",
                        "passwordFrom": _secret("modelward-smtp", "password"),
                        "from": "modelward@example.com",
                        "to": ["oncall@example.com"],
                    },
                },
                {"name": "bus", "webhook": {"url": "https://events.example.com/in", "format": "CloudEvents"}},
                {
                    "name": "issues",
                    "gitIssue": {"repository": "retail/chat", "tokenFrom": _secret("modelward-github", "token")},
                },
                {"name": "prometheus", "alertmanager": {"urls": ["http://alertmanager-0.monitoring.svc:9093"]}},
            ],
            "fallback": "mail",
            "allowedHosts": ["hooks.slack.com", "*.example.com"],
        },
    },
    "OpenShift": {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
}


def helm() -> str:
    """Path of Helm: MODELWARD_HELM, the PATH, what the devcluster built; its absence fails in CI, else skips."""
    given = os.environ.get("MODELWARD_HELM") or shutil.which("helm") or (str(_BUILT) if _BUILT.exists() else None)
    return given or absent("Helm is not here: set MODELWARD_HELM, or run `python devcluster build`")


def go() -> str:
    """Path of Go: the PATH, or what the devcluster installed where there was none."""
    return shutil.which("go") or (str(_GO) if _GO.exists() else absent("Go is not here: run `python devcluster build`"))


def program(name: str) -> str:
    """Path of a program of the Debian package prometheus."""
    return shutil.which(name) or absent(f"{name} is not here: apt-get install prometheus")


def absent(reason: str) -> str:
    """Skip where a developer lacks a tool; fail where the tests are the point."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def template(values: Mapping[str, Any], namespace: str = SYSTEM) -> subprocess.CompletedProcess[str]:
    """Run `helm template` and return what it printed, whatever came of it."""
    command = [helm(), "template", "modelward", str(CHART), "--namespace", namespace, "--values", "-"]
    return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False, timeout=60)


def render(values: Mapping[str, Any], namespace: str = SYSTEM) -> list[Object]:
    """Return the objects of the chart; values that Helm refuses fail the test with Helm's own message."""
    return [*documents(_rendered(json.dumps(values), namespace))]


@cache
def _rendered(values: str, namespace: str) -> str:
    done = template(json.loads(values), namespace)
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(text: str) -> Iterator[Object]:
    """Yield the objects of a YAML stream."""
    return (document for document in yaml.safe_load_all(text) if document)


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """Return the objects of these kinds."""
    return [item for item in objects if item["kind"] in kinds]


def named(objects: list[Object], kind: str, name: str) -> Object:
    """Return the one object of that kind and name."""
    (found,) = [item for item in of_kind(objects, kind) if item["metadata"]["name"] == name]
    return found
