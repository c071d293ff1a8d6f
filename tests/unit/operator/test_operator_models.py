"""An object is read once for each version that the store shows, and logged once where it cannot be read."""

import gc
import weakref
from typing import Any

import pytest
from pydantic import ValidationError

from modelward.api.llmendpoint import LLMEndpoint
from modelward.kube.kinds import LLM_ENDPOINT
from modelward.kube.store import Store
from modelward.operator.cache import models
from modelward.operator.cache.models import parsed, read


def endpoint(name: str, **backend: Any) -> dict[str, Any]:
    kind = {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint"}
    about = {"name": name, "namespace": "models", "uid": "u", "resourceVersion": "1"}
    return {**kind, "metadata": about, "spec": {"backend": backend or {"external": {"url": "https://api.example.com"}}}}


def test_models_the_same_object_is_read_once_and_another_of_its_name_anew() -> None:
    one, other = endpoint("chat"), endpoint("chat", external={"url": "https://other.example.com"})
    assert read(LLMEndpoint, one) is read(LLMEndpoint, one)
    assert read(LLMEndpoint, other).spec != read(LLMEndpoint, one).spec


def test_models_what_cannot_be_read_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    odd, fine = endpoint("odd", external={"url": 7}), endpoint("fine")
    for _ in range(3):
        assert [model.metadata.name for model in parsed(LLMEndpoint, [odd, fine])] == ["fine"]
    assert [record.getMessage().split()[0] for record in caplog.records] == ["unreadable=LLMEndpoint"]
    with pytest.raises(ValidationError):
        read(LLMEndpoint, odd)


GOOD_METRIC = {"policy": "baseline", "name": "slow", "verdict": "Failed"}
LATER_METRIC = {"policy": "baseline", "name": "later", "verdict": "Suspected"}


@pytest.mark.parametrize(
    ("status", "read_as"),
    [
        ({"health": "Radiant", "metrics": [GOOD_METRIC]}, {"metrics": ["slow"]}),
        ({"metrics": [LATER_METRIC, GOOD_METRIC, 3]}, {"metrics": ["slow"]}),
        ({"metrics": {"slow": 1}, "conditions": [{"type": "Ready"}]}, {"metrics": []}),
        ({"scaling": {"decisions": [{"replicas": "many"}]}, "metrics": [GOOD_METRIC]}, {"metrics": ["slow"]}),
        ("odd", {"metrics": []}),
        ([], {"metrics": []}),
    ],
    ids=str,
)
def test_models_a_status_of_another_release_keeps_no_spec_from_being_read_and_loses_only_its_odd_parts(
    status: Any, read_as: dict[str, Any]
) -> None:
    model = read(LLMEndpoint, endpoint("chat") | {"status": status})
    assert model.spec.backend.external is not None
    assert [metric.name for metric in model.status.metrics] == read_as["metrics"]


def test_models_a_spec_that_cannot_be_read_is_refused_whatever_its_status() -> None:
    with pytest.raises(ValidationError):
        read(LLMEndpoint, endpoint("odd", external={"url": 7}) | {"status": {"health": "Radiant"}})


def test_models_a_round_over_more_objects_than_a_cluster_has_had_before_reads_each_once() -> None:
    many = [endpoint(f"chat-{number}") for number in range(6_000)]
    first = parsed(LLMEndpoint, many)
    assert all(one is other for one, other in zip(first, parsed(LLMEndpoint, many), strict=True))


def test_models_an_object_that_is_gone_leaves_no_model_behind() -> None:
    store = Store()
    models.forget_gone(store)
    obj = endpoint("short-lived")
    store.put(LLM_ENDPOINT, obj)
    model = weakref.ref(read(LLMEndpoint, store.list(LLM_ENDPOINT)[0]))
    gc.collect()
    assert model() is not None
    store.remove(LLM_ENDPOINT, {**obj, "metadata": {**obj["metadata"], "resourceVersion": "3"}})
    gc.collect()
    assert model() is None


def test_models_share_the_names_of_the_fields_that_are_set() -> None:
    """pydantic's own sets are more than half of what thousands of models take."""
    one, other = (read(LLMEndpoint, endpoint(name)) for name in ("mine", "yours"))
    assert one.metadata.model_fields_set is other.metadata.model_fields_set
    assert one.spec.backend.model_fields_set is other.spec.backend.model_fields_set == {"external"}
    changed = one.spec.model_copy(update={"paused": True})
    assert "paused" in changed.model_fields_set
    assert "paused" not in other.spec.model_fields_set, "a copy has a set of its own"
