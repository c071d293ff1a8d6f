"""What people read at a terminal, word for word; MODELWARD_GOLDEN=write takes what it says now as right."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from installation import REPOSITORY, Installed, deployment, scripted
from modes import small
from streams import broken, streams

pytestmark = pytest.mark.cluster

GOLDEN = REPOSITORY / "tests" / "fixtures" / "golden" / "kubectl-live"
API = "modelward.dev/v1alpha1"
ASKED = 60

_MASKS = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"e2e-reads-[0-9a-f]{5}", "<namespace>"),
    (r"(Resource Version: +)\d+", r"\1<version>"),
    (r"((?:Revision|Spec Hash): +|Hashes:\n +)[0-9a-f]{6,10}\b", r"\1<hash>"),
    (r"(Template: +)[0-9a-f]{16}\b", r"\1<digest>"),
    (r"(Tokens Per Minute|Requests Per Minute): +[\d.]+", r"\1: <number>"),
    (r"p95 [\d.]+m?s \([^)]*\)", "p95 <duration> (<interval>)"),
    (r"\b[\d.]+% \([\d.]+-[\d.]+\)", "<share> (<interval>)"),
    (r"((?:firstTokenP95|Value|High|Low): +)[\d.]+(?:ms|s|%)", r"\1<number>"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A namespace of endpoints in all moods."""

    installed: Installed
    namespace: str

    def kubectl(self, *arguments: str) -> str:
        """Return what a person sees in this namespace."""
        return self.installed.cluster.kubectl(*arguments, "-n", self.namespace)


@pytest.fixture(scope="module")
def reading(installed: Installed) -> Iterator[Reading]:
    """Endpoints that serve well, serve slowly, start, sleep, miss their workload; clients; and a run asked for."""
    here = Reading(installed, f"e2e-reads-{uuid.uuid4().hex[:5]}")
    installed.cluster.kubectl("create", "namespace", here.namespace)
    try:
        installed.apply(here.namespace, *policies(), deployment("theirs", "--dialect", "vllm"))
        for name in ("baseline", "privacy"):
            installed.until("the policies", lambda n=name: _accepted(here, n))  # type: ignore[misc]
        installed.apply(here.namespace, *declarations())
        for name in ("chat", "slow", "relay", "watched"):
            installed.until_condition(name, here.namespace, "MetricsAvailable", "True")
        for name in ("chat", "slow", "relay"):
            installed.until_condition(name, here.namespace, "CollectorReady", "True")
        for name in ("chat", "slow", "relay"):
            assert broken(streams(installed.url(name, here.namespace), ASKED, at_once=6, max_tokens=4)) == []
        installed.until(
            "what failed", lambda: installed.condition("slow", here.namespace, "ObjectivesMet")[0] == "False"
        )
        installed.apply(here.namespace, run("asked"))
        installed.until(
            "the run's end", lambda: "result" in installed.get("llmrun", "asked", here.namespace).get("status", {})
        )
        installed.until("the run's verdict", lambda: installed.status("chat", here.namespace).get("checks") == "2/2")
        installed.until_condition("starting", here.namespace, "Ready", "False")
        yield here
    finally:
        installed.cluster.kubectl("delete", "namespace", here.namespace, "--wait=false")


def _accepted(here: Reading, policy: str) -> bool:
    found = here.installed.get("mpol", policy, here.namespace).get("status", {}).get("conditions", [])
    return any(one["type"] == "Accepted" and one["status"] == "True" for one in found)


def policies() -> list[dict[str, Any]]:
    errors = {"name": "errors", "metric": "ErrorRate", "maxRate": "20%", "minRequests": 50, "severity": "Critical"}
    slow = {"name": "first-token", "metric": "TimeToFirstToken", "maxDuration": "50ms", "minRequests": 50}
    check = {"name": "no-personal-data", "check": {"builtin": "PII"}, "failAbove": "20%", "minSamples": 50}
    capture = {"content": "Redacted", "sample": "100%"}
    return [
        _policy("baseline", {"matchLabels": {"watch": "yes"}}, capture=capture, objectives=[errors]),
        _policy("latency", {"matchLabels": {"tier": "fast"}}, objectives=[slow]),
        _policy("privacy", {"matchLabels": {"checked": "yes"}}, capture=capture, evaluations=[check], paused=True),
    ]


def _policy(name: str, selector: dict[str, Any], **spec: Any) -> dict[str, Any]:
    about = {"apiVersion": API, "kind": "MonitoringPolicy", "metadata": {"name": name}}
    return {**about, "spec": {"endpointSelector": selector, **spec}}


