"""`kubectl modelward` answers what people ask first, leads on, and prints nothing that a terminal obeys."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from modelward.cli.console_server.command import console
from modelward.cli.plugin_file import NAMES, plugin_bytes, write_plugin
from modelward.kubectl.alerts import seconds
from modelward.kubectl.arguments import COMMANDS, parser
from modelward.kubectl.cluster import Cluster
from modelward.kubectl.completion import completion
from modelward.kubectl.errors import PluginError
from modelward.kubectl.main import answer
from modelward.kubectl.table import plain, span, table

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
Make = Callable[..., dict[str, Any]]
TOPIC = {
    "policy": "baseline", "name": "stays-on-topic", "verdict": "Failed", "rate": "31%", "low": "24%", "high": "39%",
    "samples": 140, "reason": "AboveLimit", "message": "31% (24-39) > 10%",
}  # fmt: skip
FIRES = {
    "policy": "baseline", "name": "Check/stays-on-topic", "state": "Firing", "severity": "Warning",
    "since": "2026-11-27T11:30:00Z", "message": "31% > 10%",
    "deliveries": [{"receiver": "team", "told": "Firing"}, {"receiver": "sre", "problem": "HTTP 403"}],
}  # fmt: skip


def ask(kubectl: Any, *words: str) -> str:
    return answer(parser().parse_args([*words, "--kubectl", kubectl.program]), NOW)


def test_those_that_need_a_person_come_first(kubectl: Any, endpoint: Make) -> None:
    kubectl.holds(
        "llmendpoints",
        endpoint("well", health="Healthy", healthSince="2026-11-27T11:00:00Z"),
        endpoint("ill", health="Degraded", healthSince="2026-11-27T11:48:00Z", summary="stays-on-topic 31%",
                 budgets=[{"remaining": "80%"}, {"remaining": "35%"}], alerts=[FIRES]),
        endpoint("new"),
    )  # fmt: skip
    lines = ask(kubectl, "status").splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["ill", "new", "well"]
    assert lines[1].split()[:4] == ["retail", "ill", "Degraded", "12m"]
    assert lines[1].split()[-4:] == ["35%", "1", "stays-on-topic", "31%"]
    assert "the operator has not seen it" in lines[2]


def test_an_empty_namespace_says_how_to_begin(kubectl: Any) -> None:
    assert "kubectl apply -f examples/" in ask(kubectl, "status")
    assert "No alert fires" in ask(kubectl, "alerts")


def test_top_orders_by_what_is_asked(kubectl: Any, endpoint: Make) -> None:
    kubectl.holds(
        "llmendpoints",
        endpoint("busy", usage={"requestsPerMinute": "900", "costPerHour": "0.10 USD"}),
        endpoint("dear", usage={"requestsPerMinute": "9", "costPerHour": "12.00 USD"}),
        endpoint("silent"),
    )
    names = [line.split()[1] for line in ask(kubectl, "top").splitlines()[1:]]
    assert names == ["busy", "dear", "silent"]
    assert next(line.split()[1] for line in ask(kubectl, "top", "--by", "cost").splitlines()[1:]) == "dear"


def test_why_shows_the_evidence_the_change_before_and_the_next_command(kubectl: Any, endpoint: Make) -> None:
    change = {"time": "2026-11-27T11:40:00Z", "kind": "Revision", "message": "a → b"}
    found = endpoint(
        "chat", health="Degraded", healthSince="2026-11-27T11:48:00Z", summary="stays-on-topic 31%",
        evaluations=[TOPIC], changes=[change], alerts=[FIRES],
        conditions=[{"type": "QualityHealthy", "status": "False", "reason": "AboveLimit", "message": "31%"}],
    )  # fmt: skip
    kubectl.holds("llmendpoints", found)
    told = ask(kubectl, "why", "chat")
    assert "chat is Degraded for 12m: stays-on-topic 31%" in told
    assert "31% (24%-39%)" in told
    assert "20m  Revision  a → b" in told
    assert "team, sre (HTTP 403)" in told
    assert "kubectl modelward samples -n retail chat --flagged baseline/stays-on-topic" in told
    assert "kubectl modelward ack -n retail chat Check/stays-on-topic" in told


def test_one_that_is_not_there_is_named_with_what_kubectl_says(kubectl: Any) -> None:
    with pytest.raises(PluginError, match='"chat" not found'):
        ask(kubectl, "why", "chat")


def test_an_acknowledgement_is_of_one_alert_that_fires_until_it_is_resolved(kubectl: Any, endpoint: Make) -> None:
    kubectl.holds("llmendpoints", endpoint("chat", alerts=[FIRES]))
    with pytest.raises(PluginError, match="does not fire; it fires: Check/stays-on-topic"):
        ask(kubectl, "ack", "chat", "NotReady")
    assert "created" in ask(kubectl, "ack", "chat", "Check/stays-on-topic", "--comment", "rolling back")
    made = kubectl.created()
    assert made["metadata"] == {"generateName": "ack-chat-"}
    assert made["spec"] == {
        "endpoint": "chat", "alerts": ["Check/stays-on-topic"], "untilResolved": True,
        "until": "2026-11-28T12:00:00Z", "comment": "rolling back", "author": "ann@example.org",
    }  # fmt: skip


def test_a_silence_ends_and_may_be_of_all_endpoints(kubectl: Any) -> None:
    ask(kubectl, "silence", "--for", "90m", "-n", "shop")
    assert kubectl.created()["spec"] == {"until": "2026-11-27T13:30:00Z", "author": "ann@example.org"}
    assert ["create", "-f", "-", "-n", "shop"] in kubectl.calls()
    with pytest.raises(PluginError, match="at most 30d"):
        ask(kubectl, "silence", "--for", "31d")


@pytest.mark.parametrize("text", ["", "5", "2 h", "1x", "-3m", "1h5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(PluginError, match="is no duration"):
        seconds(text)
    assert seconds("1h30m") == 5_400


@given(st.lists(st.lists(st.text(max_size=20), min_size=3, max_size=3), max_size=5))
def test_a_table_has_a_line_for_each_row_and_nothing_that_a_terminal_obeys(rows: list[list[str]]) -> None:
    shown = table(("A", "B", "C"), rows)
    assert len(shown.split("\n")) == len(rows) + 1
    assert all(character == "\n" or plain(character) == character for character in shown)


@pytest.mark.parametrize(("passed", "shown"), [(5, "5s"), (60, "1m"), (7_200, "2h"), (200_000, "2d"), (-4, "0s")])
def test_ages_are_those_of_kubectl(passed: int, shown: str) -> None:
    from datetime import timedelta

    assert span(timedelta(seconds=passed)) == shown


def test_a_shell_is_offered_commands_endpoints_and_alerts(kubectl: Any, endpoint: Make) -> None:
    kubectl.holds("llmendpoints", endpoint("chat", alerts=[FIRES]), endpoint("cards"))
    cluster = Cluster(kubectl.program)
    assert completion(["s"], cluster).split() == ["status", "silence", "samples", ":4"]
    assert completion(["why", "c"], cluster).split() == ["cards", "chat", ":4"]
    assert completion(["ack", "-n", "chat", ""], cluster).split() == ["Check/stays-on-topic", ":4"]
    assert completion(["why", ""], Cluster("/nowhere")).split() == [":4"]


def test_one_file_without_the_package_runs_every_command_s_help(tmp_path: Path) -> None:
    program, completer = write_plugin(tmp_path)
    assert (program.name, completer.name) == NAMES
    assert plugin_bytes() == program.read_bytes() == completer.read_bytes(), "the same bytes each time"
    alone = [sys.executable, "-I", "-S", "-W", "error"]  # neither site-packages nor this checkout
    for command in COMMANDS:
        done = subprocess.run([*alone, program, command, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"kubectl modelward {command}" in done.stdout
    done = subprocess.run([*alone, completer, "sta"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["status", ":4"]


def test_the_console_gets_every_option_that_it_shares_with_the_plugin(tmp_path: Path) -> None:
    program = tmp_path / "modelward"
    program.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o755)
    alone = typer.Typer()
    alone.command()(console)
    command = typer.main.get_command(alone)
    own = {{"as_account": "account"}.get(name, name): name for name in vars(parser().parse_args(["console"]))}
    shared = {one.name: f"given-{one.name}" for one in command.params if one.name in own}
    assert shared.keys() >= {"context", "kubeconfig", "kubectl", "namespace", "system_namespace", "account", "hub_url"}
    words = [word for name, value in shared.items() for word in (f"--{own[name].replace('_', '-')}", value)]
    asked = [sys.executable, "-m", "modelward.kubectl", "console", *words]
    done = subprocess.run(asked, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    name, *passed = json.loads(done.stdout)
    params = command.make_context(name, passed).params
    assert (name, {one: params[one] for one in shared}) == ("console", shared)


def test_what_says_where_may_stand_before_the_command_and_the_later_word_counts() -> None:
    for one in (
        ["--context", "east", "-n", "shop", "-A", "status"],
        ["status", "--context", "east", "-n", "shop", "-A"],
    ):
        asked = parser().parse_args(one)
        assert (asked.context, asked.namespace, asked.all_namespaces, asked.kubeconfig) == ("east", "shop", True, "")
    asked = parser().parse_args(["--context", "east", "--kubeconfig", "file", "console", "--context", "west"])
    assert (asked.context, asked.kubeconfig, asked.namespace, asked.kubectl) == ("west", "file", "", "kubectl")
