"""The whole status of an endpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import ACCEPTED, FRESH, MINUTE_MS, NOW_MS, SEEN, SERVING, check, endpoint

from modelward.api.llmendpoint import AppliedPolicy, CollectorStatus, LLMEndpointStatus, ScalingStatus
from modelward.api.quantity import timestamp
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.scaling import ScalingReason
from modelward.status.conditions import ConditionState
from modelward.status.endpoint import EndpointFacts, changes, endpoint_status
from modelward.status.revision import Revision

FOUND = EndpointFacts(
    ACCEPTED, SERVING, SEEN, FRESH, replicas=3, ready_replicas=3, desired_replicas=3, revision=Revision("r1")
)
STATUSES = st.sampled_from(["True", "False", "Unknown"])
COLLECTOR_STATES = st.builds(ConditionState, st.just("CollectorReady"), STATUSES, st.just("Why"))


def conditions(status: LLMEndpointStatus) -> dict[str, str]:
    return {condition.type: condition.status for condition in status.conditions}


@given(COLLECTOR_STATES)
def test_the_collector_never_gates_ready(collector: ConditionState) -> None:
    status = endpoint_status(endpoint(), replace(FOUND, collector=collector), NOW_MS)
    assert conditions(status)["Ready"] == "True"
    assert conditions(status)["CollectorReady"] == collector.status


@given(st.text(max_size=400))
def test_a_summary_has_at_most_80_characters(message: str) -> None:
    failed = check("Failed", message=message)
    status = endpoint_status(endpoint(), replace(FOUND, checks=(failed,)), NOW_MS)
    assert len(status.summary) <= 80
    assert status.summary == failed.evidence or status.summary.endswith("…")
    LLMEndpointStatus.model_validate(status.wire())


def test_what_cannot_be_accepted_is_unhealthy_for_that_reason_though_an_older_workload_serves() -> None:
    taken = ConditionState("Accepted", "False", AcceptedReason.NAME_TAKEN, "Service chat exists and is not ours")
    status = endpoint_status(endpoint(), replace(FOUND, accepted=taken), NOW_MS)
    assert (status.health, status.summary) == ("Unhealthy", "Service chat exists and is not ours")
    assert conditions(status)["Ready"] == "False"


def test_every_condition_is_there_from_the_first_status_on_and_speaks_of_its_generation() -> None:
    scaling = ConditionState("ScalingActive", "True", ScalingReason.STEADY)
    status = endpoint_status(endpoint(generation=7), replace(FOUND, scaling=scaling), NOW_MS)
    assert list(conditions(status)) == [
        "Ready", "Accepted", "WorkloadReady", "CollectorReady", "MetricsAvailable",
        "ObjectivesMet", "QualityHealthy", "SafetyHealthy", "ScalingActive",
    ]  # fmt: skip
    assert {condition.observed_generation for condition in status.conditions} == {7} == {status.observed_generation}
    assert "ScalingActive" not in conditions(endpoint_status(endpoint(), FOUND, NOW_MS))


def test_health_keeps_its_beginning_until_it_changes() -> None:
    first = endpoint_status(endpoint(), FOUND, NOW_MS)
    again = endpoint_status(endpoint(first.wire()), FOUND, NOW_MS + MINUTE_MS)
    assert again.health_since == first.health_since == timestamp(NOW_MS)
    failed = replace(FOUND, checks=(check("Failed"),))
    worse = endpoint_status(endpoint(again.wire()), failed, NOW_MS + 2 * MINUTE_MS)
    assert worse.health_since == timestamp(NOW_MS + 2 * MINUTE_MS)


def test_the_same_findings_give_the_same_status() -> None:
    first = endpoint_status(endpoint(), replace(FOUND, checks=(check(),), url="http://chat.retail.svc"), NOW_MS)
    found = replace(FOUND, checks=(check(),), url="http://chat.retail.svc")
    assert endpoint_status(endpoint(first.wire()), found, NOW_MS + MINUTE_MS) == first
    assert first.address is not None
    assert (first.address.url, first.replicas_summary, first.checks) == ("http://chat.retail.svc", "3/3", "1/1")


BEFORE = LLMEndpointStatus(
    observed_generation=3,
    revision="r1",
    replicas_summary="3/3",
    applied_policies=(AppliedPolicy(name="baseline", generation=1),),
    collector=CollectorStatus(mode="Sidecar", version="0.1.0"),
)
SAME = replace(FOUND, applied=BEFORE.applied_policies, collector_status=BEFORE.collector)


@pytest.mark.parametrize(
    ("found", "kind", "message"),
    [
        ({"revision": Revision("r2")}, "Revision", "r1 → r2"),
        ({"applied": (AppliedPolicy(name="baseline", generation=2),)}, "Policy", "baseline (generation 2)"),
        ({"applied": ()}, "Policy", "none"),
        ({"collector_status": CollectorStatus(mode="Sidecar", version="0.2.0")}, "Version", "collector 0.1.0 → 0.2.0"),
        ({"desired_replicas": 5}, "Scale", "3 → 5 replicas"),
    ],
)
def test_what_may_explain_a_flip_is_noted(found: dict[str, Any], kind: str, message: str) -> None:
    (noted,) = changes(BEFORE, replace(SAME, **found), NOW_MS)
    assert (noted.kind, noted.message, noted.time) == (kind, message, timestamp(NOW_MS))


def test_a_change_of_replicas_has_the_scalers_reason_only_where_the_scaler_made_it() -> None:
    scaling = ScalingStatus(desired=5, message="40 tok/s a replica")

    def noted(replicas: int, *, by_scaler: bool) -> str:
        found = replace(SAME, desired_replicas=replicas, scaling_status=scaling)
        return changes(BEFORE, found, NOW_MS, by_scaler=by_scaler)[0].message

    assert noted(5, by_scaler=True) == "3 → 5 replicas: 40 tok/s a replica"
    assert noted(5, by_scaler=False) == "3 → 5 replicas"
    assert noted(1, by_scaler=True) == "3 → 1 replicas"


def test_a_quiet_endpoint_and_a_new_one_have_no_changes() -> None:
    assert changes(BEFORE, SAME, NOW_MS) == ()
    assert changes(LLMEndpointStatus(), SAME, NOW_MS) == ()


@given(st.integers(1, 12))
def test_only_the_newest_five_changes_are_kept(rolls: int) -> None:
    status = BEFORE
    for number in range(rolls):
        found = replace(SAME, revision=Revision(f"r{number + 2}"))
        kept = changes(status, found, NOW_MS)
        status = status.model_copy(update={"revision": found.revision.name, "changes": kept})
    assert len(status.changes) == min(rolls, 5)
    assert status.changes[0].message.endswith(f"→ r{rolls + 1}")
