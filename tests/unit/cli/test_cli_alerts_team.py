"""A team's receiver is tried by a Job like the operator's, and nothing of the trial stays in the namespace."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from receiver_cases import RECEIVERS, SECRET

from modelward.alerts.message import message_from_json
from modelward.alerts.receiver import Answered, Told, Undelivered
from modelward.api.notify_plan import NotifyOutcome, notify_plan_from_json, outcomes_to_text
from modelward.cli.alerts.team import POLLS, TeamError, TeamTest, outcome_of
from modelward.desired.notify_job import PLAN_ANNOTATION
from modelward.kube.client import Client
from modelward.kube.errors import Conflict, Forbidden
from modelward.kube.kinds import CONFIG_MAP, Kind

SETTINGS = {
    "namespace": "llm", "collectorImage": "c", "evaluatorImage": "m", "alerts": {"allowedHosts": ["hooks.slack.com"]},
}  # fmt: skip
RECEIVER = {"name": "team", **RECEIVERS["slack"]}
TOLD = outcomes_to_text([NotifyOutcome("1", told=True, ref="C1:2")])


class Cluster:
    """Holds a policy and the settings, and shows the pods that a test gives, one after the other."""

    def __init__(self, *pods: dict[str, Any], settings: dict[str, Any] | None = SETTINGS, refuse: str = "") -> None:
        self.pods, self.settings, self.refuse = [*pods], settings, refuse
        self.made: list[dict[str, Any]] = []
        self.left: set[str] = set()
        self.receivers: list[dict[str, Any]] = [RECEIVER, {"name": "sre", "shared": "oncall"}]

    async def find(self, kind: Kind, namespace: str | None, name: str) -> dict[str, Any] | None:
        if kind is CONFIG_MAP:
            return {"data": {"settings.yaml": yaml.safe_dump(self.settings)}} if self.settings else None
        return {"spec": {"alerts": {"receivers": self.receivers}}} if name == "baseline" else None

    async def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        if obj["kind"] == self.refuse:
            raise Forbidden(403, "Forbidden", "jobs is forbidden")
        if obj["kind"] == "ServiceAccount":
            raise Conflict(409, "AlreadyExists", "it is there")
        self.made.append(obj)
        self.left.add(obj["metadata"]["name"])
        return obj

    async def list(self, kind: Kind, namespace: str, *, label_selector: str) -> SimpleNamespace:
        assert label_selector == f"job-name={self.made[-1]['metadata']['name']}"
        shown = self.pods.pop(0) if self.pods else None
        return SimpleNamespace(items=(shown,) if shown else ())

    async def delete(self, kind: Kind, namespace: str, name: str) -> None:
        self.left.remove(name)


async def no_pause(_: float) -> None:
    """Wait for nothing."""


async def tried(cluster: Cluster, name: str = "team", policy: str = "baseline") -> Answered | str:
    return await TeamTest(cast("Client", cluster), "llm", no_pause).run("retail", policy, name)


def ended(message: str, reason: str = "Completed") -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"state": {"terminated": {"message": message, "reason": reason}}}]}}


def waiting(reason: str) -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"state": {"waiting": {"reason": reason}}}]}}


async def test_the_job_is_given_the_message_and_its_word_comes_back() -> None:
    cluster = Cluster({}, waiting("ContainerCreating"), ended(TOLD))
    assert await tried(cluster) == Told("C1:2")
    (job,) = cluster.made
    assert cluster.left == set()
    plan = notify_plan_from_json(json.loads(job["spec"]["template"]["metadata"]["annotations"][PLAN_ANNOTATION]))
    assert (plan.namespace, plan.allowed_hosts) == ("retail", ("hooks.slack.com",))
    assert message_from_json(plan.orders[0].message).kind == "Test"
    assert [one["secret"]["secretName"] for one in job["spec"]["template"]["spec"]["volumes"] if "secret" in one] == [
        SECRET
    ]


async def test_a_shared_receiver_is_the_platforms_to_try() -> None:
    cluster = Cluster()
    assert await tried(cluster, "sre") == "oncall"
    assert cluster.made == []


@pytest.mark.parametrize(
    ("name", "policy", "said"),
    [
        ("nobody", "baseline", "the policy has no receiver nobody; it has team, sre"),
        ("team", "other", "there is no MonitoringPolicy retail/other"),
        ("broken", "baseline", "webhookUrlFrom.secretRef.name"),
    ],
)
async def test_what_is_not_there_is_named(name: str, policy: str, said: str) -> None:
    cluster = Cluster()
    broken = {"webhookUrlFrom": {"secretRef": {"name": "other", "key": "x"}}}
    cluster.receivers += [{"name": "broken", "teams": broken}] if name == "broken" else []
    with pytest.raises(TeamError, match=said):
        await tried(cluster, name, policy)


async def test_without_the_installation_nothing_is_made() -> None:
    cluster = Cluster(settings=None)
    with pytest.raises(TeamError, match="the installation is not known: ConfigMap llm/modelward-settings"):
        await tried(cluster)
    assert cluster.made == []


async def test_who_may_make_no_job_is_told_by_the_cluster() -> None:
    with pytest.raises(Forbidden):
        await tried(Cluster(refuse="Job"))


async def test_a_pod_that_never_starts_is_given_up_and_removed() -> None:
    cluster = Cluster(*(waiting("ContainerCreating") for _ in range(POLLS + 5)))
    answer = await tried(cluster)
    assert isinstance(answer, Undelivered)
    assert answer.cause.startswith("the Job's pod has left no word in time")
    assert (cluster.left, len(cluster.pods)) == (set(), 5)


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({}, None),
        (waiting("ContainerCreating"), None),
        (waiting("ImagePullBackOff"), Undelivered("the Job's pod cannot start: ImagePullBackOff", permanent=True)),
        (ended("", "OOMKilled"), Undelivered("the Job ended without word (OOMKilled)")),
        (ended("[]", ""), Undelivered("the Job ended without word (no reason)")),
        (
            ended(outcomes_to_text([NotifyOutcome("1", told=False, problem="HTTP 403", permanent=True)])),
            Undelivered("HTTP 403", None, permanent=True),
        ),
    ],
)
def test_a_pods_word_is_read(pod: dict[str, Any], expected: Answered | None) -> None:
    assert outcome_of(pod) == expected
