"""A person can try a receiver, and sees what would be sent; nothing of a Secret is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from receiver_cases import RECEIVERS, SECRET, SECRETS, receiver
from typer.testing import CliRunner, Result

from modelward.alerts.receiver import Addressee, Told, Undelivered
from modelward.alerts.receivers.registry import receiver_of
from modelward.cli.alerts.advice import told_line
from modelward.cli.alerts.rendering import requests_page
from modelward.cli.alerts.specimen import KINDS, specimen, trial
from modelward.cli.alerts.written import WrittenError, receiver_in
from modelward.cli.app import app

NAMES = sorted(RECEIVERS)
POLICY = {
    "apiVersion": "modelward.dev/v1alpha1",
    "kind": "MonitoringPolicy",
    "metadata": {"name": "baseline", "namespace": "retail"},
    "spec": {
        "endpointSelector": {},
        "alerts": {"receivers": [{"name": "sre", "shared": "oncall"}, {"name": "team", **RECEIVERS["slack"]}]},
    },
}


def values(folder: Path) -> Path:
    file = folder / "values.yaml"
    receivers = [{"name": name, **block} for name, block in RECEIVERS.items()]
    file.write_text(yaml.safe_dump({"alerts": {"receivers": receivers, "allowedHosts": ["hooks.slack.com"]}}))
    return file


def policy(folder: Path) -> Path:
    file = folder / "policy.yaml"
    file.write_text(yaml.safe_dump_all([{"kind": "LLMEndpoint", "spec": {}}, POLICY]))
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["alerts", *map(str, arguments)], env={"COLUMNS": "300", "TERM": "dumb"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_would_be_sent_is_printed_with_the_places_of_secrets(name: str, kind: str) -> None:
    page = requests_page(receiver(name), kind)
    assert "retail" in page or (name, kind) == ("pagerduty", "Resolved")
    assert not any(value.strip() in page for value in SECRETS.values())


def test_a_policys_receiver_is_found_in_its_file(tmp_path: Path) -> None:
    done = run("render", "team", "--file", policy(tmp_path))
    assert done.stdout.startswith(f"POST <key slack of Secret {SECRET}>\nContent-Type: application/json")
    body = json.loads(done.stdout.partition("\n\n")[2])
    assert body["blocks"][0]["text"]["text"].endswith("Firing (Critical): retail/chat: stays-on-topic 31% is above 10%")


def test_every_step_of_an_issue_is_printed(tmp_path: Path) -> None:
    done = run("render", "github", "--file", values(tmp_path))
    assert [line.split(" ")[0] for line in done.stdout.splitlines() if "api.github.com" in line] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("render", "nobody"), "no receiver is called nobody; it has sre, team"),
        (("render", "sre"), "sre is the platform's receiver oncall"),
        (("render", "team", "--kind", "Loud"), "Loud is no kind of message; there are Firing, Raised"),
        (("test", "sre", "--secrets", "."), "sre is the platform's receiver oncall"),
        (("test", "team"), "give --secrets DIRECTORY"),
    ],
)
def test_what_cannot_be_tried_is_named(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments, "--file", policy(tmp_path))
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize("text", ["alerts: {receivers: [{name: team, slack: 3}]}", "a: [", "spec: 3\nkind: x"])
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(WrittenError, match=r"x\.yaml: "):
        receiver_in(tmp_path / "x.yaml", "team")


def test_a_test_from_here_says_what_to_mend(tmp_path: Path) -> None:
    missing = run("test", "team", "--file", policy(tmp_path), "--secrets", tmp_path)
    assert missing.exit_code == 1
    assert missing.stdout.splitlines() == [
        f"not told: team: SecretNotFound (key slack of Secret {SECRET})",
        "next: create the Secret with this key: kubectl create secret generic NAME --from-file KEY=FILE -n NS",
    ]
    (tmp_path / SECRET).mkdir()
    (tmp_path / SECRET / "slack").write_text("https://hooks.slack.com.evil.example/services/hunter2")
    refused = run("test", "team", "--file", policy(tmp_path), "--secrets", tmp_path)
    assert refused.exit_code == 1
    assert "its host is not in alerts.allowedHosts" in refused.stdout
    assert "hunter2" not in refused.output


def test_without_kubectl_the_command_for_the_operators_pod_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("test", "oncall", "--namespace", "llm", "--kubeconfig", "k")
    assert done.exit_code == 2
    words = "kubectl --kubeconfig k exec -n llm deploy/modelward -c operator -- modelward alerts test oncall"
    assert words in " ".join(done.output.split())


def test_the_same_command_runs_in_the_operators_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho "$@"\nexit 1\n')
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    done = run("test", "oncall")
    assert done.exit_code == 1
    assert done.stdout == "exec -n modelward-system deploy/modelward -c operator -- modelward alerts test oncall\n"


def test_a_policy_is_named_with_its_namespace() -> None:
    done = run("test", "team", "--policy", "baseline")
    assert done.exit_code == 2
    assert "write --policy NAMESPACE/NAME" in done.output


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (Told("42"), "told: x has it (42)"),
        (Told(), "told: x has it"),
        (Undelivered("HTTP 403", permanent=True), "not told: x: HTTP 403"),
        (Undelivered("HTTP 500"), "not told: x: HTTP 500; it may pass by itself"),
    ],
)
def test_an_answer_is_one_line(answered: Told | Undelivered, expected: str) -> None:
    assert told_line("x", answered) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_says_that_it_is_one(name: str, tmp_path: Path) -> None:
    written = receiver_in(values(tmp_path), name).receiver
    message = trial(name, "retail", 1_795_773_600_000)
    first, *_ = receiver_of(written).requests(message, Addressee(written))
    text = repr(getattr(first, "body", b"") or getattr(first, "raw", b""))
    assert "test" in text or name == "github"
    assert any(word.isdigit() for word in message.key.split("-")), "each trial is an incident of its own"


@pytest.mark.parametrize("kind", KINDS)
def test_the_specimens_of_one_incident_have_one_key(kind: Any) -> None:
    assert specimen(kind, 1_000_000).key == specimen("Firing", 1_000_000).key