def declarations() -> list[dict[str, Any]]:
    quick, slow = scripted(cpu="10m"), scripted("--first-token-ms", "200", "--concurrency", "8", cpu="10m")
    nowhere = {**quick, "image": "localhost/nowhere:1"}
    return [
        _labelled(small("chat", {"template": quick}, engine="llamacpp", replicas=1), checked="yes"),
        _labelled(small("slow", {"template": slow}, engine="llamacpp"), tier="fast"),
        small("relay", {"workloadRef": {"name": "theirs"}}, "Gateway", engine="vllm", service={"name": "relay"}),
        small("watched", {"workloadRef": {"name": "theirs"}}, engine="vllm"),
        small("starting", {"template": nowhere}, engine="llamacpp"),
        small("asleep", {"template": quick}, engine="llamacpp", replicas=0),
        small("missing", {"workloadRef": {"name": "not-there"}}, engine="vllm"),
    ]


def _labelled(endpoint: dict[str, Any], **labels: str) -> dict[str, Any]:
    endpoint["metadata"]["labels"] |= labels
    return endpoint


def run(name: str) -> dict[str, Any]:
    return {"apiVersion": API, "kind": "EvaluationRun", "metadata": {"name": name}, "spec": {"endpoint": "chat"}}


def table(text: str, *measured: str) -> str:
    """Return a table with its cells two spaces apart, and `<cell>` for what is an age or was measured."""
    header, *rows = text.splitlines()
    begins = [match.start() for match in re.finditer(r"(?:^|(?<=  ))\S", header)]
    cells = [[line[a:b].strip() for a, b in zip(begins, [*begins[1:], None], strict=True)] for line in (header, *rows)]
    names = cells[0]
    hidden = {"AGE", "SINCE", "COMPLETED", *measured}
    for row in cells[1:]:
        row[:] = [f"<{n.lower()}>" if n in hidden and cell else cell or "-" for n, cell in zip(names, row, strict=True)]
    return masked("\n".join("  ".join(row) for row in cells) + "\n")


def masked(text: str) -> str:
    """Return the text without what differs from run to run."""
    for pattern, mask in _MASKS:
        text = re.sub(pattern, mask, text)
    return text


COLUMNS = ("TTFT-P95", "ERR", "REVISION")
SHOWN: dict[str, Callable[[Reading], str]] = {
    "get-llmep": lambda here: table(here.kubectl("get", "llmep"), *COLUMNS),
    "get-llmep-wide": lambda here: table(here.kubectl("get", "llmep", "-o", "wide"), *COLUMNS),
    "get-mpol": lambda here: table(here.kubectl("get", "mpol")),
    "get-llmrun": lambda here: table(here.kubectl("get", "llmrun", "asked")),
    "describe-llmep": lambda here: masked(here.kubectl("describe", "llmep", "slow").partition("Events:")[0]),
}


@pytest.mark.parametrize("name", SHOWN)
def test_it_reads_as_it_should(reading: Reading, name: str) -> None:
    path, text = GOLDEN / f"{name}.txt", SHOWN[name](reading)
    if os.environ.get("MODELWARD_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_an_endpoint_that_does_well_has_no_warnings_and_one_that_does_not_has_its_evidence(reading: Reading) -> None:
    warned = {
        name: sorted(one["reason"] for one in reading.installed.items("events", reading.namespace) if _about(one, name))
        for name in ("chat", "slow")
    }
    # On a machine under load a collector may take longer to start than the readings that it is allowed to miss.
    told = {name: [reason for reason in reasons if reason != "NotMetricsAvailable"] for name, reasons in warned.items()}
    assert told == {"chat": [], "slow": ["NotObjectivesMet"]}
    assert "first-token p95" in reading.kubectl("describe", "llmep", "slow").partition("Events:")[2]


def _about(event: dict[str, Any], endpoint: str) -> bool:
    about = event["involvedObject"]
    return (about["kind"], about["name"], event["type"]) == ("LLMEndpoint", endpoint, "Warning")


def test_scaling_an_endpoint_by_hand_shows_and_is_nobodys_advice(reading: Reading) -> None:
    assert reading.kubectl("scale", "llmep", "chat", "--replicas=2") == "llmendpoint.modelward.dev/chat scaled\n"
    status = reading.installed.until("two replicas", lambda: _scaled(reading))
    assert [one["message"] for one in status["changes"] if one["kind"] == "Scale"] == ["1 → 2 replicas"]
    reading.installed.until_condition("chat", reading.namespace, "CollectorReady", "True")


def _scaled(reading: Reading) -> dict[str, Any] | None:
    status = reading.installed.status("chat", reading.namespace)
    return status if status["replicasSummary"] == "2/2" else None
