"""What the chart does with receivers of alerts: they reach the operator with their Secrets, or are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_render import CHART, VALUES, named, of_kind, render, template

from modelward.alerts.receivers.registry import KINDS, kind_of, secrets
from modelward.operator.notify.port import PLATFORM_SECRETS, written_hosts
from modelward.operator.runtime.alert_settings import KNOWN_HOSTS
from modelward.operator.runtime.settings import Settings, load

GIVEN = VALUES["alerts"]


def settings(values: Any, folder: Path) -> Settings:
    file = folder / "settings.yaml"
    file.write_text(named(render(values), "ConfigMap", "modelward-settings")["data"]["settings.yaml"])
    return load(file)


def operator(values: Any) -> dict[str, Any]:
    pod: dict[str, Any] = named(render(values), "Deployment", "modelward")["spec"]["template"]["spec"]
    return pod


def test_receivers_of_every_kind_come_through(tmp_path: Path) -> None:
    found = settings(GIVEN, tmp_path).alerts
    assert {kind_of(one).block for one in found.receivers} == {kind.block for kind in KINDS}
    assert found.allowed_hosts == ("hooks.slack.com", "*.example.com")
    assert [*written_hosts(found.by_name["mail"])] == ["smtp.example.com"]
    assert found.fallback == "mail"


def test_by_default_the_four_services_may_be_reached_and_nothing_is_told(tmp_path: Path) -> None:
    found = settings({}, tmp_path).alerts
    assert (found.receivers, found.allowed_hosts) == ((), KNOWN_HOSTS)
    assert not [volume for volume in operator({})["volumes"] if "secret" in volume]


def test_each_secret_is_mounted_once_and_may_be_absent(tmp_path: Path) -> None:
    pod = operator(GIVEN)
    volumes = {volume["name"]: volume["secret"] for volume in pod["volumes"] if "secret" in volume}
    needed = {at.secret for one in settings(GIVEN, tmp_path).alerts.receivers for at in secrets(one)}
    assert volumes == {name: {"secretName": name, "optional": True} for name in needed}
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"] if mount["name"] in needed}
    assert {name: mount["mountPath"] for name, mount in mounts.items()} == {
        name: f"{PLATFORM_SECRETS}/{name}" for name in needed
    }
    assert all(mount["readOnly"] for mount in mounts.values())


def test_no_mount_lies_within_another() -> None:
    (container,) = operator(GIVEN)["containers"]
    paths = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert not [(one, two) for one in paths for two in paths if two.startswith(f"{one}/")]


def test_receivers_need_no_right() -> None:
    assert of_kind(render(GIVEN), "ClusterRole", "Role") == of_kind(render({}), "ClusterRole", "Role")


@pytest.mark.parametrize(
    ("receiver", "said"),
    [
        ({"name": "a"}, "receivers"),
        ({"name": "A", "teams": {"webhookUrlFrom": {"secretRef": {"name": "modelward-a", "key": "u"}}}}, "name"),
        ({"name": "a", "teams": {"webhookUrl": "https://example.com/hook"}}, "webhookUrl"),
        ({"name": "a", "teams": {"webhookUrlFrom": {"secretRef": {"name": "other", "key": "u"}}}}, "modelward-"),
        ({"name": "a", "slack": {"tokenFrom": {"secretRef": {"name": "modelward-a", "key": "u"}}}}, "channel"),
        ({"name": "a", "alertmanager": {"urls": ["http://alertmanager.example.com:9093"]}}, "urls"),
        ({"name": "a", "webhook": {"url": "https://user:word@example.com/"}}, "url"),
        ({"name": "a", "gitIssue": {"forge": "GitLab", "repository": "a/b"}}, "GitHub"),
        ({"name": "a", "pager": {}}, "pager"),
    ],
)
def test_a_receiver_that_is_written_wrong_is_refused(receiver: dict[str, Any], said: str) -> None:
    done = template({"alerts": {"receivers": [receiver]}})
    assert done.returncode != 0
    assert said in done.stderr


def test_the_values_say_which_hosts_are_known() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert tuple(values["alerts"]["allowedHosts"]) == KNOWN_HOSTS
