"""What the chart grants is what this suite used: nothing missing, nothing spare.

Its name sorts behind all modules that use the release. The first tests use the rights that nothing before them needed,
as users bring them about; the last ones read the API server's audit log from the time on at which pytest collected this
file.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_requests import Accounts, Request, beyond, lacking, read, unused
from chart_grants import Right, grants
from chart_render import render
from installation import REPOSITORY, SYSTEM, Installed, deployment, endpoint, helm_install

from modelward.desired.names import EVALUATE_ACCOUNT, GATEWAY_ACCOUNT

pytestmark = pytest.mark.cluster

BEGAN = datetime.now(UTC)
"""Files are collected before the first test runs, and so before the release is installed."""
ACCOUNTS = Accounts(SYSTEM, frozenset({EVALUATE_ACCOUNT, GATEWAY_ACCOUNT}))
UNUSED: dict[str, str] = {
    "modelward: create alertsilences.modelward.dev (ClusterRole modelward)": "asked for in the console, by OIDC",
}
"""Rights that no test here can use, with the reason; one that was used after all fails the test."""
SELECTING = ("keyword", "markexpr", "deselect", "lf", "last_failed")


@pytest.fixture(scope="module")
def here(installed: Installed) -> Installed:
    """The release, installed again where a test has removed it."""
    if not installed.cluster.kubectl("get", "deployment", "modelward", "-n", SYSTEM, "--ignore-not-found").strip():
        helm_install(installed.cluster)
    return installed


@pytest.fixture(scope="module")
def shop(here: Installed) -> Iterator[str]:
    """A namespace whose owner allows raw payloads."""
    name = f"e2e-rights-{uuid.uuid4().hex[:5]}"
    here.cluster.kubectl("create", "namespace", name)
    here.cluster.kubectl("annotate", "namespace", name, "modelward.dev/allow-raw-payloads=true")
    yield name
    here.cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def our(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "modelward.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def stateful_set(name: str) -> dict[str, Any]:
    """Return a user's own StatefulSet of no pods yet."""
    made = deployment(name, replicas=0)
    made["kind"] = "StatefulSet"
    made["spec"]["serviceName"] = name
    return made


def test_a_stateful_set_is_adopted_and_scaled_as_it_is_told(here: Installed, shop: str) -> None:
    here.apply(shop, stateful_set("my-set"))
    backend = {"workloadRef": {"kind": "StatefulSet", "name": "my-set"}}
    here.apply(shop, endpoint("set", backend, engine="vllm", collector={"mode": "Sidecar"}, replicas=1))

    def adopted() -> bool:
        spec = here.get("statefulset", "my-set", shop)["spec"]
        names = [one["name"] for one in spec["template"]["spec"].get("initContainers", [])]
        return names == ["modelward-collector"] and spec["replicas"] == 1

    assert here.until("the collector and one replica", adopted)


def test_raw_payloads_are_captured_where_the_namespace_allows_and_a_gateway_goes_with_its_mode(
    here: Installed, shop: str
) -> None:
    full = {"endpointSelector": {}, "capture": {"content": "Full"}}
    here.apply(shop, deployment("my-model", replicas=0), our("MonitoringPolicy", "full", full))
    backend = {"workloadRef": {"name": "my-model"}}
    here.apply(shop, endpoint("model", backend, engine="vllm", collector={"mode": "Gateway"}, replicas=1))
    here.until("a gateway", lambda: "model-gateway" in names_of(here, shop))
    assert here.get("deployment", "my-model", shop)["spec"]["replicas"] == 1
    config = here.get("configmap", "modelward-collector-model", shop)["data"]
    assert '"Full"' in str(config)
    here.apply(shop, endpoint("model", backend, engine="vllm", collector={"mode": "ScrapeOnly"}, replicas=1))
    here.until("no gateway", lambda: "model-gateway" not in names_of(here, shop))
    assert "my-model" in names_of(here, shop)


def names_of(here: Installed, shop: str) -> set[str]:
    return {one["metadata"]["name"] for one in here.items("deployments", shop)}


def test_an_evaluator_says_whether_it_can_be_used(here: Installed, shop: str) -> None:
    here.apply(shop, our("Evaluator", "unknown", {"builtin": "Nonsense"}))

    def refused() -> str | None:
        conditions = here.get("llmeval", "unknown", shop).get("status", {}).get("conditions", [])
        return next((str(one["reason"]) for one in conditions if one["status"] == "False"), None)

    assert here.until("its status", refused) == "UnknownEvaluator"


def test_of_scheduled_runs_that_went_well_the_last_three_are_kept(here: Installed, shop: str) -> None:
    """The runs are written here as the operator writes them: an hour of evaluations takes an hour."""
    window = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z"}
    items = [{"endpoint": "none", "policy": "none", "evaluation": "none", **window}]
    runs = [f"modelward-20260101-00000{i}" for i in range(5)]
    here.apply(shop, *(our("EvaluationRun", run, {"items": items, "suspend": True}) for run in runs))
    done = {"type": "Complete", "status": "True", "reason": "Finished", "lastTransitionTime": "2026-01-01T00:02:00Z"}
    status = {"result": "Passed", "completionTime": "2026-01-01T00:02:00Z", "conditions": [{**done, "message": ""}]}

    def tidied() -> bool:
        results = {one["metadata"]["name"]: one.get("status", {}).get("result") for one in here.items("llmrun", shop)}
        for run in (name for name, result in results.items() if result is None):  # those with one may go at any time
            patch = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
            here.cluster.kubectl("patch", "llmrun", run, "-n", shop, *patch)
        return sorted(results) == runs[2:]

    assert here.until("the oldest two to go", tidied)


