# ruff: noqa: ARG002 - the signature is the client's
"""What is read from the server alone: whether a namespace allows texts as they are."""

from __future__ import annotations

import pytest
from fake_api import FakeApi

from modelward.kube.client import Listing
from modelward.kube.errors import ApiError, Forbidden
from modelward.kube.kinds import Kind, Object
from modelward.operator.consent import RawConsent
from modelward.operator.endpoint.gather import Gatherer

API = "modelward.dev/v1alpha1"
_MINUTE_MS = 60_000


class Namespaces(FakeApi):
    """Objects, and one namespace that has consented; asking for it fails while there is a `trouble`."""

    trouble: ApiError | None = None

    async def find(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        if self.trouble is not None:
            raise self.trouble
        return {"metadata": {"name": name, "annotations": {"modelward.dev/allow-raw-payloads": "true"}}}


def _obj(kind: str, name: str, **spec: object) -> Object:
    return {
        "apiVersion": API,
        "kind": kind,
        "metadata": {"name": name, "namespace": "retail", "labels": {}},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("trouble", "allowed"),
    [(ApiError(503, "ServiceUnavailable", "try later"), True), (Forbidden(403, "Forbidden", "cannot get"), False)],
)
async def test_consent_outlasts_an_answer_that_fails_but_not_a_right_that_went(
    trouble: ApiError, allowed: bool
) -> None:
    api = Namespaces()
    api.put(_obj("LLMEndpoint", "ours", backend={"template": {"image": "llama", "port": 8080}}))
    api.put(_obj("MonitoringPolicy", "all", endpointSelector={}, capture={"content": "Full"}))
    gatherer = Gatherer(api.context, RawConsent(api.context.client))

    async def allow_raw(now_ms: int) -> bool:
        found = await gatherer.gather("retail", "ours", now_ms)
        assert found is not None
        return found.allow_raw

    api.trouble = trouble
    assert not await allow_raw(0), "never assumed"
    api.trouble = None
    assert await allow_raw(1 * _MINUTE_MS)
    api.trouble = trouble
    assert await allow_raw(3 * _MINUTE_MS) is allowed


class Counted(FakeApi):
    """Objects, and how often each kind was listed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str | None]] = []

    async def list(self, kind: Kind, namespace: str | None = None, *, label_selector: str | None = None) -> Listing:
        self.asked.append((kind.kind, label_selector))
        return await super().list(kind, namespace, label_selector=label_selector)


def _referred(name: str, **spec: object) -> Object:
    return _obj("LLMEndpoint", name, backend={"workloadRef": {"name": name}}, **spec)


def _workload(name: str, ready: int = 1, version: int = 0) -> Object:
    labels = {"app": name, "round": str(version)}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}}
    counts = dict.fromkeys(("replicas", "updatedReplicas"), 1)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "retail", "labels": labels, "generation": 1},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template},
        "status": {**counts, "readyReplicas": ready, "observedGeneration": 1},
    }


async def test_pods_of_a_settled_workload_are_listed_anew_when_it_changes_or_they_fall_silent() -> None:
    api = Counted()
    api.put(_referred("chat", collector={"mode": "ScrapeOnly"}))
    api.put(_workload("chat"))
    gatherer = Gatherer(api.context, RawConsent(api.context.client))
    for minute in range(5):
        await gatherer.gather("retail", "chat", minute * _MINUTE_MS)
    assert api.asked == [("Pod", "app=chat")], "not once a minute"
    await gatherer.gather("retail", "chat", 5 * _MINUTE_MS, silent=True)
    assert len(api.asked) == 2
    api.put(_workload("chat", ready=0))
    await gatherer.gather("retail", "chat", 5 * _MINUTE_MS)
    await gatherer.gather("retail", "chat", 5 * _MINUTE_MS + 20_000)
    assert len(api.asked) == 4, "what is not settled is listed every 20 s"


async def test_a_pod_that_is_being_deleted_is_forgotten_when_it_is_gone_though_its_workload_does_not_change() -> None:
    api = Counted()
    api.put(_referred("chat", collector={"mode": "ScrapeOnly"}))
    api.put(_workload("chat"))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "old", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    api.listed = [pod]
    gatherer = Gatherer(api.context, RawConsent(api.context.client))
    before = await gatherer.gather("retail", "chat", 0)
    api.listed = []
    after = await gatherer.gather("retail", "chat", 21_000)
    assert before is not None
    assert after is not None
    assert (before.pods, after.pods) == ((pod,), ())


async def test_endpoints_of_a_namespace_share_one_list_of_autoscalers_until_something_is_to_be_scaled() -> None:
    api = Counted()
    mine = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "hers"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "chat-1"}},
    }
    api.listed = [mine]
    for number in range(5):
        api.put(_referred(f"chat-{number}", replicas=1, collector={"mode": "ScrapeOnly"}))
        api.put(_workload(f"chat-{number}"))
    gatherer = Gatherer(api.context, RawConsent(api.context.client))
    found = {n: await gatherer.gather("retail", f"chat-{n}", 0) for n in range(5)}
    listed = [kind for kind, _ in api.asked if kind == "HorizontalPodAutoscaler"]
    assert len(listed) == 1
    assert [n for n, one in found.items() if one is not None and one.autoscalers == (mine,)] == [1]
    api.put(_referred("chat-2", replicas=3, collector={"mode": "ScrapeOnly"}))
    for _ in range(3):
        await gatherer.gather("retail", "chat-2", 1)
    listed = [kind for kind, _ in api.asked if kind == "HorizontalPodAutoscaler"]
    assert len(listed) == 2, "an autoscaler made a moment ago must not be fought, but to know of it once is enough"
