"""What is kept of an object says all that is read of it, and no more."""

import json

from modelward.desired.model_workload import orphaned_replicas
from modelward.kube.kinds import DEPLOYMENT, LLM_ENDPOINT, Object
from modelward.kube.slim import slim, with_shared_keys

OURS: Object = {"f:replicas": {}, "f:template": {"f:spec": {}}}


def entry(manager: str, spec: Object) -> Object:
    return {
        "manager": manager,
        "operation": "Apply",
        "time": "now",
        "fieldsV1": {"f:spec": spec, "f:metadata": {}},
    }


def test_of_a_workload_it_is_kept_who_writes_the_replicas_and_what_of_the_spec_is_ours() -> None:
    managers = [
        entry("modelward-template", OURS),
        entry("kubectl", {"f:replicas": {}, "f:template": {}}),
        {"manager": "controller", "operation": "Update", "fieldsV1": {"f:status": {"f:replicas": {}}}},
    ]
    kept = slim(DEPLOYMENT, {"metadata": {"name": "web", "managedFields": managers}, "spec": {}})
    assert kept["metadata"]["managedFields"] == [
        {"manager": "modelward-template", "operation": "Apply", "fieldsV1": {"f:spec": OURS}},
        {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "controller", "operation": "Update"},
    ]
    assert not orphaned_replicas(kept)
    alone = slim(DEPLOYMENT, {"metadata": {"name": "web", "managedFields": managers[::2]}, "spec": {}})
    assert orphaned_replicas(alone)


def test_of_other_kinds_no_manager_is_kept_and_nothing_is_changed_in_place() -> None:
    obj = {"metadata": {"name": "chat", "managedFields": [entry("kubectl", {})]}, "spec": {}}
    assert slim(LLM_ENDPOINT, obj)["metadata"] == {"name": "chat"}
    assert "managedFields" in obj["metadata"]


def test_objects_that_another_library_decoded_share_their_keys() -> None:
    text = '{"metadata": {"name": "chat"}, "spec": {"containers": [{"imagePullPolicy": "Always"}]}}'
    one, other = (with_shared_keys(json.loads(text)) for _ in range(2))
    assert one == other == json.loads(text)
    keys = [next(iter(obj["spec"]["containers"][0])) for obj in (one, other)]
    assert keys[0] is keys[1]
