"""The comparison of granted and used rights finds a right that is missing and one that is spare, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_requests import Accounts, Request, beyond, lacking, parsed, read, unused
from chart_grants import Right, grants
from chart_render import SYSTEM, VALUES, render

BEGAN = datetime(2026, 11, 24, 3, 28, tzinfo=UTC)
ACCOUNTS = Accounts(SYSTEM, frozenset({"modelward-gateway", "modelward-evaluate"}))
OPERATOR = f"system:serviceaccount:{SYSTEM}:modelward"
BY_CHART = (
    'RBAC: allowed by ClusterRoleBinding "modelward" of ClusterRole "modelward" to ServiceAccount "modelward/elsewhere"'
)
BY_ALL = (
    'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group '
    '"system:authenticated"'
)


def line(
    second: float, verb: str, resource: str, name: str = "", *, user: str = OPERATOR, code: int = 200, **more: Any
) -> str:
    """Return one audit event in the API server's own words; resource as `group/resource/subresource`."""
    group, _, rest = resource.partition("/")
    plural, _, subresource = rest.partition("/")
    place = {"resource": plural, "apiGroup": group, "subresource": subresource, "name": name}
    place["namespace"] = more.get("namespace", "retail")
    allowed = more.get("allowed", True)
    reason = more.get("reason", BY_CHART) if allowed else ""
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": user},
        "objectRef": {key: value for key, value in place.items() if value},
        "responseStatus": {"metadata": {}, "code": code, "message": more.get("message", "")},
        "requestReceivedTimestamp": "2026-11-24T03:00:00.000000Z",
        "stageTimestamp": f"{BEGAN + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S.%fZ}",
        "annotations": {
            "authorization.k8s.io/decision": "allow" if allowed else "forbid",
            "authorization.k8s.io/reason": reason,
        },
    }
    return json.dumps(event, separators=(",", ":"))


def requests(*lines: str) -> list[Request]:
    return [found for one in lines if (found := parsed(one)) is not None]


def right(verb: str, resource: str, group: str = "apps", name: str = "") -> Right:
    return Right("modelward", "ClusterRole modelward", group, resource, verb, name)


GRANTED = (right("patch", "deployments"), right("create", "deployments"), right("patch", "deployments/scale"))


def texts(found: Iterable[object]) -> list[str]:
    return [str(one) for one in found]


def test_a_right_is_used_by_a_request_that_its_role_let_through() -> None:
    asked = requests(line(1, "patch", "apps/deployments", "chat"), line(2, "patch", "apps/deployments/scale", "chat"))
    assert unused(GRANTED, asked, ACCOUNTS) == [right("create", "deployments")]


def test_an_apply_that_makes_the_object_uses_the_right_to_create() -> None:
    asked = requests(line(1, "patch", "apps/deployments", "chat", code=201))
    assert unused(GRANTED, asked, ACCOUNTS) == [right("patch", "deployments/scale")]


@pytest.mark.parametrize(
    "other",
    [
        line(1, "patch", "apps/deployments", user="system:serviceaccount:shop:modelward"),
        line(1, "patch", "apps/deployments", user="system:serviceaccount:modelward-system:modelward-hub"),
        line(1, "patch", "apps/deployments", reason=BY_ALL),
        line(1, "patch", "batch/deployments"),
        line(1, "patch", "apps/statefulsets"),
        line(1, "patch", "apps/deployments", code=403, allowed=False),
    ],
)
def test_what_others_did_or_other_roles_allowed_uses_no_right_of_ours(other: str) -> None:
    wanted = (right("patch", "deployments"),)
    assert unused(wanted, requests(other), ACCOUNTS) == list(wanted)


def test_a_right_on_one_object_is_used_by_that_object_only() -> None:
    lease = (right("update", "leases", "coordination.k8s.io", "modelward"),)
    another = requests(line(1, "update", "coordination.k8s.io/leases", "another"))
    its_own = requests(line(1, "update", "coordination.k8s.io/leases", "modelward"))
    assert unused(lease, another, ACCOUNTS) == list(lease)
    assert unused(lease, its_own, ACCOUNTS) == []