def test_the_same_news_again_is_counted_not_repeated(here: Installed, shop: str) -> None:
    here.apply(shop, endpoint("early", {"workloadRef": {"name": "late"}}, engine="vllm"))
    here.until_condition("early", shop, "Accepted", "False")
    here.apply(shop, deployment("late", replicas=0))
    here.until_condition("early", shop, "Accepted", "True")
    here.cluster.kubectl("delete", "deployment", "late", "-n", shop)

    def counted() -> bool:
        news = [one for one in here.items("events.events.k8s.io", shop) if one["regarding"]["name"] == "early"]
        return any(one["reason"] == "NotAccepted" and one.get("series", {}).get("count") == 2 for one in news)

    assert here.until("the Event's count", counted)


def test_a_lease_that_somebody_deletes_is_claimed_anew(here: Installed) -> None:
    before = here.get("lease", "modelward", SYSTEM)["metadata"]["uid"]
    here.cluster.kubectl("delete", "lease", "modelward", "-n", SYSTEM)

    def led_again() -> bool:
        leases = here.items("leases", SYSTEM)
        return any(one["metadata"]["name"] == "modelward" and one["spec"]["holderIdentity"] for one in leases)

    here.until("another leader", led_again)
    assert here.get("lease", "modelward", SYSTEM)["metadata"]["uid"] != before


def test_the_hubs_certificate_is_there_again_after_its_next_start(here: Installed) -> None:
    before = here.get("configmap", "modelward-hub-ca", SYSTEM)["data"]
    here.cluster.kubectl("delete", "configmap", "modelward-hub-ca", "-n", SYSTEM)
    here.cluster.kubectl("delete", "pod", "-n", SYSTEM, "-l", "app.kubernetes.io/component=hub", "--wait=false")
    here.until("the ConfigMap", lambda: "modelward-hub-ca" in str(here.items("configmaps", SYSTEM)))
    assert here.get("configmap", "modelward-hub-ca", SYSTEM)["data"] == before


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    """All that was asked since this file was collected."""
    command = [sys.executable, str(REPOSITORY / "devcluster"), "status"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^audit: (.+)$", printed, re.MULTILINE)
    assert found, printed
    return read(Path(found.group(1)), BEGAN)


def test_a_silence_says_that_it_is_in_force(here: Installed, shop: str) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    here.apply(shop, our("AlertSilence", "quiet", {"until": until}))

    def active() -> bool | None:
        return here.get("llmsil", "quiet", shop).get("status", {}).get("state") == "Active" or None

    assert here.until("the silence is in force", active)


def test_nothing_was_refused_for_want_of_a_right(here: Installed, requests: list[Request]) -> None:
    assert [str(request) for request in lacking(requests, ACCOUNTS)] == []


def test_no_right_came_from_elsewhere_than_the_chart(here: Installed, requests: list[Request]) -> None:
    assert sum(bool(ACCOUNTS.ours(request)) for request in requests) > 100
    assert [f"{request.role}: {request}" for request in beyond(grants(render({})), requests, ACCOUNTS)] == []


def test_our_pods_in_users_namespaces_ask_the_api_server_nothing(here: Installed, requests: list[Request]) -> None:
    assert [str(request) for request in requests if ACCOUNTS.elsewhere(request)] == []


def test_every_right_of_the_chart_was_used(
    here: Installed, requests: list[Request], request: pytest.FixtureRequest
) -> None:
    granted = grants(render({}))
    spare = {str(right) for right in unused(granted, requests, ACCOUNTS)}
    _only_after_the_whole_suite(request.session, granted, spare)
    assert spare == set(UNUSED)


def _only_after_the_whole_suite(session: pytest.Session, granted: frozenset[Right], spare: set[str]) -> None:
    """End the test here where rights may be unused only because the tests that use them did not run."""
    cause = _left_out(session)
    if not cause:
        return
    said = f"{len(granted) - len(spare)} of {len(granted)} rights were used; the others are not judged: {cause}"
    if os.environ.get("CI"):
        pytest.fail(said, pytrace=False)
    pytest.skip(said)


def _left_out(session: pytest.Session) -> str:
    """Return what of this folder did not run or did not pass; empty after the whole suite."""
    folder = Path(__file__).parent
    ran = {item.path.name for item in session.items if item.path.parent == folder}
    missing = sorted({path.name for path in folder.glob("test_*.py")} - ran)
    options = [name for name in SELECTING if session.config.getoption(name, None)]
    if missing or options or any("::" in argument for argument in session.config.args):
        return f"tests were left out: {', '.join((*missing, *options)) or 'single tests were named'}"
    return f"{session.testsfailed} tests failed" if session.testsfailed else ""
