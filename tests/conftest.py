"""The real Kubernetes that tests marked `cluster` run on: one of yours, or the devcluster."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from long_form import FULL

# A shared machine may take a second for what takes a millisecond: how long a case took says nothing about the code.
settings.register_profile(
    "shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=400 if FULL else 40
)
settings.load_profile("shared")

REPOSITORY = Path(__file__).resolve().parent.parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelward" / "devcluster" / "bin"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster to test on, reached only through its own kubeconfig."""

    kubeconfig: Path
    is_devcluster: bool

    @staticmethod
    def program(name: str) -> str:
        """Return where kubectl or Helm is: the devcluster's own, else the one on the PATH."""
        return _program(name)

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's name for it
        """Run kubectl and return what it printed; CalledProcessError carries its stderr."""
        return self._run(_program("kubectl"), *arguments, stdin=input)

    def helm(self, *arguments: str) -> str:
        """Run Helm and return what it printed."""
        return self._run(_program("helm"), *arguments)

    def apply(self, document: object, namespace: str | None = None) -> None:
        """Apply one object, or a list of them, by server-side apply."""
        items = document if isinstance(document, list) else [document]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        where = ("-n", namespace) if namespace else ()
        self.kubectl("apply", "--server-side", "--force-conflicts", *where, "-f", "-", input=text)

    def _run(self, *command: str, stdin: str | None = None) -> str:
        env = os.environ | {"KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, check=False, timeout=240)
        if done.returncode:
            raise AssertionError(f"`{' '.join(command)}` failed ({done.returncode}): {done.stderr.strip()[-2000:]}")
        return done.stdout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test marked `cluster` finds a running one, and MODELWARD_TEST_KUBECONFIG set, whether it asks or not."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("cluster"):
            item.fixturenames.insert(0, "cluster")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster. The devcluster is started when it is down, and then stopped again at the end."""
    given = os.environ.get("MODELWARD_TEST_KUBECONFIG")
    if given:
        yield Cluster(Path(given), is_devcluster=False)
        return
    if not sys.platform.startswith("linux") or os.geteuid():
        _unavailable("no cluster: set MODELWARD_TEST_KUBECONFIG, or run as root on Linux for the devcluster")
    was_up = "node Ready: True" in _devcluster("status")
    kubeconfig = Path(_devcluster("up").strip())
    os.environ["MODELWARD_TEST_KUBECONFIG"] = str(kubeconfig)
    yield Cluster(kubeconfig, is_devcluster=True)
    del os.environ["MODELWARD_TEST_KUBECONFIG"]
    if not was_up:
        _devcluster("down")


@pytest.fixture(scope="session")
def images(cluster: Cluster) -> None:
    """The images of this checkout in the cluster; a cluster of your own must have them already."""
    if cluster.is_devcluster:
        _devcluster("build-images")


@pytest.fixture(scope="module")
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test module's own; its deletion is not waited for."""
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    name = f"{module[:40].strip('-')}-{uuid.uuid4().hex[:6]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def _devcluster(*arguments: str) -> str:
    command = [sys.executable, str(REPOSITORY / "devcluster"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        _unavailable(f"the devcluster does not start: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _unavailable(reason: str) -> None:
    # A machine without root may skip; where the tests are the point, skipping would pass for success.
    if os.environ.get("CI") or os.environ.get("MODELWARD_REQUIRE_CLUSTER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _program(name: str) -> str:
    built = _CACHE / name
    return str(built) if built.exists() else shutil.which(name) or name
