"""The console of the chart has no right, no token and no store, and is not installed without a way to sign in."""

import json
from typing import Any

import pytest
from chart_render import ALL_ON, SYSTEM, Object, named, of_kind, render, template
from typer.testing import CliRunner

from modelward.cli.app import app

OIDC = {"issuer": "https://id.example.com", "clientId": "modelward"}
SMALLEST = {"console": {"enabled": True, "url": "https://c.example.com"}, "people": {"oidc": OIDC}}


def console_pod(values: dict[str, Any]) -> Object:
    spec: Object = named(render(values), "Deployment", "modelward-console")["spec"]["template"]["spec"]
    return spec


def test_it_is_off_unless_asked_for() -> None:
    named_so = [one for one in render({}) if one["metadata"]["name"] == "modelward-console"]
    assert named_so == []


def test_it_has_no_token_and_no_right() -> None:
    objects = render(dict(ALL_ON))
    spec = console_pod(dict(ALL_ON))
    assert spec["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] == "modelward-console"
    assert named(objects, "ServiceAccount", "modelward-console")["automountServiceAccountToken"] is False
    bound = [
        subject["name"]
        for item in of_kind(objects, "RoleBinding", "ClusterRoleBinding")
        for subject in item.get("subjects", [])
    ]
    assert bound
    assert "modelward-console" not in bound
    for volume in spec["volumes"]:
        assert "serviceAccountToken" not in json.dumps(volume)
        assert "persistentVolumeClaim" not in volume


def test_its_command_is_one_that_the_program_takes() -> None:
    (container,) = console_pod(dict(ALL_ON))["containers"]
    assert container["args"][0] == "console"
    known = CliRunner().invoke(app, ["console", "--help"], env={"COLUMNS": "300", "NO_COLOR": "1"}).output
    for word in container["args"]:
        assert not word.startswith("--") or word in known, word
    assert container["args"][container["args"].index("--hub-url") + 1] == f"https://modelward-hub.{SYSTEM}.svc:8443"


def test_the_clients_secret_is_the_only_one_that_it_sees() -> None:
    spec = console_pod(dict(ALL_ON))
    secrets = [source["secret"] for v in spec["volumes"] for source in v.get("projected", {}).get("sources", [])]
    assert secrets == [{"name": "modelward-oidc", "items": [{"key": "client-secret", "path": "client-secret"}]}]
    assert "secret" not in json.dumps(console_pod(SMALLEST)).lower()


def test_its_network_policy_lets_it_reach_the_hub_and_the_issuer_and_nothing_else() -> None:
    policy = named(render(dict(ALL_ON)), "NetworkPolicy", "modelward-console")["spec"]
    hub, dns, issuer = policy["egress"]
    assert hub["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "hub"
    assert {port["port"] for port in dns["ports"]} == {53}
    assert issuer["ports"] == [{"port": 8444, "protocol": "TCP"}]
    plain = {**SMALLEST, "networkPolicy": {"enabled": True}}
    assert named(render(plain), "NetworkPolicy", "modelward-console")["spec"]["egress"][2]["ports"][0]["port"] == 443


def test_the_ingress_leads_the_host_of_its_url_to_it() -> None:
    (ingress,) = of_kind(render(dict(ALL_ON)), "Ingress")
    assert ingress["spec"]["rules"][0]["host"] == "modelward.example.com"
    assert ingress["spec"]["tls"] == [{"hosts": ["modelward.example.com"], "secretName": "modelward-tls"}]


URL = "https://c.example.com"


@pytest.mark.parametrize(
    ("console", "oidc", "says"),
    [
        ({}, OIDC, "console.url"),
        ({"url": URL}, {}, "a way to sign in"),
        ({"url": URL}, {"issuer": OIDC["issuer"]}, "clientId"),
        ({"url": URL, "oidc": OIDC}, {}, "must be the same"),
        ({"url": URL, "oidc": {"clientId": "another"}}, OIDC, "must be the same"),
        ({"url": URL, "pastedToken": True}, {}, "people.pasted"),
        ({"url": "http://c.example.com"}, OIDC, "url"),
        ({"url": f"{URL}/path"}, OIDC, "url"),
        ({"url": URL, "oidc": {"issuer": "http://id.example.com"}}, OIDC, "issuer"),
        ({"url": URL, "oidc": {"scopes": ["email"]}}, OIDC, "scopes"),
        ({"url": URL, "odic": OIDC}, OIDC, "odic"),
    ],
)
def test_what_could_not_work_is_refused_with_the_value_to_set(
    console: dict[str, Any], oidc: dict[str, str], says: str
) -> None:
    done = template({"console": {"enabled": True, **console}, "people": {"oidc": oidc}})
    assert done.returncode != 0
    assert says in done.stderr


def test_a_console_without_the_hub_is_refused() -> None:
    done = template({**SMALLEST, "hub": {"enabled": False}})
    assert done.returncode != 0
    assert "hub.enabled" in done.stderr


def test_who_looks_from_an_own_machine_gets_the_way_to_the_hub_and_no_other() -> None:
    rules = named(render({}), "Role", "modelward-console-access")["rules"]
    forward = next(rule for rule in rules if rule["resources"] == ["pods/portforward"])
    assert forward["resourceNames"] == ["modelward-hub-0"], "not the operator's pod, where the store lets it be named"
    assert all(rule.get("resourceNames") or rule["resources"] == ["pods"] for rule in rules)
    assert not any("secrets" in rule["resources"] for rule in rules)
    bound = [item["roleRef"]["name"] for item in of_kind(render({}), "RoleBinding")]
    assert "modelward-console-access" not in bound
