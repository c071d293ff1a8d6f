"""The README of `modelward evaluator init`, command by command, from the skeleton to the verdict of its container."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bank import QUESTIONS, scripted_bot
from customers import ask_all, reached
from installation import REPOSITORY, Cluster, Installed
from test_containers_e2e import BASE, BOT, MODELWARD, evaluation

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(os.environ.get("MODELWARD_FULL") != "1", reason="make judges-full: needs podman"),
]
NAME = "brand"
COMMAND = re.compile(r"^ {7}(?P<text>\S.*?)(?: {2,}#.*)?$", re.MULTILINE)
EVERY_AND_A_RUN_S = 420
"""`every` of the skeleton's policy is five minutes."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Runs what stands in the README, in the folder that `init` made and with only what the README asks for."""

    folder: Path
    path: str
    kubeconfig: Path
    settings: Path
    words: Mapping[str, str]

    def commands(self, step: int) -> list[str]:
        """Return the commands of a step, with this registry, namespace and endpoint."""
        readme = (self.folder / "README.md").read_text()
        (text,) = re.findall(rf"^{step}\. .*?(?=^{step + 1}\. |^If )", readme, re.MULTILINE | re.DOTALL)
        return [self.here(found["text"]) for found in COMMAND.finditer(text)]

    def here(self, text: str) -> str:
        """Put in what the README leaves to its reader."""
        return re.sub("|".join(self.words), lambda word: self.words[word[0]], text)

    def run(self, command: str) -> str:
        """Return what a command printed; it has to succeed."""
        env = os.environ | {
            "PATH": self.path, "KUBECONFIG": str(self.kubeconfig), "CONTAINERS_CONF": str(self.settings)
        }  # fmt: skip
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def space(installed: Installed) -> Iterator[str]:
    """A namespace with an endpoint, as the reader of the README has one."""
    name = f"e2e-readme-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", name)
    installed.apply(name, scripted_bot(BOT, "answer"))
    yield name
    installed.cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="module")
def newcomer(installed: Installed, space: str, tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    """Their folder and programs: `docker push` leads to the one node, and its base image comes from there."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run([*MODELWARD, "evaluator", "init", NAME, "--folder", str(home)], check=True)
    tools = home / "bin"
    tools.mkdir()
    _tool(tools / "modelward", f'exec {sys.executable} -c "from modelward.cli.app import main; main()" "$@"')
    _tool(
        tools / "docker",
        'what=$1; shift; case "$what" in\n'
        f'build) exec podman build --isolation=chroot --build-arg BASE={BASE} "$@";;\n'
        f'push) exec {sys.executable} {REPOSITORY / "devcluster"} load "$@";;\n'
        "*) exit 64;; esac",
    )
    kubectl = Path(type(installed.cluster).program("kubectl"))  # type: ignore[attr-defined]
    # Where limits of open files cannot be raised, as in a container, podman has to be told to leave them.
    settings = home / "containers.conf"
    settings.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
    words = {"REGISTRY": "localhost", "NAMESPACE": space, "ENDPOINT": BOT}
    path = f"{tools}:{kubectl.parent}:{os.environ['PATH']}"
    return Newcomer(home / NAME, path, _kubeconfig(installed.cluster), settings, words)


def _kubeconfig(cluster: Cluster) -> Path:
    found: Path = cluster.kubeconfig  # type: ignore[attr-defined]
    return found


def _tool(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_newcomer_comes_from_the_skeleton_to_a_verdict_by_its_readme_alone(
    installed: Installed, newcomer: Newcomer, space: str
) -> None:
    tests, conforms = map(newcomer.run, newcomer.commands(1))
    assert "OK" in tests
    assert "server.py keeps score/v1" in conforms

    _, as_in_a_pod, _ = map(newcomer.run, newcomer.commands(2))
    assert f"localhost/{NAME}:0.1.0 keeps score/v1" in as_in_a_pod

    manifest = newcomer.folder / "evaluator.yaml"
    manifest.write_text(newcomer.here(manifest.read_text()))
    apply, accepted = newcomer.commands(3)
    newcomer.run(apply)
    installed.until("ACCEPTED is True", lambda: "True" in newcomer.run(accepted) or None, 60)

    installed.until_condition(BOT, space, "Ready", "True", 120)
    url = installed.url(BOT, space)
    installed.until("its Service leads there", lambda: reached(url) or None)
    answers = ask_all(url, QUESTIONS[:120], at_once=4, timeout_s=120)
    assert {answer.status for answer in answers} == {200}

    def decided() -> dict[str, Any] | None:
        one = evaluation(installed, space, NAME)
        return one if one.get("verdict") == "Passed" else None

    installed.until("a verdict", decided, EVERY_AND_A_RUN_S)
    listed, wide, status = map(newcomer.run, newcomer.commands(4))
    assert re.search(r"^modelward-[0-9]{8}-[0-9]{6}-[0-9a-f]{8} ", listed, re.MULTILINE), listed
    assert "1/1" in wide, wide
    assert '"verdict":"Passed"' in status
