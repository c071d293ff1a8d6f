"""An item of ours under another key is known again; what others have put into a list is left to them."""

from __future__ import annotations

from typing import Any

import pytest

from modelward.operator.endpoint.displaced import put_back

HTTP = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 18080}
ADMIN = {"name": "admin", "port": 81, "protocol": "TCP", "targetPort": 18081}
COLLECTOR = {"name": "collector", "image": "c:1", "ports": [{"name": "traffic", "containerPort": 1}]}
MOUNTS = [{"name": "spool", "mountPath": "/a"}, {"name": "spool", "mountPath": "/b"}]


@pytest.mark.parametrize(
    ("actual", "wanted", "restored"),
    [
        ([{**HTTP, "port": 8080}], [HTTP], [HTTP]),
        ([ADMIN, {**HTTP, "port": 8080, "targetPort": 1}], [HTTP], [ADMIN, HTTP]),
        ([ADMIN], [HTTP], [ADMIN]),
        ([HTTP, {**HTTP, "name": "theirs", "port": 8080}], [HTTP], [HTTP, {**HTTP, "name": "theirs", "port": 8080}]),
        ([{**COLLECTOR, "name": "renamed"}], [COLLECTOR], [COLLECTOR]),
        ([{"name": "mesh", "image": "m:1"}], [COLLECTOR], [{"name": "mesh", "image": "m:1"}]),
        ([{**MOUNTS[0], "mountPath": "/x"}, MOUNTS[1]], MOUNTS, MOUNTS),
        ([MOUNTS[1], {**MOUNTS[0], "mountPath": "/x"}], MOUNTS, [MOUNTS[1], {**MOUNTS[0], "mountPath": "/x"}]),
        (["a", "b"], ["c"], ["a", "b"]),
    ],
)
def test_only_an_item_of_ours_that_was_moved_is_put_back(actual: Any, wanted: Any, restored: Any) -> None:
    assert put_back({"items": actual}, {"items": wanted}) == {"items": restored}


def test_a_moved_item_is_found_inside_another() -> None:
    moved = {**COLLECTOR, "ports": [{"name": "traffic", "containerPort": 2}]}
    assert put_back({"containers": [moved]}, {"containers": [COLLECTOR]}) == {"containers": [COLLECTOR]}
