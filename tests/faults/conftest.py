"""A control plane for the session, a proxy and a namespace for each test, and the user who changes things there."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import control_plane as alone
import proxy as proxies
import pytest
import rehearsals
from control_plane import ControlPlane, NoControlPlaneError
from proxy import Proxy
from user import User

from modelward.kube.client import Client


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One of the session's own; where it does not start, continuous integration fails and others skip."""
    try:
        with alone.control_plane() as running, rehearsals.starting(running.kubeconfig):
            yield running
    except NoControlPlaneError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no control plane: {error}", pytrace=False)
        pytest.skip(f"no control plane: {error}")


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[Proxy]:
    """A proxy that passes everything until it is told otherwise."""
    with proxies.running(control_plane.kubeconfig) as running:
        yield running


@pytest.fixture
async def admin(control_plane: ControlPlane) -> AsyncIterator[Client]:
    """A client past the proxy, with all rights."""
    async with Client.connect(str(control_plane.kubeconfig)) as client:
        yield client


@pytest.fixture
async def user(admin: Client) -> User:
    """A user in a fresh namespace, which goes with the control plane."""
    return await User.settled(admin, f"faults-{uuid.uuid4().hex[:8]}")
