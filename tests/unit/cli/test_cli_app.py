"""The command line starts quickly, has a file for each command, and shows what to type."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modelward.cli.app import app

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = {known.callback.__name__: known for known in app.registered_commands if known.callback}
EVALUATORS = (ROOT / "docs" / "evaluators.md").read_text(encoding="utf-8")
ERASE = ("exchange", "conversation", "endpoint", "namespace")
OPTIONS = ("--by", "--yes", "-y", "--dry-run", "--hub-url", "--kubeconfig")
HEAVY = ("aiohttp", "jwt", "kopf", "kubernetes", "numpy", "onnxruntime", "prometheus_client", "pydantic", "yaml")


def shown(*arguments: str) -> str:
    """Return what a command prints, without colours."""
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 0
    return done.stdout


def test_help_loads_nothing_that_only_commands_need() -> None:
    code = f"import sys, modelward.cli.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_has_a_file_or_folder_of_its_own(name: str) -> None:
    callback = COMMANDS[name].callback
    assert callback is not None
    place = {"console": "console_server"}.get(name, name)  # `cli/console.py` is where commands print
    assert callback.__module__ in (f"modelward.cli.{place}", f"modelward.cli.{place}.command")


def test_commands_stand_in_the_order_of_their_use() -> None:
    listed = [*COMMANDS, *(group.name for group in app.registered_groups)]
    assert listed == [
        "operator", "collector", "hub", "console", "evaluate", "notify", "crd", "render", "explain", "preflight",
        "doctor", "images", "plugin", "version", "erase", "alerts", "evaluators", "evaluator",
    ]  # fmt: skip
    assert all(re.search(rf"(?m)^\W*{name} ", shown("--help")) for name in listed if name != "evaluator")
    assert shown("evaluator", "--help").count("conformance") == shown("evaluators", "--help").count("conformance") > 0


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"collector", "version"}))
def test_help_ends_with_what_to_type(name: str) -> None:
    text = " ".join(shown(name, "--help").split())
    epilog = COMMANDS[name].epilog or ""
    assert " ".join(epilog.split()) in text
    assert set(re.findall(r"modelward ([a-z]+)", epilog)) <= set(COMMANDS)
    assert all((ROOT / path).is_file() for path in re.findall(r"examples/\S+\.yaml", epilog))
    assert all(f"`{built_in}`" in EVALUATORS for built_in in re.findall(r"builtin: (\w+)", epilog))


@pytest.mark.parametrize("name", ERASE)
def test_every_erasure_has_the_same_options(name: str) -> None:
    text = shown("erase", name, "--help")
    assert all(re.search(rf"{option}\b", text) for option in OPTIONS)


def test_the_image_starts_what_the_package_starts() -> None:
    (entry,) = re.findall(r'(?m)^modelward = "(\S+):main"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"from {entry} import main" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
