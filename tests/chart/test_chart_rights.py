"""The rights that the chart grants: least, and readable."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from chart_render import REPOSITORY, SYSTEM, VALUES, Object, named, of_kind, render

from modelward.cli.cluster.rights import ISOLATING, POLICY_RULES, RIGHTS, TOLD_VERBS

every = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())

OPERATOR = dict(RIGHTS)
"""A right more is a decision: it needs a line there, and `modelward doctor` asks for it."""


def granted(role: Object) -> dict[str, str]:
    return {
        f"{group}/{resource}": " ".join(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def rules(objects: list[Object]) -> Iterator[dict[str, Any]]:
    for role in of_kind(objects, "Role", "ClusterRole"):
        yield from role["rules"]


FOR_PEOPLE = frozenset({"modelward-viewer", "modelward-transcripts"})
WAY_TO_THE_HUB = "modelward-console-access"
"""A Role for people too, bound to none of them; test_chart_console.py says what it gives."""


@every
def test_no_wildcard_no_secrets_no_escalation(values: Mapping[str, Any]) -> None:
    for rule in rules([one for one in render(values) if one["metadata"]["name"] not in {*FOR_PEOPLE, WAY_TO_THE_HUB}]):
        assert set(rule) <= {"apiGroups", "resources", "resourceNames", "verbs"}, "no right on a path"
        words = {word for part in rule.values() for word in part}
        assert not [word for word in words if "*" in word]
        assert not words & {"secrets", "pods/exec", "pods/portforward", "pods/log", "serviceaccounts/token"}
        assert not words & {"escalate", "bind", "impersonate", "approve", "sign"}
        assert "rbac.authorization.k8s.io" not in words


@every
def test_roles_for_people_are_bound_to_nobody_and_give_tokens_of_the_readers_alone(values: Mapping[str, Any]) -> None:
    objects = render(values)
    roles = [one for one in objects if one["metadata"]["name"] in FOR_PEOPLE]
    assert {one["kind"] for one in roles} <= {"ClusterRole"}
    assert not any("rbac.authorization.k8s.io/aggregate" in key for one in roles for key in one["metadata"]["labels"])
    bound = {one["roleRef"]["name"] for one in of_kind(objects, "RoleBinding", "ClusterRoleBinding")}
    assert not bound & FOR_PEOPLE
    for rule in rules(roles):
        if "serviceaccounts/token" in rule["resources"]:
            assert rule["resourceNames"] in (["modelward-reader"], ["modelward-viewer"])
            assert rule["verbs"] == ["create"]
        else:
            assert rule["apiGroups"] == ["modelward.dev"]


def test_the_hub_may_ask_what_people_may_only_where_that_was_asked_for() -> None:
    oidc = {"people": {"oidc": {"issuer": "https://login.example.org", "clientId": "modelward"}}}
    assert not [one for one in render({}) if one["metadata"]["name"] == "modelward-hub-reviews"]
    asked = {"authorization.k8s.io/subjectaccessreviews": "create"}
    assert granted(named(render(oidc), "ClusterRole", "modelward-hub-reviews")) == asked
    there = render({**oidc, "watchNamespaces": ["retail"]})
    local = {"authorization.k8s.io/localsubjectaccessreviews": "create"}
    assert granted(named(there, "Role", "modelward-hub-reviews")) == local
    assert not of_kind(there, "ClusterRole", "ClusterRoleBinding")


def test_the_operator_has_exactly_these_rights_on_the_cluster() -> None:
    assert granted(named(render({}), "ClusterRole", "modelward")) == OPERATOR


def test_network_policies_may_be_made_only_where_that_was_asked_for() -> None:
    asked = {"networkPolicy": {"evaluatorContainers": True}}
    assert granted(named(render(asked), "ClusterRole", "modelward")) == {**OPERATOR, **ISOLATING}
    there = of_kind(render({**asked, "watchNamespaces": ["retail"]}), "Role")
    (role,) = [one for one in there if one["metadata"]["namespace"] == "retail"]
    assert granted(role) == {**OPERATOR, **ISOLATING}


def test_rules_of_policies_may_be_made_only_where_that_was_asked_for() -> None:
    asked = {"monitoring": {"prometheusRule": {"ofPolicies": True, "labels": {"release": "prometheus"}}}}
    objects = render(asked)
    assert granted(named(objects, "ClusterRole", "modelward")) == {**OPERATOR, **POLICY_RULES}
    settings = yaml.safe_load(named(objects, "ConfigMap", "modelward-settings")["data"]["settings.yaml"])
    assert settings["policyRules"] == {"enabled": True, "labels": {"release": "prometheus"}}


@every
def test_in_namespaces_it_has_the_same_rights_there_and_none_on_the_cluster(values: Mapping[str, Any]) -> None:
    objects = render({**values, "watchNamespaces": ["retail", "support"]})
    assert not of_kind(objects, "ClusterRole", "ClusterRoleBinding")
    assert {role["metadata"]["namespace"] for role in of_kind(objects, "Role")} == {SYSTEM, "retail", "support"}
    roles = {r["metadata"]["namespace"]: r for r in of_kind(objects, "Role") if r["metadata"]["name"] == "modelward"}
    assert set(roles) == {"retail", "support"}
    assert all(granted(role) == OPERATOR for role in roles.values())


@every
def test_every_binding_leads_to_a_role_and_an_account_of_ours(values: Mapping[str, Any]) -> None:
    objects = render(values)
    accounts = {item["metadata"]["name"] for item in of_kind(objects, "ServiceAccount")}
    for binding in of_kind(objects, "RoleBinding", "ClusterRoleBinding"):
        roles = of_kind(objects, binding["roleRef"]["kind"])
        there = [r for r in roles if r["metadata"].get("namespace") == binding["metadata"].get("namespace")]
        assert binding["roleRef"]["name"] in {role["metadata"]["name"] for role in there}
        for subject in binding["subjects"]:
            assert subject["kind"] == "ServiceAccount"
            assert subject["namespace"] == SYSTEM
            assert subject["name"] in accounts, "accounts in users' namespaces are bound to nothing"


@every
def test_the_hub_s_account_is_bound_to_two_roles_at_most(values: Mapping[str, Any]) -> None:
    bound = of_kind(render(values), "RoleBinding", "ClusterRoleBinding")
    roles = {one["roleRef"]["name"] for one in bound for who in one["subjects"] if who["name"] == "modelward-hub"}
    people = values.get("people", {})
    asks = values.get("hub", {}).get("enabled", True) and ("oidc" in people or "reviews" in people)
    assert roles - {"modelward-hub"} == ({"modelward-hub-reviews"} if asks else set())


def test_the_hub_may_write_one_config_map_and_nothing_else() -> None:
    (rule,) = named(render({}), "Role", "modelward-hub")["rules"]
    assert rule["resources"] == ["configmaps"]
    assert rule["resourceNames"] == ["modelward-hub-ca"]
    assert rule["verbs"] == ["create", "patch"]


def test_at_home_the_operator_may_lead_read_one_certificate_and_remember_what_was_told() -> None:
    certificate = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": ["modelward-hub-ca"],
        "verbs": ["get"],
    }
    told = {**certificate, "resourceNames": ["modelward-told-retail"], "verbs": TOLD_VERBS.split()}
    for values, more in (({}, []), ({"watchNamespaces": ["retail"]}, [certificate, told])):
        rights = named(render(values), "Role", "modelward-self")["rules"]
        assert [rule for rule in rights if rule["resources"] != ["leases"]] == more


def test_leases_only_in_its_own_namespace_and_by_name() -> None:
    objects = render({})
    leases = [rule for rule in rules(objects) if "leases" in rule["resources"]]
    assert leases == [
        rule for rule in named(objects, "Role", "modelward-self")["rules"] if "leases" in rule["resources"]
    ]
    assert [rule.get("resourceNames") for rule in leases] == [None, ["modelward"]]
    assert leases[0]["verbs"] == ["create"]


def test_people_who_may_edit_a_namespace_may_edit_our_kinds_but_not_their_status() -> None:
    edit = granted(named(render({}), "ClusterRole", "modelward-edit"))
    assert "create update patch delete" in edit["modelward.dev/llmendpoints"]
    assert not any(resource.endswith("/status") for resource in edit)
    off = render({"rbac": {"aggregate": False}})
    assert {role["metadata"]["name"] for role in of_kind(off, "ClusterRole")} == {"modelward", *FOR_PEOPLE}


def test_the_role_of_who_is_on_call_is_there_with_the_built_in_ones_and_shown_where_it_is_not() -> None:
    page = (REPOSITORY / "docs" / "alerts.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"(?ms)^```yaml\n(.*?)^```$", page)]
    (shown,) = (one for one in blocks if isinstance(one, dict) and one.get("kind") == "Role")
    assert shown["metadata"]["name"] == "modelward-on-call"
    assert shown["rules"] == named(render({}), "ClusterRole", "modelward-on-call")["rules"]
    for values in ({"rbac": {"aggregate": False}}, {"watchNamespaces": [shown["metadata"]["namespace"]]}):
        roles = of_kind(render(values), "ClusterRole", "Role")
        assert "modelward-on-call" not in {role["metadata"]["name"] for role in roles}
