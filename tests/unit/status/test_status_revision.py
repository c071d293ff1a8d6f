"""Which revision serves: known again after a restart, and steady beside pods that come and go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import MINUTE_MS, NOW_MS

from modelward.api.llmendpoint import LLMEndpointStatus
from modelward.status.revision import Revision, revision_now, template_digest

RESTARTED = "kubectl.kubernetes.io/restartedAt"


def workload(image: str = "llama:1", annotations: dict[str, str] | None = None, *, updated: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"generation": 2},
        "spec": {"template": {"metadata": {"annotations": annotations or {}}, "spec": {"containers": [_model(image)]}}},
        "status": {"observedGeneration": 2, "updatedReplicas": updated},
    }


def _model(image: str) -> dict[str, Any]:
    return {"name": "model", "image": image, "env": [{"name": "A", "value": "1"}]}


def pods(name: str, count: int = 1, *, ready: int | None = None, image: str = "llama:1", **more: Any) -> list[Any]:
    return [
        {
            "metadata": {
                "labels": {"pod-template-hash": name},
                "annotations": more.get("annotations", {}),
                "creationTimestamp": f"2026-11-24T0{more.get('hour', 0)}:00:00Z",
            },
            "spec": {"containers": [{**_model(image), "volumeMounts": [{"name": f"kube-api-access-{number}"}]}]},
            "status": {"conditions": [{"type": "Ready", "status": str(number < (count if ready is None else ready))}]},
        }
        for number in range(count)
    ]


def status(found: Revision) -> LLMEndpointStatus:
    return LLMEndpointStatus(revision=found.name, serving=found.status)


FIRST = revision_now(pods("a"), workload(), LLMEndpointStatus(), NOW_MS)
AT = {RESTARTED: "2026-11-24T01:00:00Z"}


def test_the_first_revision_is_that_of_most_ready_pods_and_has_no_beginning() -> None:
    assert (FIRST.name, FIRST.hashes, FIRST.since_ms) == ("a", ("a",), 0)
    assert FIRST.template == template_digest(workload())
    mixed = [*pods("a", 3), *pods("b", 2, hour=1), *pods("c", 4, ready=0, hour=2)]
    assert revision_now(mixed, None, LLMEndpointStatus(), NOW_MS).name == "a"
    assert revision_now([], None, LLMEndpointStatus(), NOW_MS) == Revision()
    assert revision_now(pods("a", ready=0), None, LLMEndpointStatus(), NOW_MS) == Revision(), "nothing serves yet"


def test_an_older_status_that_keeps_no_digest_is_completed_by_the_next_look() -> None:
    old = LLMEndpointStatus(revision="a")
    assert revision_now(pods("a"), workload(), old, NOW_MS) == FIRST


def test_a_restart_is_no_new_revision_and_its_exchanges_count_on() -> None:
    restarted, again = workload(annotations=AT), pods("b", hour=1, annotations=AT)
    for around in (pods("a"), []):  # a rolling update, and one that ends the old pods first
        found = revision_now([*around, *again], restarted, status(FIRST), NOW_MS)
        assert (found.name, found.hashes, found.since_ms) == ("a", ("b", "a"), 0)
    assert revision_now(again, restarted, status(found), NOW_MS) == found


@pytest.mark.parametrize("updated", [0, 2])
def test_pods_and_a_workload_that_tell_different_times_name_no_new_revision(updated: int) -> None:
    again = pods("b", hour=1, annotations=AT)
    assert revision_now(again, workload(updated=updated, annotations=AT), status(FIRST), NOW_MS) == FIRST


@pytest.mark.parametrize(
    ("template", "pod"),
    [
        (workload("llama:2"), {"image": "llama:2"}),
        (workload(annotations={"checksum/config": "2"}), {"annotations": {"checksum/config": "2"}}),
        (workload(annotations=AT | {"checksum/config": "2"}), {"annotations": AT | {"checksum/config": "2"}}),
    ],
)
def test_another_template_is_another_revision_from_when_more_of_its_pods_serve(
    template: dict[str, Any], pod: dict[str, Any]
) -> None:
    new = pods("b", hour=1, **pod)
    assert revision_now([*pods("a"), *new], template, status(FIRST), NOW_MS) == FIRST
    found = revision_now(new, template, status(FIRST), NOW_MS)
    assert (found.name, found.hashes, found.since_ms) == ("b", ("b",), NOW_MS)
    assert found.template == template_digest(template)


def test_a_change_that_was_taken_back_at_once_is_no_restart() -> None:
    bad = pods("b", hour=1, image="llama:2")
    assert revision_now([*pods("a"), *bad], workload(), status(FIRST), NOW_MS).hashes == ("a",)


@given(st.lists(st.integers(0, 1), max_size=20))
def test_a_pod_of_another_revision_that_is_ready_now_and_then_changes_nothing(flapping: list[int]) -> None:
    found = revision_now(pods("a", 9), workload(updated=9), LLMEndpointStatus(), NOW_MS)
    for step, ready in enumerate(flapping):
        new = pods("b", ready=ready, hour=1, image="llama:2")
        found = revision_now([*pods("a", 9), *new], workload("llama:2"), status(found), NOW_MS + step * MINUTE_MS)
        assert found.name == "a"


def test_what_served_is_remembered_until_another_revision_is_ready() -> None:
    new, template = pods("b", ready=0, hour=1, image="llama:2"), workload("llama:2")
    assert revision_now([*pods("a", ready=0), *new], template, status(FIRST), NOW_MS) == FIRST
    assert revision_now(new, template, status(FIRST), NOW_MS) == FIRST
    assert revision_now(pods("b", hour=1, image="llama:2"), template, status(FIRST), NOW_MS).name == "b"


def test_what_serves_is_remembered_while_no_pod_is_there() -> None:
    assert revision_now([], workload(updated=0), status(FIRST), NOW_MS) == FIRST
    assert revision_now([], None, status(FIRST), NOW_MS) == FIRST


def test_a_stateful_set_says_itself_which_hash_is_new() -> None:
    new = pods("b", hour=1, annotations=AT)
    for pod in new:
        pod["metadata"]["labels"] = {"controller-revision-hash": "b"}
    rolled = workload(annotations=AT)
    rolled["status"] = {"observedGeneration": 2, "updateRevision": "b"}
    assert revision_now(new, rolled, status(FIRST), NOW_MS).hashes == ("b", "a")


def test_the_digest_leaves_out_restarts_and_what_is_ours() -> None:
    ours = workload(annotations=AT | {"modelward.dev/injected": "x"})
    spec = ours["spec"]["template"]["spec"]
    spec["initContainers"] = [{"name": "modelward-collector", "image": "collector:2"}]
    spec["volumes"] = [{"name": "modelward-config"}]
    assert template_digest(ours) == template_digest(workload())
    assert template_digest(workload("llama:2")) != template_digest(workload())


def test_names_without_end_are_not_kept() -> None:
    found = FIRST
    for number in range(30):
        at = {RESTARTED: f"{number}"}
        found = revision_now(pods(f"r{number}", annotations=at), workload(annotations=at), status(found), NOW_MS)
    assert (found.name, len(found.hashes), found.hashes[0], found.hashes[-1]) == ("a", 10, "r29", "a")
