"""Fixtures of the hub's tests; see hub_fixtures for what they are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from secured_hub import Cluster


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """A store on the disk."""
    return f"file://{tmp_path}/store"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """The part of an API server that a hub asks."""
    async with Cluster().running() as found:
        yield found
