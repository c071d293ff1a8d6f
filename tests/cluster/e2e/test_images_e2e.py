"""What an installation has to pull stays small."""

from __future__ import annotations

import subprocess
import sys

import pytest
from installation import REPOSITORY, SYSTEM, Installed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

OURS_MB = 200.0
MOST_MB = {"localhost/modelward:dev": OURS_MB, "localhost/modelward-collector:dev": 80.0}
"""As a registry holds them; the collector's is pulled by every node with an endpoint."""


@pytest.mark.usefixtures("installed")
def test_images_are_within_their_sizes() -> None:
    command = (sys.executable, str(REPOSITORY / "devcluster"), "images", "--sizes")
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    sizes = {fields[0]: float(fields[1]) for fields in map(str.split, printed.splitlines())}
    print(printed)
    assert {name for name, most in MOST_MB.items() if sizes[name] < most} == set(MOST_MB), sizes
    assert [name for name, size in sizes.items() if name.startswith("localhost/modelward") and size >= OURS_MB] == []


def test_they_run_as_nobody_with_a_root_that_is_read_only(installed: Installed) -> None:
    pods = installed.items("pods", SYSTEM)
    assert pods
    for pod in pods:
        assert pod["spec"]["securityContext"]["runAsNonRoot"], pod["metadata"]["name"]
        for container in pod["spec"]["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], container["name"]
            assert context["capabilities"] == {"drop": ["ALL"]}, container["name"]
