"""The share of the model server's traffic that comes through collectors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from status_specimens import NOW_MS, history

from modelward.metrics.signals import Signal
from modelward.metrics.window import History
from modelward.status.traffic_seen import past_the_collector, traffic_seen_ppm


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_share_seen_is_ours_over_the_engines_or_unknown(ours: int, engines: int) -> None:
    found = traffic_seen_ppm(history({Signal.REQUESTS: float(ours), Signal.ENGINE_REQUESTS: float(engines)}), NOW_MS)
    if engines < 20:
        assert found is None
    else:
        assert found == min(1_000_000, round(ours / engines * 1_000_000))


def test_an_engine_that_does_not_count_leaves_the_share_unknown() -> None:
    assert traffic_seen_ppm(history({Signal.REQUESTS: 100.0}), NOW_MS) is None
    assert traffic_seen_ppm(History(), NOW_MS) is None


def seen(**totals: float) -> int | None:
    return traffic_seen_ppm(history({Signal[name.upper()]: value for name, value in totals.items()}), NOW_MS)


def test_traffic_past_a_collector_is_seen_where_the_engine_counts_only_tokens() -> None:
    assert seen(requests=0, engine_generation_tokens=5_000) == 0
    assert seen(requests=20, counted_requests=20, output_tokens=2_000, engine_generation_tokens=8_000) == 250_000
    assert seen(requests=20, counted_requests=20, output_tokens=2_000, engine_generation_tokens=2_000) == 1_000_000


def test_a_request_that_is_several_to_the_engine_is_no_bypass() -> None:
    many = {"requests": 25.0, "counted_requests": 25.0, "output_tokens": 10_000.0}
    assert seen(**many, engine_requests=100, engine_generation_tokens=10_000) == 1_000_000
    assert seen(**many, engine_requests=100, engine_generation_tokens=40_000) == 250_000


def test_streams_without_usage_are_compared_by_their_events_and_answers_by_those_that_are_counted() -> None:
    assert seen(requests=20, chunks=2_000, engine_generation_tokens=2_000) == 1_000_000
    half = {"requests": 20.0, "counted_requests": 10.0, "output_tokens": 1_000.0, "chunks": 1_000.0}
    assert seen(**half, engine_generation_tokens=2_000) == 1_000_000


def test_what_the_engine_refused_hides_no_bypass() -> None:
    assert seen(requests=100, errors=50, engine_requests=100) == 500_000
    assert seen(requests=100, client_errors=30, overloads=20, engine_requests=100) == 500_000


def test_marked_traffic_is_traffic_that_is_seen() -> None:
    assert seen(requests=20, probe_requests=10, judged_requests=10, engine_requests=40) == 1_000_000
    assert seen(requests=0, probe_output_tokens=2_000, engine_generation_tokens=2_000) == 1_000_000
    users = {"requests": 20.0, "counted_requests": 20.0, "output_tokens": 1_000.0}
    assert seen(**users, judged_output_tokens=1_000, engine_generation_tokens=4_000) == 500_000


def test_what_cannot_be_compared_is_unknown() -> None:
    assert seen(requests=20, engine_generation_tokens=5_000) is None, "neither usage nor events"
    assert seen(requests=0, engine_generation_tokens=999) is None, "a warm-up generates a few tokens"


def service(target: Any = 8080, *, selector: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    ports = [{"name": "metrics", "port": 9090}, {"port": 80, "targetPort": target} if target else {"port": 8080}]
    chosen = {"app": "chat"} if selector is None else selector
    return {"metadata": {"name": "chat", **metadata}, "spec": {"selector": chosen, "ports": ports}}


@pytest.mark.parametrize(
    ("one", "named"),
    [
        (service(), True),
        (service("http"), True),
        (service(None), True),
        (service(18080), False),
        (service("grpc"), False),
        (service(selector={"app": "other"}), False),
        (service(selector={"app": "chat", "tier": "gold"}), False),
        (service(selector={}), False),
        (service(ownerReferences=[{"kind": "LLMEndpoint", "name": "chat"}]), False),
        ({"metadata": {"name": "outside"}, "spec": {"type": "ExternalName", "externalName": "a.example"}}, False),
    ],
)
def test_a_service_that_leads_to_the_models_own_port_is_found(one: dict[str, Any], named: bool) -> None:
    ports = [{"name": "http", "containerPort": 8080}, {"name": "grpc", "containerPort": 9000}]
    pods = {"metadata": {"labels": {"app": "chat", "pod": "a"}}, "spec": {"containers": [{"ports": ports}]}}
    found = past_the_collector([one], {"spec": {"template": pods}}, 8080)
    assert found == (("chat",) if named else ())
