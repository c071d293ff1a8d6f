"""Ready tells whether the address in status answers."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.api.llmendpoint import LLMEndpoint
from modelward.metrics.snapshot import Snapshot
from modelward.reasons.accepted import AcceptedReason
from modelward.reasons.workload import WorkloadReason
from modelward.status.conditions import ConditionState, ready
from modelward.status.serving import address_state, put_to_sleep, unreached

ACCEPTED = ConditionState("Accepted", "True", AcceptedReason.VALID)
SERVING = ConditionState("WorkloadReady", "True", WorkloadReason.SERVING, "1 of 1 replicas ready")
EMPTY = ConditionState("WorkloadReady", "False", WorkloadReason.SCALED_TO_ZERO, "Deployment chat has 0 replicas")
LOADING = ConditionState("WorkloadReady", "False", WorkloadReason.NOT_READY, "0 of 1 replicas ready")
NO_GATEWAY = ConditionState("WorkloadReady", "False", WorkloadReason.NOT_READY, "0 of 2 replicas ready")


def test_a_model_behind_a_gateway_that_is_not_there_is_not_ready() -> None:
    assert address_state(SERVING, NO_GATEWAY) == NO_GATEWAY
    assert address_state(LOADING, NO_GATEWAY) == LOADING, "the model is the cause to mend first"
    assert address_state(SERVING, SERVING) == SERVING


def test_a_model_server_that_refuses_every_connection_is_not_ready_and_the_port_is_named() -> None:
    state = address_state(SERVING, SERVING, refusing="port 8000 of its pods")
    assert (state.status, state.reason) == ("False", "UpstreamRefused")
    assert state.message.startswith("no model server accepts connections at port 8000 of its pods: ")
    assert address_state(LOADING, refusing="port 8000") == LOADING


def test_asleep_is_ready_and_no_outage() -> None:
    state = address_state(EMPTY, SERVING, asleep=True, refusing="port 8000")
    assert (state.status, state.reason) == ("True", "Asleep")
    assert (ready(ACCEPTED, state).status, ready(ACCEPTED, state).reason) == ("True", "Asleep")
    assert address_state(EMPTY, NO_GATEWAY, asleep=True) == NO_GATEWAY, "it cannot be woken"
    assert address_state(LOADING, SERVING, asleep=True) == LOADING, "it is waking"


def test_scaled_to_zero_by_a_person_is_not_ready() -> None:
    assert address_state(EMPTY, SERVING) == EMPTY
    assert ready(ACCEPTED, EMPTY).status == "False"


def endpoint(decided: list[int], *, mode: str = "Direct", minimum: int = 0) -> LLMEndpoint:
    decisions = [{"time": "2026-01-01T00:00:00Z", "replicas": count, "reason": "Idle"} for count in decided]
    spec: dict[str, Any] = {
        "engine": "vllm",
        "backend": {"workloadRef": {"name": "vllm"}},
        "collector": {"mode": "Gateway"},
        "scaling": {"mode": mode, "minReplicas": minimum, "maxReplicas": 3},
    }
    metadata = {"name": "chat", "namespace": "retail", "uid": "u", "generation": 1}
    status = {"scaling": {"decisions": decisions}}
    return LLMEndpoint.model_validate({"metadata": metadata, "spec": spec, "status": status})


@pytest.mark.parametrize(
    ("one", "asleep"),
    [
        (endpoint([0, 1]), True),
        (endpoint([3, 0, 1]), False),
        (endpoint([]), False),
        (endpoint([0], mode="Advisory"), False),
        (endpoint([0], minimum=1), False),
    ],
)
def test_only_our_own_scaler_puts_to_sleep(one: LLMEndpoint, asleep: bool) -> None:
    assert put_to_sleep(one) is asleep


def test_one_collector_that_reaches_a_model_server_is_enough() -> None:
    lost, fine = (Snapshot("pod", 0, "collector", unreached=said) for said in (True, False))
    assert unreached([lost, lost])
    assert not unreached([lost, fine])
    assert not unreached([])