def test_a_role_of_somebody_else_that_helps_us_is_named() -> None:
    admin = BY_CHART.replace('ClusterRole "modelward"', 'ClusterRole "cluster-admin"')
    asked = requests(
        line(1, "patch", "apps/deployments"), line(2, "get", "", reason=BY_ALL), line(3, "get", "/pods", reason=admin)
    )
    assert [request.role for request in beyond(GRANTED, asked, ACCOUNTS)] == ["ClusterRole cluster-admin"]


def test_a_right_that_is_missing_is_told_from_a_refusal_of_quotas_and_policies() -> None:
    asked = requests(
        line(1, "list", "/secrets", code=403, allowed=False, message="secrets is forbidden"),
        line(2, "patch", "apps/deployments", code=403, message="exceeded quota: full"),
        line(3, "patch", "/services", code=403, message="cannot set an ownerRef on a resource you can't delete"),
        line(4, "list", "/secrets", code=403, allowed=False, user="system:serviceaccount:shop:reader"),
    )
    assert [request.resource for request in lacking(asked, ACCOUNTS)] == ["secrets", "services"]


def test_a_refusal_counts_only_while_our_bindings_stand() -> None:
    refused = [line(s, "update", "coordination.k8s.io/leases", code=403, allowed=False) for s in (1, 3, 5, 9)]
    binding, helm = "rbac.authorization.k8s.io/clusterrolebindings", "helm"
    asked = requests(
        refused[0],
        line(2, "delete", binding, "modelward", user=helm, namespace=""),
        refused[1],
        line(3.5, "get", binding, "modelward", user=helm, namespace=""),
        refused[2],
        line(6, "create", binding, "modelward", user=helm, namespace="", code=201),
        refused[3],
    )
    assert [request.at.second for request in lacking(asked, ACCOUNTS)] == [1, 9]


@pytest.mark.parametrize("namespace", ["shop", ""])
def test_bindings_of_other_namespaces_or_names_excuse_nothing(namespace: str) -> None:
    name = "modelward" if namespace else "another"
    asked = requests(
        line(1, "delete", "rbac.authorization.k8s.io/rolebindings", name, user="helm", namespace=namespace),
        line(2, "update", "coordination.k8s.io/leases", code=403, allowed=False),
    )
    assert len(lacking(asked, ACCOUNTS)) == 1


def test_a_log_is_read_from_its_rotated_files_on_and_from_a_time_on(tmp_path: Path) -> None:
    ours, helm = line(1, "list", "/pods"), line(3, "delete", "rbac.authorization.k8s.io/roles", user="helm")
    (tmp_path / "audit-2026-11-24T03-28-02.000.log").write_text(f"{ours}\n")
    (tmp_path / "audit.log").write_text(f"{helm}\n{line(4, 'list', '/pods', user='alice')}\n{helm[:40]}\n")
    log = tmp_path / "audit.log"
    assert [request.verb for request in read(log, BEGAN)] == ["list", "delete"]
    assert [request.verb for request in read(log, BEGAN + timedelta(seconds=2))] == ["delete"]
    (tmp_path / "audit-2026-11-24T03-28-03.000.log").write_text("")
    with pytest.raises(ValueError, match="begins at"):
        read(log, BEGAN)


def test_accounts_made_in_users_namespaces_are_known_by_name() -> None:
    made = requests(line(1, "list", "/pods", user="system:serviceaccount:shop:modelward-gateway"))
    theirs = requests(line(1, "list", "/pods", user="system:serviceaccount:shop:default"), line(1, "list", "/pods"))
    assert [ACCOUNTS.elsewhere(request) for request in (*made, *theirs)] == [True, False, False]


def test_what_the_chart_grants_is_told_by_account_role_verb_and_object() -> None:
    granted = texts(sorted(grants(render({}))))
    assert "modelward: patch deployments.apps (ClusterRole modelward)" in granted
    assert "modelward: update leases.coordination.k8s.io modelward (Role modelward-self)" in granted
    assert "modelward-hub: create configmaps modelward-hub-ca (Role modelward-hub)" in granted
    assert not [one for one in granted if "modelward-edit" in one], "roles for people are bound to none of ours"
    inside = grants(render(VALUES["two namespaces"]))
    assert {one.role for one in inside} == {
        "Role modelward",
        "Role modelward-self",
        "Role modelward-hub",
        "Role modelward-hub-reviews",
    }
