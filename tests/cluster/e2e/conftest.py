"""Modelward as users install it: by Helm, with real pods, a real engine and real traffic."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import judged
import pytest
from installation import SYSTEM, Installed, helm_install
from long_form import FULL


@pytest.fixture(scope="package")
def installed(cluster: Any, images: None) -> Iterator[Installed]:
    """Modelward installed by its chart; MODELWARD_KEEP_RELEASE=1 leaves it in place for the next run."""
    if not cluster.is_devcluster:
        pytest.skip("needs the devcluster: the images are in no registry")
    helm_install(cluster)
    yield Installed(cluster)
    if os.environ.get("MODELWARD_KEEP_RELEASE") != "1":
        cluster.helm("uninstall", "modelward", "-n", SYSTEM, "--wait", "--ignore-not-found")


@pytest.fixture
def place(installed: Installed, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of one test's own, deleted without waiting."""
    name = f"e2e-{request.node.name.removeprefix('test_')[:30].replace('_', '-').strip('-')}-{uuid.uuid4().hex[:5]}"
    installed.cluster.kubectl("create", "namespace", name)
    yield name
    installed.cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="package")
def judging(installed: Installed) -> Iterator[str]:
    """The judges' namespace: whoever asks first begins it, so that it calibrates while others wait."""
    name = judged.begin(installed)
    yield name
    judged.end(installed, name)


@pytest.fixture(scope="module")
def ahead(request: pytest.FixtureRequest) -> None:
    """Begin what takes long in a later module of this run; for modules that keep no time.

    Not in the long form, in which modules between the two change the node's rules for packets.
    """
    if not FULL and any(item.path.name == "test_judges_e2e.py" for item in request.session.items):
        request.getfixturevalue("judging")
